"""Conversions between CEL's own types, and size(), type() and dyn()."""

import math
import re
from collections.abc import Callable, Iterable
from typing import Any

from fleet.cel import texts, types, values
from fleet.cel.faults import EvaluationError
from fleet.cel.library import operators, times
from fleet.cel.overloads import Overload, Reads, function, method
from fleet.cel.types import A, B

_INTEGER = re.compile(r"[+-]?[0-9]+", re.ASCII)
# As Go reads them: an underscore stands between two digits, or behind the 0x.
_DIGITS, _HEX = r"[0-9](?:_?[0-9])*", r"[0-9a-f](?:_?[0-9a-f])*"
_DOUBLE = re.compile(
    rf"[+-]?(?:{_DIGITS}\.?(?:{_DIGITS})?|\.{_DIGITS})(?:e[+-]?{_DIGITS})?|[+-]?inf(?:inity)?|nan",
    re.ASCII | re.IGNORECASE,
)
_HEX_DOUBLE = re.compile(
    rf"[+-]?0x(?:_?{_HEX}\.?(?:{_HEX})?|\.{_HEX})p[+-]?{_DIGITS}", re.ASCII | re.IGNORECASE
)
_TRUE = frozenset({"1", "t", "T", "true", "TRUE", "True"})
_FALSE = frozenset({"0", "f", "F", "false", "FALSE", "False"})
_LONGEST_NUMBER = 64  # digits; more cannot be an integer of 64 bits


def _impossible(value: Any, wanted: str) -> EvaluationError:
    return EvaluationError(f"type conversion error from '{types.name_of(value)}' to '{wanted}'")


def _bool_of(text: str) -> bool:
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    raise _impossible(text, "bool")


def _integer(text: str, wanted: str) -> int:
    if len(text) > _LONGEST_NUMBER or not _INTEGER.fullmatch(text):
        raise _impossible(text, wanted)
    return int(text)


def _int_of_text(text: str) -> int:
    number = _integer(text, "int")
    if not values.MIN_INT <= number <= values.MAX_INT:
        raise _impossible(text, "int")
    return number


def _uint_of_text(text: str) -> values.UInt:
    number = _integer(text, "uint")
    if text[0] in "+-" or number > values.MAX_UINT:
        raise _impossible(text, "uint")
    return values.UInt(number)


def _whole(number: float) -> int:
    """Towards zero; what has no integer is an overflow."""
    if not math.isfinite(number):
        raise EvaluationError("integer overflow")
    return math.trunc(number)


def _int_of_double(number: float) -> int:
    # Go refuses the two ends themselves: as doubles they stand for values beyond them.
    if number <= values.MIN_INT or number >= values.MAX_INT:
        raise EvaluationError("integer overflow")
    return _whole(number)


def _uint_of_double(number: float) -> values.UInt:
    if number < 0 or number >= values.MAX_UINT:
        raise EvaluationError("unsigned integer overflow")
    return values.UInt(_whole(number))


def _double_of(text: str) -> float:
    try:
        number = _read_double(text.replace("_", ""), text)
    except (ValueError, OverflowError):
        raise _impossible(text, "double") from None
    if math.isinf(number) and "inf" not in text.lower():
        raise _impossible(text, "double")
    return number


def _read_double(plain: str, text: str) -> float:
    if _DOUBLE.fullmatch(text):
        return float(plain)
    if _HEX_DOUBLE.fullmatch(text):
        return float.fromhex(plain)
    raise ValueError


def _same(value: Any) -> Any:
    return value


def _duration_of_int(number: int) -> values.Duration:
    raise _impossible(number, "google.protobuf.Duration")


def _conversions(
    name: str, result: types.Type, *rows: tuple[types.Type, Callable[[Any], Any]]
) -> Iterable[Overload]:
    yield function(name, (result,), result, _same)
    for given, call in rows:
        yield function(name, (given,), result, call, price=3)


def _sizes() -> Iterable[Overload]:
    for each in (types.STRING, types.BYTES, types.list_of(A), types.map_of(A, B)):
        yield function("size", (each,), types.INT, len, reads=Reads.NOTHING)
        yield method("size", (each,), types.INT, len, reads=Reads.NOTHING)


_TEXT_SOURCES = (
    types.BOOL,
    types.BYTES,
    types.DOUBLE,
    types.DURATION,
    types.INT,
    types.TIMESTAMP,
    types.UINT,
)

OVERLOADS = (
    *_sizes(),
    function("type", (A,), types.type_of(A), lambda value: values.TypeName(types.name_of(value))),
    function("dyn", (A,), types.DYN, _same),
    *_conversions("bool", types.BOOL, (types.STRING, _bool_of)),
    *_conversions("bytes", types.BYTES, (types.STRING, lambda text: text.encode())),
    *_conversions(
        "double",
        types.DOUBLE,
        (types.INT, float),
        (types.UINT, float),
        (types.STRING, _double_of),
    ),
    *_conversions(
        "int",
        types.INT,
        (types.DOUBLE, _int_of_double),
        (types.DURATION, lambda duration: duration.nanoseconds),
        (types.STRING, _int_of_text),
        (types.TIMESTAMP, lambda moment: moment.nanoseconds // texts.SECOND),
        (types.UINT, lambda number: operators.int_of(int(number))),
    ),
    *_conversions(
        "uint",
        types.UINT,
        (types.DOUBLE, _uint_of_double),
        (types.INT, operators.uint_of),
        (types.STRING, _uint_of_text),
    ),
    *_conversions("string", types.STRING, *((each, texts.text_of) for each in _TEXT_SOURCES)),
    *_conversions(
        "duration",
        types.DURATION,
        (types.INT, _duration_of_int),
        (types.STRING, times.duration),
    ),
    *_conversions(
        "timestamp",
        types.TIMESTAMP,
        (types.INT, times.timestamp_from),
        (types.STRING, times.timestamp),
    ),
)
