"""When windows are open, as spans of time: worked out from about a day on, once, for as far as anybody looks.

A beginning is a wall clock in the window's zone. One that the clocks skip counts by the offset before the change, one
that comes twice is the first of the two (RFC 5545, 3.3.5); a freeze is never lost to a change of clocks. Whole days of
a duration are days of that wall clock, the rest is time that passes.
"""

import bisect
import functools
import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

from fleet.manifests import recurrences, zones
from fleet.model import errors, gating

REACH = timedelta(days=400)  # how far ahead anybody looks
_DAY = timedelta(days=1)
_CHANGE_OF_CLOCKS = timedelta(hours=3)  # no zone changes by more
_MOST = 1000  # beginnings of one window that are looked at
_SHOWN = 128  # times that one is open from then on

Span: TypeAlias = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """When something is open, in order and without overlaps. What begins after `known` is not in it."""

    spans: tuple[Span, ...]
    known: datetime

    def around(self, at: datetime) -> Span | None:
        place = bisect.bisect_right(self.spans, at, key=lambda each: each[0]) - 1
        return self.spans[place] if place >= 0 and at < self.spans[place][1] else None

    def after(self, at: datetime) -> datetime | None:
        """The next beginning."""
        place = bisect.bisect_right(self.spans, at, key=lambda each: each[0])
        return self.spans[place][0] if place < len(self.spans) else None


NEVER = datetime.max.replace(tzinfo=UTC)
ALWAYS = Calendar(spans=((datetime.min.replace(tzinfo=UTC), NEVER),), known=NEVER)


def of(window: gating.Window, now: datetime) -> Calendar:
    """From about `now` on. Raises errors.InputError for a window that is none."""
    return _named(window.name, recurrences.form_of(window), _day(now))


def _named(name: str, form: recurrences.Form, day: datetime) -> Calendar:
    try:
        return _calendar(form, day)
    except errors.InputError as error:
        raise errors.InputError(f"window {name}: {error}") from None


@functools.lru_cache(maxsize=4096)
def _calendar(form: recurrences.Form, day: datetime) -> Calendar:
    for field, fault in recurrences.faults(form):
        raise errors.InputError(f"{field}: {fault}")
    found = sorted(_each(form, day))
    known = day + REACH if len(found) < _MOST else found[-1][0] - _CHANGE_OF_CLOCKS
    spans = tuple(itertools.islice(_merged(found), _SHOWN + 1))
    if len(spans) > _SHOWN:
        spans, known = spans[:-1], min(known, spans[-1][0])
    return Calendar(spans=spans, known=known)


def _each(form: recurrences.Form, day: datetime) -> list[Span]:
    """Each time that it is open, by its beginning; those that are over by then are empty."""
    rule, zone = recurrences.rule_of(form), zones.zone(form.time_zone)
    begins = [recurrences.start_of(form)]
    if rule is not None:
        about = day.astimezone(zone).replace(tzinfo=None)
        since = about - form.duration - 2 * _DAY
        coming = recurrences.begins(rule, since, about + REACH + 2 * _DAY)
        begins = list(itertools.islice(coming, _MOST))
    whole, rest = form.duration // _DAY, form.duration % _DAY
    return [
        (
            each.replace(tzinfo=zone).astimezone(UTC),
            (each + whole * _DAY).replace(tzinfo=zone).astimezone(UTC) + rest,
        )
        for each in begins
    ]


def _merged(ordered: Iterable[Span]) -> Iterator[Span]:
    held: Span | None = None
    for begin, end in ordered:
        if held is not None and begin <= held[1]:
            held = held[0], max(held[1], end)
            continue
        if held is not None:
            yield held
        held = (begin, end) if begin < end else None
    if held is not None:
        yield held


def union(windows: Iterable[gating.Window], now: datetime) -> Calendar:
    return _laid(tuple((each.name, recurrences.form_of(each)) for each in windows), _day(now))


@functools.lru_cache(maxsize=4096)
def _laid(windows: tuple[tuple[str, recurrences.Form], ...], day: datetime) -> Calendar:
    """All of them over each other."""
    found = [_named(name, form, day) for name, form in windows]
    every = sorted(span for each in found for span in each.spans)
    known = min((each.known for each in found), default=NEVER)
    return Calendar(spans=tuple(_merged(every)), known=known)


def _day(now: datetime) -> datetime:
    return now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
