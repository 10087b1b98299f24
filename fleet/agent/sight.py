"""What the agent sees of its objects: every answer and every watch event passes here, newest by resourceVersion."""

import asyncio
import contextlib
import logging
from dataclasses import dataclass, field

from fleet.agent import pauses, state
from fleet.converge import differences, fields, health, inventory
from fleet.model import errors, json_values, objects
from fleet.model import health as words
from fleet.ports import cluster

_log = logging.getLogger("fleet.agent")
Kind = tuple[str, str]  # group, kind


def take(agent: state.Agent, key: objects.Key, live: json_values.JsonObject) -> None:
    """Note how an object is. An older state than the one that is known changes nothing."""
    found = fields.seen(live)
    known = agent.seen.get(key)
    if known is not None and known.uid == found.uid and known.version > found.version:
        return
    agent.seen[key] = found
    assessed = health.assess(live)
    if agent.assessed.get(key) != assessed:
        agent.assessed[key] = assessed
        agent.news.set()
    if _calls_for_work(agent, key):
        agent.work.set()


def lose(agent: state.Agent, key: objects.Key) -> None:
    """The object is gone, or is no longer marked as ours, which calls for the same."""
    if agent.seen.pop(key, None) is not None:
        agent.assessed.pop(key, None)
        agent.news.set()
        if key in agent.wanted:
            agent.work.set()


def _calls_for_work(agent: state.Agent, key: objects.Key) -> bool:
    digest = agent.digests.get(key)
    if digest is None or key in agent.troubles:
        return False
    member = agent.inventory.get(key)
    return not differences.is_as_applied(member, digest, agent.seen.get(key))


def not_found() -> words.Assessment:
    return words.Assessment(health=words.Health.NOT_FOUND, reason="it is not there")


@dataclass(slots=True, kw_only=True)
class Watches:
    """One standing watch for each kind in the inventory, over all namespaces, of what carries our label."""

    agent: state.Agent
    tasks: dict[Kind, "asyncio.Task[None]"] = field(default_factory=dict)
    synced: dict[Kind, asyncio.Event] = field(default_factory=dict)
    watched: dict[Kind, cluster.Resource] = field(default_factory=dict)

    def follow(self) -> None:
        """Watch exactly the kinds that the inventory has and the cluster serves."""
        wanted = {(key.group, key.kind) for key in self.agent.inventory}
        found = self.agent.resources.resources if self.agent.resources else {}
        for kind in list(self.tasks):
            if kind not in wanted or self.watched[kind] != found.get(kind, self.watched[kind]):
                self.tasks.pop(kind).cancel()
                self.agent.blind.pop(kind, None)
        for kind in sorted(wanted - self.tasks.keys()):
            if kind in found:
                self.synced[kind] = asyncio.Event()
                self.watched[kind] = found[kind]
                self.tasks[kind] = asyncio.create_task(self._watch(kind))

    async def all_synced(self) -> None:
        """Every kind was seen, or cannot be: one that cannot holds nobody else up."""
        for event in list(self.synced.values()):
            await event.wait()

    def end(self) -> None:
        for task in self.tasks.values():
            task.cancel()

    async def _watch(self, kind: Kind) -> None:
        pause = pauses.Pause(1.0, self.agent.settings.cluster_pause, self.agent.chance)
        while True:
            try:
                await self._follow(kind, self.watched[kind], pause)
            except errors.UnreachableError as error:
                _log.warning("watching %s: %s", self.watched[kind].plural, error)
                self._lose_sight(kind, str(error))
            await self.agent.clock.sleep(pause.next())
            await self._look_again(kind)

    def _lose_sight(self, kind: Kind, reason: str) -> None:
        self.agent.blind[kind] = reason
        self.agent.news.set()
        self.synced[kind].set()

    async def _look_again(self, kind: Kind) -> None:
        """Its definition may have come back in other versions."""
        with contextlib.suppress(errors.UnreachableError):
            found = await self.agent.cluster.discover()
            self.watched[kind] = found.resources.get(kind, self.watched[kind])
            if not found.unknown:
                self.agent.resources = found

    async def _follow(self, kind: Kind, resource: cluster.Resource, pause: pauses.Pause) -> None:
        listed: set[objects.Key] | None = set()
        events = self.agent.cluster.watch(
            resource,
            selector=inventory.SELECTOR,
            metadata_only=not health.needs_status(*kind),
        )
        async for event in events:
            pause.reset()
            if event.type is cluster.EventType.SYNCED:
                self._missed(kind, listed or set())
                listed = None
                self._see(kind)
            elif event.live is not None:
                key = _key(resource, event.live)
                if event.type is cluster.EventType.LISTED:
                    listed = listed if listed is not None else set()
                    listed.add(key)
                self._event(key, event.type, event.live)

    def _see(self, kind: Kind) -> None:
        self.synced[kind].set()
        if self.agent.blind.pop(kind, None) is not None:
            self.agent.news.set()

    def _event(
        self, key: objects.Key, kind: cluster.EventType, live: json_values.JsonObject
    ) -> None:
        if key not in self.agent.inventory:
            return
        if kind is not cluster.EventType.GONE:
            take(self.agent, key, live)
        elif _is_last_word(self.agent, key, live):
            lose(self.agent, key)

    def _missed(self, kind: Kind, listed: set[objects.Key]) -> None:
        """What a complete list does not have is gone."""
        for key in [k for k in self.agent.seen if (k.group, k.kind) == kind]:
            if key not in listed:
                lose(self.agent, key)
        self.agent.work.set()


def _is_last_word(agent: state.Agent, key: objects.Key, live: json_values.JsonObject) -> bool:
    known, told = agent.seen.get(key), fields.seen(live)
    return known is None or known.uid != told.uid or known.version <= told.version


def _key(resource: cluster.Resource, live: json_values.JsonObject) -> objects.Key:
    metadata = live["metadata"]
    return objects.Key(
        group=resource.group,
        kind=resource.kind,
        namespace=metadata.get("namespace", ""),
        name=metadata["name"],
    )
