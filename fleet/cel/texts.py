"""How values are written as text: numbers as Go writes them, times by RFC 3339, strings in Go's quotes."""

import math
from datetime import UTC, datetime
from typing import Any

from fleet.cel import types, values
from fleet.cel.faults import EvaluationError

SECOND = 1_000_000_000  # nanoseconds

_QUOTED = {
    "\a": r"\a", "\b": r"\b", "\f": r"\f", "\n": r"\n", "\r": r"\r", "\t": r"\t", "\v": r"\v",
    "\\": r"\\", '"': r"\"",
}  # fmt: skip
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def text_of(value: Any) -> str:
    """As CEL's `string()` does; raises EvaluationError for what it has no text for."""
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case int():
            return str(int(value))
        case float():
            return of_double(value)
        case bytes():
            return _of_bytes(value)
        case values.Duration():
            return of_plain_double(value.nanoseconds / SECOND) + "s"
        case values.Timestamp():
            return of_timestamp(value)
        case _:
            kind = types.name_of(value)
            raise EvaluationError(f"type conversion error from '{kind}' to 'string'")


def _of_bytes(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise EvaluationError("invalid UTF-8 in bytes, cannot convert to string") from None


def of_double(value: float) -> str:
    """The shortest digits that read back the same; Go writes an exponent below 1e-04 and from 1e+06 on."""
    if not math.isfinite(value):
        return _of_unusual(value)
    digits, exponent = _shortest(value)
    if -4 <= exponent < 6:
        return _plain(value, digits, exponent)
    sign = "-" if math.copysign(1, value) < 0 else ""
    fraction = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{sign}{digits[0]}{fraction}e{'-' if exponent < 0 else '+'}{abs(exponent):02d}"


def of_plain_double(value: float) -> str:
    """The shortest digits without an exponent."""
    if not math.isfinite(value):
        return _of_unusual(value)
    return _plain(value, *_shortest(value))


def _of_unusual(value: float) -> str:
    return "NaN" if math.isnan(value) else "+Inf" if value > 0 else "-Inf"


def _shortest(value: float) -> tuple[str, int]:
    """The digits without point and zeros around them, and the power of ten of the first one."""
    mantissa, _, exponent = f"{abs(value)!r}".partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    if not digits:
        return "0", 0
    leading = len(whole + fraction) - len(digits)
    return digits.rstrip("0") or "0", int(exponent or 0) + len(whole) - 1 - leading


def _plain(value: float, digits: str, exponent: int) -> str:
    sign = "-" if math.copysign(1, value) < 0 else ""
    if exponent < 0:
        return f"{sign}0.{'0' * (-exponent - 1)}{digits}"
    whole = digits[: exponent + 1].ljust(exponent + 1, "0")
    fraction = digits[exponent + 1 :]
    return f"{sign}{whole}.{fraction}" if fraction else sign + whole


def of_timestamp(value: values.Timestamp) -> str:
    """At the offset that it was written with."""
    seconds, fraction = divmod(value.nanoseconds, SECOND)
    try:
        moment = at_second(seconds + value.offset)
    except (ValueError, OverflowError):
        raise EvaluationError("timestamp overflow") from None
    tail = f".{fraction:09d}".rstrip("0") if fraction else ""
    return f"{moment:%Y-%m-%dT%H:%M:%S}".zfill(19) + tail + _of_offset(value.offset)


def _of_offset(seconds: int) -> str:
    if not seconds:
        return "Z"
    hours, minutes = divmod(abs(seconds) // 60, 60)
    return f"{'-' if seconds < 0 else '+'}{hours:02d}:{minutes:02d}"


def at_second(seconds: int) -> datetime:
    """The second of that many after the epoch, in UTC."""
    days, rest = divmod(seconds, 86_400)
    return datetime.fromordinal(_EPOCH.toordinal() + days).replace(
        hour=rest // 3600, minute=rest // 60 % 60, second=rest % 60, tzinfo=UTC
    )


def quoted(text: str) -> str:
    """In Go's double quotes, what cannot be printed escaped."""
    return '"' + "".join(map(_quoted_character, text)) + '"'


def _quoted_character(character: str) -> str:
    simple = _QUOTED.get(character)
    if simple is not None:
        return simple
    if character.isprintable():
        return character
    code = ord(character)
    if code < 0x80:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
