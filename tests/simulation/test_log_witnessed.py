"""Agents as witnesses of the audit log, in the simulated world: quiet with an honest hub, loud with any other."""

import base64
import contextlib
import copy
import random
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

import invariants
import storyline
import worlds
from fleet.agent import witnessing
from fleet.audit import records, tree, witness
from fleet.hub import state as hubs
from fleet.hub import witnesses
from fleet.model import errors, json_values, names, objects
from fleet.ports import answers
from fleet.protocol import checkpoints
from fleet.simulation import book, clock, faults, link, world

KEY = objects.Key(group="", kind="Secret", namespace="fleetgate-system", name="witness")
PUBLIC = worlds.HUB_KEY.public


@contextlib.asynccontextmanager
async def told() -> AsyncIterator[tuple[storyline.Story, list[hubs.Hub]]]:
    lives: list[hubs.Hub] = []
    here = worlds.small(worlds.hub(change=lives.append))
    story = storyline.Story(here=here, watch=invariants.Watch(here))
    try:
        yield story, lives
        assert here.faults == []
    finally:
        await here.close()


def note_of(here: world.World, cluster: str) -> str:
    """What its agent has stored."""
    return witnessing.decoded(here.members[cluster].server.held.get(KEY))[0]


def seen(here: world.World, cluster: str) -> checkpoints.Checkpoint:
    return checkpoints.read(note_of(here, cluster), PUBLIC)


def evidence(here: world.World, cluster: str) -> list[dict[str, Any]]:
    return witnessing.decoded(here.members[cluster].server.held.get(KEY))[1]


def alarms(here: world.World) -> list[str]:
    return [e["reason"] for name in here.members for e in evidence(here, name) if e["alarm"]]


def outcomes(here: world.World, cluster: str) -> list[str]:
    return [each["outcome"] for each in evidence(here, cluster)]


async def listed(here: world.World) -> dict[str, Any]:
    found = await here.ask("audit checkpoints")
    return {each["cluster"]: each for each in found["clusters"]}


async def restored(here: world.World, pages: book.Pages) -> None:
    await here.hub.stop()
    here.shelf.synced, here.shelf.tail = pages, []
    here.hub.start()


def is_held(here: world.World) -> bool:
    return worlds.book(here).seal.held != ""


async def go_on(story: storyline.Story, tag: str) -> None:
    worlds.with_image(story.here, "dev", tag)
    await story.healthy("dev", tag)
    await story.here.pass_time(130.0)  # every agent has looked at the log since


@pytest.mark.threat(66)
def test_an_honest_hub_alarms_nobody_whatever_it_survives():
    """More than a thousand requests, crashes of hub and agents at any point, lines that are cut."""

    async def main() -> None:
        async with told() as (story, lives):
            here, heard = story.here, []
            await storyline.start(story)
            here.on_exchange = lambda cluster, _: heard.append(cluster)
            for number in range(1, 141):
                await _troubled(here, number)
            here.members["prod-eu"].wire.is_cut = False
            await story.healthy("dev", "at the end")
            await here.pass_time(700.0)
            assert (len(lives) > 30, len(heard) > 1000) == (True, True), len(heard)
            assert len(here.shelf.synced.records) > 400
            assert [evidence(here, each) for each in here.members] == [[]] * 4
            found = await listed(here)
            assert {each["alarm"] for each in found.values()} == {""}
            for name, each in found.items():
                assert each["records"] >= seen(here, name).size > 300
            story.watch.check()

    clock.run(main())


async def _troubled(here: world.World, number: int) -> None:
    worlds.with_image(here, "dev", f"1.5.{number}")
    await here.pass_time(1.0 + number % 7)
    if number % 5 == 0:
        here.hub.plans = [faults.crash_after(40 + number)]
        here.hub.kill()
    if number % 7 == 0:
        here.members["dev-1"].agent.kill()
    here.members["prod-eu"].wire.is_cut = number % 11 in (3, 4, 5)
    await here.pass_time(45.0)


