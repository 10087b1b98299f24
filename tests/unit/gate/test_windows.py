"""Windows and freezes: exact at each edge, at changes of clocks too, and bounded whatever the rule says."""

import bisect
import contextlib
import functools
import itertools
import time
import zoneinfo
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as some

import builders
from fleet.gate import glass, windows
from fleet.manifests import recurrences, zones
from fleet.model import errors, gating, ledger

Gate = ledger.GateState
BERLIN, MINUTE = "Europe/Berlin", timedelta(minutes=1)
FIRST, LAST = datetime(2021, 1, 1), datetime(2028, 12, 31)  # noqa: DTZ001 - wall clocks


def window(name: str = "work", effect: str = "allow", **fields: Any) -> gating.Window:
    written = {
        "name": name,
        "effect": effect,
        "timeZone": BERLIN,
        "start": "2026-01-05T09:00",
        "duration": "8h",
        **fields,
    }
    return gating.Window.model_validate(written)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


WORK = window(recurrence="FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR")
FREEZE = window("year-end", "deny", start="2026-12-18T18:00", duration="17d")
EDGES: dict[str, tuple[list[gating.Window], str, bool, str | None]] = {
    "none declared": ([], "2026-06-01T00:00", True, None),
    "a second before it opens": ([WORK], "2026-06-01T06:59:59", False, "2026-06-01T07:00"),
    "as it opens": ([WORK], "2026-06-01T07:00", True, "2026-06-01T15:00"),
    "a second before it closes": ([WORK], "2026-06-01T14:59:59", True, "2026-06-01T15:00"),
    "as it closes": ([WORK], "2026-06-01T15:00", False, "2026-06-02T07:00"),
    "over the weekend": ([WORK], "2026-06-05T15:00", False, "2026-06-08T07:00"),
    "winter time": ([WORK], "2026-01-05T07:59", False, "2026-01-05T08:00"),
    "before it began at all": ([WORK], "2026-01-01T12:00", False, "2026-01-05T08:00"),
    "a freeze alone": ([FREEZE], "2026-12-18T16:59", True, "2026-12-18T17:00"),
    "deny wins": ([WORK, FREEZE], "2026-12-21T10:00", False, "2027-01-05T08:00"),
    "after the freeze, in the middle of a day": (
        [WORK, window("f", "deny", start="2026-06-01T00:00", duration="12h")],
        "2026-06-01T08:00", False, "2026-06-01T10:00",
    ),
    "a freeze ends it early": (
        [WORK, window("f", "deny", start="2026-06-01T12:00", duration="1h")],
        "2026-06-01T09:00", True, "2026-06-01T10:00",
    ),
    "two that meet are one": (
        [window("a", start="2026-06-01T09:00", duration="1h"),
         window("b", start="2026-06-01T10:00", duration="1h")],
        "2026-06-01T07:30", True, "2026-06-01T09:00",
    ),
    "once, and over": ([window()], "2026-06-01T00:00", False, None),
    "always": (
        [window(duration="1d", recurrence="FREQ=DAILY")], "2026-06-01T00:00", True, None,
    ),
    # Clocks go forward on 2026-03-29 at 02:00, back on 2026-10-25 at 03:00.
    "the day before the change": (
        [window(recurrence="FREQ=DAILY")], "2026-03-28T07:59", False, "2026-03-28T08:00",
    ),
    "the day of the change": (
        [window(recurrence="FREQ=DAILY")], "2026-03-29T06:59", False, "2026-03-29T07:00",
    ),
    "a beginning that is skipped counts by the offset before": (
        [window(start="2026-03-01T02:30", duration="1h", recurrence="FREQ=DAILY")],
        "2026-03-29T01:00", False, "2026-03-29T01:30",
    ),
    "and lasts as long as any": (
        [window(start="2026-03-01T02:30", duration="1h", recurrence="FREQ=DAILY")],
        "2026-03-29T01:30", True, "2026-03-29T02:30",
    ),
    "a beginning that comes twice is the first": (
        [window(start="2026-10-01T02:30", duration="30m", recurrence="FREQ=DAILY")],
        "2026-10-25T00:29", False, "2026-10-25T00:30",
    ),
    "and not the second": (
        [window(start="2026-10-01T02:30", duration="30m", recurrence="FREQ=DAILY")],
        "2026-10-25T01:35", False, "2026-10-26T01:30",
    ),
    "hours over the change pass as they are": (
        [window(start="2026-03-29T01:00", duration="4h")],
        "2026-03-29T00:30", True, "2026-03-29T04:00",
    ),
    "days over the change are days of the wall clock": (
        [window(start="2026-03-28T00:00", duration="2d")],
        "2026-03-28T12:00", True, "2026-03-29T22:00",
    ),
    "a leap day": (
        [window(start="2024-02-29T00:00", duration="1d", recurrence="FREQ=YEARLY")],
        "2028-02-28T22:59", False, "2028-02-28T23:00",
    ),
    "the last Friday of a month": (
        [window(start="2026-01-01T09:00", recurrence="FREQ=MONTHLY;BYDAY=-1FR")],
        "2026-02-01T00:00", False, "2026-02-27T08:00",
    ),
    "every second week keeps its beat years later": (
        [window(start="2020-01-06T09:00", recurrence="FREQ=WEEKLY;INTERVAL=2;BYDAY=MO")],
        "2026-06-02T00:00", False, "2026-06-15T07:00",
    ),
    "UNTIL in UTC is the last": (
        [window(recurrence="FREQ=DAILY;UNTIL=20260106T080000Z")],
        "2026-01-06T16:00", False, None,
    ),
    "COUNT is counted from the first": (
        [window(recurrence="FREQ=DAILY;COUNT=3")], "2026-01-06T16:00", False, "2026-01-07T08:00",
    ),
    "and then it is over": (
        [window(recurrence="FREQ=DAILY;COUNT=3")], "2026-01-07T16:00", False, None,
    ),
}  # fmt: skip


