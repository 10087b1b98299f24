"""Attacks and faults on a fleet that runs: what must not happen does not happen, and afterwards it goes on."""

import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

import invariants
import replaying
import storyline
import worlds
from fleet.audit import records
from fleet.hub import state as hubs
from fleet.model import json_values, ledger, names, objects
from fleet.ports import answers, repository
from fleet.ports import cluster as api
from fleet.protocol import keys
from fleet.simulation import book, clock, faults, link, world

CONFIGMAPS = api.Resource(
    group="",
    version="v1",
    kind="ConfigMap",
    plural="configmaps",
    namespaced=True,
    versions=("v1",),
)
STRANGER = objects.Key(group="", kind="ConfigMap", namespace="hello", name="stranger")


@contextlib.asynccontextmanager
async def running(
    hub: world.HubFactory | None = None,
) -> AsyncIterator[storyline.Story]:
    """A fleet of four clusters that is healthy everywhere. Invariants are checked at the end."""
    here = worlds.small(hub)
    story = storyline.Story(here=here, watch=invariants.Watch(here))
    try:
        await storyline.start(story)
        yield story
        story.watch.check()
        await replaying.check(here)
    finally:
        await here.close()


def book_of(here: world.World) -> ledger.Ledger:
    return worlds.book(here)


def verdict(here: world.World, environment: str) -> tuple[str, str]:
    """On the newest tip that was seen: the verdict, and what it is to what runs."""
    found = worlds.decision(here, environment)
    return (found.verdict.value, found.lineage.value) if found else ("", "")


def hold(here: world.World, environment: str) -> str:
    return book_of(here).environments[names.Environment(environment)].hold


@pytest.mark.threat(22)
def test_one_environments_bad_file_holds_nobody_else():
    async def told() -> None:
        async with running() as story:
            here = story.here
            here.remote.commit("dev", {worlds.WEB: "kind: [unclosed"}, "broken")
            await story.until("refusal", lambda: verdict(here, "dev")[0] == "refused")
            dev = here.members["dev-1"].server
            dev.edit("kubectl", worlds.DEPLOYMENT, lambda body: body["spec"].update(replicas=7))
            await worlds.register(here, "prod-us", "prod")
            await story.healthy("prod", "another environment goes on")
            await story.until(
                "what runs is kept", lambda: dev.held[worlds.DEPLOYMENT]["spec"]["replicas"] == 2
            )
            assert book_of(here).in_force(names.Environment("dev")) is not None

    clock.run(told())


@pytest.mark.threat(23)
@pytest.mark.parametrize("how", ["reset", "orphan"])
def test_a_rewritten_branch_waits_and_nothing_moves(how: str):
    async def told() -> None:
        async with running() as story:
            here = story.here
            before = here.remote.branches["dev"]
            worlds.with_image(here, "dev", "1.5.0")
            await story.healthy("dev", "a new version")
            here.remote.orphan("dev") if how == "orphan" else here.remote.force("dev", before)
            await story.until(
                "noticed", lambda: verdict(here, "dev") == ("waiting", "rewritten branch")
            )
            await here.pass_time(120.0)
            assert worlds.image(here, "dev-1").endswith(":1.5.0")
            assert story.watch.deleted == 0

    clock.run(told())


@pytest.mark.threat(24)
def test_a_branch_that_is_gone_holds_and_deletes_nothing():
    async def told() -> None:
        async with running() as story:
            here = story.here
            tip = here.remote.branches["prod"]
            here.remote.delete("prod")
            await story.until("noticed", lambda: "is not there" in hold(here, "prod"))
            await here.pass_time(300.0)
            assert story.watch.deleted == 0
            assert worlds.DEPLOYMENT in here.members["prod-eu"].server.held
            here.remote.force("prod", tip)
            await story.until("back", lambda: hold(here, "prod") == "")
            await storyline.rest(story)

    clock.run(told())


class Moving:
    """A branch moves right after each fetch that has seen it at its place."""

    def __init__(self, behind: Any) -> None:
        self.behind = behind
        self.after_fetch: Callable[[], None] = lambda: None

    def __getattr__(self, name: str) -> Any:
        return getattr(self.behind, name)

    async def fetch(self) -> repository.Tips:
        tips: repository.Tips = await self.behind.fetch()
        self.after_fetch()
        return tips


@pytest.mark.threat(25)
def test_a_branch_that_moves_under_a_decision_is_read_by_commit():
    moving: list[Moving] = []

    def change(hub: hubs.Hub) -> None:
        moving.append(Moving(hub.repository))
        hub.repository = moving[0]

    async def told() -> None:
        async with running(worlds.hub(change=change)) as story:
            here = story.here
            good = worlds.with_image(here, "dev", "1.5.0")

            def move() -> None:
                if here.remote.branches["dev"] == good:
                    worlds.with_image(here, "dev", "latest")

            moving[0].after_fetch = move
            await story.until("refusal", lambda: verdict(here, "dev")[0] == "refused")
            accepted = book_of(here).in_force(names.Environment("dev"))
            assert accepted is not None
            assert accepted.commit == good
            await story.until("it runs", lambda: worlds.image(here, "dev-1").endswith(":1.5.0"))

    clock.run(told())