@pytest.mark.threat(98)
@pytest.mark.threat(99)
@pytest.mark.parametrize("seed", range(12))
def test_backups_and_recoveries_in_whatever_order_are_no_alarm(seed: int):
    """An honest hub that is given back older copies again and again, with agents away at any time."""
    chance = random.Random(seed)  # noqa: S311 - the same in each run

    async def main() -> None:
        async with told() as (story, _):
            here = story.here
            await storyline.start(story)
            await worlds.register(here, "dev-2", "dev")
            copies = [here.shelf.copy()]
            for number in range(14):
                await _chanced(chance, number, copies, here)
                assert alarms(here) == [], number
            for each in here.members.values():
                each.agent.start() if each.agent._keeper is None else None
            await _settled(story)
            epochs = {seen(here, each).epoch for each in here.members}
            assert epochs == {worlds.book(here).seal.epoch}
            assert alarms(here) == []

    clock.run(main())


async def _chanced(
    chance: random.Random, number: int, copies: list[book.Pages], here: world.World
) -> None:
    match chance.choice(["commit", "commit", "kill", "away", "copy", "restore", "recover"]):
        case "commit":
            worlds.with_image(here, "dev", f"2.0.{number}")
        case "kill":
            here.hub.kill()
        case "away":
            agent = here.members[chance.choice(sorted(here.members))].agent
            if agent._keeper is None:
                agent.start()
            else:
                await agent.stop()
        case "copy":
            copies.append(here.shelf.copy())
        case "restore":
            await restored(here, copy.deepcopy(chance.choice(copies)))
        case _ if is_held(here):
            with contextlib.suppress(
                errors.UnreachableError
            ):  # killed just now: asked again later
                await here.ask("recover")
    await here.pass_time(chance.choice([1.0, 20.0, 80.0, 200.0]))


async def _settled(story: storyline.Story) -> None:
    """People recover it for as long as agents show that more was lost, and something new comes."""
    here = story.here
    for _ in range(8):
        await here.pass_time(200.0)
        if is_held(here):
            await here.ask("recover")
    worlds.with_image(here, "dev", "3.0.0")
    await here.pass_time(900.0)


def test_what_the_hub_keeps_of_a_cosignature_anybody_can_check():
    async def main() -> None:
        async with told() as (story, _):
            here = story.here
            await storyline.start(story)
            await here.pass_time(130.0)
            for name, each in (await listed(here)).items():
                note = each["note"]
                found = checkpoints.read(note, PUBLIC)
                known = worlds.book(here).clusters[names.Cluster(name)]
                at = checkpoints.cosigned(
                    note,
                    note.splitlines()[-1],
                    environment=known.environment,
                    cluster=known.cluster,
                    public=known.public_key,
                )
                assert at is not None
                pages = here.shelf.synced
                assert tree.root(found.size, pages.nodes.__getitem__) == found.root
            assert len(worlds.book(here).cosigned) == 4

    clock.run(main())


@dataclass
class Forger:
    """In the hub's place, with its key: what it shows of the log is its own affair."""

    here: world.World
    forge: Callable[[witness.Shown], witness.Shown]
    asked: list[witness.Shown] = field(default_factory=list)

    async def serve(self, question: link.Question) -> answers.Reply:
        reply = await self.here.serve(question)
        try:
            shown = witness.decode(json_values.decode(reply.body))
        except (errors.InputError, ValueError):
            return reply
        self.asked.append(shown)
        forged = witness.encode(self.forge(shown))
        return answers.Reply(status=200, body=json_values.encode(forged))


def another(shown: witness.Shown) -> witness.Shown:
    """A log as long, and signed as well, in which something else stands."""
    real = checkpoints.read(shown.checkpoint, PUBLIC)
    forged = replace(real, root=bytes(32))
    return replace(shown, checkpoint=checkpoints.sign(forged, worlds.HUB_KEY))


