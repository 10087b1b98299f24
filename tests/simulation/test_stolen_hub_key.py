"""Whoever has the hub's key and its place, where people must approve: nothing that nobody approved is ever applied."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

import approvers
import builders
import invariants
import replaying
import storyline
import thieves
import worlds
from fleet.audit import records
from fleet.hub import consents
from fleet.hub import state as hubs
from fleet.model import approving, leaving, ledger, names, slices
from fleet.ports import answers
from fleet.protocol import encoding, trustchain
from fleet.simulation import clock, world

DEV = names.Environment("dev")
UNSIGNED = [{"group": "releasers", "count": 1, "unsigned": True}]
EVIL = thieves.EVIL


def trust_files(*versions: approving.TrustFile, environment: str = "dev") -> dict[str, str]:
    return {
        f"trust/{environment}/{number}.{ending}": text
        for number, each in enumerate(versions, start=1)
        for ending, text in (("yaml", each.text), ("sig", each.signatures))
    }


FIRST = approvers.trust(approvals=UNSIGNED)
PIN = trustchain.digest(FIRST.text)


@dataclass
class Stage:
    story: storyline.Story
    lives: list[hubs.Hub] = field(default_factory=list)

    @property
    def here(self) -> world.World:
        return self.story.here

    @property
    def hub(self) -> hubs.Hub:
        return self.lives[-1]

    def robbed(self) -> None:
        """What is said on the wire from here on is not what the hub recorded; what is applied must be."""
        self.here.on_exchange = lambda _cluster, _exchange: None

    def subject(self) -> approving.Subject:
        """What an approver's machine would compute of the tip."""
        found = self.hub.consents[DEV][1].subject
        return replace(found)

    async def waits(self, commit: names.CommitId) -> None:
        def is_waiting() -> bool:
            found = worlds.decision(self.here, "dev")
            gates = [] if found is None or found.commit != commit else list(found.gates)
            return any(
                (each.gate, each.state) == ("approvals", ledger.GateState.WAITING)
                for each in gates
            )

        await self.story.until("waits for approval", is_waiting)

    async def approve(
        self, who: approvers.Person = approvers.BERT, **fields: Any
    ) -> answers.Reply:
        fields = {"expires": builders.later(7 * 86400, self.here.clock.now()), **fields}
        signed = who.says(fields.pop("subject", self.subject()), **fields)
        return await self.here.serve(lambda hub: hub.approve(encoding.encode(signed)))


@contextlib.asynccontextmanager
async def strict() -> AsyncIterator[Stage]:
    """dev with one cluster, trust version 1, and its first content approved and healthy."""
    found: list[hubs.Hub] = []
    here = worlds.small(worlds.hub(change=found.append))
    stage = Stage(storyline.Story(here=here, watch=invariants.Watch(here)), found)
    try:
        here.add_cluster("dev-1")
        document = await worlds.enroll(here, "dev-1", "dev", pinned=PIN)
        files = {worlds.path_of("dev", "dev-1"): document, **trust_files(FIRST)}
        tip = here.remote.commit("dev", files, "Register dev-1")
        here.members["dev-1"].agent.start()
        here.hub.start()
        await stage.waits(tip)
        assert (await stage.approve()).status == 200
        await stage.story.healthy("dev", "approved")
        yield stage
        stage.story.watch.check()
        await replaying.check(here)
    finally:
        await here.close()


def a_thief(stage: Stage, **what: Any) -> thieves.Thief:
    return thieves.Thief(here=stage.here, environment=DEV, **{"trust": (FIRST,), **what})


OWNER = approvers.MALLORY
FORGED = approvers.trust(
    signers=(OWNER,),
    people={"ada": [OWNER.line]},
    groups={"owners": ["ada"], "releasers": ["ada"]},
    approvals=[],
)
NEXT = approvers.trust(
    2,
    signers=(OWNER,),
    people={"ada": [OWNER.line], "bert": [approvers.BERT.line]},
    approvals=[],
)
ATTACKS: dict[str, dict[str, Any]] = {
    "another slice with the old approval": {"data": EVIL},
    "it leaves, and everything goes": {
        "data": slices.farewell(leaving.OnRemoval.PRUNE),
        "retire": leaving.OnRemoval.PRUNE,
    },
    "as a change of owned paths": {
        "data": EVIL,
        "stated": {"owned": names.OwnedId(builders.digest("another cluster"))},
    },
    "no trust file at all": {"data": EVIL, "trust": ()},
    "a trust file of the thief's own": {"data": EVIL, "trust": (FORGED,)},
    "a next version that no owner signed": {"data": EVIL, "trust": (FIRST, NEXT)},
    "an approval by somebody else": {
        "data": EVIL,
        "approvals": (OWNER.says(approvers.SUBJECT),),
    },
}


