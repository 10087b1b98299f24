"""Custom resources against the CRDs of the repository: as closed as the API server reads them."""

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import builders
from fleet.manifests.schemas import validate
from fleet.model import findings


def crd(
    schema: Any, *, group: str = "example.com", kind: str = "Gadget", **version: Any
) -> dict[str, Any]:
    served = {"name": "v1", "served": True, "schema": {"openAPIV3Schema": schema}, **version}
    return {"spec": {"group": group, "names": {"kind": kind}, "versions": [served]}}


def schemas(*crds: Any, definitions: dict[str, Any] | None = None) -> validate.Schemas:
    return validate.Schemas(
        version="1.36", source="test", definitions=definitions or {}, crds=crds
    )


def judged(field: Any, value: Any, kind: str = "Gadget") -> tuple[findings.Finding, ...]:
    """A resource whose `spec.x` is of that schema and says that value."""
    properties = {"spec": {"type": "object", "properties": {"x": field}}}
    judge = schemas(crd({"type": "object", "properties": properties}, kind=kind))
    document = {
        "apiVersion": "example.com/v1", "kind": kind, "metadata": {"name": "a"}, "spec": {"x": value},
    }  # fmt: skip
    return judge.validate(builders.manifest(document=document))


def is_fine(field: Any, value: Any) -> bool:
    return judged(field, value) == ()


OBJECT = {"type": "object", "properties": {"colour": {"type": "string"}}}


def test_an_unknown_field_is_refused_with_what_was_meant():
    (found,) = judged(OBJECT, {"color": "red"})
    assert (found.message, found.hint, found.field) == (
        "spec.x: unknown field color",
        "did you mean colour?",
        ("spec", "x", "color"),
    )
    assert is_fine(OBJECT, {"colour": "red"})


def test_an_object_without_properties_has_none():
    assert is_fine({"type": "object"}, {})
    assert not is_fine({"type": "object"}, {"a": 1})


def test_unknown_fields_may_be_kept_where_the_schema_says_so():
    keeps = {**OBJECT, "x-kubernetes-preserve-unknown-fields": True}
    assert is_fine(keeps, {"color": {"deep": 1}})
    assert not is_fine(keeps, {"colour": 5})
    inner = {
        "type": "object",
        "properties": {"a": OBJECT},
        "x-kubernetes-preserve-unknown-fields": True,
    }
    assert not is_fine(inner, {"a": {"color": "red"}})
    assert is_fine({"x-kubernetes-preserve-unknown-fields": True}, [1, {"a": "b"}])


def test_additional_properties():
    assert is_fine({"type": "object", "additionalProperties": {"type": "integer"}}, {"a": 1})
    assert not is_fine({"type": "object", "additionalProperties": {"type": "integer"}}, {"a": "1"})
    assert is_fine({"type": "object", "additionalProperties": True}, {"a": "1"})
    assert not is_fine({"type": "object", "additionalProperties": {**OBJECT}}, {"a": {"b": 1}})


@pytest.mark.parametrize(
    ("value", "expected"), [(1, True), ("25%", True), (1.5, False), ([], False)]
)
def test_int_or_string(value: Any, expected: bool):
    choice = [{"type": "integer"}, {"type": "string"}]
    assert is_fine({"x-kubernetes-int-or-string": True}, value) is expected
    assert is_fine({"x-kubernetes-int-or-string": True, "anyOf": choice}, value) is expected
    assert (
        is_fine({"x-kubernetes-int-or-string": True, "allOf": [{"anyOf": choice}]}, value)
        is expected
    )


def test_int_or_string_with_a_pattern():
    quantity = {"x-kubernetes-int-or-string": True, "pattern": "^[0-9]+(m|Mi)?$"}
    assert is_fine(quantity, "100m")
    assert is_fine(quantity, 5)
    assert not is_fine(quantity, "lots")


def test_an_embedded_resource_has_what_every_object_has():
    embedded = {
        "type": "object",
        "x-kubernetes-embedded-resource": True,
        "properties": {"spec": OBJECT},
    }
    value = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "a"},
        "spec": {"colour": "red"},
    }
    assert is_fine(embedded, value)
    assert not is_fine(embedded, {**value, "status": {}})
    assert not is_fine(embedded, {**value, "kind": 5})