@pytest.mark.threat(66)
def test_two_histories_shown_to_two_agents_are_found_out():
    async def main() -> None:
        async with told() as (story, _):
            here = story.here
            await storyline.start(story)
            await here.pass_time(130.0)
            here.members["dev-1"].wire.hub = Forger(here, another)
            await go_on(story, "1.5.0")
            before = seen(here, "dev-1")
            honest = tree.root(before.size, here.shelf.synced.nodes.__getitem__)
            assert before.root == honest, "nothing of the forged one is believed"
            assert set(outcomes(here, "dev-1")) == {"forked"}
            piece = evidence(here, "dev-1")[0]
            assert "two histories" in piece["reason"]
            assert checkpoints.read(piece["seen"], PUBLIC) == before
            assert checkpoints.read(piece["shown"], PUBLIC).root == bytes(32)
            found = await listed(here)
            assert "two histories" in found["dev-1"]["alarm"], "it tells the hub"
            assert found["dev-1"]["records"] == before.size, "and cosigns no more of it"
            alarmed = [e for e in story.watch.chain() if e.kind is records.Kind.ALARM]
            assert [e.subject for e in alarmed] == ["dev/dev-1"]
            assert found["staging-1"]["alarm"] == ""
            # What runs goes on, and so does what people and gates let out.
            assert worlds.image(here, "dev-1").endswith(":1.5.0")
            story.watch.check()

    clock.run(main())


@pytest.mark.threat(66)
def test_what_two_agents_saw_is_held_against_each_other():
    """Each of them saw one consistent log: only together they show that there are two."""

    async def main() -> None:
        async with told() as (story, _):
            here = story.here
            await worlds.register(here, "dev-1", "dev")
            member = await worlds.register(here, "dev-2", "dev")
            member.wire.hub = Forger(here, another)
            here.hub.start()
            await story.healthy("dev", "at first")
            await here.pass_time(30.0)
            assert alarms(here) == []
            one, other = (seen(here, each) for each in ("dev-1", "dev-2"))
            hub_says = await consistency(here, one, other)
            found = witness.compare(one, other, hub_says)
            assert found is not None
            assert found.outcome is witness.Outcome.FORKED

    clock.run(main())


async def consistency(
    here: world.World, one: checkpoints.Checkpoint, other: checkpoints.Checkpoint
) -> tuple[bytes, ...]:
    old, new = sorted((one, other), key=lambda each: each.size)
    nodes = here.shelf.synced.nodes
    return tree.consistency(old.size, new.size, nodes.__getitem__)


@pytest.mark.threat(99)
def test_a_log_that_goes_back_is_found_out_by_whoever_saw_it():
    """A hub that shows an older copy and does not hold: as of a thief who wants something forgotten."""

    async def main() -> None:
        async with told() as (story, _):
            here = story.here
            await storyline.start(story)
            await here.pass_time(130.0)
            old = seen(here, "dev-1")
            await go_on(story, "1.5.0")
            note = checkpoints.sign(old, worlds.HUB_KEY)
            forger = Forger(here, lambda shown: replace(shown, checkpoint=note, proof=()))
            here.members["dev-1"].wire.hub = forger
            await here.pass_time(130.0)
            assert outcomes(here, "dev-1") == ["rolled back"]

    clock.run(main())


@pytest.mark.threat(66)
def test_a_new_epoch_without_a_recovery_in_the_log_is_believed_by_nobody():
    def anew(shown: witness.Shown) -> witness.Shown:
        real = checkpoints.read(shown.checkpoint, PUBLIC)
        return replace(
            another(shown),
            checkpoint=checkpoints.sign(replace(real, epoch=7, root=bytes(32)), worlds.HUB_KEY),
        )

    async def main() -> None:
        async with told() as (story, _):
            here = story.here
            await storyline.start(story)
            await here.pass_time(130.0)
            here.members["dev-1"].wire.hub = Forger(here, anew)
            await here.pass_time(130.0)
            assert outcomes(here, "dev-1") == ["forked"]
            assert seen(here, "dev-1").epoch == 1

    clock.run(main())


