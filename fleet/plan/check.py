"""The plan checker: reads a finished plan back from its bytes and trusts nothing the planner thought.

It shares the formats with the planner, never its code: digests, roots, counts and waves are found again by their
definition. Anything wrong here is a fault of fleet, so it refuses the candidate like any other finding.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from fleet.model import findings, kinds, names, objects
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
) -> tuple[findings.Finding, ...]:
    """Hold the plan against the clusters that are registered or leave, and the manifests judged for each."""
    faults = (
        fault
        for cluster in plan.slices
        for fault in _slice(plan, cluster, judged.get(cluster, ()))
    )
    return (*drawn(plan, spec=spec, clusters=clusters, retired=retired), *_as_findings(faults))


def drawn(
    plan: rollout.Plan,
    *,
    spec: kinds.EnvironmentSpec,
    clusters: Sequence[kinds.Cluster],
    retired: Mapping[names.Cluster, kinds.OnRemoval],
) -> tuple[findings.Finding, ...]:
    """All but what is in the slices: where nothing is sent, their bytes are not written either."""
    faults = (
        *_membership(plan, spec, frozenset(names.Cluster(c.metadata.name) for c in clusters)),
        *_leaving(plan, retired),
        *_waves(plan),
        *_order(plan, _ranks(spec, clusters, retired)),
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
) -> Mapping[names.Cluster, int]:
    """The number of the first wave that fits each cluster; who fits none or leaves comes last."""
    selectors = [wave.selector for wave in spec.waves] or [_CANARY]
    ranks = dict.fromkeys(retired, len(selectors))
    for cluster in clusters:
        labels = cluster.metadata.labels
        fitting = (n for n, each in enumerate(selectors) if kinds.selects(each, labels))
        ranks[names.Cluster(cluster.metadata.name)] = next(fitting, len(selectors))
    return ranks


def _order(plan: rollout.Plan, ranks: Mapping[names.Cluster, int]) -> Iterator[str]:
    drawn = [{ranks.get(cluster) for cluster in wave} for wave in plan.waves]
    if drawn != [{rank} for rank in sorted(set(ranks.values()))]:
        yield "the waves are not those that fleet.yaml describes, or not in that order"


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
