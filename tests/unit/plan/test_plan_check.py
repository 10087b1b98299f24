"""The checker trusts nothing the planner thought: every mutant of a good plan is found."""

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

import builders
from fleet.model import findings, json_values, kinds, names, objects, pacing
from fleet.plan import check, rollout, slices
from fleet.protocol import keys

A, B, C, GONE = (names.Cluster(each) for each in ("a", "b", "c", "gone"))
AGENT = keys.generate()
CLUSTERS = (
    builders.cluster("a", agent=AGENT),
    builders.cluster("b", agent=AGENT),
    builders.cluster("c", agent=AGENT, labels={rollout.CANARY_LABEL: "true"}),
)
JUDGED: dict[names.Cluster, tuple[objects.Manifest, ...]] = {
    A: (builders.manifest("web"), builders.manifest("api")),
    B: (builders.manifest("web"),),
    C: (),
}
RETIRED = {GONE: kinds.OnRemoval.ORPHAN}
GOOD = builders.plan_of(CLUSTERS, JUDGED, retired=RETIRED)


def faults(
    plan: rollout.Plan,
    judged: dict[names.Cluster, tuple[objects.Manifest, ...]] | None = None,
    spec: kinds.EnvironmentSpec | None = None,
) -> tuple[findings.Finding, ...]:
    return check.check(
        plan,
        spec=spec or builders.environment(),
        clusters=CLUSTERS,
        retired=RETIRED,
        judged=judged or JUDGED,
    )


def with_slice(cluster: names.Cluster, **changed: Any) -> rollout.Plan:
    return replace(GOOD, slices={**GOOD.slices, cluster: replace(GOOD.slices[cluster], **changed)})


def replanned(cluster: names.Cluster, *manifests: objects.Manifest) -> rollout.Plan:
    """A plan that is sound in itself, but of other manifests than were judged."""
    return builders.plan_of(CLUSTERS, {**JUDGED, cluster: manifests}, retired=RETIRED)


def with_data(document: object) -> rollout.Plan:
    """Of bytes that carry their right name."""
    data = document if isinstance(document, bytes) else json_values.encode(document)
    return with_slice(B, data=data, digest=json_values.digest_of_bytes(data))


ASKED = pacing.Asked(group="leads", count=1, expires=60, unsigned=False)


def with_terms(**changed: Any) -> rollout.Plan:
    return replace(GOOD, terms=(replace(GOOD.terms[0], **changed), *GOOD.terms[1:]))


def without(mapping: Any, name: names.Cluster) -> dict[Any, Any]:
    return {each: value for each, value in mapping.items() if each != name}


