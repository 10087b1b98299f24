"""Operators: arithmetic that overflows with an error, comparison across numbers, indexing, membership.

`&&`, `||`, `?:` and indexing are evaluated elsewhere; their rows here serve the checker.
"""

import math
from collections.abc import Callable, Iterable
from operator import ge, gt, le, lt
from typing import Any

from fleet.cel import budgets, types, values
from fleet.cel.faults import EvaluationError
from fleet.cel.overloads import Overload, Reads, function
from fleet.cel.types import A, B

_LIST, _MAP = types.list_of(A), types.map_of(A, B)
_ORDERED = (types.BOOL, types.STRING, types.BYTES, types.TIMESTAMP, types.DURATION)
_NUMBERS = (types.INT, types.UINT, types.DOUBLE)


def never(*_: Any) -> Any:
    """Stands where the evaluator does the work itself."""
    raise EvaluationError("no such overload")


def int_of(number: int) -> int:
    if not values.MIN_INT <= number <= values.MAX_INT:
        raise EvaluationError("integer overflow")
    return number


def uint_of(number: int) -> values.UInt:
    if not 0 <= number <= values.MAX_UINT:
        raise EvaluationError("unsigned integer overflow")
    return values.UInt(number)


def duration_of(nanoseconds: int) -> values.Duration:
    if not values.MIN_INT <= nanoseconds <= values.MAX_INT:
        raise EvaluationError("duration overflow")
    return values.Duration(nanoseconds)


def timestamp_of(nanoseconds: int, offset: int = 0) -> values.Timestamp:
    """From the year 1 to the end of 9999."""
    if not -62135596800 * 10**9 <= nanoseconds < 253402300800 * 10**9:
        raise EvaluationError("timestamp overflow")
    return values.Timestamp(nanoseconds, offset)


def add(one: Any, other: Any) -> Any:
    """The sum of two numbers of one type, or of two durations."""
    if isinstance(one, values.Duration):
        return _add_durations(one, other)
    if isinstance(one, float):
        return one + other
    return (uint_of if isinstance(one, values.UInt) else int_of)(int(one) + int(other))


def _add_durations(one: values.Duration, other: values.Duration) -> values.Duration:
    return duration_of(one.nanoseconds + other.nanoseconds)


def _moved(moment: values.Timestamp, by: values.Duration) -> values.Timestamp:
    return timestamp_of(moment.nanoseconds + by.nanoseconds, moment.offset)


def whole_quotient(one: int, other: int) -> int:
    """Towards zero, as Go divides."""
    if other == 0:
        raise EvaluationError("division by zero")
    quotient = abs(one) // abs(other)
    return quotient if (one < 0) == (other < 0) else -quotient


def _remainder(one: int, other: int) -> int:
    if other == 0:
        raise EvaluationError("modulus by zero")
    return int(one) - int(other) * whole_quotient(int(one), int(other))


def _int_remainder(one: int, other: int) -> int:
    """Go's processor divides to find it: where the quotient is too large, there is none."""
    if other == -1:
        int_of(-one)
    return _remainder(one, other)


def _divided_doubles(one: float, other: float) -> float:
    if other != 0:
        return one / other
    if one == 0 or math.isnan(one):
        return math.nan
    return math.copysign(math.inf, one) * math.copysign(1, other)


def _joined(one: Any, other: Any) -> Any:
    return one + other


def _joined_lists(budget: budgets.Budget, one: list[Any], other: list[Any]) -> list[Any]:
    budget.spend((len(one) + len(other)) >> 3)
    return one + other


