"""Clusters behind ports.cluster.Cluster, for tests that must hold on all of them: a real one, and one in memory."""

import asyncio
import contextlib
import copy
import itertools
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any, Protocol

from fleet.adapters.kubernetes import cluster as real
from fleet.adapters.kubernetes import connection, credentials, requests
from fleet.model import objects
from fleet.ports import cluster
from fleet.simulation import cluster as simulated
from fleet.simulation import faults, server

Body = dict[str, Any]
Change = Callable[[Body], None]
OTHER = "somebody-else"
_numbers = itertools.count(1)


class Ground(Protocol):
    """One cluster, and what happens to it behind the port's back."""

    port: cluster.Cluster
    kinds: cluster.Discovery
    namespace: str  # that only this test uses

    async def edit(self, key: objects.Key, change: Change) -> None:
        """By another field manager."""

    async def deny(self, message: str) -> None:
        """From now on admission refuses any ConfigMap of this namespace that is named `denied`."""


def config(ground: Ground, name: str, data: dict[str, str], **labels: str) -> Body:
    metadata = {"name": name, "namespace": ground.namespace, "labels": labels}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def resource(ground: Ground, kind: str, group: str = "") -> cluster.Resource:
    return ground.kinds.resources[group, kind]


async def ready(ground: Ground) -> Ground:
    """With its kinds and its namespace."""
    ground.kinds = await ground.port.discover()
    ground.namespace = f"contract-{next(_numbers)}"
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": ground.namespace}}
    answer = await ground.port.apply(resource(ground, "Namespace"), body, force=False)
    assert answer.status is cluster.Status.DONE, answer.message
    return ground


class OnApiServer:
    kinds: cluster.Discovery
    namespace: str

    def __init__(self, access: credentials.Access) -> None:
        self.port = real.ApiServer(access)
        self.wire = connection.Connection(access)

    async def edit(self, key: objects.Key, change: Change) -> None:
        found = resource(self, key.kind, key.group)
        body = copy.deepcopy(dict((await self.port.read(found, key)).live or {}))
        change(body)
        request = requests.replace(found, body)
        path = request.path.replace("fieldManager=fleetgate", f"fieldManager={OTHER}")
        reply = await self.wire.ask(requests.Request(method="PUT", path=path, body=body))
        assert reply.status == 200, reply.body

    async def deny(self, message: str) -> None:
        for body in _policy(self.namespace, message):
            kind = resource(self, body["kind"], "admissionregistration.k8s.io")
            await self.port.apply(kind, body, force=True)
        for _ in range(200):
            if not await self._is_let_in():
                return
            await asyncio.sleep(0.1)
        raise TimeoutError("the policy is not in force")

    async def _is_let_in(self) -> bool:
        """A policy is in force a moment after it was written."""
        tried = await self.port.apply(
            resource(self, "ConfigMap"), config(self, "denied", {}), force=False, dry_run=True
        )
        return tried.status is cluster.Status.DONE

    async def close(self) -> None:
        await self.port.aclose()
        await self.wire.close()


def _policy(namespace: str, message: str) -> tuple[Body, Body]:
    version = "admissionregistration.k8s.io/v1"
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["*"], "resources": ["configmaps"]}  # fmt: skip
    policy = {
        "apiVersion": version,
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": namespace},
        "spec": {
            "matchConstraints": {"resourceRules": [rule]},
            "validations": [{"expression": "request.name != 'denied'", "message": message}],
        },
    }
    here = {"matchLabels": {"kubernetes.io/metadata.name": namespace}}
    binding = {
        "apiVersion": version,
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": namespace},
        "spec": {
            "policyName": namespace,
            "validationActions": ["Deny"],
            "matchResources": {"namespaceSelector": here},
        },
    }
    return policy, binding


class InMemory:
    kinds: cluster.Discovery
    namespace: str

    def __init__(self) -> None:
        self.server = server.Server(name="dev-1", now=lambda: datetime.now(UTC))
        self.port = simulated.Client(self.server, faults.Process(name="agent"))

    async def edit(self, key: objects.Key, change: Change) -> None:
        self.server.edit(OTHER, key, change)

    async def deny(self, message: str) -> None:
        self.server.deny = lambda _, key, __: message if key.name == "denied" else ""


@contextlib.asynccontextmanager
async def on_api_server(access: credentials.Access) -> AsyncIterator[Ground]:
    ground = OnApiServer(access)
    try:
        yield await ready(ground)
    finally:
        await ground.close()


@contextlib.asynccontextmanager
async def in_memory() -> AsyncIterator[Ground]:
    yield await ready(InMemory())
