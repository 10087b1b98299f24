"""All kinds that an API server serves, from the aggregated discovery documents (KEP-3352)."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from fleet.ports import cluster

ACCEPT = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"


def merged(documents: list[Mapping[str, Any]]) -> cluster.Discovery:
    """`documents` are those of /api and /apis."""
    found: dict[tuple[str, str], cluster.Resource] = {}
    unknown: set[str] = set()
    for document in documents:
        for group in document.get("items") or ():
            name = (group.get("metadata") or {}).get("name", "")
            versions = group.get("versions") or ()
            if any(version.get("freshness") == "Stale" for version in versions):
                unknown.add(name)
            found |= {(name, each.kind): each for each in _resources(name, versions)}
    return cluster.Discovery(resources=found, unknown=frozenset(unknown))


def _resources(group: str, versions: Iterable[Mapping[str, Any]]) -> Iterator[cluster.Resource]:
    """Each kind at the first, which is the preferred, version that has it."""
    served: dict[str, list[str]] = {}
    first: dict[str, Mapping[str, Any]] = {}
    for version in versions:
        for resource in version.get("resources") or ():
            kind = (resource.get("responseKind") or {}).get("kind")
            if kind:
                served.setdefault(kind, []).append(version["version"])
                first.setdefault(kind, resource)
    for kind, resource in first.items():
        yield cluster.Resource(
            group=group,
            version=served[kind][0],
            kind=kind,
            plural=resource["resource"],
            namespaced=resource.get("scope") == "Namespaced",
            versions=tuple(served[kind]),
        )
