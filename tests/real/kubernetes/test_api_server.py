"""What only a real API server can show: its own words for what is wrong, kinds that come and go."""

import asyncio
import base64
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from typing import Any

import pytest

import clusterports
from clusterports import Ground, resource
from fleet.adapters.kubernetes import access
from fleet.lab import clusters
from fleet.model import errors, objects
from fleet.ports import cluster
from fleet.ports.cluster import EventType, Status

Body = dict[str, Any]
CANARY = "hunter2-canary"


@pytest.fixture
async def ground(lab_clusters: Callable[[int], list[clusters.Cluster]]) -> AsyncIterator[Ground]:
    async with clusterports.on_api_server(access.found(lab_clusters(1)[0].kubeconfig)) as made:
        yield made


def secret(ground: Ground, **fields: Any) -> Body:
    metadata = {"name": "s", "namespace": ground.namespace}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, **fields}


WRONG = {
    "a map for a text": {"data": {"a": {"deep": CANARY}}},
    "no base64": {"data": {"a": f"{CANARY}!"}},
    "a number": {"stringData": {"a": 8675309}},
    "a list": {"stringData": [CANARY]},
    "an unknown field": {"stringDota": {"a": "x"}, "stringData": {"a": CANARY}},
    "no JSON inside": {
        "type": "kubernetes.io/dockerconfigjson",
        "stringData": {".dockerconfigjson": f'{CANARY}"\\\nx'},
    },
}


@pytest.mark.threat(20)
@pytest.mark.parametrize("what", WRONG)
async def test_a_wrong_secret_is_invalid_and_stays_secret(ground: Ground, what: str):
    body = secret(ground, **WRONG[what])
    answer = await ground.port.apply(resource(ground, "Secret"), body, force=True)
    assert answer.status is Status.INVALID, answer.message
    assert answer.message
    for kept in (CANARY, base64.b64encode(CANARY.encode()).decode(), "8675309"):
        assert kept not in repr(answer)


@pytest.mark.threat(20)
async def test_a_secret_that_is_created_or_replaced_wrongly_stays_secret(ground: Ground):
    kind = resource(ground, "Secret")
    body = secret(ground, data={"a": 8675309}, stringData={"b": CANARY})
    for answer in (await ground.port.create(kind, body), await ground.port.replace(kind, body)):
        assert answer.status is Status.INVALID
        assert "8675309" not in repr(answer)
        assert CANARY not in repr(answer)


async def test_a_list_with_two_of_one_name_is_invalid_for_good(ground: Ground):
    container = {"name": "web", "image": "example.com/web:1"}
    pod = {"apiVersion": "v1", "kind": "Pod",
           "metadata": {"name": "p", "namespace": ground.namespace},
           "spec": {"containers": [container, container]}}  # fmt: skip
    answer = await ground.port.apply(resource(ground, "Pod"), pod, force=True)
    assert answer.status is Status.INVALID
    assert "duplicate entries" in answer.message


async def test_a_release_takes_our_manager_off(ground: Ground):
    """As the agent lets go of an object: the object as it is, less our entry of managedFields."""
    kind = resource(ground, "ConfigMap")
    body = clusterports.config(ground, "a", {"x": "1"})
    live = (await ground.port.apply(kind, body, force=False)).live
    assert live is not None
    freed = {**live, "metadata": {**live["metadata"], "managedFields": [{}]}}
    answer = await ground.port.replace(kind, freed)
    assert answer.status is Status.DONE
    assert answer.live is not None
    assert answer.live["data"] == {"x": "1"}
    managers = {entry["manager"] for entry in answer.live["metadata"].get("managedFields") or ()}
    assert "fleetgate" not in managers


def definition(group: str) -> Body:
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    versions = [
        {"name": name, "served": True, "storage": name == "v1", "schema": schema}
        for name in ("v1", "v1beta1")
    ]
    names = {"plural": "dreams", "singular": "dream", "kind": "Dream", "listKind": "DreamList"}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"dreams.{group}"},
        "spec": {"group": group, "scope": "Namespaced", "names": names, "versions": versions},
    }


async def served(ground: Ground, group: str, *, is_there: bool) -> cluster.Discovery:
    for _ in range(300):
        found = await ground.port.discover()
        if ((group, "Dream") in found.resources) is is_there:
            return found
        await asyncio.sleep(0.1)
    raise TimeoutError


@pytest.fixture
async def dreams(ground: Ground) -> cluster.Resource:
    """A kind that only this test knows."""
    group = f"{ground.namespace}.example.com"
    answer = await ground.port.apply(definitions(ground), definition(group), force=False)
    assert answer.status is Status.DONE
    return (await served(ground, group, is_there=True)).resources[group, "Dream"]


