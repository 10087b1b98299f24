"""What an API server refuses beyond its schema: our verdict on the table that a real one answered."""

import asyncio
import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import admission_cases as cases
from fleet.adapters import schemas
from fleet.manifests.admission import faults, judge, kinds, tables, texts
from fleet.manifests.schemas import validate
from fleet.model import findings, names, objects

TABLE = cases.table()
NEWEST = judge.Tables("1.36")


@pytest.fixture(scope="module")
def known() -> validate.Schemas:
    return schemas_of("1.36")


def schemas_of(version: str) -> validate.Schemas:
    loaded = asyncio.run(schemas.Packaged().definitions(version)) or {}
    return validate.Schemas(version=version, source="packaged", definitions=loaded, crds=[])


def manifest(body: dict[str, Any], *, rendered: bool = False) -> objects.Manifest:
    source = objects.Source(path="a.yaml", line=3, blob=names.BlobId("b"), rendered=rendered)
    named = {"name": "generated", **body["metadata"]}
    return objects.Manifest(
        key=objects.key_of({**body, "metadata": named}),
        version=body["apiVersion"].rpartition("/")[2],
        body=body,
        digest=names.Digest("sha256:0"),
        bundle=names.Bundle("a"),
        source=source,
    )


def causes(case: cases.Case) -> set[str]:
    found = NEWEST.faults(*case.place, case.body)
    return {cases.plain(f"{each.field}: {each.body}") for each in found}


@pytest.mark.parametrize("case", TABLE, ids=lambda case: case.title)
def test_we_say_what_the_api_server_says(case: cases.Case, known: validate.Schemas):
    verdict = known.validate(manifest(case.body))
    assert bool(verdict) == bool(case.answer)
    if case.answer != (cases.UNREADABLE,):
        said = causes(case)
        reworded = [each.removeprefix("~ ") for each in case.ours if each.startswith("~ ")]
        assert said - set(case.ours) == {each for each in said if _is_one_of(each, reworded)}
        assert {each for each in case.ours if not each.startswith("~ ")} <= said


def _is_one_of(cause: str, others: list[str]) -> bool:
    """The same field for the same reason."""
    return any(cause.split(": ")[:2] == each.split(": ")[:2] for each in others)


def test_the_table_is_large_and_has_both_kinds():
    assert len(TABLE) > 500
    assert sum(not case.answer for case in TABLE) > 80
    assert {case.place for case in TABLE} >= kinds.ROWS.keys() - {
        ("", "PodTemplate"),
        ("admissionregistration.k8s.io", "MutatingWebhookConfiguration"),
    }


def test_every_row_names_its_source():
    rows = [each for kind in kinds.ROWS for each in kinds.rows_of(kind)]
    assert len({(each.at, each.source) for each in rows}) > 500
    assert {each.source for each in rows if ":" not in each.source} == {
        "encoding/base64, as the document is read"
    }


def test_a_finding_leads_to_the_line_and_says_what_to_do(known: validate.Schemas):
    (case,) = (each for each in TABLE if "volumeMounts/0/name = other" in each.title)
    (found,) = known.validate(manifest(case.body))
    assert found.rule == "schema"
    assert found.severity is findings.Severity.DENY
    assert found.message == (
        'spec.template.spec.containers[0].volumeMounts[0].name: Not found: "other"'
    )
    assert found.hint == "its volumes are files"
    assert found.field == (
        "spec", "template", "spec", "containers", "0", "volumeMounts", "0", "name"
    )  # fmt: skip
    (rendered,) = known.validate(manifest(case.body, rendered=True))
    assert rendered.field == ()


def test_a_label_s_finding_leads_to_its_entry_though_the_api_server_names_the_map():
    (case,) = (each for each in TABLE if each.title == 'Deployment: metadata/labels = {a: "c d"}')
    (fault,) = NEWEST.faults(*case.place, case.body)
    assert (fault.field, fault.written) == ("metadata.labels", ("metadata", "labels", "a"))


@pytest.mark.threat(20)
def test_no_value_of_a_secret_is_repeated():
    body = {
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"},
        "type": "kubernetes.io/dockerconfigjson",
        "data": {"a": "CANARY not base64", "..b": "Q0FOQVJZ"},
        "stringData": {".dockerconfigjson": "CANARY", "c d": "CANARY"},
    }  # fmt: skip
    found = NEWEST.faults("", "Secret", body)
    assert len(found) == 4
    assert "CANARY" not in repr(found)


VERSIONED = [
    ("1.35", "Service", {"metadata": {"name": "1web"}}, True),
    ("1.36", "Service", {"metadata": {"name": "1web"}}, False),
    ("1.31", "Deployment", {"env": [{"name": "a b"}]}, True),
    ("1.32", "Deployment", {"env": [{"name": "a b"}]}, False),
    ("1.35", "NetworkPolicy", {"cidr": "10.0.0.1/8"}, False),
    ("1.36", "NetworkPolicy", {"cidr": "10.0.0.1/8"}, True),
    ("1.34", "Deployment", {"restartPolicy": "Never"}, True),
    ("1.35", "Deployment", {"restartPolicy": "Never"}, False),
]


