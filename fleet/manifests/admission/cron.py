"""Cron schedules as Kubernetes reads them: five fields or a descriptor.

Source: robfig/cron v3 ParseStandard, batch validation.
"""

import re
from collections.abc import Mapping

from fleet.manifests.admission import faults
from fleet.manifests.admission.tables import Found

_MONTHS = {
    name: number
    for number, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"),
        start=1,
    )
}
_DAYS = {
    name: number for number, name in enumerate(("sun", "mon", "tue", "wed", "thu", "fri", "sat"))
}
_NONE: Mapping[str, int] = {}
# lowest, highest, names
_FIELDS: tuple[tuple[int, int, Mapping[str, int]], ...] = (
    (0, 59, _NONE),
    (0, 23, _NONE),
    (1, 31, _NONE),
    (1, 12, _MONTHS),
    (0, 6, _DAYS),
)
_DESCRIPTORS = frozenset(
    {"@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"}
)
_DURATION = re.compile(r"[-+]?(0|(([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|\u00b5s|\u03bcs|ms|s|m|h))+)")
_LONGEST = 1024
_ZONE = re.compile(r"[A-Za-z.\-_0-9+]{1,14}")
_TIMED = "cannot use TZ or CRON_TZ in schedule, use timeZone field instead"


class _UnreadableError(ValueError):
    """With the words of the parser."""


def schedule(text: str) -> Found:
    if not text:
        return (faults.required(""),)
    found = []
    try:
        _read(text)
    except _UnreadableError as error:
        found.append(
            faults.invalid(
                text, str(error), hint='as in "0 3 * * *": minute hour day month weekday'
            )
        )
    return found


def timed(text: str) -> Found:
    return (faults.invalid(text, _TIMED),) if "TZ" in text else ()


def _read(text: str) -> None:
    rest = text
    if text.startswith(("TZ=", "CRON_TZ=")):
        rest = text.partition(" ")[2].strip()
    if rest.startswith("@"):
        _descriptor(rest)
        return
    fields = rest.split()
    if len(fields) != len(_FIELDS) or len(text) > _LONGEST:
        said = f"expected exactly 5 fields, found {len(fields)}: [{' '.join(fields)}]"
        raise _UnreadableError(said)
    for field, (low, high, names) in zip(fields, _FIELDS, strict=True):
        for part in field.split(","):
            if part:
                _range(part, low, high, names)


def _descriptor(text: str) -> None:
    if text in _DESCRIPTORS:
        return
    if text.startswith("@every "):
        if not _DURATION.fullmatch(text.removeprefix("@every ")):
            raise _UnreadableError(f"failed to parse duration {text}")
        return
    raise _UnreadableError(f"unrecognized descriptor: {text}")


def _range(text: str, low: int, high: int, names: Mapping[str, int]) -> None:
    """As in: number | number "-" number [ "/" number ]"""
    ends, *steps = text.split("/")
    first, *last = ends.split("-")
    start, end = low, high
    if first not in ("*", "?"):
        start = _number(first, names)
        if len(last) > 1:
            raise _UnreadableError(f"too many hyphens: {text}")
        end = _number(last[0], names) if last else start
    if len(steps) > 1:
        raise _UnreadableError(f"too many slashes: {text}")
    step = _number(steps[0], _NONE) if steps else 1
    end = high if steps and not last and first not in ("*", "?") else end
    _check(text, (start, end), step, (low, high))


def _check(text: str, given: tuple[int, int], step: int, bounds: tuple[int, int]) -> None:
    (start, end), (low, high) = given, bounds
    if start < low:
        raise _UnreadableError(f"beginning of range ({start}) below minimum ({low}): {text}")
    if end > high:
        raise _UnreadableError(f"end of range ({end}) above maximum ({high}): {text}")
    if start > end:
        raise _UnreadableError(f"beginning of range ({start}) beyond end of range ({end}): {text}")
    if step == 0:
        raise _UnreadableError(f"step of range should be a positive number: {text}")


def _number(text: str, names: Mapping[str, int]) -> int:
    named = names.get(text.lower())
    if named is not None:
        return named
    if not re.fullmatch(r"[-+]?[0-9]{1,18}", text):
        raise _UnreadableError(
            f"failed to parse int from {text}: strconv.Atoi: parsing {faults.shown(text)}: invalid syntax"
        )
    number = int(text)
    if number < 0:
        raise _UnreadableError(f"negative number ({number}) not allowed: {text}")
    return number


# The first words of the names of time zones, and those that have no second.
_AREAS = frozenset(
    {
        *("Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Brazil"),
        *("Canada", "Chile", "Etc", "Europe", "Indian", "Mexico", "Pacific", "US"),
    }
)
_ALONE = frozenset(
    {
        *("CET", "CST6CDT", "Cuba", "EET", "EST", "EST5EDT", "Egypt", "Eire", "Factory", "GB"),
        *("GB-Eire", "GMT", "GMT+0", "GMT-0", "GMT0", "Greenwich", "HST", "Hongkong", "Iceland"),
        *("Iran", "Israel", "Jamaica", "Japan", "Kwajalein", "Libya", "MET", "MST", "MST7MDT"),
        *("NZ", "NZ-CHAT", "Navajo", "PRC", "PST8PDT", "Poland", "Portugal", "ROC", "ROK"),
        *("Singapore", "Turkey", "UCT", "UTC", "Universal", "W-SU", "WET", "Zulu"),
    }
)


def zone(text: str) -> Found:
    """Its syntax and its area; whether the server has such a place in it is the server's to know."""
    if not text:
        return (faults.invalid(text, "timeZone must be nil or non-empty string"),)
    for part in text.split("/"):
        if part in (".", "..") or part.startswith("-") or not _ZONE.fullmatch(part):
            return (faults.invalid(text, f"unknown time zone {text}"),)
    if text.lower() == "local":
        said = (
            "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones"
        )
        return (faults.invalid(text, said),)
    area, slash, _ = text.partition("/")
    if area in (_AREAS if slash else _ALONE):
        return ()
    return (faults.invalid(text, f"unknown time zone {text}", hint="as in Europe/Berlin"),)
