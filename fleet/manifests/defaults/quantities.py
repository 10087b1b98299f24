"""Quantities as the API server writes them back: the largest suffix that loses nothing.

Source: k8s.io/apimachinery/pkg/api/resource/quantity.go, CanonicalizeBytes.
"""

import functools
import re
from collections.abc import Iterable
from fractions import Fraction
from typing import Any

_WRITTEN = re.compile(
    r"([+-]?)(\d+\.?\d*|\.\d+)([numkMGTPE]?|[KMGTPE]i|[eE][+-]?\d{1,3})\Z", re.ASCII
)
_LONGEST = 40  # characters; what is longer is no quantity that anyone meant
_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_SUFFIX = {exponent: suffix for suffix, exponent in _DECIMAL.items()}
_BINARY = ("", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei")
_NANO, _MILLI = 10**9, 1000


def canonical(value: Any) -> Any:
    """Of a string or a number; anything else is as it was, and the schema's finding."""
    return _canonical(_text(value), _NANO) if _is_written(value) else value


def of_resource(value: Any) -> Any:
    """The same in a list of resources, where nothing is smaller than a thousandth, and null is nothing."""
    if value is None:
        return "0"
    return _canonical(_text(value), _MILLI) if _is_written(value) else value


def _is_written(value: Any) -> bool:
    return type(value) in (str, int, float)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else str(value).replace("e+", "e")


def total(amounts: Iterable[Any]) -> str | None:
    """Their sum, spelled in the manner of the first; None where one of them is no quantity."""
    read = [_read(_text(each), _MILLI) if _is_written(each) else None for each in amounts]
    known = [each for each in read if each is not None]
    if not known or len(known) < len(read):
        return None
    return _spelled(sum((number for number, _ in known), Fraction(0)), known[0][1])


def larger(one: str, other: str) -> str:
    """Of two quantities that `total` has spelled."""
    first, second = _read(one, _MILLI), _read(other, _MILLI)
    return other if first is None or (second is not None and second[0] > first[0]) else one


@functools.lru_cache(maxsize=8192)
def _canonical(text: str, parts: int) -> str:
    read = _read(text, parts)
    return text if read is None else _spelled(*read)


def _read(text: str, parts: int) -> tuple[Fraction, str] | None:
    """The number, rounded up to so many parts of one, and the suffix by which it was written."""
    match = _WRITTEN.match(text) if len(text) <= _LONGEST else None
    if match is None:
        return None
    number, suffix = Fraction(f"{match[1]}{match[2]}"), match[3]
    if suffix.endswith("i"):
        found = number * 1024 ** _BINARY.index(suffix)
    else:
        found = number * Fraction(10) ** _exponent(suffix)
    rounded = Fraction(-((-abs(found) * parts) // 1), parts)
    return (-rounded if found < 0 else rounded), suffix


def _spelled(number: Fraction, suffix: str) -> str:
    if suffix.endswith("i") and abs(number) >= 1024:
        return _binary(number)
    return _decimal(number, in_exponents=suffix[:1] in ("e", "E") and len(suffix) > 1)


def _exponent(suffix: str) -> int:
    return _DECIMAL[suffix] if suffix in _DECIMAL else int(suffix[1:])


def _binary(number: Fraction) -> str:
    whole, power = -(-number.numerator // number.denominator), 0
    while whole % 1024 == 0 and power < len(_BINARY) - 1:
        whole, power = whole // 1024, power + 1
    return f"{whole}{_BINARY[power]}"


def _decimal(number: Fraction, *, in_exponents: bool) -> str:
    if not number:
        return "0"
    exponent = 0
    while number.denominator != 1:
        number, exponent = number * 1000, exponent - 3
    while number % 1000 == 0 and (in_exponents or exponent < 18):
        number, exponent = number / 1000, exponent + 3
    if in_exponents:
        return f"{number}e{exponent}" if exponent else str(number)
    return f"{number}{_SUFFIX[exponent]}"
