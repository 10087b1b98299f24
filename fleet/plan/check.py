"""The plan checker: reads a finished plan back from its bytes and trusts nothing the planner thought.

It shares the formats with the planner, never its code: digests, roots, counts and waves are found again by their
definition. Anything wrong here is a fault of fleet, so it refuses the candidate like any other finding.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from fleet.model import findings, kinds, names, objects, pacing
from fleet.plan import rollout

RESERVED_NAMESPACE = "fleetgate-system"
_CANARY = kinds.Selector(match_labels={"fleetgate.dev/canary": "true"})
_HEAD = {"apiVersion": "fleetgate.dev/v1alpha1", "kind": "Slice"}
_PLACE = findings.Place(path="fleet.yaml")


def check(
    plan: rollout.Plan,
    *,
    spec: kinds.EnvironmentSpec,
    clusters: Sequence[kinds.Cluster],
    retired: Mapping[names.Cluster, kinds.OnRemoval],
    judged: Mapping[names.Cluster, Iterable[objects.Manifest]],
    broken: frozenset[names.Cluster] = frozenset(),
) -> tuple[findings.Finding, ...]:
    """Hold the plan against the clusters that are registered or leave, and the manifests judged for each."""
    faults = (
        fault
        for cluster in plan.slices
        for fault in _slice(plan, cluster, judged.get(cluster, ()))
    )
    shape = drawn(plan, spec=spec, clusters=clusters, retired=retired, broken=broken)
    return (*shape, *_as_findings(faults))


def drawn(
    plan: rollout.Plan,
    *,
    spec: kinds.EnvironmentSpec,
    clusters: Sequence[kinds.Cluster],
    retired: Mapping[names.Cluster, kinds.OnRemoval],
    broken: frozenset[names.Cluster] = frozenset(),
) -> tuple[findings.Finding, ...]:
    """All but what is in the slices: where nothing is sent, their bytes are not written either."""
    known = frozenset(names.Cluster(c.metadata.name) for c in clusters)
    early = broken & known if spec.rollout.broken_first else frozenset()
    ranks = _ranks(spec, clusters, retired, early)
    faults = (
        *_membership(plan, spec, known),
        *_leaving(plan, retired),
        *_waves(plan),
        *_order(plan, ranks),
        *_terms(plan, spec, ranks, early),
        *_root(plan),
    )
    return _as_findings(faults)


def _as_findings(faults: Iterable[str]) -> tuple[findings.Finding, ...]:
    return tuple(
        findings.deny("plan", _PLACE, fault, hint="report this: the plan is unsound")
        for fault in faults
    )


def _membership(
    plan: rollout.Plan, spec: kinds.EnvironmentSpec, clusters: frozenset[names.Cluster]
) -> Iterator[str]:
    if plan.environment != spec.name:
        yield f"the plan of {spec.name} says that it is for {plan.environment}"
    for cluster in sorted(clusters ^ plan.slices.keys()):
        yield f"{cluster} is registered or has a slice, but not both"
    for cluster in sorted(clusters & plan.retired.keys()):
        yield f"{cluster} is registered and retired at once"


def _leaving(
    plan: rollout.Plan, retired: Mapping[names.Cluster, kinds.OnRemoval]
) -> Iterator[str]:
    for cluster in sorted(plan.retired.keys() | retired.keys()):
        if plan.retired.get(cluster) is not retired.get(cluster):
            yield f"{cluster} does not leave as its last accepted document says"


def _waves(plan: rollout.Plan) -> Iterator[str]:
    placed = Counter(cluster for wave in plan.waves for cluster in wave)
    for cluster in sorted({*plan.slices, *plan.retired} ^ placed.keys()):
        yield f"{cluster} is in no wave, or a wave names it in vain"
    for cluster, times in placed.items():
        if times > 1:
            yield f"{cluster} is in {times} waves"


def _ranks(
    spec: kinds.EnvironmentSpec,
    clusters: Sequence[kinds.Cluster],
    retired: Iterable[names.Cluster],
    early: frozenset[names.Cluster],
) -> Mapping[names.Cluster, int]:
    """The number of the first wave that fits each cluster; who fits none or leaves comes last, `early` ones first."""
    selectors = [wave.selector for wave in spec.waves] or [_CANARY]
    ranks = dict.fromkeys(retired, len(selectors))
    for cluster in clusters:
        labels = cluster.metadata.labels
        fitting = (n for n, each in enumerate(selectors) if kinds.selects(each, labels))
        ranks[names.Cluster(cluster.metadata.name)] = next(fitting, len(selectors))
    others = [rank for cluster, rank in ranks.items() if cluster not in early]
    return {**ranks, **dict.fromkeys(early, min(others, default=len(selectors)))}


def _order(plan: rollout.Plan, ranks: Mapping[names.Cluster, int]) -> Iterator[str]:
    drawn = [{ranks.get(cluster) for cluster in wave} for wave in plan.waves]
    parts = [n for n, each in enumerate(drawn) if each != drawn[n - 1] or n == 0]
    if [drawn[n] for n in parts] != [{rank} for rank in sorted(set(ranks.values()))]:
        yield "the waves are not those that fleet.yaml describes, or not in that order"


def _terms(
    plan: rollout.Plan,
    spec: kinds.EnvironmentSpec,
    ranks: Mapping[names.Cluster, int],
    early: frozenset[names.Cluster],
) -> Iterator[str]:
    """Each part of each wave: no larger than its wave's size, filled by name, under its wave's own terms."""
    if len(plan.terms) != len(plan.waves):
        yield "not every wave has its terms"
        return
    for rank in sorted(set(ranks.values())):
        yield from _wave(plan, spec, rank, ranks, early)


def _wave(
    plan: rollout.Plan,
    spec: kinds.EnvironmentSpec,
    rank: int,
    ranks: Mapping[names.Cluster, int],
    early: frozenset[names.Cluster],
) -> Iterator[str]:
    named = {c for c, at in ranks.items() if at == rank and c not in early}
    parts = [n for n, wave in enumerate(plan.waves) if {ranks.get(c) for c in wave} == {rank}]
    cut = [[c for c in plan.waves[n] if c not in early] for n in parts]
    wave = _declared(spec, rank)
    limit = _most(wave, len(named))
    if any(len(each) > limit for each in cut) or any(len(each) < limit for each in cut[:-1]):
        yield f"wave {wave.name} does not go in parts of {limit}"
    listed = [cluster for each in cut for cluster in each]
    if listed != sorted(listed, key=lambda each: (each in plan.retired, each)):
        yield f"the parts of wave {wave.name} are not in order of names"
    for number, n in enumerate(parts, 1):
        if not _holds(plan.terms[n], wave, len(named), number, len(parts)):
            yield f"part {number} of wave {wave.name} has other terms than fleet.yaml says"


def _declared(spec: kinds.EnvironmentSpec, rank: int) -> kinds.Wave:
    """The wave of that rank; whoever is in none goes by the limits of the last."""
    if not spec.waves:
        return kinds.Wave(name="canary" if rank == 0 else "rest")
    if rank < len(spec.waves):
        return spec.waves[rank]
    last = spec.waves[-1]
    return kinds.Wave(name="rest", size=last.size, max_unavailable=last.max_unavailable)


def _most(wave: kinds.Wave, count: int) -> int:
    return max(1, _part_of(wave.size, count)) if wave.size else max(1, count)


def _part_of(share: str, count: int) -> int:
    number = int(share.rstrip("%"))
    return number * count // 100 if share.endswith("%") else number


def _holds(terms: pacing.Terms, wave: kinds.Wave, count: int, number: int, parts: int) -> bool:
    asked = [(e.group, e.count, e.expires.total_seconds(), e.unsigned) for e in wave.approvals]
    return (
        (terms.wave, terms.part, terms.parts) == (wave.name, number, parts)
        and terms.at_once == (_most(wave, count) if wave.size else 0)
        and terms.max_unavailable == _part_of(wave.max_unavailable, count)
        and terms.soak == wave.soak.total_seconds()
        and [(e.group, e.count, e.expires, e.unsigned) for e in terms.approvals] == asked
    )


def _slice(
    plan: rollout.Plan, cluster: names.Cluster, judged: Iterable[objects.Manifest]
) -> Iterator[str]:
    piece = plan.slices[cluster]
    if _named(piece.data) != piece.digest:
        yield f"the slice of {cluster} is not what its digest says"
    found = _items(piece.data)
    if found is None:
        yield f"the slice of {cluster} cannot be read"
        return
    if Counter(map(_canonical, found)) != Counter(_canonical(_item(each)) for each in judged):
        yield f"the slice of {cluster} is not exactly the objects that were judged for it"
    if len(found) != piece.objects:
        yield f"the slice of {cluster} miscounts its objects"
    yield from _objects(cluster, [each["body"] for each in found])


def _objects(cluster: names.Cluster, bodies: list[Mapping[str, Any]]) -> Iterator[str]:
    for identity, times in Counter(map(_identity, bodies)).items():
        if times > 1:
            yield f"the slice of {cluster} has {times} objects {identity}"
    if any(_is_reserved(body) for body in bodies):
        yield f"the slice of {cluster} reaches into {RESERVED_NAMESPACE}"


def _items(data: bytes) -> list[Mapping[str, Any]] | None:
    """The items of a slice as they are written; None for bytes of another form."""
    try:
        document = json.loads(data)
        items = document.pop("objects")
        is_slice = document == _HEAD and all(_identity(each["body"]) for each in items)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return None
    return items if is_slice else None


def _item(manifest: objects.Manifest) -> Mapping[str, Any]:
    return {
        "body": manifest.body,
        "bundle": manifest.bundle,
        "takeover": manifest.takeover,
    }


def _farewell(how: kinds.OnRemoval) -> bytes:
    head = b'{"apiVersion":"fleetgate.dev/v1alpha1","kind":"Slice","objects":[],"onRemoval":'
    return head + json.dumps(how.value).encode() + b"}"


def _root(plan: rollout.Plan) -> Iterator[str]:
    leaves = {
        **{cluster: _named(_farewell(how)) for cluster, how in plan.retired.items()},
        **{c: s.digest for c, s in plan.slices.items()},
    }
    hashed = [_hash(b"\x00" + _canonical([c, leaves[c]]).encode()) for c in sorted(leaves)]
    if f"sha256:{_merkle(hashed).hex()}" != plan.slices_root:
        yield "slices_root is not the root over the slices"


def _merkle(hashes: list[bytes]) -> bytes:
    """RFC 6962, 2.1, by its recursive definition."""
    if not hashes:
        return _hash(b"")
    if len(hashes) == 1:
        return hashes[0]
    split = 1 << (len(hashes) - 1).bit_length() - 1
    return _hash(b"\x01" + _merkle(hashes[:split]) + _merkle(hashes[split:]))


def _hash(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def _named(data: bytes) -> str:
    return f"sha256:{_hash(data).hex()}"


def _canonical(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _identity(body: Mapping[str, Any]) -> tuple[str, str, str, str]:
    group = body["apiVersion"].rpartition("/")[0]
    return group, body["kind"], _namespace(body), body["metadata"]["name"]


def _is_reserved(body: Mapping[str, Any]) -> bool:
    group, kind, namespace, name = _identity(body)
    is_namespace = (group, kind, name) == ("", "Namespace", RESERVED_NAMESPACE)
    return is_namespace or namespace == RESERVED_NAMESPACE


def _namespace(body: Mapping[str, Any]) -> str:
    return str(body["metadata"].get("namespace", ""))
