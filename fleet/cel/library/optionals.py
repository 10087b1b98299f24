"""Optional values. `or` and `orValue` evaluate their right side only where it is needed, which the evaluator does."""

from typing import Any

from fleet.cel import budgets, types, values
from fleet.cel.faults import EvaluationError
from fleet.cel.library import operators
from fleet.cel.overloads import function, method
from fleet.cel.types import A

_OPTIONAL = types.optional_of(A)


def _value(optional: values.Optional) -> Any:
    if not optional.present:
        raise EvaluationError("optional.none() dereference")
    return optional.value


def _of_non_zero(value: Any) -> values.Optional:
    return values.NONE if values.is_zero(value) else values.optional(value)


def _unwrap(budget: budgets.Budget, items: list[Any]) -> list[Any]:
    budget.spend(len(items))
    if not all(isinstance(each, values.Optional) for each in items):
        raise EvaluationError("no such overload: optional.unwrap")
    return [each.value for each in items if each.present]


_OPTIONALS, _LIST = types.list_of(_OPTIONAL), types.list_of(A)

OVERLOADS = (
    function("optional.of", (A,), _OPTIONAL, values.optional),
    function("optional.ofNonZeroValue", (A,), _OPTIONAL, _of_non_zero),
    function("optional.none", (), _OPTIONAL, lambda: values.NONE),
    function("optional.unwrap", (_OPTIONALS,), _LIST, _unwrap, metered=True),
    method("unwrapOpt", (_OPTIONALS,), _LIST, _unwrap, metered=True),
    method("value", (_OPTIONAL,), A, _value),
    method("hasValue", (_OPTIONAL,), types.BOOL, lambda optional: optional.present),
    method("or", (_OPTIONAL, _OPTIONAL), _OPTIONAL, operators.never),
    method("orValue", (_OPTIONAL, A), A, operators.never),
)