@pytest.mark.threat(54)
@pytest.mark.parametrize(("declared", "now", "is_open", "until"), EDGES.values(), ids=EDGES.keys())
def test_edges(declared: list[gating.Window], now: str, is_open: bool, until: str | None):
    found = windows.state(declared, at(now))
    assert (found.is_open, found.until) == (is_open, at(until) if until else None)


def test_a_window_of_one_wave_says_nothing_to_another():
    declared = [window("slow", "deny", start="2026-06-01T00:00", duration="9h", waves=["rest"])]
    now = at("2026-06-01T00:00")
    assert windows.state(declared, now, "canary").is_open
    assert windows.state(declared, now).is_open
    found = windows.state(declared, now, "rest")
    assert (found.is_open, found.until, found.reason) == (
        False, at("2026-06-01T07:00"), "closed by slow",
    )  # fmt: skip


@pytest.mark.threat(54)
def test_broken_glass_passes_what_is_closed_until_its_end_and_says_so():
    now = builders.NOW
    broken = glass.Broken(by="ada, bert", reason="outage", until=builders.later(3600))
    declared = [window("freeze", "deny", start="2026-02-01T00:00", duration="60d")]
    found = windows.state(declared, now, broken=broken)
    assert (found.is_open, found.until) == (True, broken.until)
    assert "break-glass" in found.reason
    assert "ada, bert: outage" in found.reason
    assert not windows.state(declared, broken.until, broken=broken).is_open


SAID = {"ada": (2, 0, 3600), "bert": (2, 60, 1800), "cara": (3, 120, 900)}  # count, since, until


@pytest.mark.parametrize(
    ("who", "after", "until"),
    [
        (("ada",), 10, None),  # one of two
        (("ada", "bert"), 59, None),  # not yet
        (("ada", "bert"), 60, 1800),
        (("ada", "bert"), 1799, 1800),
        (("ada", "bert"), 1800, None),
        (("ada", "bert", "cara"), 100, 1800),
        (("ada", "bert", "cara"), 120, 900),  # whoever was asked for more counts
        ((), 0, None),
    ],
)
def test_glass_is_broken_while_enough_people_say_so(
    who: tuple[str, ...], after: float, until: float | None
):
    rows = []
    for each in who:
        count, since, ends = SAID[each]
        rows.append(
            builders.break_glass(
                by=each, count=count, since=builders.later(since), until=builders.later(ends)
            )
        )
    found = glass.broken(rows, builders.later(after))
    assert (found.until if found else None) == (until and builders.later(until))


