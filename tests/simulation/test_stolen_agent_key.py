"""Whoever has one agent's key: reads one slice, has one vote, and is nobody after one commit (threat 69)."""

import json
from dataclasses import dataclass, replace

import pytest

import invariants
import storyline
import worlds
from fleet.agent import enrolment
from fleet.model import health, messages, names
from fleet.ports import answers
from fleet.protocol import enrolment as documents
from fleet.protocol import keys, requests
from fleet.simulation import clock, link, world

STOLEN = "dev-2"


@dataclass(kw_only=True)
class Thief:
    """Somewhere else, with a copy of the Secret of one cluster's agent."""

    here: world.World
    key: keys.SigningKey
    counter: int = 1 << 60

    async def say(self, what: str, message: requests.Message) -> answers.Reply:
        session = json.loads((await self.here.serve(lambda hub: hub.session())).body)["session"]
        self.counter += 1
        sent = requests.seal(message, session=session, counter=self.counter, key=self.key)
        asked = await self.here.serve(_QUESTIONS[what](sent))
        self.here.on_exchange(STOLEN, link.Exchange(what=what, sent=sent, reply=asked))
        return asked

    async def fetch(self, cluster: str, digest: names.SliceDigest) -> answers.Reply:
        known = self.here.members[cluster].server
        asked = messages.Fetch(
            cluster=names.Cluster(cluster),
            environment=names.Environment("dev"),
            uid=known.uid,
            slice=digest,
        )
        return await self.say("fetch", asked)


_QUESTIONS = {
    "fetch": lambda sent: lambda hub: hub.fetch(sent),
    "report": lambda sent: lambda hub: hub.report(sent),
}


async def begin() -> tuple[storyline.Story, Thief]:
    """Three clusters in dev and one in staging, all well."""
    here = worlds.small()
    story = storyline.Story(here=here, watch=invariants.Watch(here))
    for name in ("dev-1", STOLEN, "dev-3"):
        await worlds.register(here, name, "dev")
    await worlds.register(here, "staging-1", "staging")
    here.hub.start()
    await story.healthy("dev", "dev at first")
    await story.healthy("staging", "staging at first")
    found = await enrolment.read(here.members[STOLEN].people())
    return story, Thief(here=here, key=found.key)


@pytest.mark.threat(69)
@pytest.mark.threat(67)
def test_it_reads_its_own_slice_and_no_other():
    async def main() -> None:
        story, thief = await begin()
        release = worlds.book(story.here).in_force(names.Environment("dev"))
        assert release is not None
        statuses = {
            (name, of): (await thief.fetch(name, release.slices[names.Cluster(of)])).status
            for name in ("dev-1", STOLEN)
            for of in ("dev-1", STOLEN, "dev-3")
        }
        assert {pair for pair, status in statuses.items() if status == 200} == {(STOLEN, STOLEN)}
        assert statuses[STOLEN, "dev-1"] == 404
        story.watch.check()
        await story.here.close()

    clock.run(main())


@pytest.mark.threat(69)
def test_its_lies_are_one_vote_and_one_commit_makes_it_nobody():
    async def main() -> None:
        story, thief = await begin()
        here = story.here
        for name in ("dev-1", STOLEN, "dev-3"):
            here.members[name].server.ready_after = 3600.0
        worlds.with_image(here, "dev", "1.5.0")
        await story.until("accepted", lambda: worlds.is_accepted(here, "dev"))
        await here.pass_time(60.0)
        worlds.promote(here, "dev", "staging")
        assert (await thief.say("report", lie(here))).status == 200
        await here.pass_time(60.0)
        assert not worlds.is_accepted(here, "staging")
        decision = worlds.decision(here, "staging")
        assert decision is not None
        (gate,) = [each for each in decision.gates if each.gate == "upstream health"]
        assert STOLEN not in gate.reason
        assert "dev-1" in gate.reason

        told = lie(here)
        await rekey(here)
        await story.until("accepted", lambda: worlds.is_accepted(here, "dev"))
        assert (await thief.say("report", told)).status == 401
        assert (await thief.fetch(STOLEN, told.slice)).status == 401
        story.watch.check()
        await here.close()

    clock.run(main())


def lie(here: world.World) -> messages.Report:
    """That all is well."""
    known = worlds.book(here).clusters[names.Cluster(STOLEN)]
    assert known.report is not None
    return replace(
        known.report,
        number=known.report.number + 1,
        health=health.Health.CURRENT,
        applied=True,
        outcomes=(),
        release=known.release,
    )


async def rekey(here: world.World) -> None:
    """The commit that names another key."""
    path = worlds.path_of("dev", STOLEN)
    uid = json.loads(here.remote.read("dev", path))["spec"]["uid"]
    document = documents.document(
        cluster=names.Cluster(STOLEN),
        environment=names.Environment("dev"),
        uid=uid,
        kubernetes_version="1.36",
        labels={},
        key=keys.generate(),
    )
    here.remote.commit("dev", {path: json.dumps(document)}, "another key")


def test_the_answer_that_a_poll_waits_for_is_not_given_to_a_key_that_is_removed_meanwhile():
    async def main() -> None:
        story, _ = await begin()
        here = story.here
        await here.pass_time(30.0)
        seen: list[link.Exchange] = []
        here.on_exchange = lambda name, each: seen.append(each) if name == STOLEN else None
        await rekey(here)
        await here.pass_time(120.0)
        given = [each for each in seen if each.what == "poll"]
        assert {each.reply.status for each in given} == {401}
        assert not any(b"payloadType" in each.reply.body for each in given)
        await here.close()

    clock.run(main())
