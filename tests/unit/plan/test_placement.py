"""Each cluster fits exactly one declared wave; where not, the finding names clusters, waves and what to write."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

import builders
from fleet.model import findings, kinds, names
from fleet.plan import placement
from fleet.protocol import keys

AGENT = keys.generate()
PROD = names.Environment("prod")
PLACE = findings.Place(path="fleet.yaml", line=2)


def wave(name: str, **labels: str) -> dict[str, object]:
    return {"name": name, "selector": {"matchLabels": labels}}


def check(waves: list[dict[str, object]], **clusters: str) -> tuple[findings.Finding, ...]:
    """Clusters by name, each with its labels as `a b` for a=yes, b=yes."""
    fleet = kinds.Fleet.model_validate(
        {
            "apiVersion": kinds.API_VERSION,
            "kind": "Fleet",
            "metadata": {"name": "f"},
            "spec": {"environments": [{"name": "dev"}, {"name": "prod", "waves": waves}]},
        }
    )
    documents = [
        builders.cluster(
            name.replace("_", "-"), agent=AGENT, labels=dict.fromkeys(each.split(), "yes")
        )
        for name, each in clusters.items()
    ]
    return placement.check(fleet, PROD, documents, PLACE)


A, B, ALL = wave("wa", a="yes"), wave("wb", b="yes"), {"name": "rest"}


@pytest.mark.parametrize(
    ("waves", "clusters"),
    [
        ([], {"x": ""}),
        ([A], {}),
        ([A, B], {"x": "a", "y": "b"}),
        ([A, B, ALL], {"x": "a", "y": "b", "z": ""}),
        ([ALL], {"x": "a b"}),
    ],
    ids=["no waves", "no clusters", "each in one", "the last takes all others", "one for all"],
)
def test_each_in_exactly_one_wave_is_fine(
    waves: list[dict[str, object]], clusters: dict[str, str]
):
    assert check(waves, **clusters) == ()


def test_who_fits_none_is_named_with_what_to_write():
    (found,) = check([A, B], y="", x="", z="a")
    assert findings.refuses([found])
    assert (found.rule, found.message) == ("waves", "x, y are in no wave of prod")
    assert found.clusters == ("x", "y")
    assert "- name: rest" in found.hint
    assert found.field == ("spec", "environments", "1", "waves")
    assert found.place == PLACE


@pytest.mark.parametrize(
    ("waves", "said"),
    [
        ([A, B], "x is in more than one wave: wa, wb"),
        ([A, B, ALL], "x is in more than one wave: wa, wb"),
        ([ALL, A], "x is in more than one wave: rest, wa"),
        ([A, ALL, B], "x is in more than one wave: wa, rest, wb"),
    ],
    ids=["two", "two beside the last", "an empty one that is not last", "three"],
)
def test_who_fits_two_is_named_with_both_waves(waves: list[dict[str, object]], said: str):
    (found,) = check(waves, x="a b")
    assert findings.refuses([found])
    assert found.message == said
    assert found.hint
    assert found.field[-1] == "name"


def test_many_are_shortened_and_all_of_them_are_named_for_programs():
    (found,) = check([A], **{f"c{n}": "" for n in range(9)})
    assert found.message == "c0, c1, c2, c3, c4 and 4 more are in no wave of prod"
    assert len(found.clusters) == 9


def test_another_environment_is_not_asked():
    assert check([A], x="") != ()
    fleet = kinds.Fleet.model_validate(
        {
            "apiVersion": kinds.API_VERSION,
            "kind": "Fleet",
            "metadata": {"name": "f"},
            "spec": {"environments": [{"name": "prod"}, {"name": "qa", "waves": [A]}]},
        }
    )
    assert placement.check(fleet, PROD, [builders.cluster("x", agent=AGENT)], PLACE) == ()


@given(
    some.lists(
        some.sampled_from([A, B, ALL, wave("wc", a="yes", b="yes")]), unique_by=lambda e: e["name"]
    ),
    some.sampled_from(["", "a", "b", "a b"]),
)
def test_a_cluster_is_refused_just_where_it_fits_none_or_several(
    waves: list[dict[str, object]], labels: str
):
    fits = [
        each
        for each in waves
        if set(each.get("selector", {}).get("matchLabels", {})) <= set(labels.split())
    ]  # type: ignore[attr-defined]
    if len(fits) > 1 and fits[-1] is waves[-1] and waves[-1] is ALL:
        fits.pop()
    assert bool(check(waves, x=labels)) is bool(waves and len(fits) != 1)