def test_null_only_where_it_is_allowed():
    """Elsewhere the API server drops it, so that what is required is missing."""
    assert is_fine({"type": "string"}, None)
    (missing,) = judged({**OBJECT, "required": ["colour"]}, {"colour": None})
    assert missing.message == "spec.x: colour is missing"
    assert is_fine({"type": "string", "nullable": True}, None)
    assert is_fine({"type": "string", "nullable": True, "enum": ["a"]}, None)
    assert not is_fine({"type": "string", "nullable": True, "enum": ["a"]}, "b")
    (found,) = judged({**OBJECT, "nullable": True}, {"color": "red"})
    assert found.hint == "did you mean colour?"


@pytest.mark.parametrize(
    ("field", "good", "bad"),
    [
        ({"type": "string", "enum": ["a", "b"]}, "a", "c"),
        ({"type": "string", "pattern": "^[a-z]+$"}, "abc", "ABC"),
        ({"type": "string", "minLength": 2, "maxLength": 3}, "ab", "abcd"),
        ({"type": "integer", "minimum": 1, "maximum": 3}, 3, 4),
        ({"type": "integer", "minimum": 1, "exclusiveMinimum": True}, 2, 1),
        ({"type": "integer", "maximum": 3, "exclusiveMaximum": False}, 3, 4),
        ({"type": "array", "items": {"type": "string"}, "maxItems": 1}, ["a"], ["a", "b"]),
        ({"type": "array", "items": OBJECT}, [{"colour": "a"}], [{"color": "a"}]),
        ({**OBJECT, "required": ["colour"]}, {"colour": "a"}, {}),
        ({"type": "integer", "multipleOf": 5}, 10, 11),
        ({"type": "integer", "not": {"enum": [3]}}, 2, 3),
        ({"type": "integer", "oneOf": [{"enum": [1]}, {"minimum": 5}]}, 6, 3),
        ({**OBJECT, "anyOf": [{"required": ["colour"]}]}, {"colour": "a"}, {}),
        (
            {**OBJECT, "allOf": [{"properties": {"colour": {"not": {"enum": ["red"]}}}}]},
            {"colour": "blue"},
            {"colour": "red"},
        ),
        ({"type": "string", "format": "date-time"}, "not checked here", 5),
    ],
)  # fmt: skip
def test_values(field: dict[str, Any], good: Any, bad: Any):
    assert is_fine(field, good)
    assert not is_fine(field, bad)


def test_a_choice_neither_opens_nor_closes_an_object():
    assert is_fine({**OBJECT, "anyOf": [{"properties": {"colour": {}}}, {}]}, {"colour": "a"})
    assert not is_fine({**OBJECT, "anyOf": [{"properties": {"color": {}}}, {}]}, {"color": "a"})


def test_every_resource_has_its_head_whether_the_crd_says_so_or_not():
    judge = schemas(crd({"type": "object"}))
    document = {"apiVersion": "example.com/v1", "kind": "Gadget", "metadata": {"name": "a"}}
    assert judge.validate(builders.manifest(document=document)) == ()
    (found,) = judge.validate(builders.manifest(document={**document, "spec": {}}))
    assert found.message == "unknown field spec"


def test_only_versions_that_are_served():
    document = {"apiVersion": "example.com/v1", "kind": "Gadget", "metadata": {"name": "a"}}
    (found,) = schemas(crd({"type": "object"}, served=False)).validate(
        builders.manifest(document=document)
    )
    assert found.message == "no schema for kind Gadget in example.com"
    (found,) = schemas(crd({"type": "object"}, name="v2")).validate(
        builders.manifest(document=document)
    )
    assert found.hint == "it serves Gadget as v2"


@pytest.mark.threat(45)
def test_a_pattern_takes_linear_time():
    started = time.perf_counter()
    assert not is_fine({"type": "string", "pattern": "^(a+)+$"}, "a" * 50_000 + "!")
    assert time.perf_counter() - started < 2


@pytest.mark.threat(45)
@pytest.mark.parametrize("pattern", ["(?=a)b", "(a)\\1", "("])
def test_a_pattern_that_has_no_linear_time_is_unsound(pattern: str):
    (found,) = judged({"type": "string", "pattern": pattern}, "a")
    assert found.message.startswith("the schema of Gadget is unsound:")


