"""All kinds that an API server serves: in two answers from its aggregated discovery, else version by version.

A group that could not be asked is named unknown, so that nobody takes its kinds for gone.
"""

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from fleet.adapters.kubernetes import answers, connection, requests
from fleet.model import errors
from fleet.ports import cluster

Document: TypeAlias = Mapping[str, Any]
_AGGREGATED = "APIGroupDiscoveryList"
_ACCEPT = f"application/json;g=apidiscovery.k8s.io;v=v2;as={_AGGREGATED},application/json"
_IN_FLIGHT = 8


async def ask(wire: connection.Connection) -> cluster.Discovery:
    """Raises errors.UnreachableError when the groups themselves cannot be asked for."""
    return merged([*await _root(wire, "/api"), *await _root(wire, "/apis")])


def merged(groups: Iterable[Document]) -> cluster.Discovery:
    """Of groups as aggregated discovery writes them."""
    found: dict[tuple[str, str], cluster.Resource] = {}
    unknown: set[str] = set()
    for group in groups:
        name = (group.get("metadata") or {}).get("name", "")
        versions = group.get("versions") or ()
        if any(version.get("freshness") == "Stale" for version in versions):
            unknown.add(name)
        found |= {(name, each.kind): each for each in _resources(name, versions)}
    return cluster.Discovery(resources=found, unknown=frozenset(unknown))


def _resources(group: str, versions: Iterable[Document]) -> Iterator[cluster.Resource]:
    """Each kind in the first version that has it, which is the preferred one."""
    served: dict[str, list[str]] = {}
    first: dict[str, Document] = {}
    for version in versions:
        for resource in version.get("resources") or ():
            kind = (resource.get("responseKind") or {}).get("kind")
            if not kind:
                continue
            first.setdefault(kind, resource)
            if version["version"] not in served.setdefault(kind, []):
                served[kind].append(version["version"])
    for kind, resource in first.items():
        yield cluster.Resource(
            group=group,
            version=served[kind][0],
            kind=kind,
            plural=resource["resource"],
            namespaced=resource.get("scope") == "Namespaced",
            versions=tuple(served[kind]),
        )


async def _root(wire: connection.Connection, path: str) -> Sequence[Document]:
    found = answers.document(await wire.ask(requests.document(path, _ACCEPT)), path)
    if found.get("kind") == _AGGREGATED:
        return found.get("items") or ()
    return await _one_by_one(wire, found)


async def _one_by_one(wire: connection.Connection, root: Document) -> Sequence[Document]:
    """As API servers before 1.26 tell it: each version of each group on its own."""
    gate = asyncio.Semaphore(_IN_FLIGHT)
    core = ("", list(root.get("versions") or ()))
    named = [(group["name"], list(_versions(group))) for group in root.get("groups") or ()]
    return await asyncio.gather(
        *(_group(wire, gate, name, versions) for name, versions in [core, *named] if versions)
    )


def _versions(group: Document) -> Iterator[str]:
    """The preferred one first."""
    preferred = (group.get("preferredVersion") or {}).get("version")
    found = [each["version"] for each in group.get("versions") or ()]
    yield from sorted(found, key=lambda version: version != preferred)


async def _group(
    wire: connection.Connection, gate: asyncio.Semaphore, name: str, versions: Sequence[str]
) -> Document:
    found = await asyncio.gather(*(_version(wire, gate, name, each) for each in versions))
    return {"metadata": {"name": name}, "versions": found}


async def _version(
    wire: connection.Connection, gate: asyncio.Semaphore, group: str, version: str
) -> Document:
    path = f"/apis/{group}/{version}" if group else f"/api/{version}"
    try:
        async with gate:
            found = answers.document(await wire.ask(requests.document(path)), path)
    except errors.UnreachableError:
        return {"version": version, "freshness": "Stale"}
    resources = [_as_aggregated(each) for each in found.get("resources") or ()]
    return {"version": version, "resources": [each for each in resources if each]}


def _as_aggregated(resource: Document) -> Document:
    """{} for a subresource."""
    if "/" in resource["name"]:
        return {}
    return {
        "resource": resource["name"],
        "responseKind": {"kind": resource["kind"]},
        "scope": "Namespaced" if resource.get("namespaced") else "Cluster",
    }
