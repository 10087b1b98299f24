"""What a hub costs while nothing changes, and while it has much to do."""

import asyncio
from typing import Any

import pytest

import invariants
import storyline
import worlds
from fleet.hub import state as hubs
from fleet.judge import judging, memory
from fleet.model import names
from fleet.simulation import clock


@pytest.mark.threat(113)
@pytest.mark.parametrize("verdict", ["refused", "waiting"])
def test_a_tip_that_waits_costs_nothing_turn_after_turn(verdict: str):
    """Neither git nor the book nor the memo is asked again about what stays as it is."""

    async def main() -> None:
        here = worlds.small()
        story = storyline.Story(here=here, watch=invariants.Watch(here))
        await storyline.start(story)
        if verdict == "refused":
            worlds.with_image(here, "dev", "latest")
        else:
            here.remote.orphan("dev")
        await here.pass_time(200.0)  # until every agent has seen how the log went on
        decision = worlds.decision(here, "dev")
        assert decision is not None
        assert decision.verdict.value == verdict
        process = here.hub.process
        assert process is not None
        process.log.clear()
        await here.pass_time(600.0)
        assert set(process.log) <= {"repository.fetch", "book.confirm", "book.write", "book.sync"}
        assert "repository.fetch" in process.log
        await here.close()

    clock.run(main())


@pytest.mark.threat(113)
def test_what_upstream_accepts_meanwhile_is_no_reason_to_judge_again():
    judged: list[judging.Question] = []

    class Told(worlds.Silent):
        def span(self, name: str, attributes: Any, parent: str = "") -> Any:
            if name == "render":
                judged.append(attributes)
            return super().span(name, attributes, parent)

    def change(hub: hubs.Hub) -> None:
        hub.tools.telemetry = Told()

    async def main() -> None:
        here = worlds.small(worlds.hub(change=change))
        story = storyline.Story(here=here, watch=invariants.Watch(here))
        await storyline.start(story)
        here.remote.commit("staging", {storyline.EXTRA: storyline.CONFIG}, "by hand")
        await here.pass_time(60.0)
        before = len(judged)
        worlds.with_image(here, "dev", "1.5.0")
        await story.healthy("dev", "a new version")
        assert len(judged) == before + 1
        await here.close()

    clock.run(main())


def test_the_last_result_is_made_again_only_for_another_origin():
    made: list[int] = []

    async def make() -> int:
        made.append(1)
        return len(made)

    async def main() -> None:
        last: memory.Last[int] = memory.Last()
        dev, prod = names.Environment("dev"), names.Environment("prod")
        found = [await last.of(each, origin, make) for each, origin in
                 [(dev, 1), (dev, 1), (prod, 1), (dev, 2), (dev, 1)]]  # fmt: skip
        assert found == [1, 1, 2, 3, 4]

    asyncio.run(main())


def test_long_work_is_given_away_in_parts():
    """So that a hub that judges ten thousand manifests in a thread answers meanwhile, and can be stopped."""
    given: list[int] = []

    async def aside(work: Any) -> Any:
        found = work()
        given.append(len(found) if isinstance(found, list) else 0)
        return found

    def change(hub: hubs.Hub) -> None:
        hub.tools.aside = aside

    async def main() -> None:
        here = worlds.small(worlds.hub(change=change))
        maps = "".join(f"---\n{storyline.CONFIG.replace('extra', f'm{n}')}" for n in range(900))
        here.remote.commit("dev", {"apps/hello/many.yaml": maps}, "many")
        story = storyline.Story(here=here, watch=invariants.Watch(here))
        await worlds.register(here, "dev-1", "dev")
        here.hub.start()
        await story.until("accepted", lambda: worlds.is_accepted(here, "dev"))
        assert sum(given) > 1800  # by schema and by policy
        assert max(given) == memory.BATCH
        await here.close()

    clock.run(main())


@pytest.mark.threat(111)
def test_a_report_wakes_no_poll():
    """Else each report of one cluster would cost as much as there are clusters."""
    lives: list[hubs.Hub] = []

    async def main() -> None:
        here = worlds.small(worlds.hub(change=lives.append))
        story = storyline.Story(here=here, watch=invariants.Watch(here))
        await storyline.start(story)
        hub, woken = lives[0], []

        async def wait() -> None:
            while True:
                async with hub.changed:
                    await hub.changed.wait()
                woken.append(1)

        waiting = asyncio.ensure_future(wait())
        reports = here.shelf.synced.writes
        for replicas in (3, 4, 5):
            dev = here.members["dev-1"].server
            dev.edit("kubectl", worlds.DEPLOYMENT, lambda b, n=replicas: b["spec"].update(replicas=n))  # fmt: skip
            await here.pass_time(20.0)
        assert here.shelf.synced.writes > reports
        assert not woken
        worlds.with_image(here, "dev", "1.5.0")
        await story.healthy("dev", "a new version")
        assert woken
        waiting.cancel()
        await here.close()

    clock.run(main())
