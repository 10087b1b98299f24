"""The main job again and again, each time with one process killed at another place (threat 94).

A process is killed after the i-th call to one of its ports and started anew over what was durable. Only calls with an
effect are tried: after a call that reads, the world is as it was after the effect before it. FLEET_KILL_POINTS=all
tries every call of every process.
"""

import os
import random
import sys

import pytest

import storyline
import worlds
from fleet.simulation import clock, faults, world

EFFECTS = frozenset(
    {"book.write", "book.sync", "repository.keep", "repository.fetch", "cluster.create",
     "cluster.apply", "cluster.replace", "cluster.delete", "link.poll", "link.fetch", "link.report"}
)  # fmt: skip
ALL = os.environ.get("FLEET_KILL_POINTS") == "all"


def post_of(here: world.World, name: str) -> world.Post:
    if name == "hub":
        return here.hub
    member = here.members.get(name) or here.add_cluster(name)
    return member.agent


def told(name: str, *plans: faults.Plan) -> tuple[world.Post, list[str]]:
    """The story with these lives of one process, and the calls of the last of them.

    Raises AssertionError where an invariant did not hold.
    """

    async def tell() -> tuple[world.Post, list[str]]:
        here = worlds.small()
        post = post_of(here, name)
        post.plans = list(plans)
        try:
            await storyline.tell(here)
            return post, list(post.process.log) if post.process else []
        finally:
            await here.close()

    return clock.run(tell())


def calls_of(name: str) -> list[str]:
    """The names of all calls of a process when nothing fails."""
    return told(name)[1]


# Each n-th effect, so that all of them together stay within a minute.
@pytest.mark.threat(94)
@pytest.mark.timeout(3600 if ALL else 120)
@pytest.mark.parametrize(
    ("name", "nth"), [("hub", 8), ("dev-1", 3), ("prod-canary", 6), ("prod-eu", 4)]
)
def test_killed_after_any_call_it_goes_on_and_everything_converges(
    name: str, nth: int, capsys: pytest.CaptureFixture[str]
):
    calls = calls_of(name)
    places = [n for n, what in enumerate(calls, 1) if ALL or what in EFFECTS]
    tried = places if ALL else places[::nth]
    step = "each" if ALL else f"one in {nth} effects"
    with capsys.disabled():
        sys.stdout.write(f" {name}: killed at {len(tried)} of {len(calls)} calls ({step})")
    failed = []
    for place in tried:
        failed += killed(name, place, calls[place - 1])
    assert failed == []


def killed(name: str, place: int, what: str) -> list[str]:
    """What went wrong in the story with a process that dies after that call."""
    try:
        post, _ = told(name, faults.crash_after(place))
    except Exception as error:  # noqa: BLE001 - every failing place is told, not the first alone
        return [f"{name} after call {place} ({what}): {error!r}"]
    is_under_way = what == "link.poll" and not post.ended  # when the story ends
    if is_under_way or post.ended[:1] == ["crashed"]:
        return []
    return [f"{name} did not die at {place} ({what})"]


@pytest.mark.threat(94)
@pytest.mark.timeout(120)
@pytest.mark.parametrize("name", ["hub", "dev-1"])
def test_killed_twice_at_the_same_work_it_still_converges(name: str):
    """The second life dies just after it has begun to make up for the first."""
    effects = [n for n, what in enumerate(calls_of(name), 1) if what in EFFECTS]
    for place in effects[len(effects) // 4 :: len(effects) // 3]:
        for second in (5, 12):
            post, _ = told(name, faults.crash_after(place), faults.crash_after(second))
            assert post.ended[:2] == ["crashed", "crashed"]


@pytest.mark.threat(78)
@pytest.mark.timeout(60)
@pytest.mark.parametrize("name", ["hub", "dev-1"])
@pytest.mark.parametrize("fault", [faults.Fault.BEFORE, faults.Fault.AFTER, faults.Fault.DELAY])
def test_calls_that_fail_now_and_then_delay_and_change_nothing(name: str, fault: faults.Fault):
    chance = random.Random(7)  # noqa: S311 - the same in each run
    told(name, lambda _at, _what: fault if chance.random() < 0.06 else None)


def test_a_process_that_is_dead_reaches_nothing_any_more():
    process = faults.Process(name="old")
    process.die()
    reached: list[str] = []

    async def call() -> None:
        async with process.call("book.write"):
            reached.append("book")

    with pytest.raises(faults.Crash):
        clock.run(call())
    assert reached == []