def definitions(ground: Ground) -> cluster.Resource:
    return resource(ground, "CustomResourceDefinition", "apiextensions.k8s.io")


def dream(ground: Ground, kind: cluster.Resource, version: str) -> Body:
    return {
        "apiVersion": f"{kind.group}/{version}",
        "kind": "Dream",
        "metadata": {"name": "a", "namespace": ground.namespace},
        "spec": {"of": "sheep"},
    }


async def test_an_object_is_applied_in_the_version_that_it_is_written_in(
    ground: Ground, dreams: cluster.Resource
):
    assert (dreams.version, dreams.versions) == ("v1", ("v1", "v1beta1"))
    body = dream(ground, dreams, "v1beta1")
    answer = await ground.port.apply(dreams, body, force=False)
    assert answer.status is Status.DONE
    assert answer.live is not None
    assert answer.live["apiVersion"] == f"{dreams.group}/v1beta1"
    unserved = await ground.port.apply(dreams, dream(ground, dreams, "v9"), force=False)
    assert unserved.status is Status.UNSERVED


async def test_metadata_of_a_custom_kind_says_what_the_object_is(
    ground: Ground, dreams: cluster.Resource
):
    await ground.port.apply(dreams, dream(ground, dreams, "v1"), force=False)
    async with aclosing(ground.port.watch(dreams, selector="", metadata_only=True)) as events:
        first = await anext(events)
    assert first.type is EventType.LISTED
    assert first.live is not None
    assert set(first.live) == {"apiVersion", "kind", "metadata"}
    assert (first.live["apiVersion"], first.live["kind"]) == (f"{dreams.group}/v1", "Dream")


@pytest.mark.threat(87)
async def test_a_kind_that_is_taken_away_is_unserved(ground: Ground, dreams: cluster.Resource):
    crds = definitions(ground)
    name = objects.Key(
        group=crds.group, kind=crds.kind, namespace="", name=f"dreams.{dreams.group}"
    )
    live = (await ground.port.read(crds, name)).live
    assert live is not None
    answer = await ground.port.delete(crds, name, uid=live["metadata"]["uid"])
    assert answer.status is Status.DONE
    await served(ground, dreams.group, is_there=False)
    key = objects.Key(group=dreams.group, kind="Dream", namespace=ground.namespace, name="a")
    assert (await ground.port.read(dreams, key)).status is Status.UNSERVED
    with pytest.raises(errors.UnreachableError, match="dreams"):
        await anext(ground.port.watch(dreams, selector=""))


@pytest.mark.threat(82)
async def test_a_group_whose_server_is_away_is_unknown(ground: Ground):
    group = f"{ground.namespace}.example.com"
    services = resource(ground, "APIService", "apiregistration.k8s.io")
    body = {
        "apiVersion": "apiregistration.k8s.io/v1",
        "kind": "APIService",
        "metadata": {"name": f"v1.{group}"},
        "spec": {
            "group": group, "version": "v1", "groupPriorityMinimum": 100, "versionPriority": 10,
            "insecureSkipTLSVerify": True,
            "service": {"name": "nobody", "namespace": ground.namespace},
        },
    }  # fmt: skip
    made = (await ground.port.apply(services, body, force=False)).live
    assert made is not None
    try:
        for _ in range(200):
            found = await ground.port.discover()
            if group in found.unknown:
                break
            await asyncio.sleep(0.1)
        assert group in found.unknown
        assert ("apps", "Deployment") in found.resources
        gone = cluster.Resource(
            group=group, version="v1", kind="Dream", plural="dreams", namespaced=True,
            versions=("v1",),
        )  # fmt: skip
        key = objects.Key(group=group, kind="Dream", namespace=ground.namespace, name="a")
        assert (await ground.port.read(gone, key)).status is Status.LATER
    finally:
        key = objects.Key(
            group=services.group, kind=services.kind, namespace="", name=f"v1.{group}"
        )
        await ground.port.delete(services, key, uid=made["metadata"]["uid"])


async def test_more_objects_than_a_page_are_all_listed(ground: Ground):
    kind = resource(ground, "ConfigMap")
    names = [f"c-{number:03}" for number in range(230)]
    await asyncio.gather(
        *(ground.port.apply(kind, clusterports.config(ground, n, {}), force=False) for n in names)
    )
    listed = []
    async with aclosing(
        ground.port.watch(kind, selector="", namespace=ground.namespace)
    ) as events:
        async for event in events:
            if event.live is None:
                break
            listed.append(event.live["metadata"]["name"])
    assert listed == names