@pytest.mark.threat(26)
def test_one_push_of_two_environments_is_decided_upstream_first():
    async def told() -> None:
        async with running() as story:
            here = story.here
            commit = worlds.with_image(here, "dev", "1.5.0")
            merge = worlds.promote(here, "dev", "staging")
            await story.healthy("staging", "both")
            decided = [
                (r.body["commit"], r.body["verdict"])
                for r in story.watch.chain()
                if r.kind is records.Kind.DECISION
            ]
            assert decided.index((commit, "accepted")) < decided.index((merge, "waiting"))
            assert decided.index((merge, "waiting")) < decided.index((merge, "accepted"))

    clock.run(told())


@pytest.mark.threat(58)
@pytest.mark.threat(59)
@pytest.mark.parametrize("how", ["replayed", "edited", "by a stranger"])
def test_a_report_that_is_not_new_and_genuine_changes_no_fact(how: str):
    def forged(report: bytes) -> bytes:
        if how == "replayed":
            return report
        envelope = json_values.decode(report)
        if how == "edited":
            return json_values.encode(
                {**envelope, "payload": envelope["payload"][:-8] + "AAAAAAA="}
            )
        signature = {**envelope["signatures"][0], "keyid": keys.id_of(keys.generate().public)}
        return json_values.encode({**envelope, "signatures": [signature]})

    async def told() -> None:
        async with running() as story:
            here = story.here
            seen: list[link.Exchange] = []
            here.on_exchange = lambda _, exchange: seen.append(exchange)
            dev = here.members["dev-1"].server
            dev.edit("kubectl", worlds.DEPLOYMENT, lambda body: body["spec"].update(replicas=5))
            await story.until("reported", lambda: any(e.what == "report" for e in seen))
            await here.pass_time(30.0)
            before = here.shelf.synced.writes
            report = next(e.sent for e in seen if e.what == "report")
            reply = await here.serve(lambda hub: hub.report(forged(report)))
            assert reply.status == 401
            assert here.shelf.synced.writes == before

    clock.run(told())


class Replaying:
    """Whoever has taken the hub's place answers each poll with a dispatch that was seen before."""

    def __init__(self, hub: link.Hub, old: answers.Reply) -> None:
        self.hub, self.old = hub, old
        self.given = 0

    async def serve(self, question: link.Question) -> answers.Reply:
        reply = await self.hub.serve(question)
        if reply.status == 304 or b"payloadType" in reply.body:
            self.given += 1
            return self.old
        return reply


@pytest.mark.threat(60)
def test_an_old_dispatch_takes_no_cluster_back():
    async def told() -> None:
        here = worlds.small()
        seen: list[answers.Reply] = []
        story = storyline.Story(here=here, watch=invariants.Watch(here))

        def note(_: str, exchange: link.Exchange) -> None:
            if (exchange.what, exchange.reply.status) == ("poll", 200):
                seen.append(exchange.reply)

        here.on_exchange = note
        await worlds.register(here, "dev-1", "dev")
        here.hub.start()
        await story.healthy("dev", "the first version")
        worlds.with_image(here, "dev", "1.5.0")
        await story.healthy("dev", "the second version")
        liar = Replaying(here, seen[0])
        here.members["dev-1"].wire.hub = liar
        await here.pass_time(600.0)
        assert liar.given > 3
        assert worlds.image(here, "dev-1").endswith(":1.5.0")
        assert story.watch.broken == []
        await here.close()

    clock.run(told())


@pytest.mark.threat(61)
def test_an_agent_whose_polls_are_withheld_keeps_its_slice_and_says_that_it_is_stale():
    async def told() -> None:
        settings = hubs.Settings(poll_interval=2.0, dispatch_lifetime=600)
        async with running(worlds.hub(settings=settings)) as story:
            here = story.here
            member = here.members["dev-1"]
            assert member.agent.process is not None
            member.agent.process.plan = faults.always(faults.Fault.BEFORE, "link.poll")
            await here.pass_time(60.0)  # no poll is under way any more
            worlds.with_image(here, "dev", "1.5.0")

            def is_stale() -> bool:
                report = book_of(here).clusters[names.Cluster("dev-1")].report
                return report is not None and report.stale

            await story.until("shown as stale", is_stale)
            assert worlds.image(here, "dev-1").endswith(":1.4.2")
            member.server.edit(
                "kubectl", worlds.DEPLOYMENT, lambda b: b["spec"].update(replicas=9)
            )
            await story.until(
                "still kept",
                lambda: member.server.held[worlds.DEPLOYMENT]["spec"]["replicas"] == 2,
            )
            assert story.watch.deleted == 0
            member.agent.process.plan = faults.nothing
            await story.healthy("dev", "caught up")

    clock.run(told())


