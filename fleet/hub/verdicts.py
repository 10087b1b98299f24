"""Schema and policy on every manifest: each different one judged once, and once in a lifetime if nothing was wrong.

Only clean verdicts are remembered, so a finding is always made from the text that it points at.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from fleet.hub import memory
from fleet.manifests import scopes
from fleet.manifests.schemas import validate
from fleet.model import findings, json_values, names, objects
from fleet.policy import evaluate, matching, policies
from fleet.policy.crds import customs
from fleet.ports import store

_MANY = 2_000  # verdicts that are remembered at a time

Judge = Callable[[objects.Manifest], tuple[findings.Finding, ...]]
Share = Mapping[names.Cluster, tuple[objects.Manifest, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Court:
    """One way of judging: `key` says all that the verdict depends on besides the manifest."""

    key: Callable[[objects.Manifest], str]
    judge: Judge


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What judging needs from outside."""

    memo: store.Memo
    aside: memory.Aside = memory.inline
    crew: memory.Crew | None = None


async def schema(
    manifests: Share,
    schemas: Mapping[names.Cluster, validate.Schemas],
    bench: Bench,
) -> list[findings.Finding]:
    found: list[findings.Finding] = []
    for each in {schemas[cluster].identity: schemas[cluster] for cluster in manifests}.values():
        share = {c: m for c, m in manifests.items() if schemas[c].identity == each.identity}
        identity = each.identity
        court = Court(key=lambda _, i=identity: f"schema/{i}", judge=each.validate)  # type: ignore[misc]  # bound here
        found += await _judged(share, court, bench)
    return found


async def policy(
    manifests: Share,
    judging: policies.PolicySet,
    environment: names.Environment,
    known: scopes.Scopes,
    brought: customs.Customs,
    bench: Bench,
) -> list[findings.Finding]:
    found: list[findings.Finding] = []
    bound = policies.for_environment(judging, environment)
    kinds = sorted([*kind, own.namespaced, own.plural] for kind, own in known.custom.items())
    annotated = evaluate.looks_at_namespaces(bound)
    for near in neighbourhoods(manifests, annotated=annotated):
        scene = evaluate.Scene(
            namespaces=near.labels,
            scopes=known,
            judged=brought.judged,
            annotations=near.annotations,
        )
        key = json_values.digest([bound.digest, near.labels, near.annotations, kinds])
        court = Court(
            key=lambda m, k=key: f"policy/{k}{brought.identity(m)}",  # type: ignore[misc]  # bound here
            judge=lambda manifest, s=scene: evaluate.evaluate(bound, manifest, s),  # type: ignore[misc]  # bound here
        )
        found += await _judged({c: manifests[c] for c in near.clusters}, court, bench)
    return found


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


_Identity = tuple[names.Digest, objects.Source]


async def _judged(share: Share, court: Court, bench: Bench) -> list[findings.Finding]:
    """Each different manifest of a share, with all its clusters named in what is found."""
    met: dict[int, objects.Manifest] = {}  # by identity: most manifests are those of many clusters
    for manifests in share.values():
        met.update(zip(map(id, manifests), manifests, strict=True))
    one: dict[_Identity, objects.Manifest] = {}
    twins: dict[_Identity, list[int]] = {}
    for number, each in met.items():
        identity = (each.digest, each.source)
        one[identity] = each
        twins.setdefault(identity, []).append(number)
    places = _Places(share)
    keys = {identity: f"{court.key(each)}/{each.digest}" for identity, each in one.items()}
    known = await bench.memo.recall(set(keys.values()))
    fresh = [identity for identity, key in keys.items() if key not in known]
    found: list[findings.Finding] = []
    clean: dict[str, bytes] = {}
    judge = court.judge
    async for identity, faults in memory.worked(
        fresh,
        lambda part: [judge(objects.held(one[each])) for each in part],
        bench.aside,
        bench.crew,
    ):
        found += _spread(faults, places.of(twins[identity])) if faults else []
        if not faults:
            clean[keys[identity]] = b"clean"
        if len(clean) >= _MANY:
            await bench.memo.remember(clean)
            clean = {}
    await bench.memo.remember(clean)
    return found


class _Places:
    """The clusters of manifests, worked out when something is found in one."""

    def __init__(self, share: Share) -> None:
        self._share = share
        self._known: defaultdict[int, list[names.Cluster]] = defaultdict(list)

    def of(self, numbers: Iterable[int]) -> list[names.Cluster]:
        if not self._known:
            for cluster, manifests in self._share.items():
                for each in manifests:
                    self._known[id(each)].append(cluster)
        return [cluster for number in numbers for cluster in self._known[number]]


def _spread(
    faults: Iterable[findings.Finding], clusters: list[names.Cluster]
) -> list[findings.Finding]:
    return [replace(each, clusters=tuple(clusters)) for each in faults]
