"""Work in copies of the process: the same results in the same order, whatever becomes of the copies."""

import os
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from fleet.adapters import forks

HERE = os.getpid()
CREW = forks.Forks(processes=3, worth_it=4)
ITEMS = list(range(10))


def squares(part: Sequence[int]) -> list[int]:
    return [each * each for each in part]


@pytest.mark.parametrize("count", [0, 1, 3, 4, 5, 7, 100])
@pytest.mark.parametrize("processes", [0, 1, 2, 3, 16])
def test_results_come_in_the_order_of_the_items(count: int, processes: int):
    crew = forks.Forks(processes=processes, worth_it=4)
    assert crew.spread(range(count), squares) == [each * each for each in range(count)]


def test_several_processes_work_where_it_is_worth_it_and_one_where_it_is_not():
    assert len(set(CREW.spread(ITEMS, lambda part: [os.getpid()] * len(part)))) == 3
    assert CREW.spread(ITEMS[:3], lambda part: [os.getpid()] * len(part)) == [HERE] * 3


def killed(part: Sequence[int]) -> list[int]:
    if os.getpid() != HERE:
        os.kill(os.getpid(), signal.SIGKILL)
    return squares(part)


def silent(part: Sequence[int]) -> list[int]:
    if os.getpid() != HERE:
        os._exit(0)
    return squares(part)


def failing(part: Sequence[int]) -> list[int]:
    if os.getpid() != HERE:
        raise MemoryError
    return squares(part)


def not_to_be_sent(part: Sequence[int]) -> list[Any]:
    return squares(part) if os.getpid() == HERE else [lambda: None for _ in part]


@pytest.mark.parametrize("work", [killed, silent, failing, not_to_be_sent])
def test_what_a_copy_did_not_do_is_done_here(work: Any, capfd: pytest.CaptureFixture[str]):
    assert CREW.spread(ITEMS, work) == squares(ITEMS)
    capfd.readouterr()


def own_children() -> set[str]:
    """Other tests may have started programs that run for the whole session."""
    tasks = Path("/proc/self/task").iterdir()
    return {pid for each in tasks for pid in (each / "children").read_text().split()}


def test_a_fault_of_the_work_itself_is_raised_here_and_no_copy_stays():
    def wrong(part: Sequence[int]) -> list[int]:
        raise ValueError(f"{len(part)}")

    before, children = len(list(Path("/proc/self/fd").iterdir())), own_children()
    with pytest.raises(ValueError, match="4"):
        CREW.spread(ITEMS, wrong)
    assert own_children() <= children
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_more_than_a_pipe_holds_gets_through():
    found = CREW.spread(ITEMS, lambda part: ["x" * 1_000_000 + str(each) for each in part])
    assert [each[-1] for each in found] == [str(each) for each in ITEMS]
