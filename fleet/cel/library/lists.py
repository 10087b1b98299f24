"""Lists: what Kubernetes adds, and the lists extension, version 3. Sets are lists without order and number."""

from collections.abc import Callable, Iterable
from functools import reduce
from typing import Any

from fleet.cel import budgets, types, values
from fleet.cel.faults import EvaluationError
from fleet.cel.library import operators
from fleet.cel.overloads import Overload, function, method
from fleet.cel.types import A

_LIST = types.list_of(A)
_SUMMABLE = (types.INT, types.UINT, types.DOUBLE, types.DURATION)
COMPARABLE = (
    types.INT,
    types.UINT,
    types.DOUBLE,
    types.BOOL,
    types.DURATION,
    types.TIMESTAMP,
    types.STRING,
    types.BYTES,
)
_COMPARABLE_NAMES = frozenset(each.name for each in COMPARABLE)
_ZEROS = {
    "int": 0,
    "uint": values.UInt(0),
    "double": 0.0,
    "google.protobuf.Duration": values.Duration(0),
}


def _checked_kinds(items: list[Any]) -> None:
    """Comparing needs one type, and one that has an order."""
    kinds = {types.name_of(each) for each in items}
    if not kinds <= _COMPARABLE_NAMES:
        raise EvaluationError("list elements must be comparable")
    if len(kinds) > 1:
        raise EvaluationError("list elements must have the same type")


def _compared(one: Any, other: Any) -> int:
    """Less than, equal to or greater than 0; what has no order is taken for equal."""
    if type(one) is not type(other):
        if type(one) not in values.NUMBERS or type(other) not in values.NUMBERS:
            return 0
        one, other = values.as_like(one, other), values.as_like(other, one)
    return int(one > other) - int(one < other)


def _checked_comparable(name: str, items: list[Any]) -> None:
    if not all(types.name_of(each) in _COMPARABLE_NAMES for each in items):
        raise EvaluationError(f"no such overload: {name}(list)")


def _is_sorted(budget: budgets.Budget, items: list[Any]) -> bool:
    budget.spend(2 * len(items))
    for n, each in enumerate(items):
        _checked_comparable("isSorted", [each])
        if n and _compared(items[n - 1], each) > 0:
            return False
    return True


def _sum_from(zero: Any) -> Callable[[budgets.Budget, list[Any]], Any]:
    def total(budget: budgets.Budget, items: list[Any]) -> Any:
        budget.spend(2 * len(items))
        if any(type(each) is not type(zero) for each in items):
            raise EvaluationError("no such overload: sum")
        return reduce(operators.add, items, zero)

    return total


def _extreme(name: str, sign: int) -> Callable[[budgets.Budget, list[Any]], Any]:
    def extreme(budget: budgets.Budget, items: list[Any]) -> Any:
        budget.spend(2 * len(items))
        if not items:
            raise EvaluationError(f"{name} called on empty list")
        _checked_comparable(name, items)
        found = items[0]
        for each in items:
            if _compared(each, found) * sign > 0:
                found = each
        return found

    return extreme


def _index(budget: budgets.Budget, items: list[Any], item: Any) -> int:
    return _first_index(budget, items, item, range(len(items)))


def _last_index(budget: budgets.Budget, items: list[Any], item: Any) -> int:
    return _first_index(budget, items, item, range(len(items) - 1, -1, -1))


def _first_index(budget: budgets.Budget, items: list[Any], item: Any, order: range) -> int:
    budget.spend(len(items))
    return next((n for n in order if values.equal(items[n], item, budget)), -1)


def _slice(items: list[Any], start: int, end: int) -> list[Any]:
    if start < 0 or end < 0:
        raise EvaluationError(f"cannot slice({start}, {end}), negative indexes not supported")
    if start > end:
        raise EvaluationError(
            f"cannot slice({start}, {end}), start index must be less than or equal to end index"
        )
    if len(items) < end:
        raise EvaluationError(f"cannot slice({start}, {end}), list is length {len(items)}")
    return items[start:end]