@pytest.mark.threat(78)
@pytest.mark.parametrize("trouble", ["down", "busy"])
def test_an_api_server_in_trouble_in_mid_apply_loses_nothing(trouble: str):
    async def told() -> None:
        async with running() as story:
            here = story.here
            target = here.members["dev-1"].server
            asked: list[float] = []

            def late(verb: str, _: objects.Key) -> api.Answer | None:
                if verb != "apply":
                    return None
                asked.append(here.clock.now().timestamp())
                return api.Answer(status=api.Status.LATER, retry_after=3.0)

            if trouble == "down":
                target.is_down = True
                target.tear()
            else:
                target.instead = late
            here.remote.commit("dev", {storyline.EXTRA: storyline.CONFIG}, "More")
            worlds.with_image(here, "dev", "1.5.0")
            await here.pass_time(120.0)
            assert story.watch.deleted == 0
            assert not worlds.is_healthy(here, "dev")
            pauses = [b - a for a, b in zip(asked, asked[2:], strict=False)]
            assert all(pause >= 3.0 for pause in pauses)
            target.is_down, target.instead = False, lambda _verb, _key: None
            await story.healthy("dev", "went on")
            assert story.watch.deleted == 0

    clock.run(told())


@pytest.mark.threat(82)
def test_what_discovery_cannot_tell_is_not_pruned_and_not_forgotten():
    async def told() -> None:
        async with running() as story:
            here = story.here
            member = here.members["dev-1"]
            document = here.remote.read("dev", worlds.WEB).decode().partition("---\n")
            await member.agent.stop()
            member.server.unknown_groups = frozenset({"apps"})
            member.agent.start()
            here.remote.commit("dev", {worlds.WEB: document[2]}, "No Deployment any more")
            await here.pass_time(400.0)
            assert worlds.DEPLOYMENT in invariants.members_of(member.server)
            assert story.watch.deleted == 0
            member.server.unknown_groups = frozenset()
            await story.until("gone", lambda: worlds.DEPLOYMENT not in member.server.held)

    clock.run(told())


@pytest.mark.threat(82)
def test_torn_watches_are_taken_up_again():
    async def told() -> None:
        async with running() as story:
            target = story.here.members["dev-1"].server
            for _ in range(5):
                target.tear()
                target.edit("kubectl", worlds.DEPLOYMENT, lambda b: b["spec"].update(replicas=4))
                await story.until(
                    "put back", lambda: target.held[worlds.DEPLOYMENT]["spec"]["replicas"] == 2
                )
            assert story.watch.deleted == 0

    clock.run(told())


@pytest.mark.threat(83)
def test_a_deletion_that_admission_refuses_is_told_and_stays_ours():
    async def told() -> None:
        async with running() as story:
            here = story.here
            member = here.members["dev-1"]
            here.remote.commit("dev", {storyline.EXTRA: storyline.CONFIG}, "More")
            await story.healthy("dev", "there")
            member.server.deny = lambda verb, _key, _body: "keep it" if verb == "delete" else ""
            here.remote.commit("dev", {storyline.EXTRA: None}, "Less")

            def is_told() -> bool:
                report = book_of(here).clusters[names.Cluster("dev-1")].report
                return any(
                    "keep it" in each.message for each in (report.outcomes if report else ())
                )

            await story.until("told", is_told)
            assert storyline.EXTRA_KEY in invariants.members_of(member.server)
            member.server.deny = lambda _verb, _key, _body: ""
            await story.healthy("dev", "gone at last")
            assert storyline.EXTRA_KEY not in member.server.held

    clock.run(told())


@pytest.mark.threat(90)
def test_a_foreign_object_with_our_label_is_not_pruned():
    async def told() -> None:
        async with running() as story:
            here = story.here
            target = here.members["dev-1"].server
            labels = target.held[worlds.CONFIG]["metadata"]["labels"]
            metadata = {"name": "stranger", "namespace": "hello", "labels": labels}
            body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}
            target.create("kubectl", CONFIGMAPS, body)
            worlds.with_image(here, "dev", "1.5.0")
            await story.healthy("dev", "a new version")
            await here.pass_time(120.0)
            assert STRANGER in target.held

    clock.run(told())


