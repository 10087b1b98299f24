"""The 11th invariant: a soak interval never contains an unhealthy, unknown or unobserved moment."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

import builders
from fleet.gate import intervals
from fleet.model import observed

STALE = timedelta(seconds=300)
BLANK = builders.soak()


def look(seconds: float, **fields: Any) -> intervals.Look:
    now = builders.later(seconds)
    defaults = {"now": now, "signs": (now,), "is_healthy": True, "quorum": 1, "stale_after": STALE}
    return intervals.Look(**{**defaults, **fields})


def follow(*looks: intervals.Look, row: observed.Soak = BLANK) -> observed.Soak:
    for each in looks:
        row = intervals.follow(row, each)
    return row


def spans(row: observed.Soak) -> tuple[tuple[float, float] | None, tuple[float, float] | None]:
    """Seconds from NOW, of the one that runs and of the longest that is over."""
    return _span(row.running), _span(row.longest)


def _span(found: observed.Interval | None) -> tuple[float, float] | None:
    if found is None:
        return None
    seconds = [(each - builders.NOW).total_seconds() for each in (found.began, found.confirmed)]
    return seconds[0], seconds[1]


SILENT = {"signs": (), "is_healthy": None}
CASES: dict[str, tuple[list[intervals.Look], tuple[float, float] | None, tuple[float, float] | None]] = {
    "one look": ([look(0)], (0, 0), None),
    "it goes on": ([look(0), look(200), look(400)], (0, 400), None),
    "sick ends it": ([look(0), look(200), look(201, is_healthy=False)], None, (0, 200)),
    "and it begins anew": (
        [look(0), look(200), look(201, is_healthy=False), look(210)], (210, 210), (0, 200),
    ),
    "a gap of just as long as health is known": ([look(0), look(300)], (0, 300), None),
    "a longer gap": ([look(0), look(301)], (301, 301), (0, 0)),
    "silence shorter than that": ([look(0), look(250, **SILENT)], (0, 0), None),
    "silence that lasts": ([look(0), look(100), look(401, **SILENT)], None, (0, 100)),
    "an old sign confirms no later moment": (
        [look(0), look(100, signs=(builders.later(40),))], (0, 40), None,
    ),
    "the oldest sign of all counts": (
        [look(0), look(100, signs=(builders.later(90), builders.later(30)))], (0, 30), None,
    ),
    "a sign from before it began": (
        [look(0), look(10, signs=(builders.later(-50),))], (0, 0), None,
    ),
    "fewer than the quorum": (
        [look(0, signs=(builders.later(0),), quorum=2), look(50, quorum=2)], None, None,
    ),
    "a quorum that grows begins it anew": (
        [look(0), look(60), look(90, quorum=2, signs=(builders.later(90),) * 2)], (90, 90), (0, 60),
    ),
    "a quorum that shrinks asks for as many still": (
        [look(0, quorum=2, signs=(builders.later(0),) * 2), look(60, quorum=1)], (0, 0), None,
    ),
    "the clock goes back": ([look(0), look(100), look(-500)], (-500, -500), (0, 100)),
    "the clock is a week ahead": ([look(0), look(100), look(7 * 86400)], (604800, 604800), (0, 100)),
    "a jump that is seen": (
        [look(0), look(100), look(110, has_jumped=True), look(115)], (115, 115), (0, 100),
    ),
    "the longest is kept": (
        [look(0), look(200), look(201, is_healthy=False), look(210), look(220),
         look(221, is_healthy=False)],
        None, (0, 200),
    ),
}  # fmt: skip


@pytest.mark.threat(102, 114)
@pytest.mark.parametrize(("looks", "running", "longest"), CASES.values(), ids=CASES.keys())
def test_looks(
    looks: list[intervals.Look],
    running: tuple[float, float] | None,
    longest: tuple[float, float] | None,
):
    assert spans(follow(*looks)) == (running, longest)


def test_sick_is_remembered_until_it_is_well():
    row = follow(look(0), look(10, is_healthy=False))
    assert row.is_sick
    assert follow(look(20, is_healthy=None), row=row).is_sick
    assert not follow(look(20), row=row).is_sick


LOOKS = some.lists(
    some.tuples(
        some.sampled_from(
            [1, 5, 60, 299, 300, 301, 5000, -1, -400, 604800]
        ),  # since the last look
        some.sampled_from([True, True, True, False, None]),
        some.lists(some.sampled_from([0, 1, 100, 299]), max_size=3),  # how old signs are
        some.sampled_from([1, 2]),
        some.booleans(),
    ),
    max_size=30,
)


@pytest.mark.threat(102)
@given(LOOKS)
def test_every_moment_of_an_interval_was_seen_healthy_with_the_quorum(steps: list[Any]):
    """Told from the looks alone: between two confirmed moments nobody was silent for longer than health is known."""
    at, row = 0.0, BLANK
    bad: list[tuple[datetime, datetime]] = []  # between two looks in which something was wrong
    before = builders.later(0)
    for passed, is_healthy, ages, quorum, jumped in steps:
        at += passed
        now = builders.later(at)
        signs = tuple(builders.later(at - age) for age in ages)
        seen = look(at, is_healthy=is_healthy, signs=signs, quorum=quorum, has_jumped=jumped)
        is_seen = is_healthy is True and len(signs) >= quorum
        if passed < 0:  # what a clock told that went back since are no moments of this one
            bad = [(first, last) for first, last in bad if last <= now]
        elif jumped or is_healthy is False or passed > STALE.total_seconds():
            bad.append((before, now))
        held, row = row.running, intervals.follow(row, seen)
        running = row.running
        if running is not None:
            assert running.began <= running.confirmed <= now
            assert now - running.confirmed <= STALE
            assert is_seen or running == held  # nothing is confirmed by a look that saw nothing
            assert not any(
                running.began <= first and last <= running.confirmed and first != last
                for first, last in bad
            )
        before = now


@given(LOOKS)
def test_the_best_never_shrinks(steps: list[Any]):
    at, row, best = 0.0, BLANK, timedelta(0)
    for passed, is_healthy, ages, quorum, jumped in steps:
        at += passed
        signs = tuple(builders.later(at - age) for age in ages)
        row = intervals.follow(
            row, look(at, is_healthy=is_healthy, signs=signs, quorum=quorum, has_jumped=jumped)
        )
        length = row.best.length if row.best else timedelta(0)
        assert length >= best
        best = length