_ADDITIONS = (
    *(function("_+_", (each, each), each, add) for each in (*_NUMBERS, types.DURATION)),
    *(function("_+_", (each, each), each, _joined) for each in (types.STRING, types.BYTES)),
    function("_+_", (_LIST, _LIST), _LIST, _joined_lists, metered=True),
    function("_+_", (types.TIMESTAMP, types.DURATION), types.TIMESTAMP, _moved),
    function(
        "_+_",
        (types.DURATION, types.TIMESTAMP),
        types.TIMESTAMP,
        lambda by, moment: _moved(moment, by),
    ),
)
_SUBTRACTIONS = (
    function("_-_", (types.INT, types.INT), types.INT, lambda a, b: int_of(a - b)),
    function("_-_", (types.UINT, types.UINT), types.UINT, lambda a, b: uint_of(int(a) - int(b))),
    function("_-_", (types.DOUBLE, types.DOUBLE), types.DOUBLE, lambda a, b: a - b),
    function(
        "_-_",
        (types.TIMESTAMP, types.DURATION),
        types.TIMESTAMP,
        lambda a, b: timestamp_of(a.nanoseconds - b.nanoseconds, a.offset),
    ),
    *(
        function(
            "_-_",
            (each, each),
            types.DURATION,
            lambda a, b: duration_of(a.nanoseconds - b.nanoseconds),
        )
        for each in (types.TIMESTAMP, types.DURATION)
    ),
)
_PRODUCTS = (
    function("_*_", (types.INT, types.INT), types.INT, lambda a, b: int_of(a * b)),
    function("_*_", (types.UINT, types.UINT), types.UINT, lambda a, b: uint_of(int(a) * int(b))),
    function("_*_", (types.DOUBLE, types.DOUBLE), types.DOUBLE, lambda a, b: a * b),
    function("_/_", (types.INT, types.INT), types.INT, lambda a, b: int_of(whole_quotient(a, b))),
    function(
        "_/_", (types.UINT, types.UINT), types.UINT, lambda a, b: uint_of(whole_quotient(a, b))
    ),
    function("_/_", (types.DOUBLE, types.DOUBLE), types.DOUBLE, _divided_doubles),
    function("_%_", (types.INT, types.INT), types.INT, _int_remainder),
    function("_%_", (types.UINT, types.UINT), types.UINT, lambda a, b: uint_of(_remainder(a, b))),
    function("-_", (types.INT,), types.INT, lambda a: int_of(-a)),
    function("-_", (types.DOUBLE,), types.DOUBLE, lambda a: -a),
    function("!_", (types.BOOL,), types.BOOL, lambda a: not a),
)


def _ordering(name: str, compare: Callable[[Any, Any], bool]) -> Iterable[Overload]:
    def numbers(one: Any, other: Any) -> bool:
        if one != one or other != other:  # noqa: PLR0124  NaN is what differs from itself
            raise EvaluationError("NaN values cannot be ordered")
        return compare(values.as_like(one, other), values.as_like(other, one))

    for each in _ORDERED:
        yield function(name, (each, each), types.BOOL, compare, reads=Reads.SHORTEST)
    for left in _NUMBERS:
        for right in _NUMBERS:
            yield function(name, (left, right), types.BOOL, numbers)


def _equal(budget: budgets.Budget, one: Any, other: Any) -> bool:
    return values.equal(one, other, budget)


def _differs(budget: budgets.Budget, one: Any, other: Any) -> bool:
    return not values.equal(one, other, budget)


def is_in_list(budget: budgets.Budget, one: Any, of: list[Any]) -> bool:
    budget.spend(len(of) >> 3)
    if type(one) is str:
        return one in of  # only a string equals a string, in CEL as in Python
    budget.spend(len(of))
    return any(values.equal(one, each, budget) for each in of)


def _is_in_map(one: Any, of: Any) -> bool:
    return values.find(of, one) is not values.MISSING


_RELATIONS = (
    function("_==_", (A, A), types.BOOL, _equal, metered=True, reads=Reads.SHORTEST),
    function("_!=_", (A, A), types.BOOL, _differs, metered=True, reads=Reads.SHORTEST),
    *_ordering("_<_", lt),
    *_ordering("_<=_", le),
    *_ordering("_>_", gt),
    *_ordering("_>=_", ge),
    function("@in", (A, _LIST), types.BOOL, is_in_list, metered=True, reads=Reads.NOTHING),
    function("@in", (A, _MAP), types.BOOL, _is_in_map, reads=Reads.NOTHING),
)
ACROSS_NUMBERS = tuple(
    each
    for each in _RELATIONS
    if each.name in ("_<_", "_<=_", "_>_", "_>=_") and each.arguments[0] != each.arguments[1]
)
_CHOICES = (function("_?_:_", (types.BOOL, A, A), A, never),)


def _indexing(name: str, wrap: Callable[[types.Type], types.Type]) -> Iterable[Overload]:
    yield function(name, (_LIST, types.INT), wrap(A), never)
    yield function(name, (_MAP, A), wrap(B), never)
    yield function(name, (types.optional_of(_LIST), types.INT), types.optional_of(A), never)
    yield function(name, (types.optional_of(_MAP), A), types.optional_of(B), never)


OVERLOADS = (
    *_ADDITIONS,
    *_SUBTRACTIONS,
    *_PRODUCTS,
    *_RELATIONS,
    *_CHOICES,
    *_indexing("_[_]", lambda each: each),
    *_indexing("_[?_]", types.optional_of),
)