@pytest.mark.threat(92)
def test_a_commit_that_deletes_half_of_it_is_refused_without_a_permit():
    async def told() -> None:
        async with running() as story:
            here = story.here
            gone = {worlds.WEB: None, worlds.GREETING: None}
            here.remote.commit("dev", gone, "Nearly nothing left")
            await story.until("refusal", lambda: verdict(here, "dev")[0] == "refused")
            found = worlds.decision(here, "dev")
            assert found is not None
            assert "deletion-guard" in {each.rule for each in found.findings}
            await here.pass_time(60.0)
            assert story.watch.deleted == 0

    clock.run(told())


@pytest.mark.threat(96)
@pytest.mark.parametrize("nth", [1, 2, 4, 7])
def test_a_tail_that_was_never_synced_let_nothing_out(nth: int):
    written: list[int] = []

    def plan(_: int, what: str) -> faults.Fault | None:
        if what == "book.write":
            written.append(1)
            return faults.Fault.CRASH if len(written) == nth else None
        return None

    async def told() -> None:
        here = worlds.small()
        here.hub.plans = [plan]
        story = storyline.Story(here=here, watch=invariants.Watch(here))
        await storyline.start(story)
        assert here.hub.ended == ["crashed"]
        await storyline.rest(story)
        await here.close()

    clock.run(told())


@pytest.mark.threat(98)
def test_a_hub_with_an_empty_book_sends_nothing_until_someone_recovers_it():
    async def told() -> None:
        async with running() as story:
            here = story.here
            worlds.with_image(here, "dev", "1.5.0")
            await story.healthy("dev", "a new version")
            await _restored(here, book.Pages())
            await story.until("held", lambda: book_of(here).seal.held != "")
            worlds.with_image(here, "dev", "1.6.0")
            await here.pass_time(200.0)
            assert worlds.image(here, "dev-1").endswith(":1.5.0")
            assert story.watch.deleted == 0
            assert not _dispatches(story)
            await here.ask("recover")
            await story.healthy("dev", "goes on")
            assert worlds.image(here, "dev-1").endswith(":1.6.0")
            assert story.watch.deleted == 0

    clock.run(told())


@pytest.mark.threat(99)
def test_an_old_copy_of_the_book_is_noticed_by_what_agents_hold():
    async def told() -> None:
        async with running() as story:
            here = story.here
            old = here.shelf.copy()
            worlds.with_image(here, "dev", "1.5.0")
            await story.healthy("dev", "a new version")
            held = _held(here, "dev-1")
            await _restored(here, old)
            await story.until("held", lambda: book_of(here).seal.held != "")
            await here.pass_time(120.0)
            assert worlds.image(here, "dev-1").endswith(":1.5.0")
            await here.ask("recover")
            worlds.with_image(here, "dev", "1.6.0")
            await story.healthy("dev", "goes on")
            now = _held(here, "dev-1")
            assert now[0] == held[0] + 1
            assert now[1] > held[1]

    clock.run(told())


@pytest.mark.threat(88)
def test_a_second_agent_waits_for_the_first():
    async def told() -> None:
        async with running() as story:
            here = story.here
            member = here.members["dev-1"]
            second = world.Post(name="second", life=member.agent.life)
            second.start()
            await here.pass_time(300.0)
            assert second.process is not None
            assert set(second.process.log) == {"cluster.read"}
            await second.stop()

    clock.run(told())


@pytest.mark.threat(108)
def test_a_hub_that_dies_in_mid_wave_goes_on_with_what_is_newest():
    async def told() -> None:
        async with running() as story:
            here = story.here
            prod = names.Environment("prod")
            for tag in ("1.5.0", "1.6.0"):
                worlds.with_image(here, "dev", tag)
                await story.healthy("dev", f"{tag} in dev")
                worlds.promote(here, "dev", "staging")
                await story.healthy("staging", f"{tag} in staging")
                worlds.promote(here, "staging", "prod")
                await story.until("wave 1", lambda: worlds.is_accepted(here, "prod"))
                assert book_of(here).environments[prod].wave == 1
                here.hub.kill()
            await story.healthy("prod", "the newest everywhere")
            for cluster in ("prod-canary", "prod-eu"):
                assert worlds.image(here, cluster).endswith(":1.6.0")

    clock.run(told())


async def _restored(here: world.World, pages: book.Pages) -> None:
    """The hub is stopped, its book exchanged, and it is started again."""
    await here.hub.stop()
    here.shelf.synced = pages
    here.hub.start()


def _held(here: world.World, cluster: str) -> tuple[int, int]:
    key = objects.Key(group="", kind="Secret", namespace="fleetgate-system", name="pointer")
    dispatch = invariants.held(here.members[cluster].server.held[key])
    return dispatch.era, dispatch.sequence


def _dispatches(story: storyline.Story) -> list[records.Record]:
    return [each for each in story.watch.chain() if each.kind is records.Kind.DISPATCH]
