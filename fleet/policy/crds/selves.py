"""What `self` is: its static type and its value, both from the structural schema.

Source: pkg/cel/common/{schemas,valuesunstructured}.go and pkg/cel/escaping.go of k8s.io/apiserver.
"""

import re
from collections.abc import Mapping
from typing import Any

from fleet.cel import types, values
from fleet.manifests.schemas import completion
from fleet.policy import schematypes
from fleet.policy.crds import formats, lists

Schema = Mapping[str, Any]

_RESERVED = frozenset(
    {
        *("true", "false", "null", "in", "as", "break", "const", "continue", "else", "for"),
        *("function", "if", "import", "let", "loop", "package", "namespace", "return"),
        *("var", "void", "while"),
    }
)
_SPECIAL = re.compile(r"__|[-./]")
_ESCAPES = {"__": "__underscores__", ".": "__dot__", "-": "__dash__", "/": "__slash__"}
_NAME = re.compile(r"[a-zA-Z_./-][a-zA-Z0-9_./-]*\Z")
_TEXT = {"type": "string"}
_OF_A_RESOURCE: Schema = {
    "apiVersion": _TEXT,
    "kind": _TEXT,
    "metadata": {"type": "object", "properties": {"name": _TEXT, "generateName": _TEXT}},
}


def spellings(name: str) -> tuple[str, ...]:
    """A property's names in an expression; none where it cannot be written."""
    if name in _RESERVED:
        return (f"__{name}__", name)
    if not _NAME.match(name):
        return ()
    return (_SPECIAL.sub(lambda match: _ESCAPES[match[0]], name),)


def is_resource(schema: Schema) -> bool:
    return completion.is_true(schema, "embedded-resource")


def properties_of(schema: Schema, *, of_resource: bool) -> Schema:
    """With what every resource has, which a CRD does not have to say."""
    written = schema.get("properties")
    known = written if isinstance(written, Mapping) else {}
    return {**known, **_OF_A_RESOURCE} if of_resource else known


def type_of(schema: Any, name: str, *, of_resource: bool = False) -> types.Type | None:
    """None for what no expression can look at."""
    if not isinstance(schema, Mapping):
        return None
    if completion.is_true(schema, "int-or-string"):
        return types.DYN
    match schema.get("type"):
        case "array":
            inner = type_of_inner(schema.get("items"), f"{name}.@idx")
            return None if inner is None else types.list_of(inner)
        case "object":
            return _object(schema, name, of_resource=of_resource)
        case "string":
            return schematypes.FORMATS.get(str(schema.get("format")), types.STRING)
        case kind:
            return schematypes.SCALARS.get(str(kind))


def type_of_inner(schema: Any, name: str) -> types.Type | None:
    """Of a field, an element or an entry, which is a resource only if it says so."""
    embedded = isinstance(schema, Mapping) and is_resource(schema)
    return type_of(schema, name, of_resource=embedded)


def _object(schema: Schema, name: str, *, of_resource: bool) -> types.Type | None:
    extra = schema.get("additionalProperties")
    if isinstance(extra, Mapping):
        inner = type_of_inner(extra, f"{name}.@elem")
        return None if inner is None else types.map_of(types.STRING, inner)
    fields = {}
    for key, each in properties_of(schema, of_resource=of_resource).items():
        words = spellings(key)
        kind = type_of_inner(each, f"{name}.{key}") if words else None
        if kind is not None:
            fields.update(dict.fromkeys(words, kind))
    return types.object_of(name, fields)


def seen(value: Any, schema: Any, *, of_resource: bool = False) -> Any:
    """The value as expressions see it. What does not fit its schema stays as it is, and is the schema's finding."""
    if not isinstance(schema, Mapping) or value is None:
        return value
    match value:
        case dict():
            return _seen_object(value, schema, of_resource=of_resource or is_resource(schema))
        case list():
            return _seen_list([seen(each, schema.get("items")) for each in value], schema)
        case str() if schema.get("type") == "string":
            return _seen_text(value, schema.get("format"))
        case int() if schema.get("type") == "number" and not isinstance(value, bool):
            return float(value)
        case _:
            return value


def _seen_list(elements: list[Any], schema: Schema) -> list[Any]:
    keys = schema.get("x-kubernetes-list-map-keys")
    match schema.get("x-kubernetes-list-type"):
        case "set":
            return lists.set_of(elements)
        case "map" if isinstance(keys, list):
            words = (spellings(each) for each in keys if isinstance(each, str))
            return lists.map_of(elements, (each[0] for each in words if each))
        case _:
            return elements


def _seen_object(value: dict[str, Any], schema: Schema, *, of_resource: bool) -> dict[str, Any]:
    """Of an object only what its type has; of a map everything, by the names that it has."""
    extra = schema.get("additionalProperties")
    if isinstance(extra, Mapping):
        return {key: seen(each, extra) for key, each in value.items()}
    known = properties_of(schema, of_resource=of_resource)
    found = {}
    for key, each in value.items():
        words = spellings(key) if key in known else ()
        inner = known.get(key)
        nullable = isinstance(inner, Mapping) and inner.get("nullable") is True
        if words and (each is not None or nullable):
            found.update(dict.fromkeys(words, seen(each, inner)))
    return found


def _seen_text(text: str, form: Any) -> Any:
    made: Any = None
    if form in ("date", "date-time"):
        nanoseconds = formats.day(text) if form == "date" else formats.moment(text)
        made = None if nanoseconds is None else values.Timestamp(nanoseconds)
    elif form == "duration":
        span = formats.span(text)
        made = None if span is None else values.Duration(span)
    elif form == "byte":
        made = formats.data(text)
    return text if made is None else made
