"""Implements ports.cluster.Cluster for a real API server."""

import random
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Self

from fleet.adapters import clock as clocks
from fleet.adapters.kubernetes import (
    answers,
    connection,
    credentials,
    discovery,
    requests,
    watching,
)
from fleet.model import errors, json_values, objects
from fleet.ports import clock, cluster


class ApiServer:
    """Close it in the loop that used it."""

    def __init__(
        self,
        access: credentials.Access,
        *,
        sleeps: clock.Clock | None = None,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._wire = connection.Connection(access)
        self._sleeps = sleeps or clocks.SystemClock()
        self._chance = chance

    async def aclose(self) -> None:
        await self._wire.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def identity(self) -> cluster.Identity:
        """Raises errors.UnreachableError also where it may not be asked for."""
        namespace, version = "/api/v1/namespaces/kube-system", "/version"
        found = answers.document(await self._wire.ask(requests.document(namespace)), namespace)
        said = answers.document(await self._wire.ask(requests.document(version)), version)
        try:
            return cluster.Identity(uid=found["metadata"]["uid"], version=said["gitVersion"])
        except (KeyError, TypeError):
            raise errors.UnreachableError("the API server does not say who it is") from None

    async def discover(self) -> cluster.Discovery:
        return await discovery.ask(self._wire)

    async def apply(
        self,
        resource: cluster.Resource,
        body: json_values.JsonObject,
        *,
        force: bool,
        dry_run: bool = False,
    ) -> cluster.Answer:
        return await self._answer(
            resource, lambda: requests.apply(resource, body, force=force, dry_run=dry_run)
        )

    async def read(self, resource: cluster.Resource, key: objects.Key) -> cluster.Answer:
        return await self._answer(resource, lambda: requests.read(resource, key))

    async def create(
        self, resource: cluster.Resource, body: json_values.JsonObject
    ) -> cluster.Answer:
        return await self._answer(resource, lambda: requests.create(resource, body))

    async def replace(
        self, resource: cluster.Resource, body: json_values.JsonObject
    ) -> cluster.Answer:
        return await self._answer(resource, lambda: requests.replace(resource, body))

    async def delete(
        self, resource: cluster.Resource, key: objects.Key, *, uid: str
    ) -> cluster.Answer:
        return await self._answer(resource, lambda: requests.delete(resource, key, uid))

    async def watch(
        self,
        resource: cluster.Resource,
        *,
        selector: str,
        namespace: str = "",
        metadata_only: bool = False,
    ) -> AsyncGenerator[cluster.Event, None]:
        selection = requests.Selection(
            resource=resource,
            selector=selector,
            namespace=namespace,
            metadata_only=metadata_only,
        )
        watch = watching.Watch(self._wire, selection, sleeps=self._sleeps, chance=self._chance)
        async with aclosing(watch.events()) as events:
            async for event in events:
                yield event

    async def _answer(
        self, resource: cluster.Resource, make: Callable[[], requests.Request]
    ) -> cluster.Answer:
        try:
            request = make()
        except errors.InputError as error:  # it has no address, so no API server would take it
            return cluster.Answer(status=cluster.Status.INVALID, message=str(error))
        reply = await self._wire.ask(request)
        return answers.of(reply, request.body, about=resource.plural)
