"""From a CRD's structural schema (apiextensions.k8s.io/v1) to a closed JSON Schema.

Closed means: what the API server would prune is refused, since nobody writes a field in order to have it dropped.
"""

from collections.abc import Iterator, Mapping
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


def versions(crd: Mapping[str, Any]) -> Iterator[tuple[tuple[str, str, str], dict[str, Any]]]:
    """((group, version, kind), JSON Schema) of each version that a CRD serves."""
    spec = crd.get("spec")
    if not isinstance(spec, Mapping) or not isinstance(spec.get("names"), Mapping):
        return
    for version in spec.get("versions") or ():
        schema = (version.get("schema") or {}).get("openAPIV3Schema")
        if version.get("served") and isinstance(schema, Mapping):
            named = (
                str(spec.get("group")),
                str(version.get("name")),
                str(spec["names"].get("kind")),
            )
            yield named, closed(schema, is_resource=True)


def closed(schema: Mapping[str, Any], *, is_resource: bool = False) -> dict[str, Any]:
    """The JSON Schema of one structural schema, without anything that could be looked up elsewhere."""
    if schema.get("x-kubernetes-int-or-string"):
        found: dict[str, Any] = {"anyOf": [{"type": "integer"}, {"type": "string"}]}
    else:
        found = _typed(schema, is_resource=is_resource or _is_embedded(schema))
    found |= {key: schema[key] for key in _PLAIN if key in schema}
    _exclusive(found)
    found |= {
        key: [_logical(each) for each in schema[key]]
        for key in ("allOf", "anyOf", "oneOf")
        if key in schema and not (key in ("anyOf", "allOf") and _only_types(schema))
    }
    if isinstance(schema.get("not"), Mapping):
        found["not"] = _logical(schema["not"])
    return {"anyOf": [found, {"type": "null"}]} if schema.get("nullable") else found


def _typed(schema: Mapping[str, Any], *, is_resource: bool) -> dict[str, Any]:
    found: dict[str, Any] = {"type": schema["type"]} if "type" in schema else {}
    properties = schema.get("properties")
    extra = schema.get("additionalProperties")
    if isinstance(schema.get("items"), Mapping):
        found["items"] = closed(schema["items"])
    if isinstance(properties, Mapping) or is_resource:
        inner = {key: closed(each) for key, each in (properties or {}).items()}
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


def _logical(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Inside allOf, anyOf, oneOf and not: value checks only, which never open or close an object."""
    found = {key: schema[key] for key in _PLAIN if key in schema}
    _exclusive(found)
    if isinstance(schema.get("properties"), Mapping):
        found["properties"] = {key: _logical(each) for key, each in schema["properties"].items()}
    if isinstance(schema.get("items"), Mapping):
        found["items"] = _logical(schema["items"])
    for key in ("allOf", "anyOf", "oneOf"):
        if key in schema:
            found[key] = [_logical(each) for each in schema[key]]
    if isinstance(schema.get("not"), Mapping):
        found["not"] = _logical(schema["not"])
    return found


def _exclusive(found: dict[str, Any]) -> None:
    """OpenAPI v3.0 writes exclusive bounds as booleans beside the bound."""
    for bound, exclusive in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        flag = found.get(exclusive)
        if isinstance(flag, bool):
            del found[exclusive]
            if flag and bound in found:
                found[exclusive] = found.pop(bound)
