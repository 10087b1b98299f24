"""Registered clusters on a laptop: a proof that held once holds for ever, so it is not verified for each check.

Only offline: the hub, which lets things out, verifies each time.
"""

from collections.abc import Sequence

from fleet.manifests import declared
from fleet.model import findings, json_values, kinds, names
from fleet.plan import registration
from fleet.ports import store

Cluster = declared.Declaration[kinds.Cluster]


async def check(
    clusters: Sequence[Cluster], environment: names.Environment, memo: store.Memo
) -> tuple[findings.Finding, ...]:
    keys = {each.document.metadata.name: _key(each.document, environment) for each in clusters}
    known = await memo.recall(keys.values())
    proven = frozenset(name for name, key in keys.items() if key in known)
    found = registration.check(clusters, environment, (), proven)
    if not found and len(keys) == len(clusters):
        fresh = {key: b"holds" for key in keys.values() if key not in known}
        await memo.remember(fresh)
    return found


def _key(cluster: kinds.Cluster, environment: names.Environment) -> str:
    """All that a proof is about."""
    spec = cluster.spec
    said = [environment, cluster.metadata.name, spec.uid, spec.public_key, spec.proof]
    return f"proof/{json_values.digest(said)}"
