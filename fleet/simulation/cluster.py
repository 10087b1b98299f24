"""The way of one process to a simulated API server: ports.cluster.Cluster, with faults at each call."""

import asyncio
from collections.abc import AsyncGenerator, Mapping

from fleet.model import errors, json_values, objects
from fleet.ports.cluster import Answer, Discovery, Event, EventType, Identity, Resource
from fleet.simulation import faults, server, sights


class Client:
    """Implements ports.cluster.Cluster. `manager` is whom the server takes the process for."""

    def __init__(
        self, target: server.Server, process: faults.Process, manager: str = "fleetgate"
    ) -> None:
        self._server, self._process, self._manager = target, process, manager

    async def identity(self) -> Identity:
        async with self._process.call("cluster.identity"):
            self._check()
            return Identity(uid=self._server.uid, version=self._server.version)

    async def discover(self) -> Discovery:
        async with self._process.call("cluster.discover"):
            self._check()
            unknown = self._server.unknown_groups
            found = self._server.resources().items()
            return Discovery(
                resources={kind: each for kind, each in found if kind[0] not in unknown},
                unknown=unknown,
            )

    async def apply(
        self,
        resource: Resource,
        body: json_values.JsonObject,
        *,
        force: bool,
        dry_run: bool = False,
    ) -> Answer:
        async with self._process.call("cluster.apply"):
            self._check()
            return self._server.apply(self._manager, resource, body, force=force, dry_run=dry_run)

    async def read(self, resource: Resource, key: objects.Key) -> Answer:
        async with self._process.call("cluster.read"):
            self._check()
            return self._server.read(resource, key)

    async def create(self, resource: Resource, body: json_values.JsonObject) -> Answer:
        async with self._process.call("cluster.create"):
            self._check()
            return self._server.create(self._manager, resource, body)

    async def replace(self, resource: Resource, body: json_values.JsonObject) -> Answer:
        async with self._process.call("cluster.replace"):
            self._check()
            return self._server.replace(self._manager, resource, body)

    async def delete(self, resource: Resource, key: objects.Key, *, uid: str) -> Answer:
        async with self._process.call("cluster.delete"):
            self._check()
            return self._server.delete(self._manager, resource, key, uid=uid)

    async def watch(
        self,
        resource: Resource,
        *,
        selector: str,
        namespace: str = "",
        metadata_only: bool = False,
    ) -> AsyncGenerator[Event, None]:
        while True:
            async with self._process.call("cluster.watch"):
                self._check()
                if (resource.group, resource.kind) not in self._server.resources():
                    raise errors.UnreachableError(f"{resource.plural} cannot be watched")
                sight = sights.Sight(
                    kind=(resource.group, resource.kind),
                    namespace=namespace,
                    labels=_labels(selector),
                    queue=asyncio.Queue(),
                )
                listed = self._server.subscribe(sight)
            try:
                for body in listed:
                    yield _event(EventType.LISTED, body, metadata_only=metadata_only)
                yield Event(type=EventType.SYNCED)
                while (event := await sight.queue.get()) is not None:
                    yield _event(event.type, event.live or {}, metadata_only=metadata_only)
            finally:
                self._server.unsubscribe(sight)

    def _check(self) -> None:
        if self._server.is_down:
            raise errors.UnreachableError(f"the API server of {self._server.name} does not answer")


def _labels(selector: str) -> Mapping[str, str]:
    pairs = (part.partition("=") for part in selector.split(",") if part)
    return {key: value for key, _, value in pairs}


def _event(kind: EventType, body: json_values.JsonObject, *, metadata_only: bool) -> Event:
    if metadata_only:
        body = {key: body[key] for key in ("apiVersion", "kind", "metadata")}
    return Event(type=kind, live=body)