@pytest.mark.threat(68)
@pytest.mark.threat(64)
@pytest.mark.parametrize("attack", ATTACKS)
def test_a_thief_of_the_hubs_key_applies_nothing_and_takes_nothing_away(attack: str):
    async def told() -> None:
        async with strict() as stage:
            member = stage.here.members["dev-1"]
            before = {key: body["metadata"]["uid"] for key, body in member.server.held.items()}
            thief = a_thief(stage, **ATTACKS[attack])
            stage.robbed()
            member.wire.hub = thief
            await stage.here.pass_time(900.0)
            assert thief.given > 3
            assert storyline.EXTRA_KEY not in member.server.held
            assert worlds.DEPLOYMENT in member.server.held
            assert stage.story.watch.deleted == 0
            member.server.edit(
                "kubectl", worlds.DEPLOYMENT, lambda b: b["spec"].update(replicas=9)
            )
            await stage.story.until(
                "what runs is kept so",
                lambda: member.server.held[worlds.DEPLOYMENT]["spec"]["replicas"] == 2,
            )
            assert before.keys() <= member.server.held.keys()
            member.wire.hub = stage.here
            tip = worlds.with_image(stage.here, "dev", "1.5.0")
            await stage.waits(tip)
            await stage.approve()
            await stage.story.healthy("dev", "the hub is itself again")

    clock.run(told())


def test_the_same_attack_works_where_nobody_need_approve():
    """Else the test above would prove nothing."""

    async def told() -> None:
        found: list[hubs.Hub] = []
        here = worlds.small(worlds.hub(change=found.append))
        story = storyline.Story(here=here, watch=invariants.Watch(here))
        await worlds.register(here, "dev-1", "dev")
        here.hub.start()
        await story.healthy("dev", "at first")
        thief = a_thief(Stage(story, found), data=EVIL, trust=())
        member = here.members["dev-1"]
        member.wire.hub = thief
        await here.until(lambda: storyline.EXTRA_KEY in member.server.held)
        await here.close()

    clock.run(told())


@pytest.mark.threat(41)
def test_a_change_of_owned_paths_waits_for_people_too():
    async def told() -> None:
        async with strict() as stage:
            tip = stage.here.remote.commit(
                "dev", {"environments/dev/values.yaml": "a: 1\n"}, "own"
            )
            await stage.waits(tip)
            await stage.approve()
            await stage.story.until("accepted", lambda: worlds.is_accepted(stage.here, "dev"))
            kinds = [each.kind for each in stage.story.watch.chain()]
            assert kinds.count(records.Kind.APPROVAL) == 2

    clock.run(told())


@pytest.mark.threat(58)
@pytest.mark.parametrize("what", ["a stranger's", "garbage", "edited"])
def test_what_nobody_known_signed_is_not_kept(what: str):
    async def told() -> None:
        async with strict() as stage:
            before = stage.here.shelf.synced.writes
            if what == "a stranger's":
                reply = await stage.approve(approvers.MALLORY)
                assert reply.status == 403
            else:
                signed = encoding.encode(approvers.BERT.says(stage.subject()))
                body = b"{" if what == "garbage" else signed.replace(b"approve", b"revoke")
                reply = await stage.here.serve(lambda hub: hub.approve(body))
                assert reply.status == (400 if what == "garbage" else 403)
            assert stage.here.shelf.synced.writes == before

    clock.run(told())


async def _canary_and_another(stage: Stage) -> None:
    here = stage.here
    documents = {
        worlds.path_of("dev", "dev-1"): await worlds.enroll(here, "dev-1", "dev", worlds.CANARY, pinned=PIN),
        worlds.path_of("dev", "dev-2"): await worlds.enroll(here, "dev-2", "dev"),
    }  # fmt: skip
    tip = here.remote.commit("dev", documents, "one more")
    here.members["dev-2"].agent.start()
    await stage.waits(tip)
    await stage.approve()
    await stage.story.healthy("dev", "both")


@pytest.mark.threat(43)
def test_an_approval_that_is_taken_back_stops_the_waves_that_follow():
    async def told() -> None:
        async with strict() as stage:
            here = stage.here
            await _canary_and_another(stage)
            tip = worlds.with_image(here, "dev", "1.5.0")
            await stage.waits(tip)
            here.members["dev-1"].server.is_down = True
            await stage.approve()
            await stage.story.until("accepted", lambda: worlds.is_accepted(here, "dev"))
            await stage.approve(decision=approving.Decision.REVOKE)
            here.members["dev-1"].server.is_down = False
            await here.pass_time(300.0)
            assert worlds.image(here, "dev-2").endswith(":1.4.2")
            release = stage.hub.ledger.in_force(DEV)
            assert release is not None
            assert "0 of 1 people" in consents.lapsed(release, stage.hub)
            await stage.approve(expires=builders.later(86400, here.clock.now()))
            await stage.story.healthy("dev", "approved again")

    clock.run(told())


def test_a_new_trust_file_is_followed_and_the_old_is_never_again():
    async def told() -> None:
        async with strict() as stage:
            second = approvers.trust(
                2,
                people={"ada": [approvers.ADA.line], "cara": [approvers.CARA.line]},
                groups={"owners": ["ada"], "releasers": ["ada", "cara"]},
                approvals=UNSIGNED,
            )
            tip = stage.here.remote.commit("dev", trust_files(FIRST, second), "Cara for Bert")
            await stage.waits(tip)
            await stage.approve(approvers.BERT)  # who counts no longer by what comes
            await stage.here.pass_time(60.0)
            assert not worlds.is_accepted(stage.here, "dev")
            await stage.approve(approvers.ADA)
            await stage.story.healthy("dev", "version 2")
            thief = a_thief(stage, data=EVIL)
            stage.robbed()
            stage.here.members["dev-1"].wire.hub = thief
            await stage.here.pass_time(300.0)
            assert storyline.EXTRA_KEY not in stage.here.members["dev-1"].server.held

    clock.run(told())
