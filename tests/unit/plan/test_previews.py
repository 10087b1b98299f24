"""What changes where: clusters with the same change together, in wave order, what presses first."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

import builders
import previewed
import repositories
from fleet.manifests import layout
from fleet.model import changes, leaving, names, objects
from fleet.plan import previews, unseen

C = names.Cluster
CREATED, CONFIGURED, DELETED = (
    changes.Result.CREATED, changes.Result.CONFIGURED, changes.Result.DELETED,
)  # fmt: skip


def thing(name: str, word: str = "hello", kind: str = "ConfigMap", group: str = ""):
    version = f"{group}/v1" if group else "v1"
    body = {**builders.body(name, kind=kind, data={"word": word}), "apiVersion": version}
    return builders.manifest(document=body)


def results(group: previews.Group) -> dict[str, changes.Result]:
    return {each.key.name: each.result for each in group.changes}


def test_clusters_with_the_same_change_are_shown_together_in_wave_order():
    before = {C(n): (thing("own", n), thing("all", "1")) for n in ("a", "b", "c", "d")}
    after = {c: (share[0], thing("all", "2" if c != "d" else "1")) for c, share in before.items()}
    found = previews.between(before, after, previewed.plan((C("c"),), (C("a"), C("b"), C("d"))))
    (group,) = found.groups
    assert group.clusters == ("c", "a", "b")
    assert results(group) == {"all": CONFIGURED}
    assert found.totals == previews.Totals(clusters=3, created=0, configured=3, deleted=0)


def test_what_is_seen_decides_not_the_bytes():
    """Each cluster's object is another one; the field that changes is the same."""
    before = {C(n): (thing("own", n),) for n in ("a", "b")}
    label = {"labels": {"x": "y"}}
    after = {
        c: (
            builders.manifest(
                document={**s[0].body, "metadata": {**s[0].body["metadata"], **label}}
            ),
        )
        for c, s in before.items()
    }
    found = previews.between(before, after, previewed.plan((C("a"), C("b"))))
    (group,) = found.groups
    assert group.clusters == ("a", "b")
    assert [e.path for e in group.changes[0].edits] == ["metadata.labels"]


RBAC = "rbac.authorization.k8s.io"
CONCERNS = [
    (thing("x"), None, previews.Concern.DELETION),
    (thing("x", kind="Namespace"), None, previews.Concern.DELETION),
    (None, thing("x"), None),
    (None, thing("x", kind="Namespace"), previews.Concern.NAMESPACE),
    (None, thing("x", kind="ClusterRole", group=RBAC), previews.Concern.ACCESS),
    (None, thing("x", kind="RoleBinding", group=RBAC), previews.Concern.ACCESS),
    (None, thing("x", kind="ServiceAccount"), previews.Concern.ACCESS),
    (None, thing("x", kind="Role", group="x.example"), None),
    (
        None,
        thing("x", kind="CustomResourceDefinition", group="apiextensions.k8s.io"),
        previews.Concern.DEFINITION,
    ),
]


@pytest.mark.parametrize(("old", "new", "concern"), CONCERNS)
def test_what_presses(
    old: objects.Manifest | None, new: objects.Manifest | None, concern: previews.Concern | None
):
    before, after = ({C("a"): (each,) if each else ()} for each in (old, new))
    found = previews.between(before, after, previewed.plan((C("a"),)))
    assert found.groups[0].changes[0].concern is concern
    pressing = [each for every in previews.Concern for each in found.pressing(every)]
    assert len(pressing) == (concern is not None)


def test_a_pressing_change_is_told_once_with_all_its_clusters():
    gone = thing("gone")
    before = {C("a"): (gone,), C("b"): (gone, thing("more"))}
    found = previews.between(before, {C("a"): (), C("b"): ()}, previewed.plan((C("a"), C("b"))))
    assert len(found.groups) == 2
    told = {str(e.key): c for e, c in found.pressing(previews.Concern.DELETION)}
    assert told == {"ConfigMap shop/gone": ("a", "b"), "ConfigMap shop/more": ("b",)}


def test_who_leaves_as_an_orphan_loses_nothing_who_is_pruned_all():
    before = {C("a"): (thing("x"),), C("b"): (thing("x"),)}
    leave = {C("a"): leaving.OnRemoval.ORPHAN, C("b"): leaving.OnRemoval.PRUNE}
    found = previews.between(
        before, {C("c"): (thing("x"),)}, previewed.plan((C("c"),), (C("a"), C("b")), retired=leave)
    )
    assert found.joining == ("c",)
    assert [(g.clusters, results(g)) for g in found.groups] == [
        (("c",), {"x": CREATED}), (("b",), {"x": DELETED}),
    ]  # fmt: skip


def test_another_bundle_is_told_but_for_namespaces():
    space = builders.body("s", kind="Namespace", namespace="")
    old, new = (
        (builders.manifest("web", bundle=b), builders.manifest(document=space, bundle=b))
        for b in ("one", "two")
    )
    found = previews.between({C("a"): old}, {C("a"): new}, previewed.plan((C("a"),)))
    (change,) = found.groups[0].changes
    assert (change.key.name, change.note) == ("web", "moves from bundle one to two")


SHARES = some.dictionaries(
    some.sampled_from([C("a"), C("b"), C("c")]),
    some.dictionaries(some.sampled_from("xyz"), some.sampled_from("12"), max_size=3).map(
        lambda each: tuple(thing(name, word) for name, word in each.items())
    ),
)


@given(SHARES, SHARES)
def test_nothing_is_lost_or_invented(before: previews.Shares, after: previews.Shares):
    retiring = {c: leaving.OnRemoval.PRUNE for c in before if c not in after}
    waves = (tuple(sorted({*before, *after})),)
    found = previews.between(before, after, previewed.plan(*waves, retired=retiring))
    told: dict[tuple[str, objects.Key], changes.Result] = {
        (c, e.key): e.result for g in found.groups for c in g.clusters for e in g.changes
    }
    expected = {}
    for cluster in waves[0]:
        old = {e.key: e.digest for e in before.get(cluster, ())}
        new = {e.key: e.digest for e in after.get(cluster, ())}
        for key in {*old, *new}:
            if old.get(key) != new.get(key):
                result = CREATED if key not in old else DELETED if key not in new else CONFIGURED
                expected[cluster, key] = result
    assert told == expected


def commit(**files: str):
    return repositories.snapshot(
        *(
            repositories.entry(path.replace("_", "/"), data.encode())
            for path, data in files.items()
        )
    )


@pytest.mark.threat(30)
def test_what_a_three_dot_diff_hides():
    """`back` was reverted on the target; `both` came there another way; `twice` was changed there as well."""
    where = layout.Layout(environment=names.Environment("prod"), owned=layout.OWNED)
    parted = commit(back="2", both="1", twice="1", kept="1")
    source = commit(back="2", both="2", twice="3", kept="1", clusters_dev_x="1")
    target = commit(back="1", both="2", twice="2", kept="1")
    found = unseen.between(parted, source, target, source, where)
    assert found == unseen.Unseen(hidden=("back",), idle=("both",), skewed=("twice",))
    assert unseen.between(parted, source, source, source, where).hidden == ()
