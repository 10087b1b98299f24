"""Substitution changes what strings say, never what a document is."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

import builders
from fleet.manifests import variables
from fleet.model import names

VALUES = {"name": "web", "cluster.labels.region": "eu", "empty": "", "a/b.c-d": "odd"}


def substituted(value: object, values: dict[str, str] | None = None) -> object:
    substitution = variables.Substitution(values=VALUES if values is None else values)
    found = substitution.document(value)
    assert substitution.missing == []
    return found


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("${name}", "web"),
        ("a-${name}-${cluster.labels.region}", "a-web-eu"),
        ("${empty}", ""),
        ("${name:-other}", "web"),
        ("${none:-other}", "other"),
        ("${none:-}", ""),
        ("${none:-a:-b}", "a:-b"),
        ("${none:-$5}", "$5"),
        ("$${name}", "${name}"),
        ("$$", "$"),
        ("$$$${name}", "$${name}"),
        ("$$${name}", "$web"),
        ("$name", "$name"),
        ("${name", "${name"),
        ("$(name)", "$(name)"),
        ("{name}", "{name}"),
        ("${a/b.c-d}", "odd"),
    ],
)
def test_forms(written: str, read: str):
    assert substituted({"a": [written]}) == {"a": [read]}


@pytest.mark.threat(12)
@pytest.mark.parametrize(
    "value", ["a\nb: c", "x: y", "---\nkind: Secret", "*a", "${name}", "'\"", "12", "yes", "null"]
)
def test_no_value_adds_a_key_or_a_document_or_changes_a_type(value: str):
    assert substituted({"k": "${v}", "l": ["${v}"]}, {"v": value}) == {"k": value, "l": [value]}


@pytest.mark.threat(12)
@given(
    values=st.dictionaries(st.sampled_from(["a", "b"]), st.text(), min_size=2),
    written=st.lists(st.sampled_from(["${a}", "${b:-x}", "$$", "$", "{", "}", "y"])),
)
def test_shape_and_types_are_never_changed(values: dict[str, str], written: list[str]):
    document = {"".join(written): "".join(written), "n": [1, None, True, {"x": "".join(written)}]}
    found = variables.Substitution(values=values).document(document)
    assert list(found) == list(document)
    assert isinstance(found["".join(written)], str) or not written
    assert [type(each) for each in found["n"]] == [int, type(None), bool, dict]


def test_only_values_are_replaced_and_the_document_itself_is_not_changed():
    document = {"${name}": 1, "b": {"c": "${name}"}}
    assert substituted(document) == {"${name}": 1, "b": {"c": "web"}}
    assert document == {"${name}": 1, "b": {"c": "${name}"}}


def test_what_is_missing_is_noted_with_its_place_and_stays_as_it_is():
    substitution = variables.Substitution(values=VALUES)
    document = {"a": [{"b": "${gone} ${name}"}], "c": "${1 x}"}
    assert substitution.document(document) == {"a": [{"b": "${gone} web"}], "c": "${1 x}"}
    assert substitution.missing == [("gone", ("a", "0", "b")), ("1 x (no name)", ("c",))]


def test_what_was_asked_is_known_so_that_clusters_alike_are_rendered_once():
    substitution = variables.Substitution(values=VALUES)
    substitution.document({"a": "${name} ${none:-x} $${cluster.labels.region}"})
    assert substitution.used == {"name", "none"}


@pytest.mark.threat(22)
@pytest.mark.parametrize("opening", ["${", "${a:-", "${a", "$"])
def test_a_text_of_many_openings_takes_linear_time(opening: str):
    started = time.perf_counter()
    substituted({"a": opening * 500_000})
    assert time.perf_counter() - started < 2


def test_a_cluster_says_its_name_its_environment_and_its_labels():
    cluster = builders.cluster("eu-1", labels={"region": "eu", "example.com/tier": "gold"})
    assert variables.of_cluster(names.Environment("dev"), cluster) == {
        "environment": "dev",
        "cluster.name": "eu-1",
        "cluster.labels.region": "eu",
        "cluster.labels.example.com/tier": "gold",
    }