@pytest.mark.parametrize("can_break", [True, False])
def test_the_gate_says_until_when_and_who_may_break_it(can_break: bool):
    declared = [
        {"name": "freeze", "effect": "deny", "timeZone": "Etc/UTC", "start": "2026-02-01T00:00",
         "duration": "60d"},
    ]  # fmt: skip
    broken = {"breakGlass": {"group": "leads"}} if can_break else {}
    spec = builders.gates(windows=declared, **broken)
    candidate = builders.candidate(environment="prod")
    found = windows.gate(candidate, builders.facts(), spec)
    assert found is not None
    assert (found.state, found.reason) == (Gate.WAITING, "closed by freeze")
    assert found.until == datetime(2026, 4, 2, tzinfo=UTC)
    assert ("break-glass prod" in found.hint) is can_break


# The law: open xor closed, and `until` is exactly the next edge.

RULES = [
    None, "FREQ=DAILY", "FREQ=DAILY;INTERVAL=3", "FREQ=WEEKLY;BYDAY=MO,WE,SU", "FREQ=WEEKLY;INTERVAL=2",
    "FREQ=MONTHLY;BYMONTHDAY=1,28", "FREQ=DAILY;BYHOUR=1,2,3;BYMINUTE=0,30", "FREQ=DAILY;COUNT=4",
    "FREQ=WEEKLY;BYDAY=SU;BYHOUR=2", "FREQ=YEARLY;INTERVAL=5;BYMONTH=3,10", "FREQ=MONTHLY;INTERVAL=5;BYDAY=SU",
    "FREQ=YEARLY;BYWEEKNO=13,43;BYDAY=SU,MO", "FREQ=DAILY;UNTIL=20260330T000000Z",
]  # fmt: skip
STARTS = ("2026-03-20T01:30", "2026-03-28T02:00", "2026-03-29T02:30", "2026-03-10T23:00",
          "2026-10-20T02:30", "2021-02-03T02:59")  # fmt: skip
WINDOWS = some.lists(
    some.builds(
        window,
        some.sampled_from(["a", "b"]),
        some.sampled_from(["allow", "deny"]),
        timeZone=some.sampled_from([BERLIN, "Etc/UTC", "America/New_York", "Australia/Lord_Howe"]),
        start=some.sampled_from(STARTS),
        duration=some.sampled_from(["30m", "1h", "3h30m", "24h", "36h", "2d", "25h"]),
        recurrence=some.sampled_from(RULES),
    ),
    min_size=1,
    max_size=3,
)
NOWS = some.sampled_from(["2026-03-28T20:00", "2026-03-08T03:00", "2026-10-24T12:00"])


def covers(each: gating.Window, now: datetime) -> bool:
    """Told the slow way: from each wall clock that lies near, by the rules of the calendar alone."""
    zone = zoneinfo.ZoneInfo(each.time_zone)
    whole, rest = each.duration // timedelta(days=1), each.duration % timedelta(days=1)
    near = now.replace(tzinfo=None)
    every = begins_of(each.start, each.recurrence, each.time_zone)
    first = bisect.bisect_left(every, near - each.duration - timedelta(days=2))
    for begin in itertools.takewhile(lambda b: b < near + timedelta(days=2), every[first:]):
        begun = begin.replace(tzinfo=zone).astimezone(UTC)
        end = (begin + timedelta(days=whole)).replace(tzinfo=zone).astimezone(UTC) + rest
        if begun <= now < end:
            return True
    return False


@functools.cache
def begins_of(start: str, recurrence: str | None, time_zone: str) -> list[datetime]:
    from dateutil import rrule

    if recurrence is None:
        return [datetime.fromisoformat(start)]
    last = datetime(2026, 3, 30, tzinfo=UTC).astimezone(zoneinfo.ZoneInfo(time_zone))
    text = recurrence.replace("20260330T000000Z", f"{last:%Y%m%dT%H%M%S}")
    return list(
        rrule.rrulestr(f"{text};WKST=MO", dtstart=datetime.fromisoformat(start)).between(
            FIRST, LAST
        )
    )


