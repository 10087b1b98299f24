"""The deletion guard (rule 7): what may go without a word, and what needs a Permit.

Hub and agent ask the same function: the hub before it lets a release out, the agent before it deletes.
"""

from collections.abc import Iterable
from datetime import datetime

from fleet.model import names, objects
from fleet.model import permits as allowed

GUARDED = frozenset(
    {
        ("", "Namespace"),
        ("", "PersistentVolumeClaim"),
        ("apiextensions.k8s.io", "CustomResourceDefinition"),
    }
)


def refusals(
    *,
    cluster: names.Cluster,
    going: Iterable[objects.Key],
    before: int,
    max_deleted_share: float,
    permits: Iterable[allowed.Permit],
    now: datetime,
) -> tuple[str, ...]:
    """What stands against deleting `going` of `before` objects, in words; () = nothing does."""
    valid = [permit for permit in permits if permit.spec.expires > now]
    unnamed = [key for key in sorted(going) if not _is_named(key, cluster, valid)]
    found = [
        f"deleting {key} needs a Permit" for key in unnamed if (key.group, key.kind) in GUARDED
    ]
    shares = [permit.spec.max_deleted_share for permit in valid]
    allowed = max([max_deleted_share, *(share for share in shares if share is not None)])
    if before and len(unnamed) > allowed * before:
        found.append(
            f"{len(unnamed)} of {before} objects would go; more than {allowed:.0%} need a Permit"
        )
    return tuple(found)


def permits_takeover(
    key: objects.Key, cluster: names.Cluster, permits: Iterable[allowed.Permit], now: datetime
) -> bool:
    valid = [permit for permit in permits if permit.spec.expires > now]
    return any(_matches(entry, key, cluster) for each in valid for entry in each.spec.takeover)


def _is_named(key: objects.Key, cluster: names.Cluster, permits: list[allowed.Permit]) -> bool:
    return any(_matches(entry, key, cluster) for each in permits for entry in each.spec.delete)


def _matches(entry: allowed.Reference, key: objects.Key, cluster: names.Cluster) -> bool:
    named = objects.Key(
        group=entry.group, kind=entry.kind, namespace=entry.namespace, name=entry.name
    )
    return named == key and entry.cluster in ("*", cluster)
