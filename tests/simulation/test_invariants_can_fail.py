"""Each invariant is broken once by a shell or a world that is spoiled on purpose: no checker is blind.

Spoiled parts are handed in where the real ones go: a port that skips, an answer that lies, a ledger that hopes.
"""

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

import invariants
import redeciding
import storyline
import thieves
import worlds
from fleet.audit import records
from fleet.audit.records import Head
from fleet.hub import state as hubs
from fleet.judge import memory
from fleet.model import (
    errors,
    health,
    json_values,
    ledger,
    messages,
    names,
    objects,
    observed,
    snapshots,
)
from fleet.ports import answers, store
from fleet.ports import cluster as api
from fleet.protocol import dsse, encoding, enrolment, keys
from fleet.simulation import clock, faults, link, world

pytestmark = pytest.mark.threat(94)

CONFIGMAPS = api.Resource(
    group="",
    version="v1",
    kind="ConfigMap",
    plural="configmaps",
    namespaced=True,
    versions=("v1",),
)
NAMESPACES = api.Resource(
    group="", version="v1", kind="Namespace", plural="namespaces", namespaced=False, versions=("v1",)
)  # fmt: skip
Chapters = tuple[Callable[[storyline.Story], Any], ...]
UNTIL_PROMOTED = storyline.CHAPTERS[:3]


class Through:
    """Whatever it does not change goes through to what stands behind it."""

    def __init__(self, behind: Any) -> None:
        self.behind = behind

    def __getattr__(self, name: str) -> Any:
        return getattr(self.behind, name)


def broken(
    make: Callable[[], world.World],
    chapters: Chapters = storyline.CHAPTERS,
    meanwhile: Callable[[world.World], None] = lambda _: None,
    *,
    robbed: frozenset[str] = frozenset(),
    canaries: tuple[bytes, ...] = (),
) -> set[int]:
    """The numbers of the invariants that did not hold in a spoiled world."""

    async def told() -> list[str]:
        here = make()
        watch = invariants.Watch(here)
        watch.robbed, watch.canaries = set(robbed), canaries
        story = storyline.Story(here=here, watch=watch)
        with contextlib.suppress(errors.UnreachableError, AssertionError):
            for chapter in chapters:
                meanwhile(here)
                await chapter(story)
                watch.check()
        with contextlib.suppress(AssertionError):
            watch.check_converged()
        await here.close()
        return watch.broken

    return {int(line.partition(":")[0]) for line in clock.run(told())}


def with_agent(port: Callable[[Any], Any], only: str = "") -> Callable[[], world.World]:
    """A world whose agents (or that of one cluster) reach their API server through this."""
    return lambda: worlds.small(agent_factory=worlds.agent(port=_only(port, only)))


def _only(port: Callable[[Any], Any], cluster: str) -> Callable[[Any, str], Any]:
    return lambda client, name: port(client) if f"agent-{cluster}" in name else client


def with_hub(change: Callable[[hubs.Hub], None]) -> Callable[[], world.World]:
    return lambda: worlds.small(worlds.hub(change=change))


class LateBook(Through):
    """Says that a dispatch is recorded, and records it a moment later."""

    async def commit(self, write: store.Write) -> Head:
        if any(draft.kind is records.Kind.DISPATCH for draft in write.records):
            self.late = asyncio.ensure_future(self._later(write))
            return Head(length=0, hash="")
        return await self.behind.commit(write)

    async def _later(self, write: store.Write) -> None:
        await asyncio.sleep(0.5)
        with contextlib.suppress(faults.Crash):
            await self.behind.commit(write)


def test_1_a_hub_that_dispatches_before_it_records():
    assert 1 in broken(with_hub(lambda hub: setattr(hub, "book", LateBook(hub.book))))


class Adding(Through):
    """Applies a little more than the slice says."""

    async def apply(
        self, resource: api.Resource, body: json_values.JsonObject, **more: Any
    ) -> api.Answer:
        metadata = {**body["metadata"], "annotations": {"added": "yes"}}
        return await self.behind.apply(resource, {**body, "metadata": metadata}, **more)


def test_1_an_agent_that_applies_what_nobody_dispatched():
    assert 1 in broken(with_agent(Adding))


class WithoutPolicies(Through):
    """Reads commits as if they had no policies."""

    async def snapshot(self, commit: names.CommitId) -> snapshots.Snapshot:
        found = await self.behind.snapshot(commit)
        kept = {p: e for p, e in found.entries.items() if not p.startswith("policies/")}
        return replace(found, entries=kept)


def blind(hub: hubs.Hub) -> None:
    hub.tools = replace(hub.tools, repository=WithoutPolicies(hub.tools.repository))