def is_open(declared: list[gating.Window], now: datetime) -> bool:
    allowing = [each for each in declared if each.effect is gating.Effect.ALLOW]
    denying = [each for each in declared if each.effect is gating.Effect.DENY]
    if any(covers(each, now) for each in denying):
        return False
    return not allowing or any(covers(each, now) for each in allowing)


@pytest.mark.threat(54)
@settings(max_examples=150, deadline=None)
@given(WINDOWS, NOWS, some.integers(0, 3000))
@example(
    [window(start="2026-03-29T02:30", duration="30m", recurrence="FREQ=DAILY")],
    "2026-03-28T20:00",
    300,
)
def test_open_xor_closed_and_until_is_the_next_edge(
    declared: list[gating.Window], day: str, minutes: int
):
    assume(not any(recurrences.faults(recurrences.form_of(each)) for each in declared))
    now = at(day) + minutes * MINUTE
    found = windows.state(declared, now)
    assert found.is_open is is_open(declared, now)
    reach = now + timedelta(days=2)
    stays = min(found.until or reach, reach)
    for step in range(1, int((stays - now) / (7 * MINUTE))):
        moment = now + step * 7 * MINUTE
        assert is_open(declared, moment) is found.is_open, moment
    if found.until is not None:
        second = timedelta(seconds=1)
        assert is_open(declared, found.until) is not found.is_open
        assert is_open(declared, found.until - second) is found.is_open
        assert windows.state(declared, found.until).is_open is not found.is_open


# Hostile rules and words.

BAD: dict[str, tuple[dict[str, str], str]] = {
    "each second": ({"recurrence": "FREQ=SECONDLY"}, "FREQ=SECONDLY"),
    "each minute": ({"recurrence": "FREQ=MINUTELY"}, "one of DAILY"),
    "each hour": ({"recurrence": "FREQ=HOURLY"}, "one of DAILY"),
    "too often a day": (
        {"recurrence": "FREQ=DAILY;BYHOUR=0,1,2,3;BYMINUTE=0,1,2,3,4,5,6"}, "24 times a day",
    ),
    "seconds": ({"recurrence": "FREQ=DAILY;BYSECOND=1"}, "BYSECOND"),
    "never": ({"recurrence": "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30"}, "never comes"),
    "no frequency": ({"recurrence": "BYDAY=MO"}, "FREQ is missing"),
    "nothing": ({"recurrence": ""}, "no part"),
    "twice": ({"recurrence": "FREQ=DAILY;FREQ=DAILY"}, "twice"),
    "a line of its own": ({"recurrence": "FREQ=DAILY\nEXDATE:20260101T000000"}, "FREQ=DAILY"),
    "another property": ({"recurrence": "FREQ=DAILY;X-EVIL=1"}, "X-EVIL"),
    "count and until": ({"recurrence": "FREQ=DAILY;COUNT=1;UNTIL=20270101T000000"}, "exclude"),
    "until a day": ({"recurrence": "FREQ=DAILY;UNTIL=20270101"}, "UNTIL"),
    "until no day": ({"recurrence": "FREQ=DAILY;UNTIL=20271341T000000"}, "no moment"),
    "day of no week": ({"recurrence": "FREQ=WEEKLY;BYDAY=XX"}, "BYDAY"),
    "a number that is no day": ({"recurrence": "FREQ=MONTHLY;BYMONTHDAY=32"}, "1 to 31"),
    "no hour": ({"recurrence": "FREQ=DAILY;BYHOUR=24"}, "0 to 23"),
    "zero": ({"recurrence": "FREQ=DAILY;INTERVAL=0"}, "INTERVAL"),
    "a huge number": ({"recurrence": "FREQ=DAILY;INTERVAL=99999999999999999999"}, "INTERVAL"),
    "a month without end": ({"recurrence": "FREQ=DAILY", "duration": "32d"}, "31 days"),
    "no time at all": ({"duration": "0s"}, "has to last"),
    "no zone": ({"timeZone": "Mars/Olympus"}, "no IANA time zone"),
    "a file": ({"timeZone": "../../../../etc/passwd"}, "no IANA time zone"),
    "an absolute file": ({"timeZone": "/etc/localtime"}, "no IANA time zone"),
    "no day": ({"start": "2026-02-30T09:00"}, "no such day"),
    "no hour of a day": ({"start": "2026-02-03T25:00"}, "no such day"),
    "too long ago": ({"start": "0001-01-01T00:00"}, "between 2000"),
    "too far": ({"start": "9999-12-31T23:59"}, "between 2000"),
}  # fmt: skip