@pytest.mark.threat(46)
@pytest.mark.parametrize(
    "target",
    ["http://127.0.0.1:1/x.json", "file:///etc/passwd", "/dev/zero", "#", "#/properties/spec"],
)
@pytest.mark.parametrize(
    "wrap",
    [
        lambda each: each,
        lambda each: {"type": "array", "items": each},
        lambda each: {"type": "object", "additionalProperties": each},
        lambda each: {"type": "string", "allOf": [each]},
        lambda each: {"type": "string", "not": each},
    ],
    ids=["itself", "items", "additionalProperties", "allOf", "not"],
)
def test_nothing_is_looked_up_elsewhere(target: str, wrap: Any):
    (found,) = judged(wrap({"$ref": target}), "a")
    assert found.message == "the schema of Gadget is unsound: $ref is not followed"


@pytest.mark.threat(53)
def test_no_crd_loosens_a_kind_of_kubernetes():
    builtin = {
        "Deployment": {
            "type": "object",
            "properties": {"apiVersion": {}, "kind": {}, "metadata": {}},
            "additionalProperties": False,
            "x-kubernetes-group-version-kind": [
                {"group": "apps", "version": "v1", "kind": "Deployment"}
            ],
        }
    }
    loose = crd({"x-kubernetes-preserve-unknown-fields": True}, group="apps", kind="Deployment")
    judge = schemas(loose, definitions=builtin)
    document = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "a"},
        "spec": {},
    }
    assert [e.message for e in judge.validate(builders.manifest(document=document))] == [
        "unknown field spec"
    ]


@pytest.mark.threat(20)
def test_a_kind_called_secret_is_as_silent_as_the_real_one():
    fields = [
        {"type": "integer"},
        {"type": "string", "enum": ["a"]},
        {"type": "string", "pattern": "^b$"},
    ]
    found = [each for field in fields for each in judged(field, "CANARY", kind="Secret")]
    assert len(found) == 3
    assert "CANARY" not in repr(found)


def test_the_identity_is_that_of_the_crds_whatever_their_order():
    one, other = crd({"type": "object"}), crd({"type": "object"}, kind="Widget")
    assert schemas(one, other).identity == schemas(other, one).identity
    assert schemas(one).identity != schemas(one, other).identity
    assert schemas(one).identity != schemas(crd({"type": "string"})).identity


@pytest.mark.parametrize(
    "broken",
    [
        {}, {"spec": 5}, {"spec": {"names": {}, "versions": 5}}, {"spec": {"names": {}, "versions": [5]}},
        {"spec": {"names": {}, "versions": [{"schema": "x", "served": True}]}},
    ],
)  # fmt: skip
def test_a_crd_without_a_schema_describes_nothing(broken: Any):
    document = {"apiVersion": "example.com/v1", "kind": "Gadget", "metadata": {"name": "a"}}
    (found,) = schemas(broken).validate(builders.manifest(document=document))
    assert found.message == "no schema for kind Gadget in example.com"


_WORDS = st.sampled_from(
    [
        "type", "properties", "items", "additionalProperties", "allOf", "anyOf", "oneOf", "not", "enum",
        "pattern", "required", "minimum", "exclusiveMinimum", "nullable", "minLength", "$ref",
        "x-kubernetes-int-or-string", "x-kubernetes-preserve-unknown-fields",
        "x-kubernetes-embedded-resource",
    ]
)  # fmt: skip
_ANY = st.recursive(
    st.sampled_from([None, True, 1, -1, 1.5, "", "object", "string", "(", "^a$"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_WORDS, inner, max_size=4),
    max_leaves=12,
)


@given(schema=_ANY, value=_ANY)
def test_whatever_a_crd_says_becomes_a_verdict(schema: Any, value: Any):
    for each in judged(schema, value):
        assert each.message


def test_what_is_wrong_with_a_schema_is_said_on_one_line_and_soon():
    (found,) = judged({"type": ["a" * 3000, None]}, "a")
    assert found.message.isprintable()
    assert len(found.message) < 600
