"""Labels, annotations and the selectors over labels. Source: apimachinery pkg/apis/meta/v1/validation/validation.go."""

from collections.abc import Iterable, Mapping
from typing import Any

from fleet.manifests.admission import faults, texts
from fleet.manifests.admission.tables import Found, Row, row

_ANNOTATIONS_BYTES = 256 << 10
_LISTED = ("In", "NotIn")
_BARE = ("Exists", "DoesNotExist")
_SOURCE = "apimachinery meta/v1/validation"


def labels(written: Mapping[str, str]) -> Found:
    found: list[faults.Fault] | tuple[()] = ()
    for key, value in written.items():
        if texts.label_key(key) or (value and texts.label_value(value)):
            found = [*found, *_label(key, value or "")]
    return found


def _label(key: str, value: str) -> Iterable[faults.Fault]:
    for problem in texts.label_key(key):
        yield _at(faults.invalid(key, problem), key)
    for problem in texts.label_value(value):
        yield _at(faults.invalid(value, problem), key)


def _at(fault: faults.Fault, key: str) -> faults.Fault:
    """The API server names the map alone, a reader wants the line of the entry."""
    return faults.Fault(
        path=(), reason=fault.reason, detail=fault.detail, value=fault.value, written=(key,)
    )


def annotations(written: Mapping[str, str]) -> Found:
    found: list[faults.Fault] = [
        _at(faults.invalid(key, problem), key)
        for key in written
        for problem in texts.caseless_key(key)
    ]
    size = sum(texts.bytes_of(key) + texts.bytes_of(each or "") for key, each in written.items())
    if size > _ANNOTATIONS_BYTES:
        found.append(faults.too_long(_ANNOTATIONS_BYTES))
    return found


def requirement(written: Mapping[str, Any]) -> Found:
    operator, values = written.get("operator") or "", written.get("values") or ()
    key = written.get("key") or ""
    problems = texts.label_key(key)
    is_fine = (operator in _LISTED and values) or (operator in _BARE and not values)
    if is_fine and not problems and not any(texts.label_value(each or "") for each in values):
        return ()
    return [
        *_operator(operator, values),
        *(faults.invalid(key, each, "key") for each in problems),
        *_values(values),
    ]


def _operator(operator: str, values: Iterable[str]) -> Found:
    if operator in _LISTED and not values:
        detail = "must be specified when `operator` is 'In' or 'NotIn'"
        return (faults.required(detail, "values"),)
    if operator in _BARE and values:
        detail = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
        return (faults.forbidden(detail, "values"),)
    if operator not in (*_LISTED, *_BARE):
        return (faults.invalid(operator, "not a valid selector operator", "operator"),)
    return ()


def _values(values: Iterable[str]) -> Iterable[faults.Fault]:
    for place, each in enumerate(values):
        for problem in texts.label_value(each or ""):
            yield faults.invalid(each, problem, "values", place)


SELECTOR: tuple[Row, ...] = (
    row("matchLabels", labels, f"{_SOURCE}: ValidateLabelSelector"),
    row("matchExpressions[]", requirement, f"{_SOURCE}: ValidateLabelSelectorRequirement"),
)


def is_empty(selector: Mapping[str, Any]) -> bool:
    return not selector.get("matchLabels") and not selector.get("matchExpressions")


def matches(selector: Mapping[str, Any], carried: Mapping[str, str]) -> bool:
    """Whether a selector that is sound selects what carries these labels; an empty one selects everything."""
    wanted = selector.get("matchLabels") or {}
    if any(carried.get(key) != (value or "") for key, value in wanted.items()):
        return False
    return all(_holds(each, carried) for each in selector.get("matchExpressions") or ())


def _holds(expression: Mapping[str, Any], carried: Mapping[str, str]) -> bool:
    key, values = expression.get("key") or "", expression.get("values") or ()
    match expression.get("operator"):
        case "In":
            return key in carried and carried[key] in values
        case "NotIn":
            return key not in carried or carried[key] not in values
        case "Exists":
            return key in carried
        case "DoesNotExist":
            return key not in carried
        case _:
            return False
