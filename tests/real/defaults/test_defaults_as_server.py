"""Our defaulted objects beside what a real API server answers to a dry-run create."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

import samples
from fleet.adapters.kubernetes import access, connection, requests
from fleet.lab import clusters
from fleet.manifests import defaults, scopes

Body = dict[str, Any]
Wire = connection.Connection

OBJECTS = 25  # of each kind
AT_ONCE = 16
# What no table of defaults can know: path, and why. "*" is any key or index.
ALLOCATED = {
    "metadata.uid": "made for each object",
    "metadata.creationTimestamp": "the server's clock",
    "metadata.generation": "counted by the server",
    "metadata.managedFields": "who wrote what",
    "metadata.resourceVersion": "the store's own",
    "status": "never taken from a create, filled by controllers",
}
BY_KIND: dict[str, dict[str, str]] = {
    "Service": {
        "spec.clusterIP": "allocated, or from clusterIPs",
        "spec.clusterIPs": "allocated",
        "spec.ipFamilies": "the cluster's own order",
        "spec.ports.*.nodePort": "allocated",
        "spec.healthCheckNodePort": "allocated",
    },
    "Pod": {
        "spec.priority": "admission plugin Priority",
        "spec.preemptionPolicy": "admission plugin Priority",
        "spec.tolerations": "admission plugin DefaultTolerationSeconds",
    },
    "Job": {
        "metadata.labels": "the same as the template's",
        "spec.selector": "made from the object's uid",
        "spec.template.metadata.labels": "labelled with the object's uid",
    },
    "PersistentVolume": {"metadata.finalizers": "admission plugin StorageObjectInUseProtection"},
    "PersistentVolumeClaim": {
        "metadata.finalizers": "admission plugin StorageObjectInUseProtection",
    },
}


@pytest.fixture
async def wire(lab_clusters: Callable[[int], list[clusters.Cluster]]) -> AsyncIterator[Wire]:
    made = Wire(access.found(lab_clusters(1)[0].kubeconfig))
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": samples.NAMESPACE}}
    await made.ask(requests.Request(method="POST", path="/api/v1/namespaces", body=space))
    yield made
    await made.close()


def path(body: Body) -> str:
    version, metadata = body["apiVersion"], body["metadata"]
    root = f"/apis/{version}" if "/" in version else f"/api/{version}"
    inside = f"/namespaces/{metadata['namespace']}" if "namespace" in metadata else ""
    return f"{root}{inside}/{scopes.plural(body['kind'])}?dryRun=All"


async def answered(wire: Wire, bodies: list[Body]) -> list[tuple[int, Body]]:
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(body: Body) -> tuple[int, Body]:
        async with gate:
            request = requests.Request(method="POST", path=path(body), body=body)
            reply = await wire.ask(request)
            return reply.status, json.loads(reply.body)

    return list(await asyncio.gather(*map(one, bodies)))


def without(body: Any, where: list[str]) -> Any:
    if isinstance(body, list):
        return [without(each, where[1:]) for each in body]
    if not isinstance(body, dict):
        return body
    if len(where) == 1:
        return {key: each for key, each in body.items() if key != where[0]}
    return {
        key: without(each, where[1:]) if key == where[0] else each for key, each in body.items()
    }


def plain(body: Body) -> Body:
    for each in (*ALLOCATED, *BY_KIND.get(body["kind"], ())):
        body = without(body, each.split("."))
    return body


def differences(ours: Any, theirs: Any, where: str = "") -> Iterator[str]:
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for key in sorted({*ours, *theirs}):
            yield from differences(ours.get(key, "-"), theirs.get(key, "-"), f"{where}.{key}")
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        for number, (one, other) in enumerate(zip(ours, theirs, strict=True)):
            yield from differences(one, other, f"{where}.{number}")
    elif ours == [] and theirs is None:
        return  # a dry run answers through the store's encoding, which has no empty lists
    elif ours != theirs or type(ours) is not type(theirs):
        yield f"{where}: ours {ours!r}, the server's {theirs!r}"


@pytest.mark.timeout(240)
async def test_every_kind_is_completed_as_the_api_server_completes_it(wire: Wire):
    bodies = [each for kind in samples.KINDS for each in samples.objects(kind, OBJECTS)]
    found: list[str] = []
    accepted: Counter[str] = Counter()
    refused: dict[str, str] = {}
    for body, (status, answer) in zip(bodies, await answered(wire, bodies), strict=True):
        kind = f"{body['apiVersion']} {body['kind']}"
        if status != 201:
            refused[kind] = answer.get("message", "")[:600]
            continue
        accepted[kind] += 1
        found += [
            f"{kind} {each}"
            for each in differences(plain(defaults.completed(body)), plain(answer))
        ]
    assert not found, "\n".join(sorted(set(found))[:80])
    assert {kind: count for kind, count in accepted.items() if count < OBJECTS / 2} == {}, refused
    assert len(accepted) == len(samples.KINDS), refused