def test_2_a_hub_that_does_not_see_the_policies():
    assert 2 in broken(with_hub(blind))


class Rewinding(Through):
    """Writes its first pointer again when it should write a newer one."""

    first: json_values.JsonObject | None = None

    async def create(self, resource: api.Resource, body: json_values.JsonObject) -> api.Answer:
        if body["metadata"]["name"] == "pointer":
            self.first = body
        return await self.behind.create(resource, body)

    async def replace(self, resource: api.Resource, body: json_values.JsonObject) -> api.Answer:
        answer = await self.behind.replace(resource, body)
        is_pointer = body["metadata"]["name"] == "pointer" and self.first is not None
        if is_pointer and invariants.held(body).sequence > 1:
            metadata = (answer.live or {})["metadata"]
            return await self.behind.replace(
                resource, {**(self.first or {}), "metadata": metadata}
            )
        return answer


def test_3_an_agent_that_goes_back_to_an_older_dispatch():
    assert 3 in broken(with_agent(Rewinding))


class Resigning(Through):
    """Answers the same number again with other words."""

    given = 0

    async def serve(self, question: link.Question) -> answers.Reply:
        reply = await self.behind.serve(question)
        if reply.status != 200 or b"payloadType" not in reply.body:
            return reply
        self.given += 1
        envelope = json_values.decode(reply.body)
        payload = dsse.unproved(dsse.DISPATCH, envelope)
        sent = encoding.decode(messages.Dispatch, payload)
        other = replace(sent, expires=sent.expires + timedelta(days=self.given), sequence=1)
        signed = dsse.sign(dsse.DISPATCH, encoding.encode(other), worlds.HUB_KEY)
        return replace(reply, body=json_values.encode(signed))


def test_4_two_dispatches_with_one_number():
    def made() -> world.World:
        here = worlds.small()
        here.add_cluster("dev-1").wire.hub = Resigning(here)
        return here

    assert 4 in broken(made, UNTIL_PROMOTED)


def test_5_an_agent_with_the_identity_of_another_cluster():
    here: list[world.World] = []

    class Cloned(Through):
        async def identity(self) -> api.Identity:
            return await here[0].members["dev-1"].people().identity()

        async def read(self, resource: api.Resource, key: objects.Key) -> api.Answer:
            if key.name == "agent" and key.kind == "Secret":
                return await here[0].members["dev-1"].people().read(resource, key)
            return await self.behind.read(resource, key)

    def made() -> world.World:
        here.append(with_agent(Cloned, "staging-1")())
        return here[0]

    assert 5 in broken(made)


class Hasty(Through):
    """Makes an object anew that cannot be changed just now."""

    async def apply(
        self, resource: api.Resource, body: json_values.JsonObject, **more: Any
    ) -> api.Answer:
        answer = await self.behind.apply(resource, body, **more)
        if answer.status is api.Status.LATER:
            key = objects.key_of(body)
            found = await self.behind.read(resource, key)
            if found.live is not None:
                await self.behind.delete(resource, key, uid=found.live["metadata"]["uid"])
        return answer


def busy(here: world.World) -> None:
    """From now on changes of the Deployment are put off."""
    dev = here.members.get("dev-1")
    if dev is not None and worlds.DEPLOYMENT in dev.server.held:
        dev.server.instead = _puts_off


def _puts_off(verb: str, key: objects.Key) -> api.Answer | None:
    is_it = (verb, key) == ("apply", worlds.DEPLOYMENT)
    return api.Answer(status=api.Status.LATER) if is_it else None


def test_6_an_agent_that_deletes_because_of_an_error():
    assert 6 in broken(with_agent(Hasty), storyline.CHAPTERS[:2], busy)


def test_an_agent_that_waits_when_the_server_is_busy_deletes_nothing():
    assert 6 not in broken(worlds.small, storyline.CHAPTERS[:2], busy)


class Sweeping(Through):
    """Deletes the whole neighbourhood of what it deletes."""

    async def delete(self, resource: api.Resource, key: objects.Key, *, uid: str) -> api.Answer:
        for kind, other in ((NAMESPACES, worlds.NAMESPACE), (CONFIGMAPS, STRANGER)):
            found = await self.behind.read(kind, other)
            if found.live is not None:
                await self.behind.delete(kind, other, uid=found.live["metadata"]["uid"])
        return await self.behind.delete(resource, key, uid=uid)


STRANGER = objects.Key(group="", kind="ConfigMap", namespace="hello", name="stranger")


def furnished(here: world.World) -> None:
    """Somebody else's object lies beside ours."""
    for member in here.members.values():
        if worlds.NAMESPACE in member.server.held and STRANGER not in member.server.held:
            metadata = {"name": "stranger", "namespace": "hello"}
            body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}
            member.server.create("kubectl", CONFIGMAPS, body)