def test_an_alarm_lasts_until_a_person_clears_it():
    async def main() -> None:
        async with told() as (story, _):
            here = story.here
            await storyline.start(story)
            await here.pass_time(130.0)
            member = here.members["dev-1"]
            member.wire.hub = Forger(here, another)
            await here.pass_time(130.0)
            member.wire.hub = here
            await here.pass_time(130.0)
            assert (await listed(here))["dev-1"]["alarm"] != "", "an honest log does not undo it"
            member.agent.kill()
            await here.pass_time(300.0)
            assert (await listed(here))["dev-1"]["alarm"] != "", "nor does a new life"
            there = member.server.held[KEY]
            secrets = member.server.resources()["", "Secret"]
            await member.people().delete(secrets, KEY, uid=there["metadata"]["uid"])
            await here.pass_time(200.0)
            assert (await listed(here))["dev-1"]["alarm"] == ""
            assert evidence(here, "dev-1") == []

    clock.run(main())


@pytest.mark.threat(98)
@pytest.mark.threat(99)
@pytest.mark.parametrize("age", ["older", "empty"])
def test_an_older_book_holds_and_after_recovery_the_log_says_so_itself(age: str):
    async def main() -> None:
        async with told() as (story, _):
            here = story.here
            await storyline.start(story)
            await here.pass_time(130.0)
            old = here.shelf.copy() if age == "older" else book.Pages()
            await go_on(story, "1.5.0")
            await here.pass_time(700.0)
            lost = {name: seen(here, name) for name in here.members}
            note = note_of(here, "dev-1")
            await _recovered(story, old)
            await go_on(story, "1.6.0")
            await here.pass_time(700.0)
            assert alarms(here) == []
            for name, was in lost.items():
                assert seen(here, name).epoch > 1
                assert was.size <= seen(here, name).size or "begun anew" in outcomes(here, name)
            assert any("begun anew" in outcomes(here, name) for name in here.members)
            _check_recorded(story)
            assert await compared(here, note, note_of(here, "dev-1")) is witness.Outcome.ANEW

    clock.run(main())


async def compared(here: world.World, old: str, new: str) -> witness.Outcome:
    """As `fleet audit compare` tells it, with what the hub proves; and without its recovery it is two."""
    asked = await here.ask("audit consistency", {"old": old, "new": new})
    one, other = (checkpoints.read(each, PUBLIC) for each in (old, new))
    proof, began = witness.as_nodes(asked["proof"]), witness.decode_proof(asked["began"])
    alone, found = witness.compare(one, other, proof), witness.compare(one, other, proof, began)
    assert alone is not None
    assert alone.is_alarming
    assert found is not None
    return found.outcome


async def _recovered(story: storyline.Story, old: book.Pages) -> None:
    here = story.here
    await restored(here, old)
    await story.until("held", lambda: is_held(here))
    await here.pass_time(130.0)
    assert alarms(here) == [], "while it holds, nothing is shown to anybody"
    for _ in range(4):  # again for whoever was not heard of before
        if is_held(here):
            await here.ask("recover")
        await here.pass_time(60.0)
    with contextlib.suppress(errors.RefusedError):
        await here.ask("baseline")


def _check_recorded(story: storyline.Story) -> None:
    found = [each for each in story.watch.chain() if each.kind is records.Kind.RECOVERY]
    lost = [each for record in found for each in record.body["lost"]]
    assert {each["epoch"] for each in lost} == {1}
    assert found[-1].body["epoch"] == worlds.book(story.here).seal.epoch


@pytest.mark.threat(99)
def test_a_book_that_lost_only_what_no_dispatch_tells_of_holds_too():
    """The lost part is a refusal and reports: every dispatch that an agent holds is in the old copy."""

    async def main() -> None:
        async with told() as (story, _):
            here = story.here
            await storyline.start(story)
            await here.pass_time(130.0)
            old = here.shelf.copy()
            dispatches = {c.cluster: c.sequence for c in worlds.book(here).clusters.values()}
            commit = worlds.with_image(here, "dev", "latest")
            await story.until("refused", lambda: storyline._is_refused(here, commit))
            await here.pass_time(130.0)
            now = {c.cluster: c.sequence for c in worlds.book(here).clusters.values()}
            assert now == dispatches
            await restored(here, old)
            await story.until("held", lambda: is_held(here))
            assert "another audit log" in worlds.book(here).seal.held

    clock.run(main())


