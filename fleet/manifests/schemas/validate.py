"""The schema verdict on each manifest, in words that lead to the fault.

Kinds are compiled when first seen. Nothing is ever fetched (threat 46), patterns run in linear time (threat 45), and
no value of a Secret is repeated (threat 20).
"""

import difflib
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import jsonschema_rs

from fleet.manifests.admission import judge
from fleet.manifests.schemas import completion, structural
from fleet.model import findings, json_values, names, objects

_POINTER = "#/$defs/"
_GVK = "x-kubernetes-group-version-kind"
_LINEAR = jsonschema_rs.RegexOptions()
_MASK = "its value"
_SHOWN = 400  # characters of what is wrong with a schema

# The API server reads a number that may be a text as 32 bits; its schema leaves that open.
_INT_OR_STRING = "io.k8s.apimachinery.pkg.util.intstr.IntOrString"
_INT32: dict[str, Any] = {
    "type": ["integer", "null"],
    "minimum": -(2**31),
    "maximum": 2**31 - 1,
}

# A CRD's own schema inside its manifest: OpenAPI has no word for these choices and leaves them open, the API server
# does not.
_PROPS = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps"
_PROPERTY: dict[str, Any] = {"$ref": _POINTER + _PROPS}
_LIST = {"type": "array"}
_CHOICES: Mapping[str, Mapping[str, Any]] = {
    _INT_OR_STRING: {"if": {"type": "string"}, "else": _INT32},
    f"{_PROPS}OrArray": {"if": _LIST, "then": {"items": _PROPERTY}, "else": _PROPERTY},
    f"{_PROPS}OrBool": {"if": {"type": "boolean"}, "else": _PROPERTY},
    f"{_PROPS}OrStringArray": {
        "if": _LIST,
        "then": {"items": {"type": "string"}},
        "else": _PROPERTY,
    },
}

Kind = tuple[str, str, str]  # group, version, kind


class Schemas:
    """The kinds of one Kubernetes version and of a repository's CRDs."""

    def __init__(
        self,
        *,
        version: str,
        source: str,
        definitions: Mapping[str, Any],
        crds: Iterable[Mapping[str, Any]],
    ) -> None:
        self.version = version
        self._definitions = definitions
        self._builtin = _by_kind(definitions)
        self._custom = {kind: schema for crd in crds for kind, schema in structural.versions(crd)}
        self._schemas: dict[Kind, dict[str, Any]] = {}
        self._validators: dict[Kind, Any] = {}
        self._admission = judge.Tables(version)
        custom = sorted([list(kind), schema] for kind, schema in self._custom.items())
        self.identity: names.Digest = json_values.digest([source, version, custom, judge.EDITION])

    def validate(self, manifest: objects.Manifest) -> tuple[findings.Finding, ...]:
        kind = (manifest.key.group, manifest.version, manifest.key.kind)
        try:
            validator = self._validator(kind)
        except ValueError as error:  # the schema itself, of a CRD in the repository
            said = f"the schema of {manifest.key.kind} is unsound: {_shown(error)}"
            return (_finding(manifest, said),)
        if validator is None:
            return (self._unknown(manifest, kind),)
        body = self._defaulted(manifest.body, kind)
        if validator.is_valid(body):
            return self._admission.judge(manifest)
        errors = list(validator.iter_errors(body))
        schema = self.schema(kind) or {}
        return tuple(_explained(manifest, error, schema) for error in errors)

    @property
    def kinds(self) -> list[Kind]:
        return [*self._builtin, *self._custom]

    def _defaulted(self, body: Any, kind: Kind) -> Any:
        """What a custom resource leaves open may be what its schema requires."""
        if kind in self._builtin or kind not in self._custom:
            return body
        return completion.defaulted(body, self._custom[kind])

    def _validator(self, kind: Kind) -> Any:
        if kind not in self._validators:
            schema = self.schema(kind)
            self._validators[kind] = None if schema is None else _compiled(schema, kind)
        return self._validators[kind]

    def schema(self, kind: Kind) -> dict[str, Any] | None:
        """A whole JSON Schema, references inside `$defs`. Kubernetes' own kinds first: no CRD may loosen them."""
        if kind in self._schemas:
            return self._schemas[kind]
        name = self._builtin.get(kind)
        if name is not None:
            found = {"$ref": _POINTER + name, "$defs": _closure(name, self._definitions)}
        elif kind in self._custom:
            found = structural.closed(self._custom[kind], is_resource=True)
        else:
            return None
        self._schemas[kind] = found
        return found

    def _unknown(self, manifest: objects.Manifest, kind: Kind) -> findings.Finding:
        group, version, word = kind
        others = sorted(v for g, v, k in self.kinds if (g, k) == (group, word))
        if others:
            at = f"{group}/{version}" if group else version
            hint = f"it serves {word} as {', '.join(others)}"
            return _finding(
                manifest, f"Kubernetes {self.version} does not serve {word} as {at}", hint
            )
        close = difflib.get_close_matches(word, [k for g, _, k in self.kinds if g == group], n=1)
        hint = f"did you mean {close[0]}?" if close else "commit its CRD under schemas/"
        return _finding(
            manifest, f"no schema for kind {word} in {group or 'the core group'}", hint
        )


