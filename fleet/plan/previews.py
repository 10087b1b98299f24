"""What a commit would change in every cluster of an environment, and what of that people must see first.

Clusters in which the very same would be seen are shown together; two clusters with the same objects before and after
are compared once.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

from fleet.model import changes, errors, findings, leaving, names, objects, pacing, sharing
from fleet.plan import edits, rollout

Share = tuple[objects.Manifest, ...]
Shares = Mapping[names.Cluster, Share]
_Edit = edits.Edit  # inside Change the module's name is a field's
_RBAC = "rbac.authorization.k8s.io"
_ACCESS = frozenset({
    (_RBAC, "Role"), (_RBAC, "ClusterRole"), (_RBAC, "RoleBinding"), (_RBAC, "ClusterRoleBinding"),
    ("", "ServiceAccount"),
})  # fmt: skip
_CRD = ("apiextensions.k8s.io", "CustomResourceDefinition")


class Concern(Enum):
    """What stands before all else, in this order."""

    DELETION = "deletions"
    ACCESS = "access (RBAC)"
    DEFINITION = "custom resource definitions"
    NAMESPACE = "namespaces"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One object. `edits` of a configured one; none = only how it is written, or whose it is (`note`)."""

    result: changes.Result
    key: objects.Key
    place: findings.Place  # where it stands; of one that goes, where it stood
    edits: tuple[_Edit, ...] = ()
    note: str = ""

    @property
    def concern(self) -> Concern | None:
        if self.result is changes.Result.DELETED:
            return Concern.DELETION
        kind = (self.key.group, self.key.kind)
        if kind in _ACCESS:
            return Concern.ACCESS
        if kind == _CRD:
            return Concern.DEFINITION
        return Concern.NAMESPACE if kind == ("", "Namespace") else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Clusters, in wave order, in which the very same changes."""

    clusters: tuple[names.Cluster, ...]
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """Of objects in clusters: one object that changes in two clusters counts twice."""

    clusters: int  # that change
    created: int
    configured: int
    deleted: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Wave:
    """One part of a rollout, under the terms that the plan has for it."""

    clusters: tuple[names.Cluster, ...]
    terms: pacing.Terms


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """`waves` hold every cluster of the environment, also those in which nothing changes."""

    waves: tuple[Wave, ...]
    groups: tuple[Group, ...]
    joining: tuple[names.Cluster, ...]
    retiring: Mapping[names.Cluster, leaving.OnRemoval]
    totals: Totals

    def pressing(self, concern: Concern) -> Iterator[tuple[Change, tuple[names.Cluster, ...]]]:
        """The changes of one concern, each once with all its clusters."""
        found: dict[str, tuple[Change, list[names.Cluster]]] = {}
        for group in self.groups:
            for each in group.changes:
                if each.concern is concern:
                    found.setdefault(repr(each), (each, []))[1].extend(group.clusters)
        for change, clusters in found.values():
            yield change, tuple(clusters)


NOTHING = Difference(
    waves=(),
    groups=(),
    joining=(),
    retiring={},
    totals=Totals(clusters=0, created=0, configured=0, deleted=0),
)


def between(before: Shares, after: Shares, plan: rollout.Plan) -> Difference:
    """In the plan's order: every cluster that comes after, and those that leave."""
    ordered = [cluster for wave in plan.waves for cluster in wave]
    retiring = plan.retired
    found = _Comparison()
    together: dict[str, tuple[tuple[Change, ...], list[names.Cluster]]] = {}
    for cluster in ordered:
        seen, changed = found.of(before.get(cluster, ()), _left(cluster, before, after, retiring))
        if changed:
            together.setdefault(seen, (changed, []))[1].append(cluster)
    groups = tuple(Group(clusters=tuple(c), changes=each) for each, c in together.values())
    return Difference(
        waves=tuple(
            Wave(clusters=clusters, terms=terms)
            for clusters, terms in zip(plan.waves, plan.terms, strict=True)
        ),
        groups=groups,
        joining=tuple(cluster for cluster in ordered if cluster not in before),
        retiring=retiring,
        totals=_totals(groups),
    )