@pytest.mark.parametrize(("version", "kind", "change", "is_refused"), VERSIONED)
def test_each_version_has_its_own_rules(
    version: str, kind: str, change: dict[str, Any], is_refused: bool
):
    body = copy.deepcopy(next(each.body for each in TABLE if each.title == kind))
    inside = {
        "Service": lambda: body,
        "Deployment": lambda: body["spec"]["template"]["spec"]["containers"][0],
        "NetworkPolicy": lambda: body["spec"]["ingress"][0]["from"][0]["ipBlock"],
    }[kind]()
    inside.update(change)
    group = body["apiVersion"].rpartition("/")[0]
    assert bool(judge.Tables(version).faults(group, kind, body)) is is_refused


@pytest.mark.parametrize("version", schemas.Packaged().versions())
def test_sound_objects_are_sound_on_every_version(version: str):
    of_version = judge.Tables(version)
    for case in TABLE:
        if ":" not in case.title:
            assert of_version.faults(*case.place, case.body) == [], case.title


def test_a_custom_resource_is_judged_by_its_metadata():
    body: dict[str, Any] = {
        "metadata": {"name": "Gadget", "labels": {"a": "b c"}},
        "spec": {"x": 1},
    }
    found = NEWEST.faults("example.com", "Gadget", body)
    assert [each.field for each in found] == ["metadata.name", "metadata.labels"]
    for wrong in ([], "x", 5):
        body["metadata"]["labels"] = wrong
        assert len(NEWEST.faults("example.com", "Gadget", body)) == 1
    body["metadata"] = {
        "name": "gadget",
        "labels": {"a": 1, "b": None},
        "annotations": {"c": True},
    }
    found = NEWEST.faults("example.com", "Gadget", body)
    assert [each.path for each in found] == [
        ("metadata", "labels", "a"), ("metadata", "annotations", "c"),
    ]  # fmt: skip


def test_the_verdict_knows_the_edition_of_the_tables(known: validate.Schemas):
    assert known.identity != schemas_of("1.35").identity
    assert judge.EDITION.startswith("admission/")


def _check(value: int) -> list[faults.Fault]:
    return [faults.invalid(value, "odd")] if value % 2 else []


def test_a_walk_asks_at_every_place_and_completes_the_path():
    rows = [
        tables.row("a[].b", _check, "test: lists"),
        tables.row("m[]", _check, "test: maps"),
        *tables.below("deep", [tables.row("", _check, "test: itself")]),
    ]
    walk = tables.compiled(rows, "1.36")
    value = {"a": [{"b": 1}, {"b": 2}, {}, {"b": None}], "m": {"x.y": 3, "z": 4}, "deep": 5}
    assert [each.field for each in walk(value)] == ["a[0].b", "m[x.y]", "deep"]
    assert walk({}) == walk({"a": None}) == []


def _paths(value: Any, here: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    steps = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    return [here, *(path for key, inner in steps for path in _paths(inner, (*here, key)))]


SOUND = [case.body for case in TABLE if ":" not in case.title]
SEEDS = [case.body for case in TABLE]
STRANGE = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.text(max_size=8), st.just(""), st.just({}), st.just([]),
    st.just("9" * 400), st.just("1e999999999"), st.just([None]), st.just({"a": None}), st.just("::%1"),
    st.floats(allow_nan=False, allow_infinity=False),
)  # fmt: skip


def test_a_port_with_a_point_is_a_number():
    assert texts.port(80.0) == ()
    assert texts.port(70000.0) == ("must be between 1 and 65535, inclusive",)


@settings(max_examples=400, deadline=None)
@given(data=st.data())
def test_whatever_fits_the_schema_is_judged_without_an_error(
    known: validate.Schemas, data: st.DataObject
):
    body = copy.deepcopy(data.draw(st.sampled_from(SEEDS)))
    for _ in range(data.draw(st.integers(1, 4))):
        paths = [
            each for each in _paths(body) if each and each not in (("apiVersion",), ("kind",))
        ]
        *path, last = data.draw(st.sampled_from(paths))
        inner = body
        for step in path:
            inner = inner[step]
        inner[last] = copy.deepcopy(data.draw(STRANGE))
    if isinstance(body["metadata"], dict) and isinstance(body["metadata"].get("name"), str):
        assert isinstance(known.validate(manifest(body)), tuple)


@pytest.mark.parametrize("size", [1000, 20_000])
def test_huge_objects_cost_in_proportion(size: int):
    ports = [{"name": f"p{number}", "port": number % 65535 + 1} for number in range(size)]
    body = {"metadata": {"name": "a"}, "spec": {"ports": ports}}
    assert NEWEST.faults("", "Service", body) == []
    twice = {"metadata": {"name": "a"}, "spec": {"ports": [{"name": "a", "port": 1}] * size}}
    assert len(NEWEST.faults("", "Service", twice)) == 2 * (size - 1)
