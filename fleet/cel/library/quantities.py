"""Resource quantities: `500m`, `1.5Gi`, `1e3`, exact to a billionth.

Kubernetes calls a quantity an integer only where its own fast path kept it as one; `scaled` is that path's pair.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar

from fleet.cel import types, values
from fleet.cel.faults import EvaluationError
from fleet.cel.overloads import function, method

QUANTITY = types.Type("kubernetes.Quantity")

_NANO = 10**9
# Without digits it is nothing, as Kubernetes reads it.
_FORM = re.compile(r"([+-]?)([0-9]*)(?:(\.)([0-9]*))?([eE][+-]?[0-9]+|[eEinumkKMGTP]*)", re.ASCII)
_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}
_FAST_DIGITS = 18  # of a number that the fast path takes
_MOST_DIGITS = 256
_MOST_EXPONENT = 100
_INVALID = (
    "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
)
_PRICE = 10
Scaled = tuple[int, int]  # a number of 64 bits and its power of ten


@dataclass(frozen=True, slots=True)
class Quantity(values.Opaque):
    type_name: ClassVar[str] = QUANTITY.name
    nanos: int
    scaled: Scaled | None = field(default=None, compare=False)


class _RefusedError(ValueError):
    pass


def _parsed(text: str) -> Quantity:
    if len(text) > _MOST_DIGITS:
        raise EvaluationError("the quantity is too long to be evaluated")
    match = _FORM.fullmatch(text)
    if match is None or not text:
        raise _RefusedError(_INVALID)
    sign = -1 if match[1] == "-" else 1
    whole, fraction, suffix = match[2].lstrip("0"), match[4] or "", match[5]
    if suffix in _BINARY:
        return _binary(sign, whole, fraction, _BINARY[suffix])
    return _decimal(sign, whole, fraction, _exponent(suffix))


def _exponent(suffix: str) -> int:
    if suffix in _DECIMAL:
        return _DECIMAL[suffix]
    if suffix[0] not in "eE" or len(suffix) == 1 or suffix[1:].isalpha():
        raise _RefusedError("unable to parse quantity's suffix")
    if len(suffix) > 5 or abs(int(suffix[1:])) > _MOST_EXPONENT:
        # Neither valid nor invalid here: an error, which is never a pass.
        raise EvaluationError("the exponent of the quantity is too large to be evaluated")
    return int(suffix[1:])


def _decimal(sign: int, whole: str, fraction: str, exponent: int) -> Quantity:
    number = int((whole or "0") + fraction)
    scale = exponent - len(fraction)
    nanos = _rounded_up(number * 10 ** max(scale + 9, 0), 10 ** max(-scale - 9, 0))
    is_fast = len(whole) + len(fraction) <= _FAST_DIGITS and scale >= -9
    return Quantity(sign * nanos, (sign * number, scale) if is_fast else None)


def _binary(sign: int, whole: str, fraction: str, exponent: int) -> Quantity:
    number = int((whole or "0") + fraction) << exponent
    digits = 15 - len(whole) - int(exponent * 3 / 10) - 1
    if digits >= 0 and not fraction and number <= values.MAX_INT:
        return Quantity(sign * number * _NANO, (sign * number, 0))
    nanos = _rounded_up(number * _NANO, 10 ** len(fraction))
    return Quantity(sign * min(nanos, values.MAX_INT * _NANO))


def _rounded_up(nanos: int, parts: int) -> int:
    """What is smaller than a billionth counts as one."""
    return -(-nanos // parts)


def _quantity(text: str) -> Quantity:
    try:
        return _parsed(text)
    except _RefusedError as refusal:
        raise EvaluationError(str(refusal)) from None


def _is_quantity(text: str) -> bool:
    try:
        _parsed(text)
    except _RefusedError:
        return False
    return True


def _integer(quantity: Quantity) -> int | None:
    if quantity.scaled is None:
        return None
    number, scale = quantity.scaled
    whole = number * 10**scale if scale >= 0 else values.MAX_INT + 1
    return whole if values.MIN_INT <= whole <= values.MAX_INT else None


def _as_integer(quantity: Quantity) -> int:
    whole = _integer(quantity)
    if whole is None:
        raise EvaluationError("cannot convert value to integer")
    return whole


def _as_float(quantity: Quantity) -> float:
    return quantity.nanos / _NANO


def _sign(quantity: Quantity) -> int:
    return (quantity.nanos > 0) - (quantity.nanos < 0)


def _compare(one: Quantity, other: Quantity) -> int:
    return (one.nanos > other.nanos) - (one.nanos < other.nanos)


def _of_int(number: int) -> Quantity:
    return Quantity(number * _NANO, (number, 0))


def _sum(one: Quantity, other: Quantity) -> Quantity:
    nanos = one.nanos + other.nanos
    if one.scaled is None or other.scaled is None:
        return Quantity(nanos)
    if one.scaled[0] == 0 or other.scaled[0] == 0:
        return other if one.scaled[0] == 0 else one
    scale = min(one.scaled[1], other.scaled[1])
    number = sum(part * 10 ** (own - scale) for part, own in (one.scaled, other.scaled))
    is_small = values.MIN_INT <= number <= values.MAX_INT
    return Quantity(nanos, (number, scale) if is_small else None)


def _negated(quantity: Quantity) -> Quantity:
    scaled = quantity.scaled
    return Quantity(-quantity.nanos, (-scaled[0], scaled[1]) if scaled else None)


def _difference(one: Quantity, other: Quantity) -> Quantity:
    return _sum(one, _negated(other))


def _with_int(combine: Callable[[Quantity, Quantity], Quantity]) -> Callable[..., Quantity]:
    return lambda one, number: combine(one, _of_int(number))


_PAIR = (QUANTITY, QUANTITY)
_WITH_INT = (QUANTITY, types.INT)

OVERLOADS = (
    function("quantity", (types.STRING,), QUANTITY, _quantity, price=_PRICE),
    function("isQuantity", (types.STRING,), types.BOOL, _is_quantity, price=_PRICE),
    function("sign", (QUANTITY,), types.INT, _sign),
    method("isInteger", (QUANTITY,), types.BOOL, lambda each: _integer(each) is not None),
    method("asInteger", (QUANTITY,), types.INT, _as_integer),
    method("asApproximateFloat", (QUANTITY,), types.DOUBLE, _as_float),
    method("isGreaterThan", _PAIR, types.BOOL, lambda one, other: one.nanos > other.nanos),
    method("isLessThan", _PAIR, types.BOOL, lambda one, other: one.nanos < other.nanos),
    method("compareTo", _PAIR, types.INT, _compare),
    method("add", _PAIR, QUANTITY, _sum),
    method("add", _WITH_INT, QUANTITY, _with_int(_sum)),
    method("sub", _PAIR, QUANTITY, _difference),
    method("sub", _WITH_INT, QUANTITY, _with_int(_difference)),
)
