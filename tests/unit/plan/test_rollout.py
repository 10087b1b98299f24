"""The plan leaves no choices: each cluster in exactly one wave, canaries first, who leaves comes last."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as some

import builders
from fleet.model import kinds, names
from fleet.model import slices as form
from fleet.plan import rollout
from fleet.protocol import keys, merkle

CANARY = {rollout.CANARY_LABEL: "true"}
AGENT = keys.generate()  # proofs do not matter here


def cluster(name: str, **labels: str) -> kinds.Cluster:
    return builders.cluster(name, agent=AGENT, labels=labels)


def canary(name: str) -> kinds.Cluster:
    return builders.cluster(name, agent=AGENT, labels=CANARY)


def waves(
    *clusters: kinds.Cluster,
    spec: kinds.EnvironmentSpec | None = None,
    retired: tuple[str, ...] = (),
) -> list[list[str]]:
    cut = builders.slices_of(*(each.metadata.name for each in clusters))
    leaving = {names.Cluster(each): kinds.OnRemoval.ORPHAN for each in retired}
    plan = rollout.plan(spec or builders.environment(), clusters, cut, leaving)
    return [list(wave) for wave in plan.waves]


def wave(name: str, **labels: str) -> dict[str, object]:
    return {"name": name, "selector": {"matchLabels": labels}}


def test_canaries_go_first_unless_said_otherwise():
    assert waves(cluster("b"), canary("z"), cluster("a")) == [["z"], ["a", "b"]]


def test_without_canaries_there_is_one_wave():
    assert waves(cluster("b"), cluster("a")) == [["a", "b"]]


def test_canaries_alone_are_one_wave():
    assert waves(canary("b"), canary("a")) == [["a", "b"]]


def test_without_clusters_there_is_no_wave():
    assert waves() == []


def test_who_leaves_comes_last():
    assert waves(canary("c"), cluster("b"), retired=("a",)) == [["c"], ["b", "a"]]
    assert waves(canary("c"), retired=("a",)) == [["c"], ["a"]]
    assert waves(retired=("b", "a")) == [["a", "b"]]


def test_waves_of_the_fleet_are_kept_in_their_order():
    spec = builders.environment(
        waves=[wave("one", region="eu"), wave("nobody", region="moon"), wave("two", tier="gold")]
    )
    found = waves(
        cluster("a", tier="gold"),
        cluster("b", region="eu", tier="gold"),
        cluster("c"),
        canary("d"),
        spec=spec,
    )
    assert found == [["b"], ["a"], ["c", "d"]]


def test_a_wave_for_everyone_leaves_nothing_for_later_ones():
    spec = builders.environment(waves=[{"name": "all"}, wave("late", region="eu")])
    assert waves(cluster("a", region="eu"), cluster("b"), spec=spec) == [["a", "b"]]


LABELS = some.dictionaries(
    some.sampled_from(["region", "tier"]), some.sampled_from(["eu", "gold"]), max_size=2
)
WAVES = some.lists(LABELS, max_size=4)
CLUSTERS = some.dictionaries(some.sampled_from("abcdefgh"), LABELS, max_size=8)


@given(CLUSTERS, WAVES, some.sets(some.sampled_from(["x", "y"])))
def test_each_cluster_is_in_exactly_one_wave(
    clusters: dict[str, dict[str, str]], drawn: list[dict[str, str]], retired: set[str]
):
    spec = builders.environment(waves=[wave(f"w{n}", **each) for n, each in enumerate(drawn)])
    documents = [cluster(name, **labels) for name, labels in clusters.items()]
    found = waves(*documents, spec=spec, retired=tuple(retired))
    assert sorted(itertools.chain(*found)) == sorted([*clusters, *retired])
    assert all(found)
    assert not retired or found[-1][-len(retired) :] == sorted(retired)


@given(some.permutations(["a", "b", "c", "d"]))
def test_the_order_of_documents_changes_nothing(order: list[str]):
    documents = {each: cluster(each) if each < "c" else canary(each) for each in order}
    cut = builders.slices_of(*order)
    found = rollout.plan(builders.environment(), [documents[each] for each in order], cut, {})
    usual = rollout.plan(
        builders.environment(),
        [documents[each] for each in sorted(order)],
        dict(sorted(cut.items())),
        {},
    )
    assert found == usual
    assert list(found.slices) == sorted(order)


def test_the_root_covers_slices_and_those_who_leave():
    cut = builders.slices_of("a")
    gone = names.Cluster("b")
    plan = rollout.plan(builders.environment(), [cluster("a")], cut, {gone: kinds.OnRemoval.PRUNE})
    a = names.Cluster("a")
    farewell = form.digest(form.farewell(kinds.OnRemoval.PRUNE))
    leaves = {a: cut[a].digest, gone: farewell}
    assert rollout.leaves({a: cut[a].digest}, {gone: kinds.OnRemoval.PRUNE}) == leaves
    assert plan.slices_root == merkle.slices_root(leaves)
    assert farewell != form.digest(form.farewell(kinds.OnRemoval.ORPHAN))


@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_a_plan_says_for_whom_it_is(environment: str):
    plan = rollout.plan(builders.environment(environment), [], {}, {})
    assert plan.environment == environment


def parts(plan: rollout.Plan) -> list[tuple[str, int, int, list[str]]]:
    return [
        (terms.wave, terms.part, terms.parts, list(members))
        for terms, members in zip(plan.terms, plan.waves, strict=True)
    ]


def planned(spec: kinds.EnvironmentSpec, *clusters: kinds.Cluster, broken: tuple[str, ...] = ()):
    cut = builders.slices_of(*(each.metadata.name for each in clusters))
    return rollout.plan(spec, clusters, cut, {}, frozenset(map(names.Cluster, broken)))


@pytest.mark.parametrize(
    ("size", "sizes"),
    [("1", [1] * 7), ("3", [3, 3, 1]), ("7", [7]), ("99999", [7]), ("50%", [3, 3, 1]),
     ("100%", [7]), ("1%", [1] * 7)],
)  # fmt: skip
def test_a_large_wave_goes_in_parts_by_name(size: str, sizes: list[int]):
    spec = builders.environment(waves=[{"name": "all", "size": size}])
    found = parts(planned(spec, *(cluster(each) for each in "gfedcba")))
    assert [len(members) for *_, members in found] == sizes
    assert [each for *_, members in found for each in members] == list("abcdefg")
    assert [(part, of) for _, part, of, _ in found] == [
        (n, len(sizes)) for n in range(1, len(sizes) + 1)
    ]


@pytest.mark.parametrize(
    ("share", "count"),
    [("0", 0), ("2", 2), ("0%", 0), ("33%", 1), ("34%", 1), ("50%", 2), ("100%", 4)],
)
def test_what_may_be_unavailable_is_counted_over_the_whole_wave(share: str, count: int):
    spec = builders.environment(waves=[{"name": "all", "size": "1", "maxUnavailable": share}])
    plan = planned(spec, *map(cluster, "abcd"))
    assert {each.max_unavailable for each in plan.terms} == {count}


def test_the_terms_of_each_wave_go_with_it():
    waves_ = [
        {"name": "canary", "selector": {"matchLabels": CANARY}, "soak": "1h30m"},
        {"name": "rest", "size": "2", "approvals": [{"group": "leads", "count": 2}]},
    ]
    plan = planned(builders.environment(waves=waves_), canary("c"), cluster("a"))
    first, second = plan.terms
    assert (first.wave, first.soak, first.at_once, first.approvals) == ("canary", 5400, 0, ())
    assert (second.wave, second.soak, second.at_once) == ("rest", 0, 2)
    assert [(e.group, e.count, e.expires) for e in second.approvals] == [("leads", 2, 7 * 86400)]


@pytest.mark.parametrize("first", [True, False])
def test_the_broken_go_with_the_first_part_where_that_is_allowed(first: bool):
    spec = builders.environment(rollout={"brokenFirst": first})
    found = planned(spec, canary("c"), cluster("a"), cluster("b"), broken=("b", "gone"))
    assert [list(each) for each in found.waves] == (
        [["c", "b"], ["a"]] if first else [["c"], ["a", "b"]]
    )
    alone = planned(spec, cluster("a"), broken=("a",))
    assert [list(each) for each in alone.waves] == [["a"]]


@given(
    CLUSTERS,
    some.lists(
        some.tuples(LABELS, some.sampled_from([None, "1", "2", "30%", "100%"])), max_size=3
    ),
    some.sets(some.sampled_from("abcdefgh")),
    some.booleans(),
)
def test_parts_are_all_clusters_disjoint_bounded_and_by_name(
    clusters: dict[str, dict[str, str]],
    drawn: list[tuple[dict[str, str], str | None]],
    broken: set[str],
    first: bool,
):
    waves_ = [wave(f"w{n}", **labels) | {"size": size} for n, (labels, size) in enumerate(drawn)]
    spec = builders.environment(waves=waves_, rollout={"brokenFirst": first})
    plan = planned(spec, *(cluster(n, **e) for n, e in clusters.items()), broken=tuple(broken))
    members = list(itertools.chain(*plan.waves))
    assert sorted(members) == sorted(clusters)
    early = broken if first else set()
    for terms, part in zip(plan.terms, plan.waves, strict=True):
        kept = [each for each in part if each not in early]
        assert not terms.at_once or len(kept) <= terms.at_once
        assert kept == sorted(kept)
    assert all(each in plan.waves[0] for each in early & clusters.keys())
    order = [each.wave for each in plan.terms]
    assert order == sorted(order, key=lambda each: (each == rollout.REST, each))
