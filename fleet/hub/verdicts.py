"""Schema and policy on every manifest: each different one judged once, and once in a lifetime if nothing was wrong.

Only clean verdicts are remembered, so a finding is always made from the text that it points at.
"""

import itertools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from fleet.hub import memory
from fleet.manifests import defaults, scopes
from fleet.manifests.schemas import validate
from fleet.model import findings, json_values, names, objects
from fleet.policy import evaluate, policies
from fleet.ports import store

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
    bench: Bench,
) -> list[findings.Finding]:
    found: list[findings.Finding] = []
    bound = policies.for_environment(judging, environment)
    kinds = sorted([*kind, own.namespaced, own.plural] for kind, own in known.custom.items())
    for labels, clusters in _neighbourhoods(manifests).values():
        scene = evaluate.Scene(namespaces=labels, scopes=known, judged=_completed)
        key = json_values.digest([bound.digest, labels, kinds])
        court = Court(
            key=lambda _, k=key: f"policy/{k}",  # type: ignore[misc]  # bound here
            judge=lambda manifest, s=scene: evaluate.evaluate(bound, manifest, s),  # type: ignore[misc]  # bound here
        )
        found += await _judged({c: manifests[c] for c in clusters}, court, bench)
    return found


def _completed(manifest: objects.Manifest) -> json_values.JsonObject:
    """As admission sees it: with the API server's defaults."""
    completed: json_values.JsonObject = defaults.completed(manifest.body)
    return completed


def _neighbourhoods(
    manifests: Share,
) -> dict[str, tuple[dict[str, Mapping[str, str]], list[names.Cluster]]]:
    """Clusters by the Namespaces that they get: a policy may look at their labels."""
    found: dict[str, tuple[dict[str, Mapping[str, str]], list[names.Cluster]]] = {}
    for cluster, share in manifests.items():
        labels: dict[str, Mapping[str, str]] = {
            each.key.name: _labels(each)
            for each in share
            if (each.key.group, each.key.kind) == ("", "Namespace")
        }
        found.setdefault(json_values.digest(labels), (labels, []))[1].append(cluster)
    return found


def _labels(manifest: objects.Manifest) -> Mapping[str, str]:
    """Malformed ones are the schema's finding; no selector selects by them."""
    labels = manifest.body["metadata"].get("labels")
    return labels if isinstance(labels, Mapping) else {}


_Identity = tuple[names.Digest, objects.Source]


async def _judged(share: Share, court: Court, bench: Bench) -> list[findings.Finding]:
    """Each different manifest of a share, with all its clusters named in what is found."""
    where: dict[_Identity, list[names.Cluster]] = {}
    one: dict[_Identity, objects.Manifest] = {}
    for cluster, manifests in share.items():
        for each in manifests:
            identity = (each.digest, each.source)
            where.setdefault(identity, []).append(cluster)
            one[identity] = each
    known = await bench.memo.recall({f"{court.key(each)}/{each.digest}" for each in one.values()})
    fresh = ((i, m) for i, m in one.items() if f"{court.key(m)}/{m.digest}" not in known)
    found: list[findings.Finding] = []
    while batch := list(itertools.islice(fresh, memory.BATCH)):
        judged = await bench.aside(lambda part=batch: [court.judge(m) for _, m in part])  # type: ignore[misc]  # bound here
        for (identity, _), faults in zip(batch, judged, strict=True):
            found += _spread(faults, where[identity])
        clean = [m for (_, m), faults in zip(batch, judged, strict=True) if not faults]
        await bench.memo.remember({f"{court.key(m)}/{m.digest}": b"clean" for m in clean})
    return found


def _spread(
    faults: Iterable[findings.Finding], clusters: list[names.Cluster]
) -> list[findings.Finding]:
    return [replace(each, clusters=tuple(clusters)) for each in faults]