@pytest.mark.threat(105)
def test_a_history_that_was_rewritten_behind_the_hub_is_found_out_by_the_checkpoints():
    """Somebody with the whole database: the chain was linked anew and holds, the tree too."""

    async def main() -> None:
        async with told() as (story, _):
            here = story.here
            await storyline.start(story)
            await here.pass_time(130.0)
            kept = (await here.ask("audit checkpoints"))["checkpoint"]
            fine = await here.ask("audit verify", {"checkpoint": kept})
            assert fine["fault"] == ""
            rewritten = book.Pages(
                rows=dict(here.shelf.synced.rows), slices=dict(here.shelf.synced.slices)
            )
            for number, each in enumerate(story.watch.chain()):
                draft = records.Draft(
                    kind=each.kind, subject=each.subject, at=each.at,
                    body={**each.body, "author": "somebody else"} if number == 3 else each.body,
                )  # fmt: skip
                rewritten.take(world.book.store.Write(records=(draft,)))
            await restored(here, rewritten)
            await story.until("held", lambda: is_held(here))
            found = await here.ask("audit verify", {"checkpoint": kept})
            assert "is not what its first records are" in found["fault"]

    clock.run(main())


def test_a_hub_of_an_earlier_version_shows_no_log_and_is_served_all_the_same():
    class Earlier:
        def __init__(self, here: world.World) -> None:
            self.here = here

        async def serve(self, question: link.Question) -> answers.Reply:
            class Desk:
                def __getattr__(self, name: str) -> Any:
                    async def nothing(*_: Any) -> answers.Reply:
                        return answers.Reply(status=304)

                    return nothing if name == "witness" else None

            probe = question(Desk()) if _is_witness(question) else None
            return await (probe if probe is not None else self.here.serve(question))

    async def main() -> None:
        async with told() as (story, _):
            here = story.here
            member = await worlds.register(here, "dev-1", "dev")
            member.wire.hub = Earlier(here)
            here.hub.start()
            await story.healthy("dev", "as ever")
            assert KEY not in member.server.held or evidence(here, "dev-1") == []

    clock.run(main())


def _is_witness(question: link.Question) -> bool:
    return "witness" in question.__code__.co_names  # type: ignore[attr-defined]


def test_nobody_but_the_agent_itself_cosigns_for_it():
    async def main() -> None:
        async with told() as (story, lives):
            here = story.here
            await storyline.start(story)
            await here.pass_time(130.0)
            hub = lives[-1]
            before = witnesses.newest(hub)[names.Cluster("dev-1")]
            note = checkpoints.sign(seen(here, "dev-1"), worlds.HUB_KEY)
            line = checkpoints.cosign(
                note,
                environment=names.Environment("dev"),
                cluster=names.Cluster("dev-1"),
                key=worlds.HUB_KEY,
                now=here.clock.now(),
            )
            asked = witnessing.messages.Witness(
                cluster=names.Cluster("dev-1"), environment=names.Environment("dev"),
                uid="u", checkpoint=note, cosignature=line, alarm="",
            )  # fmt: skip
            await witnesses.show(asked, hub)
            assert witnesses.newest(hub)[names.Cluster("dev-1")] == before

    clock.run(main())


def test_a_damaged_memory_is_begun_anew():
    async def main() -> None:
        async with told() as (story, _):
            here = story.here
            await storyline.start(story)
            await here.pass_time(130.0)
            member = here.members["dev-1"]
            await member.agent.stop()
            broken = base64.b64encode(b"\xff{").decode()
            member.server.edit(
                "kubectl",
                KEY,
                lambda body: body.update(data={"checkpoint": broken, "evidence": broken}),
            )
            member.agent.start()
            await here.pass_time(900.0)
            await go_on(story, "1.5.0")
            assert seen(here, "dev-1").size > 0

    clock.run(main())