SLICE = {"apiVersion": kinds.API_VERSION, "kind": "Slice"}
ITEM = {"body": builders.manifest("web").body, "bundle": "shop", "takeover": False}
MUTANTS: dict[str, rollout.Plan] = {
    "environment: another": replace(GOOD, environment=names.Environment("prod")),
    "slices: one missing": replace(GOOD, slices=without(GOOD.slices, B)),
    "slices: one too many": replace(
        GOOD, slices={**GOOD.slices, names.Cluster("d"): GOOD.slices[B]}
    ),
    "slices: none": replace(GOOD, slices={}),
    "slices: swapped": replace(GOOD, slices={**GOOD.slices, A: GOOD.slices[B], B: GOOD.slices[A]}),
    "digest: another": with_slice(A, digest=builders.digest("x")),
    "data: one byte": with_slice(A, data=GOOD.slices[A].data.replace(b"api", b"apj")),
    "data: empty": with_slice(A, data=b""),
    "data: no JSON": with_data(b"{"),
    "data: a list": with_data([]),
    "data: without objects": with_data(SLICE),
    "data: another kind": with_data({**SLICE, "kind": "Slices", "objects": [ITEM]}),
    "data: another version": with_data({**SLICE, "apiVersion": "v2", "objects": [ITEM]}),
    "data: one more word": with_data({**SLICE, "objects": [ITEM], "cluster": "b"}),
    "data: one more word in an item": with_data({**SLICE, "objects": [{**ITEM, "force": True}]}),
    "data: an object without name": with_data(
        {**SLICE, "objects": [{**ITEM, "body": {"apiVersion": "v1", "kind": "A", "metadata": {}}}]}
    ),
    "data: an object that is none": with_data({**SLICE, "objects": [7]}),
    "objects: miscounted": with_slice(A, objects=3),
    "objects: one that nobody judged": replanned(B, *JUDGED[B], builders.manifest("more")),
    "objects: one is missing": replanned(B),
    "objects: another body": replanned(
        B, builders.manifest("web", document=builders.body("web", data={"word": "other"}))
    ),
    "objects: twice": replanned(B, *JUDGED[B], *JUDGED[B]),
    "objects: of another bundle": replanned(B, builders.manifest("web", bundle="other")),
    "objects: taken over": replanned(B, builders.manifest("web", takeover=True)),
    "retired: nobody": replace(GOOD, retired={}),
    "retired: another way": replace(GOOD, retired={GONE: kinds.OnRemoval.PRUNE}),
    "retired: one that stays": replace(GOOD, retired={**RETIRED, A: kinds.OnRemoval.ORPHAN}),
    "retired: a stranger": replace(
        GOOD, retired={**RETIRED, names.Cluster("d"): kinds.OnRemoval.ORPHAN}
    ),
    "waves: none": replace(GOOD, waves=()),
    "waves: one missing": replace(GOOD, waves=GOOD.waves[1:]),
    "waves: one cluster missing": replace(GOOD, waves=((C,), (A, GONE))),
    "waves: twice in one": replace(GOOD, waves=((C,), (A, A, B, GONE))),
    "waves: in two": replace(GOOD, waves=((C,), (C, A, B, GONE))),
    "waves: a stranger": replace(GOOD, waves=((C,), (A, B, GONE, names.Cluster("d")))),
    "waves: canary last": replace(GOOD, waves=GOOD.waves[::-1]),
    "waves: all at once": replace(GOOD, waves=((C, A, B, GONE),)),
    "waves: no canary": replace(GOOD, waves=((A,), (B, C, GONE))),
    "waves: who leaves goes first": replace(GOOD, waves=((C, GONE), (A, B))),
    "waves: one that is empty": replace(GOOD, waves=((C,), (), (A, B, GONE))),
    "terms: none": replace(GOOD, terms=()),
    "terms: swapped": replace(GOOD, terms=GOOD.terms[::-1]),
    "terms: more may be unavailable": with_terms(max_unavailable=1),
    "terms: more at once": with_terms(at_once=9),
    "terms: a soak": with_terms(soak=60),
    "terms: another part": with_terms(part=2),
    "terms: approvals": with_terms(approvals=(ASKED,)),
    "slices_root: another": replace(GOOD, slices_root=names.Root(builders.digest("x"))),
    "slices_root: without those who leave": replace(
        GOOD, slices_root=builders.plan_of(CLUSTERS, JUDGED).slices_root
    ),
}


def test_a_good_plan_has_no_fault():
    assert faults(GOOD) == ()


def test_an_empty_plan_of_no_clusters_has_no_fault():
    plan = builders.plan_of((), {})
    spec = builders.environment()
    assert check.check(plan, spec=spec, clusters=(), retired={}, judged={}) == ()


@pytest.mark.parametrize("mutant", MUTANTS.values(), ids=MUTANTS.keys())
def test_every_mutant_is_found(mutant: rollout.Plan):
    found = faults(mutant)
    assert findings.refuses(found)
    assert {each.rule for each in found} == {"plan"}
    assert all(each.hint for each in found)


def test_mutants_spoil_each_field_of_plan_and_slice():
    spoiled = {name.partition(":")[0] for name in MUTANTS}
    assert {f.name for f in fields(rollout.Plan)} <= spoiled
    assert {f.name for f in fields(slices.Slice)} <= spoiled


@pytest.mark.threat(15)
@pytest.mark.parametrize(
    "document",
    [
        builders.body("agent", kind="Secret", namespace="fleetgate-system"),
        builders.body("fleetgate-system", kind="Namespace", namespace=""),
    ],
    ids=["object in it", "the namespace itself"],
)
def test_the_agents_own_namespace_is_out_of_reach_even_if_judges_let_it_pass(
    document: dict[str, Any],
):
    judged = {**JUDGED, B: (builders.manifest(document=document),)}
    plan = builders.plan_of(CLUSTERS, judged, retired=RETIRED)
    assert [each.message for each in faults(plan, judged)] == [
        "the slice of b reaches into fleetgate-system"
    ]


@pytest.mark.threat(14)
def test_one_object_under_two_versions_is_one_object():
    old = builders.manifest(document={**builders.body("web"), "apiVersion": "apps/v1"})
    new = builders.manifest(document={**builders.body("web"), "apiVersion": "apps/v1beta1"})
    judged = {**JUDGED, B: (old, new)}
    plan = builders.plan_of(CLUSTERS, judged, retired=RETIRED)
    assert any("has 2 objects" in each.message for each in faults(plan, judged))


@pytest.mark.threat(50)
def test_what_is_dispatched_is_exactly_what_was_checked():
    hidden = {**JUDGED, A: (*JUDGED[A], builders.manifest("hidden"))}
    plan = builders.plan_of(CLUSTERS, hidden, retired=RETIRED)
    assert faults(plan, hidden) == ()
    assert [each.message for each in faults(plan)] == [
        "the slice of a is not exactly the objects that were judged for it"
    ]


