"""The formats of strings that expressions see as something else: date, date-time, duration and byte.

Source: k8s.io/kube-openapi/pkg/validation/strfmt, which is more generous than any standard.
"""

import base64
import binascii
import re
from datetime import UTC, date, datetime

_SECOND = 10**9
_UNITS = {
    "ns": 1,
    "us": 10**3,
    "µs": 10**3,
    "μs": 10**3,
    "ms": 10**6,
    "s": _SECOND,
    "m": 60 * _SECOND,
    "h": 3600 * _SECOND,
    "d": 86_400 * _SECOND,
    "w": 7 * 86_400 * _SECOND,
}
_WORDS = {"wk": "w", "hr": "h"}
_LONG_WORDS = {
    "nano": "ns", "micro": "us", "milli": "ms", "sec": "s", "min": "m", "hour": "h", "day": "d",
    "week": "w",
}  # fmt: skip
_GO = re.compile(r"[+-]?(?:0|(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+)\Z", re.ASCII)
_GO_PART = re.compile(r"(\d*)\.?(\d*)(ns|us|µs|μs|ms|s|m|h)", re.ASCII)
_LOOSE = re.compile(r"(\d+)\s*([A-Za-zµ]+)", re.ASCII)
_MOMENT = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d:\d\d)(?:[.,](\d+))?(?:[Zz]|([+-]\d\d):?(\d\d))?\Z", re.ASCII
)
_LONGEST = 256  # characters of what is no base64


def span(text: str) -> int | None:
    """The nanoseconds of a duration: Go's spelling, else every number with a unit that can be found."""
    if len(text) > _LONGEST:
        return None
    if _GO.match(text):
        total = sum(_go_part(*part) for part in _GO_PART.findall(text))
        return -total if text[0] == "-" else total
    found = [
        int(number) * _UNITS[unit]
        for number, word in _LOOSE.findall(text)
        if (unit := _unit(word.lower()))
    ]
    return sum(found) if found else None


def _go_part(whole: str, fraction: str, unit: str) -> int:
    size = _UNITS[unit]
    return int(whole or 0) * size + int(int(fraction or 0) * size // 10 ** len(fraction))


def _unit(word: str) -> str:
    if word in _UNITS:
        return word
    longer = (unit for start, unit in _LONG_WORDS.items() if word.startswith(start))
    return _WORDS.get(word) or next(longer, "")


def day(text: str) -> int | None:
    """The nanoseconds of a date since 1970."""
    try:
        found = date.fromisoformat(text) if len(text) == 10 else None
    except ValueError:
        return None
    return None if found is None else (found.toordinal() - _EPOCH) * 86_400 * _SECOND


def moment(text: str) -> int | None:
    """The nanoseconds of a date-time since 1970."""
    match = _MOMENT.match(text) if len(text) <= _LONGEST else None
    if match is None:
        return None
    try:
        found = datetime.fromisoformat(f"{match[1]}T{match[2]}").replace(tzinfo=UTC)
    except ValueError:
        return None
    offset = (int(match[4]) * 60 + int(f"{match[4][0]}{match[5]}")) * 60 if match[4] else 0
    days = found.toordinal() - _EPOCH
    seconds = days * 86_400 + found.hour * 3600 + found.minute * 60 + found.second - offset
    return seconds * _SECOND + int((match[3] or "")[:9].ljust(9, "0"))


_EPOCH = date(1970, 1, 1).toordinal()


def data(text: str) -> bytes | None:
    """The bytes of base64 in the alphabet for URLs, as expressions get them."""
    try:
        return base64.b64decode(text, altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
