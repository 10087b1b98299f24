"""Schema and policy on every manifest: each different one judged once, and once in a lifetime if nothing was wrong.

Only clean verdicts are remembered, so a finding is always made from the text that it points at.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from fleet.hub import memory
from fleet.manifests import scopes
from fleet.model import findings, json_values, names, objects
from fleet.policy import evaluate, matching, policies
from fleet.policy.crds import customs
from fleet.ports import store

_MANY = 2_000  # verdicts that are remembered at a time

Old = objects.Manifest | None  # what an object replaces; None = nothing, or nobody asks
Judge = Callable[[objects.Manifest, Old], tuple[findings.Finding, ...]]
Share = Mapping[names.Cluster, tuple[objects.Manifest, ...]]
Runs = Mapping[names.Cluster, Mapping[objects.Key, objects.Manifest]]
Previous = Callable[[], Awaitable[Runs]]


async def nothing() -> Runs:
    """What runs where that is not known."""
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Court:
    """One way of judging: `key` says all that the verdict depends on besides the manifest.

    `heeds` says of which manifests what they replace is part of that; of others nobody looks at it.
    """

    key: Callable[[objects.Manifest, Old], str]
    judge: Judge
    runs: Runs
    heeds: Callable[[objects.Manifest], bool]

    def before(self, manifest: objects.Manifest, cluster: names.Cluster) -> Old:
        runs = self.runs.get(cluster)
        old = runs.get(manifest.key) if runs else None
        return old if old is not None and self.heeds(manifest) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What judging needs from outside."""

    memo: store.Memo
    aside: memory.Aside = memory.inline
    crew: memory.Crew | None = None


async def schema(
    manifests: Share,
    schemas: Mapping[names.Cluster, customs.Schemas],
    previous: Previous,
    bench: Bench,
) -> list[findings.Finding]:
    found: list[findings.Finding] = []
    for each in {schemas[cluster].identity: schemas[cluster] for cluster in manifests}.values():
        share = {c: m for c, m in manifests.items() if schemas[c].identity == each.identity}
        court = Court(
            key=lambda _, old, i=each.identity: f"schema/{i}{_was(old)}",  # type: ignore[misc]  # bound here
            judge=each.validate,
            runs=await previous() if each.has_transitions else {},
            heeds=each.heeds_update,
        )
        found += await _judged(share, court, bench)
    return found


def _was(old: Old) -> str:
    return "" if old is None else f"/was/{old.digest}"


async def policy(
    manifests: Share,
    bound: policies.PolicySet,
    known: scopes.Scopes,
    brought: customs.Customs,
    previous: Previous,
    bench: Bench,
) -> list[findings.Finding]:
    """`bound` is what counts in the environment."""
    found: list[findings.Finding] = []
    kinds = _spelled(known)
    annotated = evaluate.looks_at_namespaces(bound)
    runs = await previous() if bound.index.heeds_updates else {}
    for near in neighbourhoods(manifests, annotated=annotated):
        scene = _scene(near, known, brought)
        key = json_values.digest([bound.digest, near.labels, near.annotations, kinds])
        court = Court(
            key=lambda m, old, k=key: f"policy/{k}{brought.identity(m)}{_saw(old, brought)}",  # type: ignore[misc]  # bound here
            judge=lambda m, old, s=scene: evaluate.evaluate(bound, m, _replacing(old, s)),  # type: ignore[misc]  # bound here
            runs=runs,
            heeds=_Heeding(bound, scene),
        )
        found += await _judged({c: manifests[c] for c in near.clusters}, court, bench)
    return found


async def deletions(
    manifests: Share,
    bound: policies.PolicySet,
    known: scopes.Scopes,
    brought: customs.Customs,
    previous: Previous,
    bench: Bench,
) -> list[findings.Finding]:
    """What policies say to the going of what runs, among the Namespaces that stay and those that go."""
    if not bound.index.heeds_deletions:
        return []
    runs = await previous()
    gone = {cluster: _gone(runs.get(cluster, {}), share) for cluster, share in manifests.items()}
    around = {cluster: (*gone[cluster], *share) for cluster, share in manifests.items()}
    kinds = _spelled(known)
    found: list[findings.Finding] = []
    for near in neighbourhoods(around, annotated=evaluate.looks_at_namespaces(bound)):
        scene = _scene(near, known, brought)
        key = json_values.digest([bound.digest, near.labels, near.annotations, kinds])
        court = Court(
            key=lambda m, _, k=key: f"deletion/{k}{brought.identity(m)}",  # type: ignore[misc]  # bound here
            judge=lambda m, _, s=scene: evaluate.deleted(bound, m, s),  # type: ignore[misc]  # bound here
            runs={},
            heeds=lambda _: False,
        )
        found += await _judged({c: gone[c] for c in near.clusters}, court, bench)
    return found


