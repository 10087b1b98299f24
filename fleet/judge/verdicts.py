"""Schema and policy on every manifest: each different one judged once, and once in a lifetime if nothing was wrong.

Only clean verdicts are remembered, so a finding is always made from the text that it points at.
"""

import operator
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from fleet.judge import distinct, memory
from fleet.manifests import scopes
from fleet.model import findings, json_values, names, objects, sharing
from fleet.policy import evaluate, matching, policies
from fleet.policy.crds import customs
from fleet.ports import store

_MANY = 2_000  # verdicts that are remembered at a time

Old = distinct.Old
Judge = Callable[[objects.Manifest, Old], tuple[findings.Finding, ...]]
Share = distinct.Share
Previous = Callable[[], Awaitable[Share]]


async def nothing() -> Share:
    """What runs where that is not known."""
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Court:
    """One way of judging for some clusters: `key` says all that the verdict depends on besides the manifest.

    `heeds` says of which manifests what they replace is part of that; of others nobody looks at it. `name` says all
    that it depends on for whatever manifest that replaces nothing.
    """

    name: str
    key: Callable[[objects.Manifest, Old], str]
    judge: Judge
    clusters: tuple[names.Cluster, ...]
    runs: Share
    heeds: Callable[[objects.Manifest], bool]


_CLEAN, _SOME = b"clean", b"some"
One = tuple[str, objects.Source, tuple[findings.Finding, ...]]


def mark(court: Court, piece: str) -> str:
    """Under which it is remembered whether a court has nothing against a piece."""
    return f"piece/{court.name}/{piece}"


def key(court: Court, manifest: objects.Manifest, old: Old) -> str:
    return f"{court.key(manifest, old)}/{manifest.digest}"


