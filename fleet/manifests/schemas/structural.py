"""From a CRD's structural schema (apiextensions.k8s.io/v1) to a closed JSON Schema.

Closed means: what the API server would prune is refused, since nobody writes a field in order to have it dropped.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

_PLAIN = (
    "enum",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "format",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minItems",
    "minLength",
    "minProperties",
    "minimum",
    "multipleOf",
    "pattern",
    "required",
    "uniqueItems",
)
_OF_EVERY_OBJECT = {
    "apiVersion": {"type": "string"},
    "kind": {"type": "string"},
    "metadata": {"type": "object"},
}


class UnsoundError(ValueError):
    """The schema itself is wrong; becomes a finding of each object that it should judge."""


def versions(crd: Mapping[str, Any]) -> Iterator[tuple[tuple[str, str, str], Any]]:
    """((group, version, kind), structural schema) of each version that a CRD serves."""
    spec = crd.get("spec")
    if not isinstance(spec, Mapping) or not isinstance(spec.get("names"), Mapping):
        return
    listed = spec.get("versions")
    for version in listed if isinstance(listed, list) else ():
        written = version.get("schema") if isinstance(version, Mapping) else None
        schema = written.get("openAPIV3Schema") if isinstance(written, Mapping) else None
        if isinstance(schema, Mapping) and version.get("served"):
            named = (
                str(spec.get("group")),
                str(version.get("name")),
                str(spec["names"].get("kind")),
            )
            yield named, schema


def closed(schema: Any, *, is_resource: bool = False) -> dict[str, Any]:
    """The JSON Schema of one structural schema. Raises UnsoundError where it is none, or points elsewhere."""
    _check(schema)
    if schema.get("x-kubernetes-int-or-string"):
        found: dict[str, Any] = {"anyOf": [{"type": "integer"}, {"type": "string"}]}
    else:
        found = _typed(schema, is_resource=is_resource or _is_embedded(schema))
    found |= {key: schema[key] for key in _PLAIN if key in schema}
    _exclusive(found)
    found |= {
        key: [_logical(each) for each in _entries(schema[key])]
        for key in ("allOf", "anyOf", "oneOf")
        if key in schema and not (key in ("anyOf", "allOf") and _only_types(schema))
    }
    if "not" in schema:
        found["not"] = _logical(schema["not"])
    return _nullable(found) if schema.get("nullable") is True else found


def _check(schema: Any) -> None:
    if "$ref" in _mapping(schema):
        raise UnsoundError("$ref is not followed")


def _mapping(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise UnsoundError("a schema is a mapping")
    return value


def _entries(value: Any) -> Iterable[Any]:
    if not isinstance(value, list):
        raise UnsoundError("a choice of schemas is a list")
    return value


def _nullable(found: dict[str, Any]) -> dict[str, Any]:
    """Beside the type where that is all, so that faults inside are still told apart."""
    if isinstance(found.get("type"), str) and not {"enum", "allOf", "anyOf", "oneOf", "not"} & {
        *found
    }:
        return {**found, "type": [found["type"], "null"]}
    return {"anyOf": [found, {"type": "null"}]}


def _typed(schema: Mapping[str, Any], *, is_resource: bool) -> dict[str, Any]:
    found: dict[str, Any] = {"type": schema["type"]} if "type" in schema else {}
    properties = schema.get("properties") or {}
    extra = schema.get("additionalProperties")
    if "items" in schema:
        found["items"] = closed(schema["items"])
    if properties or is_resource:
        inner = {key: closed(each) for key, each in _mapping(properties).items()}
        found["properties"] = {**inner, **_OF_EVERY_OBJECT} if is_resource else inner
    if isinstance(extra, Mapping):
        found["additionalProperties"] = closed(extra)
    elif _is_closed(schema, extra):
        found["additionalProperties"] = False
    return found


def _is_closed(schema: Mapping[str, Any], extra: object) -> bool:
    keeps = schema.get("x-kubernetes-preserve-unknown-fields") is True
    return schema.get("type") == "object" and extra is not True and not keeps


def _is_embedded(schema: Mapping[str, Any]) -> bool:
    return schema.get("x-kubernetes-embedded-resource") is True


def _only_types(schema: Mapping[str, Any]) -> bool:
    return schema.get("x-kubernetes-int-or-string") is True


def _logical(schema: Any) -> dict[str, Any]:
    """Inside allOf, anyOf, oneOf and not: value checks only, which never open or close an object."""
    _check(schema)
    found = {key: schema[key] for key in _PLAIN if key in schema}
    _exclusive(found)
    if "properties" in schema:
        inner = _mapping(schema["properties"])
        found["properties"] = {key: _logical(each) for key, each in inner.items()}
    found |= {key: _logical(schema[key]) for key in ("items", "not") if key in schema}
    for key in ("allOf", "anyOf", "oneOf"):
        if key in schema:
            found[key] = [_logical(each) for each in _entries(schema[key])]
    return found


def _exclusive(found: dict[str, Any]) -> None:
    """OpenAPI v3.0 writes exclusive bounds as booleans beside the bound."""
    for bound, exclusive in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        flag = found.get(exclusive)
        if isinstance(flag, bool):
            del found[exclusive]
            if flag and bound in found:
                found[exclusive] = found.pop(bound)
