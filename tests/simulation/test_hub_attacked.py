"""The hub under faults and in odd orders: it neither gets stuck nor lets out what was not accepted and recorded."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

import pytest

import invariants
import replaying
import storyline
import worlds
from fleet.audit import records
from fleet.hub import state as hubs
from fleet.hub.desk import answers
from fleet.model import errors, ledger, names
from fleet.ports import store
from fleet.simulation import book, clock, faults, world

DEV, STAGING, PROD = (names.Environment(each) for each in worlds.ENVIRONMENTS)


@contextlib.asynccontextmanager
async def told(
    *, change: Callable[[hubs.Hub], None] = lambda _: None
) -> AsyncIterator[tuple[storyline.Story, list[hubs.Hub]]]:
    """A fleet without clusters whose hub does not run yet, and each life of that hub."""
    lives: list[hubs.Hub] = []

    def made(hub: hubs.Hub) -> None:
        lives.append(hub)
        change(hub)

    here = worlds.small(worlds.hub(change=made))
    story = storyline.Story(here=here, watch=invariants.Watch(here))
    try:
        yield story, lives
        story.watch.check()
        await replaying.check(here)
        assert here.faults == []
    finally:
        await here.close()


def state_of(here: world.World, environment: str) -> ledger.EnvironmentState | None:
    return worlds.book(here).environments.get(names.Environment(environment))


def verdict(here: world.World, environment: str) -> str:
    found = worlds.decision(here, environment)
    return found.verdict.value if found else ""


def runs(here: world.World, cluster: str, tag: str) -> Callable[[], bool]:
    return lambda: worlds.image(here, cluster).endswith(f":{tag}")


@pytest.mark.threat(57)
def test_an_environment_without_clusters_is_never_healthy():
    async def main() -> None:
        async with told() as (story, _):
            here = story.here
            await worlds.register(here, "staging-1", "staging")
            here.hub.start()
            await story.until("dev", lambda: worlds.is_accepted(here, "dev"))
            worlds.with_image(here, "dev", "1.5.0")
            await story.until("dev again", lambda: worlds.is_accepted(here, "dev"))
            await here.pass_time(60.0)
            assert [each.healthy for each in worlds.book(here).releases.values()] == [None, None]
            assert verdict(here, "staging") == "waiting"

    clock.run(main())


class Spoiled:
    """A repository in which the listing of some commits cannot be had."""

    def __init__(self, behind: Any) -> None:
        self.behind = behind
        self.spoiled: dict[str, Exception] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self.behind, name)

    async def snapshot(self, commit: names.CommitId) -> Any:
        if commit in self.spoiled:
            raise self.spoiled[commit]
        return await self.behind.snapshot(commit)


@pytest.mark.threat(22)
@pytest.mark.threat(27)
@pytest.mark.parametrize(
    "error",
    [
        errors.UnreachableError("an object is missing"),
        errors.BrokenError("damaged"),
        KeyError("a fault of ours"),
    ],
    ids=["unreachable", "broken", "fault"],
)
def test_a_commit_that_cannot_be_read_holds_its_environment_alone(error: Exception):
    spoiled: list[Spoiled] = []

    def change(hub: hubs.Hub) -> None:
        spoiled.append(Spoiled(hub.tools.repository))
        hub.tools.repository = spoiled[-1]  # type: ignore[assignment]

    async def main() -> None:
        async with told(change=change) as (story, _):
            here = story.here
            await storyline.start(story)
            commit = worlds.with_image(here, "dev", "1.5.0")
            spoiled[-1].spoiled[commit] = error
            await worlds.register(here, "prod-us", "prod")
            await story.healthy("prod", "another environment goes on")
            found = state_of(here, "dev")
            assert found is not None
            assert found.hold
            assert here.hub.lives == 1
            spoiled[-1].spoiled.clear()
            await story.healthy("dev", "it can be read again")
            assert state_of(here, "dev").hold == ""

    clock.run(main())


@pytest.mark.parametrize("error", [errors.InputError("no token"), errors.BrokenError("no space")])
def test_a_fetch_that_fails_in_whatever_way_is_tried_again(error: errors.FleetError):
    async def main() -> None:
        async with told() as (story, lives):
            here = story.here
            await storyline.start(story)
            fetched, failing = lives[0].repository.fetch, [error]

            async def fetch() -> Any:
                if failing:
                    raise failing[0]
                return await fetched()

            lives[0].repository.fetch = fetch  # type: ignore[method-assign]
            await here.pass_time(30.0)
            assert lives[0].trouble == str(error)
            failing.clear()
            worlds.with_image(here, "dev", "1.5.0")
            await story.healthy("dev", "fetched again")
            assert here.hub.lives == 1

    clock.run(main())


@pytest.mark.threat(93)
def test_a_cluster_that_comes_back_before_it_has_left_is_not_sent_away():
    """Its document is there again, but its wave is not: nothing is sent to it until then, least of all its farewell."""

    async def main() -> None:
        async with told() as (story, _):
            here = story.here
            await storyline.start(story)
            eu, canary = here.members["prod-eu"].agent, here.members["prod-canary"].agent
            path = worlds.path_of("prod", "prod-eu")
            document = here.remote.read("prod", path)
            await eu.stop()
            here.remote.commit("prod", {path: None}, "prod-eu leaves")
            await story.until(
                "leaving",
                lambda: worlds.book(here).clusters[names.Cluster("prod-eu")].retire is not None,
            )
            await canary.stop()
            here.remote.commit("prod", {path: document}, "prod-eu stays")
            await story.until("accepted", lambda: worlds.is_accepted(here, "prod"))
            eu.start()
            await here.pass_time(300.0)
            assert worlds.DEPLOYMENT in here.members["prod-eu"].server.held
            assert not worlds.book(here).clusters[names.Cluster("prod-eu")].retired
            canary.start()
            await story.healthy("prod", "all of it")
            assert story.watch.deleted == 0

    clock.run(main())


def _dispatched(story: storyline.Story) -> Counter[tuple[object, ...]]:
    return Counter(
        (each.body["cluster"], each.body["era"], each.body["sequence"])
        for each in story.watch.chain()
        if each.kind is records.Kind.DISPATCH
    )


def _accepted(story: storyline.Story) -> Counter[tuple[object, ...]]:
    return Counter(
        (each.body["environment"], each.body["release"])
        for each in story.watch.chain()
        if each.kind is records.Kind.DECISION and each.body["verdict"] == "accepted"
    )


@pytest.mark.threat(100)
@pytest.mark.parametrize("nth", [2, 3, 4, 5])
def test_a_write_whose_answer_was_lost_is_not_written_twice(nth: int):
    """The book has it, the hub was told that it may have not."""
    written: list[int] = []

    def plan(_: int, what: str) -> faults.Fault | None:
        if what != "book.sync":
            return None
        written.append(1)
        return faults.Fault.AFTER if len(written) % nth == 0 else None

    async def main() -> None:
        async with told() as (story, _):
            here = story.here
            here.hub.plans = [plan]
            await storyline.start(story)
            worlds.with_image(here, "dev", "1.5.0")
            await story.healthy("dev", "a new version")
            assert max(_dispatched(story).values()) == 1
            assert max(_accepted(story).values()) == 1

    clock.run(main())


@pytest.mark.threat(100)
def test_a_book_that_cannot_be_read_again_is_not_decided_on():
    """The acceptance is in the book, its answer was lost, and for a while the book cannot be read either."""
    failing: list[str] = []

    def plan(_: int, what: str) -> faults.Fault | None:
        if what == "book.sync" and "sync" in failing:
            failing.remove("sync")
            return faults.Fault.AFTER
        return faults.Fault.BEFORE if what == "book.load" and "load" in failing else None

    async def main() -> None:
        async with told() as (story, _):
            here = story.here
            here.hub.plans = [plan]
            await storyline.start(story)
            failing[:] = ["sync", "load"]
            worlds.with_image(here, "dev", "1.5.0")
            await here.pass_time(30.0)
            failing.clear()
            await story.healthy("dev", "a new version")
            assert max(_accepted(story).values()) == 1
            assert max(_dispatched(story).values()) == 1

    clock.run(main())


def test_a_hold_and_another_change_of_the_seal_do_not_undo_each_other():
    async def main() -> None:
        async with told() as (story, lives):
            await storyline.start(story)
            hub = lives[0]
            road = hub.ledger.seal.road
            assert road is not None
            longer = replace(road, owned=(*road.owned, "extra/{environment}/**"))
            echo = hub.ledger.clusters[names.Cluster("dev-1")].dispatch
            assert echo is not None
            async with hub.writing:
                seal = replace(hub.ledger.seal, road=longer)
                holding = asyncio.ensure_future(answers.hold(echo.cluster, echo, hub))
                await asyncio.sleep(0.1)
                await hubs.write(hub, store.Write(rows=(seal,)))
            await holding
            assert hub.ledger.seal.road == longer
            assert hub.ledger.seal.held

    clock.run(main())


@pytest.mark.threat(99)
def test_nothing_is_accepted_and_no_wave_opens_once_the_book_holds():
    """The hold comes when the verdict is made, but not yet written."""

    async def main() -> None:
        async with told() as (story, lives):
            here = story.here
            await storyline.start(story)
            hub = lives[0]
            before = hub.ledger.environments[DEV]
            async with hub.writing:
                worlds.with_image(here, "dev", "1.5.0")
                await here.pass_time(20.0)
                seal = replace(hub.ledger.seal, held="an old copy")
                await hubs.write(hub, store.Write(rows=(seal,)))
            await here.pass_time(20.0)
            after = hub.ledger.environments[DEV]
            assert (after.release, after.wave) == (before.release, before.wave)
            assert verdict(here, "dev") == "waiting"

    clock.run(main())


async def _restored(here: world.World, pages: book.Pages) -> None:
    await here.hub.stop()
    here.shelf.synced, here.shelf.tail = pages, []
    here.hub.start()


async def _go_on(story: storyline.Story, tag: str) -> None:
    worlds.with_image(story.here, "dev", tag)
    await story.until(tag, runs(story.here, "dev-1", tag))
    await story.here.pass_time(30.0)


@pytest.mark.threat(99)
def test_a_recovery_before_every_agent_was_heard_strands_none():
    """One agent tells of the lost releases only after the recovery."""

    async def main() -> None:
        async with told() as (story, _):
            here = story.here
            await storyline.start(story)
            await worlds.register(here, "dev-2", "dev")
            await story.healthy("dev", "two clusters")
            old = here.shelf.copy()
            await _go_on(story, "1.5.0")
            await here.members["dev-2"].agent.stop()
            await _go_on(story, "1.6.0")
            await _go_on(story, "1.7.0")
            await here.members["dev-1"].agent.stop()
            await _restored(here, old)
            here.members["dev-2"].agent.start()  # knows of one lost release
            await story.until("held", lambda: worlds.book(here).seal.held != "")
            await here.ask("recover")
            await here.pass_time(60.0)
            here.members["dev-1"].agent.start()  # knows of three
            await story.until("held again", lambda: worlds.book(here).seal.held != "")
            await here.ask("recover")
            worlds.with_image(here, "dev", "1.8.0")
            for cluster in ("dev-1", "dev-2"):
                await story.until("goes on", runs(here, cluster, "1.8.0"))
            await story.healthy("dev", "all of it")

    clock.run(main())


@pytest.mark.threat(98)
@pytest.mark.parametrize(
    "order",
    [("recover", "baseline"), ("baseline", "recover"), ("baseline", "recover", "baseline")],
)
def test_an_empty_book_is_mended_in_either_order(order: tuple[str, ...]):
    async def main() -> None:
        async with told() as (story, _):
            here = story.here
            await storyline.start(story)
            for tag in ("1.5.0", "1.6.0"):
                worlds.with_image(here, "dev", tag)
                await story.healthy("dev", tag)
            await _restored(here, book.Pages())
            await story.until("held", lambda: worlds.book(here).seal.held != "")
            for command in order:
                with contextlib.suppress(errors.RefusedError):
                    await here.ask(command)
                await here.pass_time(200.0)
            if worlds.book(here).seal.held:
                await here.ask("recover")
            worlds.with_image(here, "dev", "1.7.0")
            await story.until("dev goes on", runs(here, "dev-1", "1.7.0"))
            for environment in worlds.ENVIRONMENTS:
                await story.healthy(environment, environment)
            assert story.watch.deleted == 0

    clock.run(main())


def test_a_branch_that_goes_back_to_what_runs_is_no_new_release():
    async def main() -> None:
        async with told() as (story, _):
            here = story.here
            await storyline.start(story)
            good, before = here.remote.branches["dev"], state_of(here, "dev")
            worlds.with_image(here, "dev", "latest")
            await story.until("refused", lambda: verdict(here, "dev") == "refused")
            here.remote.force("dev", good)
            await story.until("accepted", lambda: worlds.is_accepted(here, "dev"))
            after = state_of(here, "dev")
            assert before is not None
            assert after is not None
            assert (after.release, after.wave) == (before.release, before.wave)
            assert not [each for each in worlds.book(here).violations.values() if not each.until]

    clock.run(main())


@pytest.mark.threat(102)
def test_a_clock_that_goes_back_does_not_stop_the_fetching():
    async def main() -> None:
        async with told() as (story, lives):
            here = story.here
            await storyline.start(story)
            hub = lives[0]
            hub.fetched = hub.clock.now().replace(year=hub.clock.now().year + 1)
            worlds.with_image(here, "dev", "1.5.0")
            await story.healthy("dev", "fetched all the same")

    clock.run(main())


@pytest.mark.threat(21)
def test_a_decree_does_not_take_another_environments_cluster():
    async def main() -> None:
        async with told() as (story, _):
            here = story.here
            await storyline.start(story)
            document = here.remote.read("dev", worlds.path_of("dev", "dev-1"))
            here.remote.commit("prod", {worlds.path_of("prod", "dev-1"): document}, "Take it")
            await story.until("refused", lambda: verdict(here, "prod") == "refused")
            with pytest.raises(errors.RefusedError):
                await here.ask("baseline", {"environments": ["prod"]})
            assert worlds.book(here).clusters[names.Cluster("dev-1")].environment == "dev"

    clock.run(main())


STRANGER = "environments/staging/values.yaml"


@pytest.mark.threat(29)
def test_a_fast_forward_carries_no_paths_of_the_target():
    """On dev they are inert, so nobody there looked at them."""

    async def main() -> None:
        async with told() as (story, _):
            here = story.here
            await worlds.register(here, "dev-1", "dev")
            here.hub.start()
            await story.until("adopted", lambda: worlds.is_accepted(here, "staging"))
            here.remote.commit("dev", {STRANGER: "a: b"}, "Slip this in")
            worlds.with_image(here, "dev", "1.5.0")
            await story.healthy("dev", "a new version")
            here.remote.force("staging", here.remote.branches["dev"])
            await story.until("refused", lambda: verdict(here, "staging") == "refused")
            found = worlds.decision(here, "staging")
            assert found is not None
            assert any("paths that staging owns" in each.reason for each in found.gates)

    clock.run(main())


@pytest.mark.threat(29)
def test_what_a_branch_owns_may_change_on_it_before_it_is_fast_forwarded_past():
    """A commit of its own on the target, then a merge of upstream: both are as they should be."""

    async def main() -> None:
        async with told() as (story, _):
            here = story.here
            await storyline.start(story)
            worlds.with_image(here, "dev", "1.5.0")
            await story.healthy("dev", "a new version")
            here.remote.commit("staging", {STRANGER: "a: b"}, "Our own")
            worlds.promote(here, "dev", "staging")
            await story.healthy("staging", "promoted")

    clock.run(main())