def _left(
    cluster: names.Cluster,
    before: Shares,
    after: Shares,
    retiring: Mapping[names.Cluster, leaving.OnRemoval],
) -> Share:
    """What a cluster holds in the end: one that leaves as an orphan keeps everything."""
    if retiring.get(cluster) is leaving.OnRemoval.ORPHAN:
        return before.get(cluster, ())
    return after.get(cluster, ())


def _totals(groups: Sequence[Group]) -> Totals:
    def counted(result: changes.Result) -> int:
        return sum(
            len(group.clusters) for group in groups for e in group.changes if e.result is result
        )

    return Totals(
        clusters=sum(len(group.clusters) for group in groups),
        created=counted(changes.Result.CREATED),
        configured=counted(changes.Result.CONFIGURED),
        deleted=counted(changes.Result.DELETED),
    )


_Shape = frozenset[int]


@dataclass(slots=True)
class _Comparison:
    """Each pair of objects once, and each way in which two clusters' objects differ.

    Objects have numbers: equal ones have the same, so that what two shares have in common costs next to nothing.
    """

    numbers: sharing.Numbers = field(default_factory=lambda: sharing.Numbers(_said))
    shares: dict[tuple[_Shape, _Shape], tuple[str, tuple[Change, ...]]] = field(
        default_factory=dict
    )
    pairs: dict[tuple[names.Digest, names.Digest], tuple[edits.Edit, ...]] = field(
        default_factory=dict
    )

    def of(self, before: Share, after: Share) -> tuple[str, tuple[Change, ...]]:
        """What is seen, as one text, and the changes themselves."""
        old, new = frozenset(self.numbers.of(before)), frozenset(self.numbers.of(after))
        pair = old - new, new - old
        if pair not in self.shares:
            found = tuple(self._changes(*pair))
            self.shares[pair] = repr(found), found
        return self.shares[pair]

    def _changes(self, going: _Shape, coming: _Shape) -> Iterator[Change]:
        old = {each.key: each for each in map(self.numbers.first.__getitem__, going)}
        new = {each.key: each for each in map(self.numbers.first.__getitem__, coming)}
        for key in sorted({*old, *new}):
            yield self._change(old.get(key), new.get(key))

    def _change(self, old: objects.Manifest | None, new: objects.Manifest | None) -> Change:
        if new is None:
            return _whole(changes.Result.DELETED, old)
        if old is None:
            return _whole(changes.Result.CREATED, new)
        return Change(
            result=changes.Result.CONFIGURED,
            key=new.key,
            place=new.source.place,
            edits=self._edits(old, new),
            note=_note(old, new),
        )

    def _edits(self, old: objects.Manifest, new: objects.Manifest) -> tuple[edits.Edit, ...]:
        pair = old.digest, new.digest
        if pair not in self.pairs:
            self.pairs[pair] = edits.between(objects.held(old), objects.held(new))
        return self.pairs[pair]


def _said(manifest: objects.Manifest) -> tuple[objects.Key, names.Digest, str, bool]:
    """What makes an object another one. A Namespace may be claimed by several bundles: it is nobody's."""
    bundle = "" if manifest.key.kind == "Namespace" else manifest.bundle
    return manifest.key, manifest.digest, bundle, manifest.takeover


def _whole(result: changes.Result, manifest: objects.Manifest | None) -> Change:
    if manifest is None:
        raise errors.BrokenError("an object that is on no side changed")
    return Change(result=result, key=manifest.key, place=manifest.source.place)


def _note(old: objects.Manifest, new: objects.Manifest) -> str:
    if old.bundle != new.bundle:
        return f"moves from bundle {old.bundle} to {new.bundle}"
    if old.takeover != new.takeover:
        word = "may" if new.takeover else "may no longer"
        return f"{word} take over a live object that is not fleet's"
    return ""
