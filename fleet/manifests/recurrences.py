"""RFC 5545 recurrences of windows: which rules are taken, and when they begin, on the wall clock of their zone.

Rules come from a repository, so the work that one may cause is bounded: by its form here, by how far anybody looks in
`begins`. Recurrences are worked out without a zone; what a wall clock means is for fleet.gate.windows.
"""

import functools
import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from fleet.manifests import zones
from fleet.model import errors, gating

_FREQUENCIES = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")
_DAY = r"([+-]?\d{1,2})?(MO|TU|WE|TH|FR|SA|SU)"
_PARTS: Mapping[str, re.Pattern[str]] = {
    "FREQ": re.compile("|".join(_FREQUENCIES)),
    "INTERVAL": re.compile(r"[1-9]\d{0,2}"),
    "COUNT": re.compile(r"[1-9]\d{0,3}"),
    "UNTIL": re.compile(r"\d{8}T\d{6}Z?"),
    "WKST": re.compile("MO|TU|WE|TH|FR|SA|SU"),
    "BYDAY": re.compile(rf"{_DAY}(,{_DAY})*"),
    "BYMONTH": re.compile(r"\d{1,2}(,\d{1,2})*"),
    "BYMONTHDAY": re.compile(r"-?\d{1,2}(,-?\d{1,2})*"),
    "BYYEARDAY": re.compile(r"-?\d{1,3}(,-?\d{1,3})*"),
    "BYWEEKNO": re.compile(r"-?\d{1,2}(,-?\d{1,2})*"),
    "BYSETPOS": re.compile(r"-?\d{1,3}(,-?\d{1,3})*"),
    "BYHOUR": re.compile(r"\d{1,2}(,\d{1,2})*"),
    "BYMINUTE": re.compile(r"\d{1,2}(,\d{1,2})*"),
}  # fmt: skip
_NUMBERS: Mapping[str, tuple[int, int]] = {
    "BYMONTH": (1, 12), "BYMONTHDAY": (1, 31), "BYYEARDAY": (1, 366), "BYWEEKNO": (1, 53),
    "BYSETPOS": (1, 366), "BYHOUR": (0, 23), "BYMINUTE": (0, 59),
}  # fmt: skip
_A_DAY = 24  # beginnings, at most
_LONGEST = timedelta(days=31)  # of a window that recurs
_FIRST_YEAR, _LAST_YEAR = 2000, 2100
_CYCLES = 19 * 400  # years
_LAST = datetime(2390, 1, 1)  # noqa: DTZ001 - a wall clock
_SOMETIME = timedelta(days=9 * 366)  # a leap day comes round in that
_STEPS = {"DAILY": timedelta(days=1), "WEEKLY": timedelta(days=7)}


class Form(NamedTuple):
    """When a window is open, by itself."""

    start: str
    duration: timedelta
    time_zone: str
    recurrence: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """The parts of a recurrence that was taken, with its first beginning on the wall clock."""

    start: datetime
    parts: Mapping[str, str]
    until: datetime | None  # on the wall clock

    @property
    def count(self) -> int | None:
        return int(self.parts["COUNT"]) if "COUNT" in self.parts else None


def form_of(window: gating.Window) -> Form:
    return Form(
        start=window.start,
        duration=window.duration,
        time_zone=window.time_zone,
        recurrence=window.recurrence,
    )


def start_of(form: Form) -> datetime:
    """On the wall clock. Raises ValueError for a day that is none."""
    return datetime.fromisoformat(form.start)


def rule_of(form: Form) -> Rule | None:
    """None for a window that comes once. Raises errors.InputError for a rule that is not taken."""
    if form.recurrence is None:
        return None
    parts = _parts(form.recurrence)
    _check_numbers(parts)
    return Rule(start=start_of(form), parts=parts, until=_until(form, parts.get("UNTIL")))


@functools.lru_cache(maxsize=4096)
def faults(form: Form) -> tuple[tuple[str, str], ...]:
    """What is wrong with it: the field, and what to say."""
    return tuple(_faults(form))


def _faults(form: Form) -> Iterator[tuple[str, str]]:
    if zones.zone(form.time_zone) is None:
        yield "timeZone", "it is no IANA time zone, as Europe/Berlin"
        return
    if form.duration <= timedelta(0):
        yield "duration", "a window has to last"
    try:
        begins_at = start_of(form)
    except ValueError:
        yield "start", "there is no such day or time"
        return
    if not _FIRST_YEAR <= begins_at.year <= _LAST_YEAR:
        yield "start", f"it lies between {_FIRST_YEAR} and {_LAST_YEAR}"
    elif form.recurrence is not None:
        yield from _recurring(form)


