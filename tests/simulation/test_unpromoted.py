"""`fleet unpromoted`: what waits, how old, behind which gates, and when it may go."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

import invariants
import storyline
import worlds
from fleet.model import errors
from fleet.simulation import world

SOAK = "      gates: {soak: 1h}\n"
APPROVALS = "      gates: {approvals: [{group: leads, count: 2}]}\n"
SCOPE = ("apps/**",)
HOTFIX = "      hotfix: {paths: [apps/**]}\n"


async def begin(story: storyline.Story) -> None:
    here = story.here
    story.watch.trees.scope = SCOPE
    await worlds.register(here, "dev-1", "dev")
    await worlds.register(here, "staging-1", "staging")
    here.hub.start()
    await story.healthy("dev", "dev at first")


def run(gates: str, tell: Callable[[storyline.Story], Awaitable[None]]) -> None:
    def small() -> storyline.Story:
        here = worlds.small(gates=gates)
        return storyline.Story(here=here, watch=invariants.Watch(here))

    storyline.play(small, begin, tell)


async def asked(here: world.World, environment: str = "staging") -> dict[str, Any]:
    found = await here.ask("unpromoted", {"environment": environment})
    (one,) = found["environments"]
    assert isinstance(one, dict)
    return one


def gates(waiting: dict[str, Any]) -> list[str]:
    return [each["gate"] for each in waiting["gates"]]


async def soaking(story: storyline.Story) -> str:
    """Staging runs what dev has soaked, and dev has something new."""
    here = story.here
    await here.pass_time(3700.0)
    await story.until("soaked", lambda: worlds.is_accepted(here, "staging"))
    assert (await asked(here))["waiting"] == []
    first = worlds.with_image(here, "dev", "1.5.0")
    await story.healthy("dev", "1.5.0 in dev")
    return first


def test_a_release_is_told_with_its_age_and_its_gates():
    async def tell(story: storyline.Story) -> None:
        here = story.here
        first = await soaking(story)
        await here.pass_time(600.0)
        (waiting,) = (await asked(here))["waiting"]
        assert (waiting["commit"], waiting["subject"]) == (first, "hello 1.5.0")
        assert waiting["age"].startswith("10m")
        assert (waiting["promotable"], gates(waiting)) == ("at", ["soak"])
        opens = datetime.fromisoformat(waiting["at"])
        assert timedelta(minutes=45) < opens - here.clock.now() < timedelta(minutes=51)
        await here.pass_time((opens - here.clock.now()).total_seconds() + 90.0)
        (waiting,) = (await asked(here))["waiting"]
        assert (waiting["promotable"], waiting["gates"]) == ("now", [])
        assert waiting["hint"] == "fleet promote dev staging"

    run(SOAK, tell)


def test_each_release_has_gates_of_its_own():
    async def tell(story: storyline.Story) -> None:
        here = story.here
        first = await soaking(story)
        await here.pass_time(3700.0)
        worlds.with_image(here, "dev", "1.6.0")
        await story.healthy("dev", "1.6.0 in dev")
        newer, older = (await asked(here))["waiting"]
        assert (newer["promotable"], older["promotable"]) == ("at", "now")
        assert older["hint"] == f"fleet promote dev staging --commit {first[:10]}"
        here.remote.merge("dev", "staging", takes=worlds.is_shared, at=first)
        await story.healthy("staging", "the one that has soaked")
        assert [e["commit"] for e in (await asked(here))["waiting"]] == [newer["commit"]]

    run(SOAK, tell)


def test_what_is_on_the_branch_and_waits_there_says_so():
    async def tell(story: storyline.Story) -> None:
        here = story.here
        (waiting,) = (await asked(here))["waiting"]
        assert (waiting["standing"], waiting["hint"]) == ("waiting", "")
        assert gates(waiting) == ["soak"]

    run(SOAK, tell)


def test_approvals_are_foreseen():
    async def tell(story: storyline.Story) -> None:
        here = story.here
        worlds.with_image(here, "dev", "1.5.0")
        await story.healthy("dev", "1.5.0 in dev")
        newest = (await asked(here))["waiting"][0]
        (gate,) = newest["gates"]
        assert (newest["promotable"], gate["gate"]) == ("waits", "approvals")
        assert gate["reason"] == "approvals will be asked for: 2 of leads"

    run(APPROVALS, tell)


def test_an_open_hotfix_is_kept_and_one_under_a_change_refuses():
    async def tell(story: storyline.Story) -> None:
        here = story.here
        await story.healthy("staging", "staging at first")
        fix = here.remote.read("staging", worlds.GREETING).decode() + "  fixed: here\n"
        here.remote.commit("staging", {worlds.GREETING: fix}, "fix\n\nFleet-Hotfix: it was wrong")
        await story.healthy("staging", "a hotfix")
        assert (await asked(here))["waiting"] == []
        worlds.with_image(here, "dev", "1.5.0")
        await story.healthy("dev", "1.5.0 in dev")
        (kept,) = (await asked(here))["waiting"]
        assert (kept["promotable"], kept["gates"]) == ("now", [])
        changed = here.remote.read("dev", worlds.GREETING).decode() + "  more: here\n"
        here.remote.commit("dev", {worlds.GREETING: changed}, "more")
        await story.healthy("dev", "a change of the same file")
        moved, _ = (await asked(here))["waiting"]
        assert (moved["promotable"], gates(moved)) == ("refused", ["lineage"])

    run(HOTFIX, tell)


def test_what_was_rolled_back_is_quarantined_and_said_to_be():
    async def tell(story: storyline.Story) -> None:
        here = story.here
        await story.healthy("staging", "staging at first")
        worlds.with_image(here, "dev", "1.5.0")
        await story.healthy("dev", "1.5.0 in dev")
        worlds.promote(here, "dev", "staging")
        await story.healthy("staging", "1.5.0 in staging")
        here.remote.revert("staging")
        await story.healthy("staging", "back")
        (waiting,) = (await asked(here))["waiting"]
        assert (waiting["promotable"], gates(waiting)) == ("refused", ["quarantine"])

    run("", tell)


def test_a_part_that_is_missing_is_told():
    async def tell(story: storyline.Story) -> None:
        here = story.here
        await story.healthy("staging", "staging at first")
        other = "apps/other/other.yaml"
        text = storyline.CONFIG.replace("name: extra", "name: other")
        bundle = here.remote.read("dev", "apps/hello/bundle.yaml").decode()
        bundle = bundle.replace("name: hello", "name: other")
        here.remote.commit("dev", {"apps/other/bundle.yaml": bundle, other: text}, "other")
        worlds.with_image(here, "dev", "1.5.0")
        await story.healthy("dev", "both in dev")
        here.remote.merge("dev", "staging", takes=lambda path: path.startswith("apps/other/"))
        tip = here.remote.branches["staging"]
        files = here.remote.made(tip).files
        one = here.remote.made(tip).told.parents[:1]
        here.remote.force("staging", here.remote.graft(files, one, "Take other", "Ada"))
        await story.healthy("staging", "one bundle in staging")
        found = await asked(here)
        assert found["waiting"] == []
        assert found["inPart"]["paths"] == [worlds.WEB]

    run("", tell)


def test_where_nothing_comes_from_is_said():
    async def tell(story: storyline.Story) -> None:
        here = story.here
        with pytest.raises(errors.InputError, match="where changes enter"):
            await asked(here, "dev")
        with pytest.raises(errors.InputError, match="no environment"):
            await asked(here, "moon")
        every = await here.ask("unpromoted", {})
        assert [each["environment"] for each in every["environments"]] == ["staging", "prod"]

    run("", tell)
