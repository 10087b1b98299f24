"""What waits to be promoted, and when it may go."""

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as some

import builders
from fleet.gate import answers, backlog, candidates
from fleet.model import ledger

Opening = backlog.Opening
A, B, C = (builders.accepted(n, f"c{n}") for n in (1, 2, 3))
SOON, LATER = builders.later(60), builders.later(3600)


def waits(
    base: candidates.Accepted | None, *history: candidates.Accepted
) -> list[tuple[int, int]]:
    found = backlog.waiting(base, builders.upstream(*history))
    return [(each.newest.release, each.first) for each in found]


def test_what_is_newer_than_all_that_is_here_waits_the_newest_first():
    assert waits(A, A, B, C) == [(3, 3), (2, 2)]
    assert waits(C, A, B, C) == []
    assert waits(None, A, B) == [(2, 2), (1, 1)]
    assert waits(A) == []


def test_releases_that_say_the_same_are_one_since_the_first():
    again = builders.accepted(3, "c2", owned="o2")
    assert waits(A, A, B, again) == [(3, 2)]
    assert waits(A, A, B, C, builders.accepted(4, "c2")) == [(4, 4), (3, 3), (2, 2)]


def test_upstream_that_has_gone_back_to_what_is_here_has_nothing_to_give():
    assert waits(A, A, B, builders.accepted(3, "c1")) == []


GATES: dict[str, tuple[list[ledger.GateResult], Opening, datetime | None]] = {
    "nothing is known": ([], Opening.WAITS, None),
    "all open": ([answers.opens("a", ""), answers.opens("b", "", until=SOON)], Opening.NOW, None),
    "the clock alone": ([answers.waits("a", "", until=SOON)], Opening.AT, SOON),
    "the last of two": (
        [answers.waits("a", "", until=SOON), answers.waits("b", "", until=LATER)],
        Opening.AT,
        LATER,
    ),
    "somebody": (
        [answers.waits("a", "", until=SOON), answers.waits("b", "")],
        Opening.WAITS,
        None,
    ),
    "an error looks again then, and is no promise": (
        [answers.fails("a", "", until=SOON)],
        Opening.WAITS,
        None,
    ),
    "refused": (
        [answers.refuses("a", ""), answers.waits("b", ""), answers.opens("c", "")],
        Opening.REFUSED,
        None,
    ),
}


@pytest.mark.parametrize(("results", "word", "until"), GATES.values(), ids=GATES)
def test_when_it_may_go(results: list, word: Opening, until: datetime | None):
    assert backlog.opening(results) == (word, until)


RESULTS = some.lists(
    some.builds(
        ledger.GateResult,
        gate=some.just("a"),
        state=some.sampled_from(ledger.GateState),
        reason=some.just(""),
        until=some.sampled_from([None, SOON, LATER]),
    ),
    min_size=1,
)


@given(RESULTS, RESULTS)
def test_more_gates_never_make_it_go_sooner(some_: list, more: list):
    order = list(Opening)
    (one, _), (both, _) = backlog.opening(some_), backlog.opening([*some_, *more])
    assert order.index(both) >= order.index(one)
    assert (both is Opening.NOW) == all(e.state is ledger.GateState.OPEN for e in [*some_, *more])