@pytest.mark.parametrize(("fields", "said"), BAD.values(), ids=BAD.keys())
def test_what_is_no_window_is_said_at_once(fields: dict[str, str], said: str):
    bad = window(**fields)
    began = time.perf_counter()
    (fault,) = list(recurrences.faults(recurrences.form_of(bad)))
    assert time.perf_counter() - began < 1
    assert said in fault[1]
    with pytest.raises(errors.InputError, match="window work: "):
        windows.state([bad], builders.NOW)


@pytest.mark.threat(57)
def test_a_gate_with_a_window_that_is_none_fails_and_never_opens():
    spec = builders.gates(windows=[WORK.model_dump(by_alias=True) | {
        "timeZone": "Mars/Olympus", "duration": "8h", "effect": "deny",
    }])  # fmt: skip
    found = windows.gate(builders.candidate(), builders.facts(), spec)
    assert found is not None
    assert found.state is Gate.ERROR


HOSTILE = [
    "FREQ=YEARLY;BYDAY=MO,TU,WE,TH,FR,SA,SU;BYHOUR=0,1,2,3,4,5;BYMINUTE=0,15,30,45",
    "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR,SA,SU;BYSETPOS=-1,-2,-3;INTERVAL=999",
    "FREQ=YEARLY;BYWEEKNO=53;BYDAY=SU;BYMONTH=1",
    "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=29;COUNT=9999",
    "FREQ=DAILY;BYHOUR=0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23;COUNT=9999",
]


@pytest.mark.threat(22)
@pytest.mark.parametrize("rule", HOSTILE)
def test_a_hostile_rule_costs_little(rule: str):
    declared = window(start="2000-01-01T00:00", duration="31d", recurrence=rule)
    began = time.perf_counter()
    windows.state([declared], at("2099-06-01T00:00"))
    assert time.perf_counter() - began < 1


WORDS = some.sampled_from([
    "FREQ=YEARLY", "FREQ=MONTHLY", "FREQ=WEEKLY", "FREQ=DAILY", "INTERVAL=7", "INTERVAL=999", "COUNT=3",
    "UNTIL=20280101T000000", "BYDAY=MO", "BYDAY=-1SU", "BYDAY=53SA", "BYMONTH=2", "BYMONTHDAY=-31",
    "BYMONTHDAY=29,30", "BYYEARDAY=-366", "BYYEARDAY=60", "BYWEEKNO=-53", "BYSETPOS=-1", "BYSETPOS=366",
    "BYHOUR=0,23", "BYMINUTE=59", "WKST=SU", "WKST=TH", "COUNT=9999",
])  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(some.lists(WORDS | some.text(max_size=8), min_size=1, max_size=6))
@example(["FREQ=MONTHLY", "BYDAY=53SA"])
def test_whatever_a_rule_says_there_is_an_answer(words: list[str]):
    declared = window(start="2025-02-28T02:30", recurrence=";".join(words)[:500])
    began = time.perf_counter()
    with contextlib.suppress(errors.InputError):
        windows.state([declared], builders.NOW)
    assert time.perf_counter() - began < 5


def test_every_zone_can_be_read():
    assert len(zones.known()) > 400
    for name in (BERLIN, "America/Argentina/Buenos_Aires", "Etc/UTC"):
        found = zones.zone(name)
        assert found is not None
        assert found.key == name