class Told:
    """What a court found in each object of a piece; of a piece in which it found nothing, no more than that."""

    __slots__ = ("each",)

    def __init__(self, each: tuple[One, ...]) -> None:
        self.each = each if any(faults for _, _, faults in each) else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Foreseen:
    """Verdicts of this very run, by all that they depend on: of pieces, and of the objects of those with faults."""

    marks: dict[str, bytes] = field(default_factory=dict)
    clean: set[str] = field(default_factory=set)
    faults: dict[tuple[str, objects.Source], tuple[findings.Finding, ...]] = field(
        default_factory=dict
    )

    def take(self, court: Court, piece: str, told: Told) -> None:
        self.marks[mark(court, piece)] = _SOME if told.each else _CLEAN
        for verdict, source, faults in told.each:
            if faults:
                self.faults[verdict, source] = faults
            else:
                self.clean.add(verdict)

    def lasting(self) -> dict[str, bytes]:
        return {**self.marks, **dict.fromkeys(self.clean, _CLEAN)}

    def add(self, other: "Foreseen") -> None:
        self.marks.update(other.marks)
        self.clean.update(other.clean)
        self.faults.update(other.faults)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What judging needs from outside."""

    memo: store.Memo
    aside: memory.Aside = memory.inline
    crew: memory.Crew | None = None
    foreseen: Foreseen = field(default_factory=Foreseen)
    numbering: distinct.Numbering = field(default_factory=distinct.Numbering, repr=False)


async def schema(
    manifests: Share,
    schemas: Mapping[names.Cluster, customs.Schemas],
    previous: Previous,
    bench: Bench,
) -> list[findings.Finding]:
    found: list[findings.Finding] = []
    wanted = {cluster: schemas[cluster] for cluster in manifests}
    runs = await previous() if any(each.has_transitions for each in wanted.values()) else {}
    for court in schema_courts(wanted, runs):
        found += await _judged(manifests, court, bench)
    return found


def schema_courts(
    schemas: Mapping[names.Cluster, customs.Schemas], runs: Share
) -> Iterator[Court]:
    for each in {each.identity: each for each in schemas.values()}.values():
        yield Court(
            name=f"schema/{each.identity}",
            key=lambda _, old, i=each.identity: f"schema/{i}{distinct.was(old)}",  # type: ignore[misc]  # bound here
            judge=each.validate,
            clusters=tuple(c for c, one in schemas.items() if one.identity == each.identity),
            runs=runs if each.has_transitions else {},
            heeds=each.heeds_update,
        )


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
    runs = await previous() if bound.index.heeds_updates else {}
    for court in policy_courts(manifests, bound, known, brought, runs):
        found += await _judged(manifests, court, bench)
    return found


def policy_courts(
    manifests: Share,
    bound: policies.PolicySet,
    known: scopes.Scopes,
    brought: customs.Customs,
    runs: Share,
) -> Iterator[Court]:
    """Of the manifests only the Namespaces count."""
    for clusters, scene, key in _scenes(manifests, bound, known, brought):
        yield Court(
            name=f"policy/{key}/{brought.digest}",
            key=lambda m, old, k=key: f"policy/{k}{brought.identity(m)}{_saw(old, brought)}",  # type: ignore[misc]  # bound here
            judge=lambda m, old, s=scene: evaluate.evaluate(bound, m, _replacing(old, s)),  # type: ignore[misc]  # bound here
            clusters=clusters,
            runs=runs,
            heeds=_Heeding(bound, scene),
        )


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
    gone = _gone(await previous(), manifests)
    around = {cluster: (*gone[cluster], *share) for cluster, share in manifests.items()}
    found: list[findings.Finding] = []
    for clusters, scene, key in _scenes(around, bound, known, brought):
        court = Court(
            name=f"deletion/{key}/{brought.digest}",
            key=lambda m, _, k=key: f"deletion/{k}{brought.identity(m)}",  # type: ignore[misc]  # bound here
            judge=lambda m, _, s=scene: evaluate.deleted(bound, m, s),  # type: ignore[misc]  # bound here
            clusters=clusters,
            runs={},
            heeds=lambda _: False,
        )
        found += await _judged(gone, court, bench)
    return found


def _gone(runs: Share, manifests: Share) -> dict[names.Cluster, tuple[objects.Manifest, ...]]:
    keys = sharing.Numbers(operator.attrgetter("key"))
    found = {}
    for cluster, share in manifests.items():
        held, stays = runs.get(cluster, ()), set(keys.of(share))
        goes = () if stays.issuperset(theirs := keys.of(held)) else zip(held, theirs, strict=True)
        found[cluster] = tuple(each for each, key in goes if key not in stays)
    return found


def _scenes(
    manifests: Share, bound: policies.PolicySet, known: scopes.Scopes, brought: customs.Customs
) -> Iterator[tuple[tuple[names.Cluster, ...], evaluate.Scene, names.Digest]]:
    """The clusters among whose Namespaces the same is said, what is there, and all of that in a digest."""
    kinds = _spelled(known)
    for near in neighbourhoods(manifests, annotated=evaluate.looks_at_namespaces(bound)):
        key = json_values.digest([bound.digest, near.labels, near.annotations, kinds])
        yield tuple(near.clusters), _scene(near, known, brought), key


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
    return "" if old is None else f"{distinct.was(old)}{brought.identity(old)}"


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
    among: dict[tuple[int, ...], _Neighbourhood] = {}
    places = sharing.Numbers(lambda each: each.digest if _is_space(each) else "")
    for cluster, share in manifests.items():
        numbers = tuple(dict.fromkeys(places.of(share)))
        if numbers not in among:
            spaces = [e for n in numbers if _is_space(e := places.first[n])]
            near = _neighbourhood(spaces, annotated=annotated)
            digest = json_values.digest([near.labels, near.annotations])
            among[numbers] = found.setdefault(digest, near)
        among[numbers].clusters.append(cluster)
    return list(found.values())


def _is_space(manifest: objects.Manifest) -> bool:
    return (manifest.key.group, manifest.key.kind) == ("", "Namespace")


def _neighbourhood(spaces: Iterable[objects.Manifest], *, annotated: bool) -> _Neighbourhood:
    return _Neighbourhood(
        labels={each.key.name: matching.texts(each.body, "labels") for each in spaces},
        annotations={
            each.key.name: matching.texts(each.body, "annotations") for each in spaces if annotated
        },
        clusters=[],
    )


async def _judged(share: Share, court: Court, bench: Bench) -> list[findings.Finding]:
    """Each different manifest of a court's share, with all its clusters named in what is found."""
    share = {cluster: share[cluster] for cluster in court.clusters}
    asked = distinct.Distinct(
        share, court.runs, court.heeds, await _whole(share, court, bench), bench.numbering
    )
    keys = {identity: key(court, *case) for identity, case in asked.each.items()}
    found, fresh = await _known(keys, asked, bench)
    clean: dict[str, bytes] = {}
    judge = court.judge
    async for identity, faults in memory.worked(
        fresh,
        lambda part: [_heard(judge, *asked.each[each]) for each in part],
        bench.aside,
        bench.crew,
    ):
        found += _spread(faults, asked.where(identity)) if faults else []
        if not faults:
            clean[keys[identity]] = _CLEAN
        if len(clean) >= _MANY:
            await bench.memo.remember(clean)
            clean = {}
    await bench.memo.remember(clean)
    return found


def _heard(judge: Judge, manifest: objects.Manifest, old: Old) -> tuple[findings.Finding, ...]:
    return judge(objects.held(manifest), None if old is None else objects.held(old))


async def _known(
    keys: Mapping[distinct.Identity, str], asked: distinct.Distinct, bench: Bench
) -> tuple[list[findings.Finding], list[distinct.Identity]]:
    """What is known to be found, and what nothing is known of."""
    clear, faults = bench.foreseen.clean, bench.foreseen.faults
    known = await bench.memo.recall({each for each in keys.values() if each not in clear})
    found: list[findings.Finding] = []
    fresh: list[distinct.Identity] = []
    for identity, verdict in keys.items():
        seen = faults.get((verdict, identity[1]))
        if seen is not None:
            found += _spread(seen, asked.where(identity)) if seen else []
        elif verdict not in clear and verdict not in known:
            fresh.append(identity)
    return found, fresh


async def _whole(share: Share, court: Court, bench: Bench) -> set[str]:
    """The pieces that the court has nothing against, whatever they replace."""
    if court.runs:
        return set()
    pieces = {each.piece for manifests in share.values() for each in manifests} - {""}
    marks = {mark(court, each): each for each in pieces}
    known = bench.foreseen.marks
    recalled = await bench.memo.recall(each for each in marks if each not in known)
    return {p for m, p in marks.items() if (known.get(m) or recalled.get(m)) == _CLEAN}


def _spread(
    faults: Iterable[findings.Finding], clusters: list[names.Cluster]
) -> list[findings.Finding]:
    return [replace(each, clusters=tuple(clusters)) for each in faults]