def test_7_and_9_an_agent_that_deletes_a_namespace_and_what_is_not_its_own():
    assert {7, 9} <= broken(with_agent(Sweeping), storyline.CHAPTERS, furnished)


class Careless(Through):
    """Thinks that the inventory can wait."""

    async def create(self, resource: api.Resource, body: json_values.JsonObject) -> api.Answer:
        if body["metadata"]["name"] == "inventory":
            return api.Answer(status=api.Status.DONE, live=body)
        return await self.behind.create(resource, body)

    async def replace(self, resource: api.Resource, body: json_values.JsonObject) -> api.Answer:
        if body["metadata"]["name"] == "inventory":
            return await self.behind.create(resource, body)
        return await self.behind.replace(resource, body)


def test_8_an_agent_that_writes_objects_before_their_membership():
    assert 8 in broken(with_agent(Careless))


class Stretching(Through):
    """Writes that a soak began an hour before it did."""

    async def commit(self, write: store.Write) -> Head:
        return await self.behind.commit(replace(write, rows=tuple(map(_stretched, write.rows))))


def _stretched(row: ledger.Row) -> ledger.Row:
    if not isinstance(row, observed.Soak) or row.running is None:
        return row
    began = row.running.began - timedelta(hours=1)
    return replace(row, running=replace(row.running, began=began))


@pytest.mark.threat(102)
def test_11_a_hub_that_lets_a_soak_begin_before_anybody_looked():
    assert 11 in broken(with_hub(lambda hub: setattr(hub, "book", Stretching(hub.book))))


class Lying(Through):
    """Shows the files of another commit, as a repository would whose object store was tampered with."""

    shown: names.CommitId | None = None

    async def snapshot(self, commit: names.CommitId) -> snapshots.Snapshot:
        found = await self.behind.snapshot(commit)
        told = await self.behind.commit(commit)
        if told.subject == "by hand":
            other = await self.behind.snapshot(told.parents[0])
            return replace(other, commit=commit)
        return found


def deceived(hub: hubs.Hub) -> None:
    lying = Lying(hub.tools.repository)
    hub.tools = replace(hub.tools, repository=lying)
    hub.repository = lying


async def by_hand(story: storyline.Story) -> None:
    story.here.remote.commit("staging", {worlds.GREETING: "kind: Other\n"}, "by hand")
    await story.here.pass_time(20.0)


@pytest.mark.threat(29)
def test_10_a_hub_that_accepts_what_upstream_never_had():
    assert 10 in broken(with_hub(deceived), (storyline.start, by_hand))
    assert 10 not in broken(worlds.small, (storyline.start, by_hand))


class Stubborn(memory.Last[Any]):
    """Believes for good what it worked out first."""

    async def of(self, environment: names.Environment, _: object, make: Any) -> Any:
        return await super().of(environment, "always", make)


@pytest.mark.parametrize("stubborn", [True, False])
def test_12_a_hub_that_decides_by_what_it_remembers(stubborn: bool):
    lives: list[hubs.Hub] = []

    def change(hub: hubs.Hub) -> None:
        lives.append(hub)
        if stubborn:
            hub.settled = Stubborn()

    async def again(story: storyline.Story) -> None:
        worlds.with_image(story.here, "dev", "latest")
        await story.here.pass_time(20.0)
        async with lives[-1].deciding:
            await redeciding.check(lives[-1], story.watch)

    assert (12 in broken(with_hub(change), (storyline.start, again))) is stubborn


class Robbing(Through):
    """The hub until all is well, and from then on whoever has its key."""

    thief: Any = None

    async def serve(self, question: link.Question) -> answers.Reply:
        if self.thief is None and worlds.is_healthy(self.behind, "dev"):
            dev = names.Environment("dev")
            self.thief = thieves.Thief(here=self.behind, environment=dev, data=thieves.EVIL)
        return await (self.thief or self.behind).serve(question)


async def a_while(story: storyline.Story) -> None:
    await story.here.pass_time(300.0)


def test_16_agents_without_a_trust_file_that_obey_a_thief():
    def made() -> world.World:
        here = worlds.small()
        here.add_cluster("dev-1").wire.hub = Robbing(here)
        return here

    assert 16 in broken(made, (storyline.start, a_while), robbed=frozenset({"dev-1"}))