def _recurring(form: Form) -> Iterator[tuple[str, str]]:
    if form.duration > _LONGEST:
        yield "duration", f"a window that recurs lasts {_LONGEST.days} days at most"
    try:
        rule = rule_of(form)
    except errors.InputError as error:
        yield "recurrence", str(error)
        return
    if rule is not None and not any(begins(rule, rule.start, rule.start + _SOMETIME)):
        yield "recurrence", "it never comes"


def begins(rule: Rule, since: datetime, before: datetime) -> Iterator[datetime]:
    """Its beginnings in order, from `since` on, on the wall clock."""
    from dateutil import rrule

    last = min(before, rule.until or _LAST, _LAST)
    start = _nearer(rule, since)
    if last < start:
        return
    parts = {key: value for key, value in rule.parts.items() if key not in ("COUNT", "UNTIL")}
    text = ";".join(f"{key}={value}" for key, value in {"WKST": "MO", **parts}.items())
    until = _shifted(last, _CYCLES)
    found = rrule.rrulestr(f"{text};UNTIL={until:%Y%m%dT%H%M%S}", dtstart=_shifted(start, _CYCLES))
    for each in itertools.islice(iter(found), rule.count):
        begin = _shifted(each, -_CYCLES)
        if since <= begin < before:
            yield begin


def _shifted(moment: datetime, years: int) -> datetime:
    """The library looks for what never comes until the year 9999, so it is asked in a time that is near to that.

    The calendar is the same again after 400 years, its days of the week too.
    """
    return moment.replace(year=moment.year + years)


def _nearer(rule: Rule, since: datetime) -> datetime:
    """A later start with the same beginnings from `since` on, so that a rule of long ago costs no more."""
    start, frequency = rule.start, rule.parts["FREQ"]
    if rule.count is not None or since <= start or start.day > 28:
        return start
    every = int(rule.parts.get("INTERVAL", "1"))
    # One step more is left in each case, for what lies in the first week, month or year before its start.
    if frequency in _STEPS:
        step = _STEPS[frequency] * every
        return start + max(0, (since - start) // step - 1) * step
    months = (since.year - start.year) * 12 + since.month - start.month
    step_months = every * (12 if frequency == "YEARLY" else 1)
    ahead = start.month - 1 + max(0, months // step_months - 1) * step_months
    return start.replace(year=start.year + ahead // 12, month=ahead % 12 + 1)


def _parts(text: str) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for each in text.upper().split(";"):
        key, _, value = each.partition("=")
        if key not in _PARTS:
            raise errors.InputError(f"{key!r} is no part that is taken: {', '.join(_PARTS)}")
        if key in found:
            raise errors.InputError(f"{key} is there twice")
        if not _PARTS[key].fullmatch(value):
            hint = f": one of {', '.join(_FREQUENCIES)}" if key == "FREQ" else ""
            raise errors.InputError(f"{key}={value} is not taken{hint}")
        found[key] = value
    if "FREQ" not in found:
        raise errors.InputError(f"FREQ is missing: one of {', '.join(_FREQUENCIES)}")
    if {"COUNT", "UNTIL"} <= found.keys():
        raise errors.InputError("COUNT and UNTIL exclude each other")
    return found


def _check_numbers(parts: Mapping[str, str]) -> None:
    for key, (least, most) in _NUMBERS.items():
        for each in parts.get(key, "").split(",") if key in parts else ():
            if not least <= abs(int(each)) <= most:
                raise errors.InputError(f"{key} has numbers from {least} to {most}, not {each}")
    is_by_month = parts["FREQ"] == "MONTHLY" or "BYMONTH" in parts
    most = 0 if parts["FREQ"] in ("DAILY", "WEEKLY") else 5 if is_by_month else 53
    for day in parts.get("BYDAY", "").split(","):
        number = day[:-2]
        if number and not 1 <= abs(int(number)) <= most:
            raise errors.InputError(
                f"BYDAY={day} has a number only by month, 1 to 5, or by year, 1 to 53"
            )
    if "BYWEEKNO" in parts and parts["FREQ"] != "YEARLY":
        raise errors.InputError("BYWEEKNO goes with FREQ=YEARLY")
    times = [len(parts[key].split(",")) for key in ("BYHOUR", "BYMINUTE") if key in parts]
    if (len(times) == 2 and times[0] * times[1] > _A_DAY) or any(each > _A_DAY for each in times):
        raise errors.InputError(f"it comes more than {_A_DAY} times a day")


def _until(form: Form, text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.strptime(text.removesuffix("Z"), "%Y%m%dT%H%M%S")  # noqa: DTZ007 - zoned below
    except ValueError:
        raise errors.InputError(f"UNTIL={text} is no moment") from None
    if not text.endswith("Z"):
        return moment
    zone = zones.zone(form.time_zone)
    return moment.replace(tzinfo=UTC).astimezone(zone).replace(tzinfo=None)
