"""The plan checker: reads a finished plan back from its bytes and trusts nothing the planner thought.

It shares the formats with the planner, never its code: digests, roots, counts and waves are found again by their
definition. Anything wrong here is a fault of fleet, so it refuses the candidate like any other finding.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from fleet.model import findings, names, objects
from fleet.plan import rollout

RESERVED_NAMESPACE = "fleetgate-system"
_PLACE = findings.Place(path="fleet.yaml")


def check(
    plan: rollout.Plan,
    clusters: Iterable[names.Cluster],
    judged: Mapping[names.Cluster, Iterable[objects.Manifest]],
) -> tuple[findings.Finding, ...]:
    """Hold the plan against the clusters that are registered and the manifests that were judged for each."""
    faults = [
        *_membership(plan, frozenset(clusters)),
        *_waves(plan),
        *_root(plan),
        *(
            fault
            for cluster in plan.slices
            for fault in _slice(plan, cluster, judged.get(cluster, ()))
        ),
    ]
    return tuple(
        findings.deny("plan", _PLACE, fault, hint="report this: the plan is unsound")
        for fault in faults
    )


def _membership(plan: rollout.Plan, clusters: frozenset[names.Cluster]) -> Iterator[str]:
    for cluster in clusters ^ plan.slices.keys():
        yield f"{cluster} is registered or has a slice, but not both"
    for cluster in clusters & plan.retired.keys():
        yield f"{cluster} is registered and retired at once"


def _waves(plan: rollout.Plan) -> Iterator[str]:
    placed = Counter(cluster for wave in plan.waves for cluster in wave)
    for cluster in {*plan.slices, *plan.retired} ^ placed.keys():
        yield f"{cluster} is in no wave, or a wave names it in vain"
    for cluster, times in placed.items():
        if times > 1:
            yield f"{cluster} is in {times} waves"


def _slice(
    plan: rollout.Plan, cluster: names.Cluster, judged: Iterable[objects.Manifest]
) -> Iterator[str]:
    piece = plan.slices[cluster]
    if _named(piece.data) != piece.digest:
        yield f"the slice of {cluster} is not what its digest says"
    bodies = [item["body"] for item in json.loads(piece.data)["objects"]]
    if Counter(map(_canonical, bodies)) != Counter(_canonical(each.body) for each in judged):
        yield f"the slice of {cluster} is not exactly the objects that were judged for it"
    if len(bodies) != piece.objects:
        yield f"the slice of {cluster} miscounts its objects"
    for identity, times in Counter(map(_identity, bodies)).items():
        if times > 1:
            yield f"the slice of {cluster} has {times} objects {identity}"
    if any(_namespace(body) == RESERVED_NAMESPACE for body in bodies):
        yield f"the slice of {cluster} reaches into {RESERVED_NAMESPACE}"


def _root(plan: rollout.Plan) -> Iterator[str]:
    empty = _named(b'{"apiVersion":"fleetgate.dev/v1alpha1","kind":"Slice","objects":[]}')
    leaves = {
        **dict.fromkeys(plan.retired, empty),
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


def _namespace(body: Mapping[str, Any]) -> str:
    return str(body["metadata"].get("namespace", ""))
