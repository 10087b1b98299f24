"""Custom resources as the API server reads them before it judges: defaults set, nulls dropped, unknown fields pruned.

Source: pkg/apiserver/schema/{defaulting,pruning}/algorithm.go and defaulting/prunenulls.go of
k8s.io/apiextensions-apiserver. Nothing written is changed; what is wrong in the schema itself is left alone here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_OF_A_RESOURCE = ("apiVersion", "kind", "metadata")


def defaulted(body: Any, schema: Mapping[str, Any]) -> Any:
    """With defaults and without nulls that nothing allows; unknown fields stay, so that they can be found."""
    return _Completing(prunes=False).value(body, schema, is_resource=True)


def completed(body: Any, schema: Mapping[str, Any]) -> Any:
    """As it would be stored."""
    return _Completing(prunes=True).value(body, schema, is_resource=True)


def is_true(schema: Mapping[str, Any], word: str) -> bool:
    """Of an extension such as `embedded-resource`."""
    return schema.get(f"x-kubernetes-{word}") is True


def schema_of(schema: Mapping[str, Any], key: str) -> Mapping[str, Any] | None:
    """The schema of a field or of an entry of a map; None where there is none."""
    properties, extra = schema.get("properties"), schema.get("additionalProperties")
    inner = properties.get(key, extra) if isinstance(properties, Mapping) else extra
    return inner if isinstance(inner, Mapping) else None


@dataclass(frozen=True, slots=True)
class _Completing:
    prunes: bool

    def value(self, value: Any, schema: Any, *, is_resource: bool = False) -> Any:
        if not isinstance(schema, Mapping):
            return value
        if isinstance(value, dict):
            return self._object(value, schema, is_resource=is_resource)
        if isinstance(value, list):
            items = schema.get("items")
            return [self._element(each, items) for each in value]
        return value

    def _object(
        self, value: dict[str, Any], schema: Mapping[str, Any], *, is_resource: bool
    ) -> dict[str, Any]:
        is_resource = is_resource or is_true(schema, "embedded-resource")
        found = {}
        for key, each in value.items():
            inner = schema_of(schema, key)
            if is_resource and key in _OF_A_RESOURCE:
                found[key] = each
            elif inner is not None:
                if each is not None or inner.get("nullable") is True:
                    found[key] = self.value(each, inner)
                elif "default" in inner:
                    found[key] = self.value(inner["default"], inner)
            elif not self.prunes or is_true(schema, "preserve-unknown-fields"):
                found[key] = each
            elif schema.get("additionalProperties") is True:
                found[key] = _emptied(each)
        return self._with_defaults(found, schema)

    def _with_defaults(self, found: dict[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
        properties = schema.get("properties")
        if isinstance(properties, Mapping):
            for key, inner in properties.items():
                if key not in found and isinstance(inner, Mapping):
                    default = inner.get("default")
                    if default is not None:
                        found[key] = self.value(default, inner)
        return found

    def _element(self, value: Any, items: Any) -> Any:
        if value is None and isinstance(items, Mapping) and items.get("nullable") is not True:
            return self.value(items.get("default"), items)
        return self.value(value, items)


def _emptied(value: Any) -> Any:
    """Where any value is allowed but no schema says what is in it, nothing is in it."""
    if isinstance(value, dict):
        return {}
    return [_emptied(each) for each in value] if isinstance(value, list) else value