def _by_kind(definitions: Mapping[str, Any]) -> dict[Kind, str]:
    return {
        (each["group"], each["version"], each["kind"]): name
        for name, definition in definitions.items()
        for each in definition.get(_GVK, ())
        if not each["kind"].endswith("Options")
    }


def _closure(name: str, definitions: Mapping[str, Any]) -> dict[str, Any]:
    """The definition and all that it refers to, so that a validator holds no more than it needs."""
    found: dict[str, Any] = {}
    open_names = [name]
    while open_names:
        each = open_names.pop()
        if each not in found:
            found[each] = _CHOICES.get(each) or _loosened(definitions[each])
            open_names += _references(found[each])
    return found


def _references(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        reference = schema.get("$ref")
        if isinstance(reference, str):
            yield reference.removeprefix(_POINTER)
        for value in schema.values():
            yield from _references(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from _references(value)


def _loosened(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """int-or-string and quantities are written as a choice of which null would fit both."""
    if "oneOf" not in schema:
        return schema
    return {**{k: v for k, v in schema.items() if k != "oneOf"}, "anyOf": schema["oneOf"]}


def _compiled(schema: dict[str, Any], kind: Kind) -> Any:
    mask = _MASK if kind[2] == "Secret" else None
    return jsonschema_rs.Draft202012Validator(
        schema, pattern_options=_LINEAR, validate_formats=False, mask=mask, offline=True
    )


def _explained(
    manifest: objects.Manifest, error: Any, schema: Mapping[str, Any]
) -> findings.Finding:
    where = tuple(str(step) for step in error.instance_path)
    message, hint, last = _words(error, ".".join(where), _fields(schema, where))
    return _finding(manifest, message, hint, (*where, *last))


def _words(error: Any, dotted: str, known: list[str]) -> tuple[str, str, tuple[str, ...]]:
    kind = error.kind
    here = f"{dotted}: " if dotted else ""
    if kind.name == "additionalProperties":
        unexpected = list(kind.unexpected)
        close = difflib.get_close_matches(unexpected[0], known, n=1)
        hint = f"did you mean {close[0]}?" if close else ""
        named = ", ".join(findings.escaped(each) for each in unexpected)
        return f"{here}unknown field {named}", hint, (unexpected[0],)
    if _INT_OR_STRING in error.schema_path:
        said = f"cannot unmarshal {_as_json(error.instance)} into Go value of type int32"
        return f"{here}{said}", "it is a number or a text", ()
    if kind.name == "required":
        return f"{here}{kind.property} is missing", "", ()
    return f"{here}{findings.escaped(error.message)[:300]}", "", ()


def _as_json(value: Any) -> str:
    """As Go's decoder names it."""
    if isinstance(value, (bool, list, dict)):
        return {bool: "bool", list: "array", dict: "object"}[type(value)]
    return f"number {json.dumps(value)}"


def _fields(root: Mapping[str, Any], where: tuple[str, ...]) -> list[str]:
    """The fields that the schema knows at a place of the instance."""
    schema = _resolved(root, root)
    for step in where:
        inner = schema.get("items") if step.isdigit() else None
        inner = inner or schema.get("properties", {}).get(step)
        inner = inner or schema.get("additionalProperties")
        if not isinstance(inner, Mapping):
            return []
        schema = _resolved(inner, root)
    return list(schema.get("properties", ()))


def _resolved(schema: Mapping[str, Any], root: Mapping[str, Any]) -> Mapping[str, Any]:
    while "$ref" in schema or "else" in schema:
        schema = schema.get("else") or root["$defs"][schema["$ref"].removeprefix(_POINTER)]
    return schema


def _shown(error: ValueError) -> str:
    """On one line: what is quoted of a schema may be long."""
    text = " ".join(str(error).split())
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def _finding(
    manifest: objects.Manifest, message: str, hint: str = "", field: tuple[str, ...] = ()
) -> findings.Finding:
    return findings.Finding(
        rule="schema",
        severity=findings.Severity.DENY,
        message=findings.escaped(message),
        place=manifest.source.place,
        hint=findings.escaped(hint),
        subject=str(manifest.key),
        field=field,
    )
