"""The rules themselves, held against what the clusters' API servers know: the language, and the fields of objects."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from fleet.judge import verdicts
from fleet.manifests import declared, scopes
from fleet.manifests.schemas import validate
from fleet.model import findings, names
from fleet.policy import policies, portability, typechecks
from fleet.policy.crds import customs


async def check(
    bound: policies.PolicySet,
    schemas: Mapping[names.Cluster, validate.Schemas],
    known: scopes.Scopes,
    bench: verdicts.Bench,
) -> list[findings.Finding]:
    by_schemas: dict[names.Digest, tuple[validate.Schemas, list[names.Cluster]]] = {}
    for cluster, each in schemas.items():
        by_schemas.setdefault(each.identity, (each, []))[1].append(cluster)
    found: list[findings.Finding] = []
    for each, clusters in by_schemas.values():
        found += portability.check(bound, {each.version: tuple(clusters)})
        found += await _typed(bound, each, tuple(clusters), known, bench)
    return found


async def _typed(
    bound: policies.PolicySet,
    schemas: validate.Schemas,
    clusters: tuple[names.Cluster, ...],
    known: scopes.Scopes,
    bench: verdicts.Bench,
) -> list[findings.Finding]:
    """A policy that was found right once is not looked at again."""
    subject = typechecks.Known(
        identity=schemas.identity, kinds=schemas.kinds, schema=schemas.schema, scopes=known
    )
    by_key = {typechecks.key(each, subject): each for each in bound.policies.values()}
    clean = await bench.memo.recall(by_key)
    found = {key: list(typechecks.check(by_key[key], subject)) for key in by_key.keys() - clean}
    await bench.memo.remember({key: b"clean" for key, faults in found.items() if not faults})
    return [replace(each, clusters=clusters) for faults in found.values() for each in faults]


async def definitions(
    crds: Iterable[declared.Rule], bench: verdicts.Bench
) -> list[findings.Finding]:
    """The rules inside CRDs that lie among the rules; those of bundles are judged as manifests."""
    by_key = [(customs.key(each), each) for each in crds]
    clean = await bench.memo.recall({key for key, _ in by_key})
    found = [(key, list(customs.of_rule(each))) for key, each in by_key if key not in clean]
    await bench.memo.remember({key: b"clean" for key, faults in found if not faults})
    return [each for _, faults in found for each in faults]
