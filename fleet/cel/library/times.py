"""Timestamps and durations: how they are read from text, and the parts that can be asked for."""

import re
import zoneinfo
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Any

from fleet.cel import texts, types, values
from fleet.cel.faults import EvaluationError
from fleet.cel.library import operators
from fleet.cel.overloads import Overload, method

_UNITS = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,
    "μs": 1_000,
    "ms": 1_000_000,
    "s": texts.SECOND,
    "m": 60 * texts.SECOND,
    "h": 3600 * texts.SECOND,
}
_PART = re.compile(r"([0-9]*)(?:\.([0-9]*))?(ns|us|µs|μs|ms|s|m|h)", re.ASCII)
_MOMENT = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]+))?"
    r"(?:Z|([+-])([0-9]{2}):([0-9]{2}))",
    re.ASCII,
)
_OFFSET = re.compile(r"([+-]?)([0-9]{1,2}):([0-9]{2})", re.ASCII)
_LONGEST = 128  # characters of a duration, a timestamp or a time zone


def duration(text: str) -> values.Duration:
    """Go's spelling: `1h30m`, `-1.5s`, `0`."""
    rest = text[1:] if text[:1] in ("-", "+") else text
    if rest == "0":
        return values.Duration(0)
    nanoseconds = at = 0
    while at < len(rest) <= _LONGEST:
        match = _PART.match(rest, at)
        if match is None or not (match[1] or match[2]):
            break
        nanoseconds += _part(match)
        at = match.end()
    if not rest or at < len(rest):
        raise EvaluationError(f"time: invalid duration {texts.quoted(text[:_LONGEST])}")
    return operators.duration_of(-nanoseconds if text[0] == "-" else nanoseconds)


def _part(match: re.Match[str]) -> int:
    whole, fraction, unit = int(match[1] or 0), match[2] or "", _UNITS[match[3]]
    return whole * unit + int(int(fraction or 0) * unit // 10 ** len(fraction))


def timestamp(text: str) -> values.Timestamp:
    """RFC 3339."""
    match = _MOMENT.fullmatch(text) if len(text) <= _LONGEST else None
    try:
        return _moment(match)
    except (TypeError, ValueError):
        shown = texts.quoted(text[:_LONGEST])
        raise EvaluationError(f"cannot read {shown} as a timestamp of RFC 3339") from None


def timestamp_from(given: str | int) -> values.Timestamp:
    """RFC 3339, or seconds."""
    if isinstance(given, str):
        return timestamp(given)
    return operators.timestamp_of(given * texts.SECOND)


def _moment(match: re.Match[str] | None) -> values.Timestamp:
    if match is None:
        raise ValueError
    year, month, day, hour, minute, second = (int(match[n]) for n in range(1, 7))
    day_of_epoch = datetime(year, month, day, tzinfo=UTC).toordinal() - _EPOCH_DAY
    if hour > 23 or minute > 59 or second > 59:
        raise ValueError
    offset = _offset(match)
    seconds = day_of_epoch * 86_400 + hour * 3600 + minute * 60 + second - offset
    fraction = int((match[7] or "")[:9].ljust(9, "0"))
    return operators.timestamp_of(seconds * texts.SECOND + fraction, offset)


def _offset(match: re.Match[str]) -> int:
    seconds = int(match[9] or 0) * 3600 + int(match[10] or 0) * 60
    return -seconds if match[8] == "-" else seconds


_EPOCH_DAY = datetime(1970, 1, 1, tzinfo=UTC).toordinal()


def _zone(name: str) -> tzinfo:
    if name in ("", "UTC"):
        return UTC
    match = _OFFSET.fullmatch(name)
    if match is not None:
        offset = timedelta(hours=int(match[2]), minutes=int(match[3]))
        return timezone(-offset if match[1] == "-" else offset)
    if len(name) > _LONGEST:
        raise ValueError
    return zoneinfo.ZoneInfo(name)


def _local(moment: values.Timestamp, zone: str) -> datetime:
    try:
        return texts.at_second(moment.nanoseconds // texts.SECOND).astimezone(_zone(zone))
    except (ValueError, OSError, OverflowError, zoneinfo.ZoneInfoNotFoundError):
        raise EvaluationError(f"unknown time zone {zone[:_LONGEST]}") from None


def _milliseconds(moment: values.Timestamp) -> int:
    return moment.nanoseconds % texts.SECOND // 1_000_000


# What a timestamp answers, from its local time.
_PARTS: dict[str, Callable[[datetime], int]] = {
    "getFullYear": lambda at: at.year,
    "getMonth": lambda at: at.month - 1,
    "getDayOfYear": lambda at: at.timetuple().tm_yday - 1,
    "getDayOfMonth": lambda at: at.day - 1,
    "getDate": lambda at: at.day,
    "getDayOfWeek": lambda at: at.isoweekday() % 7,
    "getHours": lambda at: at.hour,
    "getMinutes": lambda at: at.minute,
    "getSeconds": lambda at: at.second,
}
# What a duration answers is all of it, in that unit, towards zero.
_LENGTHS = {"getHours": "h", "getMinutes": "m", "getSeconds": "s", "getMilliseconds": "ms"}


def _part_of(part: Callable[[datetime], int]) -> Callable[[values.Timestamp, str], int]:
    return lambda moment, zone: part(_local(moment, zone))


def _parts() -> Iterable[Overload]:
    for name, part in _PARTS.items():
        yield from _accessors(name, _part_of(part))
    yield from _accessors("getMilliseconds", lambda moment, _: _milliseconds(moment))


def _accessors(name: str, read: Callable[[Any, str], int]) -> Iterable[Overload]:
    yield method(name, (types.TIMESTAMP,), types.INT, lambda moment: read(moment, "UTC"), price=5)
    yield method(name, (types.TIMESTAMP, types.STRING), types.INT, read, price=5)


def _length_in(unit: int) -> Callable[[values.Duration], int]:
    return lambda length: operators.whole_quotient(length.nanoseconds, unit)


def _lengths() -> Iterable[Overload]:
    for name, unit in _LENGTHS.items():
        yield method(name, (types.DURATION,), types.INT, _length_in(_UNITS[unit]))


OVERLOADS = (*_parts(), *_lengths())
