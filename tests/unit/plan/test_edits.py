"""Field by field: what changes for a cluster is told, what is the default anyway is not, and no Secret is."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

import builders
from fleet.model import changes, objects
from fleet.plan import edits

CANARY = "canary-in-a-secret"
PACKED = base64.b64encode(CANARY.encode()).decode()


def between(old: Any, new: Any) -> dict[str, tuple[Any, Any]]:
    """Of two ConfigMaps with these fields beside their names."""
    one, other = (builders.manifest(document=builders.body(**each)) for each in (old, new))
    return {e.path: sides(e) for e in edits.between(one, other)}


def sides(edit: edits.Edit) -> tuple[Any, Any]:
    is_new, is_gone = (
        edit.result is each for each in (changes.Result.CREATED, changes.Result.DELETED)
    )
    return edits.ABSENT if is_new else edit.before, edits.ABSENT if is_gone else edit.after


def deployment(**spec: Any) -> objects.Manifest:
    body = {**builders.body(kind="Deployment"), "apiVersion": "apps/v1"}
    template = {"spec": {"containers": [{"name": "web", "image": "a:1"}]}}
    return builders.manifest(document={**body, "spec": {"template": template, **spec}})


def test_a_field_that_comes_goes_or_changes():
    found = between({"data": {"a": "1", "b": "1"}}, {"data": {"b": "2", "c": "3"}})
    assert found == {
        "data.a": ("1", edits.ABSENT), "data.b": ("1", "2"), "data.c": (edits.ABSENT, "3"),
    }  # fmt: skip


def test_names_with_dots_are_quoted():
    assert between({"data": {"a.b": "1"}}, {"data": {"a.b": "2"}}) == {'data["a.b"]': ("1", "2")}


def test_what_json_tells_apart_is_a_change():
    assert between({"x": 1}, {"x": True}) == {"x": (1, True)}
    assert between({"x": [1]}, {"x": [1.0]}) == {"x": ([1], [1.0])}


@pytest.mark.parametrize(
    "written",
    [{"replicas": 1}, {"revisionHistoryLimit": 10, "strategy": {"type": "RollingUpdate"}}],
)
def test_a_default_that_is_written_down_is_no_change(written: dict[str, Any]):
    assert edits.between(deployment(), deployment(**written)) == ()
    assert edits.between(deployment(**written), deployment()) == ()
    assert [e.path for e in edits.between(deployment(replicas=2), deployment())] == [
        "spec.replicas"
    ]


def test_elements_are_told_apart_by_their_names():
    old = {"spec": {"containers": [{"name": "a", "image": "1"}, {"name": "b", "image": "1"}]}}
    new = {"spec": {"containers": [{"name": "b", "image": "2"}, {"name": "c", "image": "1"}]}}
    assert between(old, new) == {
        "spec.containers[a]": ({"name": "a", "image": "1"}, edits.ABSENT),
        "spec.containers[b].image": ("1", "2"),
        "spec.containers[c]": (edits.ABSENT, {"name": "c", "image": "1"}),
    }


def test_another_order_is_said():
    one, two = {"name": "a"}, {"name": "b"}
    assert between({"x": [one, two]}, {"x": [two, one]}) == {"x (order)": (["a", "b"], ["b", "a"])}


def test_elements_without_names_of_their_own_are_one_value():
    twins = [{"name": "a", "x": 1}, {"name": "a", "x": 2}]
    assert list(between({"l": twins}, {"l": twins[:1]})) == ["l"]
    assert list(between({"l": ["a", "b"]}, {"l": ["b"]})) == ["l"]


def test_of_a_longer_text_the_lines_are_told():
    one = builders.manifest(document=builders.body(data={"f": "a\nb\nc\n"}))
    other = builders.manifest(document=builders.body(data={"f": "a\nB\nc\n"}))
    (edit,) = edits.between(one, other)
    assert edit.lines == ("-b", "+B")


def test_values_are_bounded():
    (old, new) = between({"data": {"a": "x" * 50_000}}, {"data": {"a": "y"}})["data.a"]
    assert (len(old), new) == (edits.LONGEST + 3, "y")


def secret(**fields: Any) -> objects.Manifest:
    return builders.manifest(document={**builders.body(kind="Secret"), **fields})


PLAIN = secret(stringData={"password": "old-password-word"})
CASES = [
    secret(stringData={"password": CANARY}),
    secret(data={"password": PACKED}),
    secret(data=CANARY),
    secret(stringData=[CANARY], data={"a": {"b": PACKED}}),
    secret(stringdata={"password": CANARY}),
    secret(spec={"encryptedData": CANARY}),
    secret(
        data={"password": PACKED},
        metadata={"name": "web", "namespace": "shop", "annotations": {"note": f"it is {CANARY}!"}},
    ),
    secret(
        metadata={
            "name": "web",
            "namespace": "shop",
            "annotations": {
                "kubectl.kubernetes.io/last-applied-configuration": json.dumps({"data": CANARY})
            },
        },
    ),
    builders.manifest(
        document={
            **builders.body(kind="Secret"),
            "apiVersion": "x.example/v1",
            "data": {"a": CANARY},
        }
    ),
]


@pytest.mark.threat(20)
@pytest.mark.threat(76)
@pytest.mark.parametrize("case", CASES)
def test_no_value_of_a_secret_is_in_an_edit(case: objects.Manifest):
    said = repr(edits.between(PLAIN, case)) + repr(edits.between(case, PLAIN))
    assert said != "()()"
    assert CANARY not in said
    assert PACKED not in said
    assert "old-password-word" not in said


def test_of_a_secret_the_names_that_change_are_told():
    found = edits.between(PLAIN, secret(stringData={"password": CANARY, "user": "u"}))
    assert [(e.path, *sides(e)) for e in found] == [
        ("data.password", "***", "***"),
        ("data.user", edits.ABSENT, "***"),
    ]


VALUES = some.recursive(
    some.none() | some.booleans() | some.integers(-3, 3) | some.text("ab\n.", max_size=4),
    lambda inner: (
        some.lists(inner, max_size=3)
        | some.dictionaries(some.sampled_from(["name", "a", "b.c"]), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(VALUES, VALUES)
def test_there_is_an_edit_exactly_where_something_differs(old: Any, new: Any):
    """Of a kind without defaults: every side's edits are the other's, turned round."""
    one, other = (
        {"apiVersion": "x.example/v1", "kind": "X", "metadata": {"name": "x"}, "v": v}
        for v in (old, new)
    )
    there, back = (
        edits.between(builders.manifest(document=a), builders.manifest(document=b))
        for a, b in ((one, other), (other, one))
    )
    assert bool(there) == (json.dumps(old, sort_keys=True) != json.dumps(new, sort_keys=True))
    assert {(e.path, repr(sides(e))) for e in there} == {
        (e.path, repr(sides(e)[::-1])) for e in back
    }
