"""How large a value of a schema can be in one request: what an API server estimates the cost of rules by.

Source: pkg/cel/common/schemas.go and pkg/cel/{types,limits}.go of k8s.io/apiserver.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fleet.policy.crds import selves

LARGEST = 3 * 1024 * 1024  # bytes of a request
_SCALARS = {"boolean": 4, "number": 1, "integer": 1}
_TIMES = {"duration": (3, 32), "date": (12, 12), "date-time": (21, 32)}  # shortest and longest


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """`most` are its elements or letters, `least` the bytes that it takes at least."""

    kind: str  # scalar, string, bytes, dyn, list, map or object
    most: int = 0
    least: int = 2
    element: "Size | None" = field(default=None, repr=False)
    fields: "Mapping[str, Size]" = field(default_factory=dict, repr=False)


def of(schema: Any, *, of_resource: bool = False) -> Size | None:
    """None for what no expression can look at."""
    if not isinstance(schema, Mapping):
        return None
    if schema.get("x-kubernetes-int-or-string") is True:
        return Size(kind="dyn", most=_length(schema), least=1)
    match schema.get("type"):
        case "array":
            return _list(schema)
        case "object":
            return _object(schema, of_resource=of_resource)
        case "string":
            return _text(schema)
        case str(kind) if kind in _SCALARS:
            return Size(kind="scalar", least=_SCALARS[kind])
        case _:
            return None


def cardinality(schema: Mapping[str, Any]) -> int | None:
    """How often what is inside is there for each time that the value is; None = as often as there is room."""
    match schema.get("type"):
        case "array":
            return _bound(schema, "maxItems")
        case "object" if schema.get("additionalProperties") is not None:
            return _bound(schema, "maxProperties")
        case _:
            return 1


def _bound(schema: Mapping[str, Any], word: str) -> int | None:
    value = schema.get(word)
    return max(value, 0) if isinstance(value, int) else None


def _length(schema: Mapping[str, Any]) -> int:
    longest = _bound(schema, "maxLength")
    return LARGEST - 2 if longest is None else 4 * longest


def _list(schema: Mapping[str, Any]) -> Size | None:
    items = schema.get("items")
    element = of(items, of_resource=isinstance(items, Mapping) and selves.is_resource(items))
    if element is None:
        return None
    most = _bound(schema, "maxItems")
    room = (LARGEST - 2) // (element.least + 1)
    return Size(kind="list", most=room if most is None else most, element=element)


def _object(schema: Mapping[str, Any], *, of_resource: bool) -> Size | None:
    extra = schema.get("additionalProperties")
    if isinstance(extra, Mapping):
        element = of(extra, of_resource=selves.is_resource(extra))
        if element is None:
            return None
        most = _bound(schema, "maxProperties")
        room = (LARGEST - 2) // (element.least + 6)
        return Size(kind="map", most=room if most is None else most, element=element)
    return _record(schema, of_resource=of_resource)


def _record(schema: Mapping[str, Any], *, of_resource: bool) -> Size:
    written = schema.get("required")
    required = written if isinstance(written, list) else []
    fields, least = {}, 2
    for name, inner in selves.properties_of(schema, of_resource=of_resource).items():
        embedded = isinstance(inner, Mapping) and selves.is_resource(inner)
        size = of(inner, of_resource=embedded)
        if size is None:
            continue
        fields.update(dict.fromkeys(selves.spellings(name), size))
        if name in required and inner.get("default") is None:
            least += len(name.encode()) + size.least + 4
    return Size(kind="object", least=least, fields=fields)


def _text(schema: Mapping[str, Any]) -> Size:
    form, words = str(schema.get("format")), schema.get("enum")
    if form in _TIMES:
        least, most = _TIMES[form]
        return Size(kind="scalar", most=most, least=least)
    if form == "byte":
        longest = _bound(schema, "maxLength")
        return Size(kind="bytes", most=LARGEST - 2 if longest is None else longest)
    if _bound(schema, "maxLength") is None and isinstance(words, list) and words:
        most = max(len(each.encode()) if isinstance(each, str) else 0 for each in words)
        return Size(kind="string", most=most)
    return Size(kind="string", most=_length(schema))