def test_waves_are_held_against_the_fleet_that_is_in_force():
    spec = builders.environment(waves=[{"name": "all"}])
    assert faults(GOOD, spec=spec) != ()
    assert faults(builders.plan_of(CLUSTERS, JUDGED, spec=spec, retired=RETIRED), spec=spec) == ()


def test_faults_are_told_in_the_same_order_each_time():
    told = [each.message for each in faults(replace(GOOD, slices={}, waves=()))]
    members = [each for each in told if "registered or has a slice" in each]
    assert members == sorted(members)
    assert len(members) == 3


LABELS = some.dictionaries(
    some.sampled_from(["region", rollout.CANARY_LABEL]), some.sampled_from(["eu", "true"])
)


@given(
    some.dictionaries(some.sampled_from("abcdef"), LABELS, max_size=6),
    some.lists(LABELS, max_size=3),
    some.sets(some.sampled_from("xyz")),
    some.lists(some.sampled_from(["web", "api", "db"]), unique=True),
)
def test_what_the_planner_draws_the_checker_finds_sound(
    labelled: dict[str, dict[str, str]],
    waves: list[dict[str, str]],
    gone: set[str],
    found: list[str],
):
    drawn = [{"name": f"w{n}", "selector": {"matchLabels": e}} for n, e in enumerate(waves)]
    spec = builders.environment(waves=drawn)
    clusters = tuple(builders.cluster(n, agent=AGENT, labels=e) for n, e in labelled.items())
    judged = {names.Cluster(n): tuple(map(builders.manifest, found)) for n in labelled}
    retired = {names.Cluster(n): kinds.OnRemoval.PRUNE for n in gone}
    plan = builders.plan_of(clusters, judged, spec=spec, retired=retired)
    assert check.check(plan, spec=spec, clusters=clusters, retired=retired, judged=judged) == ()


SPOILERS: list[Callable[[bytes, int], bytes]] = [
    lambda data, at: data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :],
    lambda data, at: data[:at] + data[at + 1 :],
    lambda data, at: data[:at] + b" " + data[at:],
]


@pytest.mark.threat(106)
@given(some.integers(0, len(GOOD.slices[A].data) - 1), some.sampled_from(SPOILERS))
def test_no_byte_of_a_slice_can_change_unseen(at: int, spoil: Callable[[bytes, int], bytes]):
    assert faults(with_slice(A, data=spoil(GOOD.slices[A].data, at))) != ()


SIZED = builders.environment(waves=[{"name": "all", "size": "2", "maxUnavailable": "50%"}])
IN_PARTS = builders.plan_of(CLUSTERS, JUDGED, spec=SIZED, retired=RETIRED)
UNPARTED: dict[str, rollout.Plan] = {
    "larger than its size": replace(
        IN_PARTS, waves=((A, B, C), (GONE,)), terms=(IN_PARTS.terms[0], IN_PARTS.terms[2])
    ),
    "smaller than it could be": replace(
        IN_PARTS, waves=((A,), (B, C), (GONE,)), terms=IN_PARTS.terms
    ),
    "not by name": replace(IN_PARTS, waves=((A, C), (B,), (GONE,))),
    "more may be unavailable": replace(
        IN_PARTS, terms=tuple(replace(e, max_unavailable=3) for e in IN_PARTS.terms)
    ),
    "a part that starts another wave": replace(IN_PARTS, waves=((A, B), (GONE,), (C,))),
}


def test_a_plan_in_parts_has_no_fault():
    assert [list(each) for each in IN_PARTS.waves] == [["a", "b"], ["c"], ["gone"]]
    assert faults(IN_PARTS, spec=SIZED) == ()


@pytest.mark.parametrize("mutant", UNPARTED.values(), ids=UNPARTED.keys())
def test_parts_are_held_against_sizes_and_names(mutant: rollout.Plan):
    assert {each.rule for each in faults(mutant, spec=SIZED)} == {"plan"}


def test_who_is_broken_goes_first_only_where_the_fleet_says_so():
    first = builders.environment(rollout={"brokenFirst": True})
    broken = frozenset({B})
    cut = slices.cut_each(JUDGED)
    plan = rollout.plan(first, CLUSTERS, cut, RETIRED, broken)
    asked = {"clusters": CLUSTERS, "retired": RETIRED, "judged": JUDGED}
    assert plan.waves[0] == (C, B)
    assert check.check(plan, spec=first, broken=broken, **asked) == ()
    assert check.check(plan, spec=first, **asked) != ()
    assert check.check(plan, spec=builders.environment(), broken=broken, **asked) != ()
