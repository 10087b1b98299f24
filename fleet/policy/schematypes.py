"""The CEL type that a schema gives to what it describes, as the API server types `object` and `params`.

Source: k8s.io/apiserver pkg/cel/common/schemas.go. What the schema leaves open is dyn here, where Kubernetes hides it:
nothing that could be right is called wrong.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fleet.cel import types

_POINTER = "#/$defs/"
FORMATS = {
    "byte": types.BYTES,
    "date": types.TIMESTAMP,
    "date-time": types.TIMESTAMP,
    "duration": types.DURATION,
}
SCALARS = {"boolean": types.BOOL, "integer": types.INT, "number": types.DOUBLE}
_STRANGE = re.compile(r"__(dot|dash|slash|underscores|[a-z]+)__")
_ESCAPES = {"dot": ".", "dash": "-", "slash": "/", "underscores": "__"}


def of(schema: Mapping[str, Any], name: str) -> types.Type:
    """Of a whole JSON Schema; `name` is what messages call it."""
    return _Typed(schema.get("$defs") or {}).type(schema, name)


def union(kinds: Sequence[types.Type], name: str) -> types.Type:
    """What may be any of these: it has each field that one of them has."""
    first = kinds[0]
    if all(each == first for each in kinds):
        return first
    fields = [each.fields for each in kinds if each.fields is not None]
    if len(fields) == len(kinds):
        return types.open_object_of(name, _Union(fields, name))
    if any((each.name, len(each.of)) != (first.name, len(first.of)) for each in kinds) or fields:
        return types.DYN
    parts = zip(*(each.of for each in kinds), strict=True)
    return types.Type(first.name, tuple(union(part, f"{name}.@of") for part in parts))


@dataclass(frozen=True, slots=True)
class _Union(Mapping[str, types.Type]):
    of: Sequence[Mapping[str, types.Type]]
    name: str

    def __getitem__(self, field_name: str) -> types.Type:
        having = [each[field_name] for each in self.of if field_name in each]
        if not having:
            raise KeyError(field_name)
        return union(having, f"{self.name}.{field_name}")

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys(name for each in self.of for name in each))

    def __len__(self) -> int:
        return len(list(iter(self)))


@dataclass(frozen=True, slots=True)
class _Typed:
    definitions: Mapping[str, Any]

    def type(self, schema: Any, name: str) -> types.Type:
        """One that has a name of its own is called by that, wherever it lies."""
        found = self.resolved(schema)
        name = _definition(schema) or name
        match _kind(found):
            case "object":
                return self._object(found, name)
            case "array":
                return types.list_of(self.type(found.get("items"), f"{name}.@idx"))
            case "string":
                return FORMATS.get(found.get("format", ""), types.STRING)
            case kind:
                return SCALARS.get(kind, types.DYN)

    def _object(self, schema: Mapping[str, Any], name: str) -> types.Type:
        extra = schema.get("additionalProperties")
        if isinstance(extra, Mapping):
            return types.map_of(types.STRING, self.type(extra, f"{name}.@elem"))
        properties = schema.get("properties")
        if not isinstance(properties, Mapping) or not properties or extra is True:
            return types.DYN
        return types.open_object_of(name, _Fields(self, properties, name))

    def resolved(self, schema: Any) -> Mapping[str, Any]:
        for _ in range(10):  # a definition that is nothing but another one
            if not isinstance(schema, Mapping) or "$ref" not in schema:
                break
            schema = self.definitions.get(str(schema["$ref"]).removeprefix(_POINTER))
        return schema if isinstance(schema, Mapping) else {}


def _definition(schema: Any) -> str:
    reference = schema.get("$ref", "") if isinstance(schema, Mapping) else ""
    return str(reference).rpartition(".")[2]


def _kind(schema: Mapping[str, Any]) -> str:
    """Of what may also be null, the other; "" where that is not one thing."""
    written = schema.get("type")
    kinds = [written] if isinstance(written, str) else written or []
    named = [each for each in kinds if each != "null"]
    return named[0] if len(named) == 1 else ""


@dataclass(frozen=True, slots=True)
class _Fields(Mapping[str, types.Type]):
    """Of one object, each typed when it is asked for: some schemas contain themselves."""

    typed: _Typed
    properties: Mapping[str, Any]
    name: str
    known: dict[str, types.Type] = field(default_factory=dict)

    def __getitem__(self, field_name: str) -> types.Type:
        if field_name not in self.known:
            written = field_name if field_name in self.properties else _unescaped(field_name)
            inner = self.typed.type(self.properties[written], f"{self.name}.{written}")
            self.known[field_name] = inner
        return self.known[field_name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.properties)

    def __len__(self) -> int:
        return len(self.properties)


def _unescaped(name: str) -> str:
    """Names that are no identifiers are written with escapes (pkg/cel/escaping.go)."""
    return _STRANGE.sub(lambda found: _ESCAPES.get(found[1], found[1]), name)