def test_17_a_cluster_that_repeats_what_it_denies():
    """The simulated API server has no mask: what admission says of an object is in the next report."""

    def echo(here: world.World) -> None:
        for member in here.members.values():
            member.server.deny = lambda _verb, key, body: (
                str(body.get("data", "")) if key == storyline.EXTRA_KEY else ""
            )

    secrets = (b"word': 'more",)
    assert 17 in broken(worlds.small, UNTIL_PROMOTED, echo, canaries=secrets)
    assert 17 not in broken(worlds.small, UNTIL_PROMOTED, canaries=secrets)


class Faithful(ledger.Ledger):
    """Never learns that a cluster has another key."""

    def take(self, row: ledger.Row) -> None:
        known = self.clusters.get(row.cluster) if isinstance(row, ledger.ClusterState) else None
        if known is not None and isinstance(row, ledger.ClusterState):
            row = replace(row, public_key=known.public_key)
        super().take(row)


class FaithfulBook(Through):
    async def load(self) -> ledger.Ledger:
        found = Faithful()
        loaded = await self.behind.load()
        for row in (
            loaded.seal,
            *loaded.environments.values(),
            *loaded.releases.values(),
            *loaded.clusters.values(),
        ):
            found.take(row)
        return found

    async def commit(self, write: store.Write) -> Head:
        return await self.behind.commit(write)


async def another_key(story: storyline.Story) -> None:
    """The document names another key; the agent goes on with the one that it has."""
    here = story.here
    path = worlds.path_of("dev", "dev-1")
    document = json.loads(here.remote.read("dev", path))
    again = enrolment.document(
        cluster=names.Cluster("dev-1"),
        environment=names.Environment("dev"),
        uid=document["spec"]["uid"],
        kubernetes_version="1.36",
        labels={},
        key=keys.generate(),
    )
    here.remote.commit("dev", {path: json.dumps(again)}, "another key")
    await here.pass_time(120.0)


@pytest.mark.threat(69)
def test_18_a_hub_that_answers_to_a_key_that_was_removed():
    chapters = (storyline.start, another_key)
    spoiled = with_hub(lambda hub: setattr(hub, "book", FaithfulBook(hub.book)))
    assert 18 in broken(spoiled, chapters)
    assert 18 not in broken(worlds.small, chapters)


class Rosy(ledger.Ledger):
    """Believes every cluster healthy that it has sent something to."""

    def take(self, row: ledger.Row) -> None:
        if isinstance(row, ledger.ClusterState) and row.dispatch is not None:
            row = replace(row, report=_rosy(row))
        super().take(row)


def _rosy(row: ledger.ClusterState) -> messages.Report:
    dispatch = row.dispatch
    assert dispatch is not None
    return messages.Report(
        cluster=row.cluster,
        environment=row.environment,
        uid=row.uid,
        number=row.report.number if row.report else 0,
        era=dispatch.era,
        sequence=dispatch.sequence,
        slice=dispatch.slice,
        release=row.release,
        at=dispatch.issued,
        health=health.Health.CURRENT,
        applied=True,
        outcomes=(),
        objects=1,
        kubernetes="v1.36.3",
    )


class RosyBook(Through):
    async def load(self) -> ledger.Ledger:
        return Rosy()


def test_13_a_hub_that_does_not_wait_for_the_wave_before():
    assert 13 in broken(with_hub(lambda hub: setattr(hub, "book", RosyBook(hub.book))))


@pytest.mark.threat(105)
def test_14_a_record_that_was_edited():
    def edit(here: world.World) -> None:
        kept = here.shelf.synced.records
        if len(kept) > 10:
            kept[3] = kept[3].replace(b"2026", b"2025")

    assert 14 in broken(worlds.small, UNTIL_PROMOTED, edit)


@pytest.mark.threat(105)
def test_14_a_tail_that_was_cut():
    def cut(here: world.World) -> None:
        del here.shelf.synced.records[10:]

    assert 14 in broken(worlds.small, UNTIL_PROMOTED, cut)


class Dozing(Through):
    """Does not see what people do by hand."""

    async def watch(self, resource: api.Resource, **more: Any) -> AsyncIterator[api.Event]:
        async for event in self.behind.watch(resource, **more):
            entries = event.live["metadata"].get("managedFields", ()) if event.live else ()
            if not any(each["manager"] == "kubectl" for each in entries):
                yield event


def test_15_an_agent_that_does_not_see_drift():
    assert 15 in broken(with_agent(Dozing), (*UNTIL_PROMOTED, storyline.drift))


def test_nothing_is_broken_where_nothing_is_spoiled():
    assert broken(worlds.small) == set()


def test_every_invariant_has_a_test_here_that_breaks_it():
    told = {n for name in globals() for n in re.findall(r"(?:^test|_and)_(\d+)(?=_)", name)}
    assert {int(each) for each in told} == invariants.INVARIANTS.keys()