def _flatten(budget: budgets.Budget, items: Any, depth: int = 1) -> list[Any]:
    if not isinstance(items, list):
        raise EvaluationError(f"no such overload: {types.name_of(items)}.flatten()")
    if depth < 0:
        raise EvaluationError("level must be non-negative")
    budget.spend(1 + len(items))
    if depth == 0:
        return items
    flat: list[Any] = []
    for each in items:
        if isinstance(each, list):
            flat += _flatten(budget, each, depth - 1)
        else:
            flat.append(each)
    return flat


def _sort(budget: budgets.Budget, items: list[Any]) -> list[Any]:
    return sorted_by(budget, items, items)


def sorted_by(budget: budgets.Budget, items: list[Any], keys: list[Any]) -> list[Any]:
    """The items in the order of their keys."""
    budget.spend(2 * len(items))
    _checked_kinds(keys)
    if any(key != key for key in keys):  # noqa: PLR0124  NaN is what differs from itself
        raise EvaluationError("NaN values cannot be ordered")
    return [items[n] for n in sorted(range(len(items)), key=keys.__getitem__)]


def _distinct(budget: budgets.Budget, items: list[Any]) -> list[Any]:
    if all(type(each) is str for each in items):
        budget.spend(len(items))
        return list(dict.fromkeys(items))
    kept: list[Any] = []
    for each in items:
        if not operators.is_in_list(budget, each, kept):
            kept.append(each)
    return kept


def _range(budget: budgets.Budget, size: int) -> list[int]:
    if size < 0:
        raise EvaluationError(f"lists.range: size must be non-negative, got {size}")
    budget.spend(size >> 3)
    return list(range(size))


def _contains_all(budget: budgets.Budget, items: list[Any], wanted: list[Any]) -> bool:
    budget.spend(len(wanted))
    return all(operators.is_in_list(budget, each, items) for each in wanted)


def _intersects(budget: budgets.Budget, items: list[Any], others: list[Any]) -> bool:
    budget.spend(len(others))
    return any(operators.is_in_list(budget, each, items) for each in others)


def _is_equivalent(budget: budgets.Budget, items: list[Any], others: list[Any]) -> bool:
    return _contains_all(budget, items, others) and _contains_all(budget, others, items)


def _end(at: int) -> Callable[[list[Any]], values.Optional]:
    return lambda items: values.optional(items[at]) if items else values.NONE


def _templated() -> Iterable[Overload]:
    for each in COMPARABLE:
        items = types.list_of(each)
        yield method("isSorted", (items,), types.BOOL, _is_sorted, metered=True)
        yield method("max", (items,), each, _extreme("max", 1), metered=True)
        yield method("min", (items,), each, _extreme("min", -1), metered=True)
        yield method("sort", (items,), items, _sort, metered=True)
    for each in _SUMMABLE:
        total = _sum_from(_ZEROS[each.name])
        yield method("sum", (types.list_of(each),), each, total, metered=True)


_DYNS = types.list_of(types.DYN)

OVERLOADS = (
    *_templated(),
    method("indexOf", (_LIST, A), types.INT, _index, metered=True),
    method("lastIndexOf", (_LIST, A), types.INT, _last_index, metered=True),
    method("slice", (_LIST, types.INT, types.INT), _LIST, _slice),
    method("flatten", (types.list_of(_LIST),), _LIST, _flatten, metered=True, loose=True),
    method("flatten", (_DYNS, types.INT), _DYNS, _flatten, metered=True),
    method("distinct", (_LIST,), _LIST, _distinct, metered=True),
    method("reverse", (_LIST,), _LIST, lambda items: items[::-1]),
    method("first", (_LIST,), types.optional_of(A), _end(0)),
    method("last", (_LIST,), types.optional_of(A), _end(-1)),
    function("lists.range", (types.INT,), types.list_of(types.INT), _range, metered=True),
    function("sets.contains", (_LIST, _LIST), types.BOOL, _contains_all, metered=True),
    function("sets.intersects", (_LIST, _LIST), types.BOOL, _intersects, metered=True),
    function("sets.equivalent", (_LIST, _LIST), types.BOOL, _is_equivalent, metered=True),
)