def _gone(
    runs: Mapping[objects.Key, objects.Manifest], share: Iterable[objects.Manifest]
) -> tuple[objects.Manifest, ...]:
    stays = {each.key for each in share}
    return tuple(each for key, each in runs.items() if key not in stays)


def _spelled(known: scopes.Scopes) -> list[list[str | bool | list[str]]]:
    return sorted([*kind, own.namespaced, own.plural] for kind, own in known.custom.items())


def _scene(
    near: "_Neighbourhood", known: scopes.Scopes, brought: customs.Customs
) -> evaluate.Scene:
    return evaluate.Scene(
        namespaces=near.labels,
        scopes=known,
        judged=brought.judged,
        annotations=near.annotations,
        kinds=brought,
    )


def _saw(old: Old, brought: customs.Customs) -> str:
    return "" if old is None else f"{_was(old)}{brought.identity(old)}"


def _replacing(old: Old, scene: evaluate.Scene) -> evaluate.Scene:
    return scene if old is None else replace(scene, previous={old.key: old})


class _Heeding:
    """Of which manifests some rule may look at what they replace: asked once for each kind in a namespace."""

    def __init__(self, bound: policies.PolicySet, scene: evaluate.Scene) -> None:
        self._bound, self._scene = bound, scene
        self._known: dict[tuple[str, str, str, str], bool] = {}

    def __call__(self, manifest: objects.Manifest) -> bool:
        key = manifest.key
        kind = key.group, key.kind, manifest.version, key.namespace
        if kind not in self._known:
            self._known[kind] = evaluate.heeds_update(self._bound, manifest, self._scene)
        return self._known[kind]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Neighbourhood:
    """Clusters that get the same Namespaces, as far as a policy may look at them."""

    labels: Mapping[str, Mapping[str, str]]
    annotations: Mapping[str, Mapping[str, str]]
    clusters: list[names.Cluster]


def neighbourhoods(manifests: Share, *, annotated: bool) -> list[_Neighbourhood]:
    """All of the clusters, each in one."""
    found: dict[str, _Neighbourhood] = {}
    for cluster, share in manifests.items():
        spaces = [e for e in share if (e.key.group, e.key.kind) == ("", "Namespace")]
        labels = {each.key.name: matching.texts(each.body, "labels") for each in spaces}
        notes = {
            each.key.name: matching.texts(each.body, "annotations") for each in spaces if annotated
        }
        near = _Neighbourhood(labels=labels, annotations=notes, clusters=[])
        found.setdefault(json_values.digest([labels, notes]), near).clusters.append(cluster)
    return list(found.values())


_Identity = tuple[names.Digest, objects.Source, str]


async def _judged(share: Share, court: Court, bench: Bench) -> list[findings.Finding]:
    """Each different manifest of a share, with all its clusters named in what is found."""
    where: dict[_Identity, list[names.Cluster]] = {}
    one: dict[_Identity, tuple[objects.Manifest, Old]] = {}
    for cluster, manifests in share.items():
        for each in manifests:
            old = court.before(each, cluster)
            identity = (each.digest, each.source, _was(old))
            where.setdefault(identity, []).append(cluster)
            one[identity] = each, old
    keys = {
        identity: f"{court.key(each, old)}/{each.digest}" for identity, (each, old) in one.items()
    }
    known = await bench.memo.recall(set(keys.values()))
    fresh = [identity for identity, key in keys.items() if key not in known]
    found: list[findings.Finding] = []
    clean: dict[str, bytes] = {}
    judge = court.judge
    async for identity, faults in memory.worked(
        fresh,
        lambda part: [_heard(judge, *one[each]) for each in part],
        bench.aside,
        bench.crew,
    ):
        found += _spread(faults, where[identity])
        if not faults:
            clean[keys[identity]] = b"clean"
        if len(clean) >= _MANY:
            await bench.memo.remember(clean)
            clean = {}
    await bench.memo.remember(clean)
    return found


def _heard(judge: Judge, manifest: objects.Manifest, old: Old) -> tuple[findings.Finding, ...]:
    return judge(objects.held(manifest), None if old is None else objects.held(old))


def _spread(
    faults: Iterable[findings.Finding], clusters: list[names.Cluster]
) -> list[findings.Finding]:
    return [replace(each, clusters=tuple(clusters)) for each in faults]
