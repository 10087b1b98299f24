"""`fleet residual`: each path in which an environment differs from upstream, with its class."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

import invariants
import storyline
import worlds
from fleet.model import errors
from fleet.simulation import world

SCOPE = ("apps/**",)
HOTFIX = "      hotfix: {paths: [apps/**]}\n"
GONE = "apps/hello/gone.yaml"
RULE = "policies/disallow-latest-tag/policy.yaml"


async def begin(story: storyline.Story) -> None:
    story.watch.trees.scope = SCOPE
    await storyline.two(story)


async def adopting(story: storyline.Story) -> None:
    """Prod has what nobody upstream ever had."""
    worlds.with_image(story.here, "prod", "0.9.0")
    await begin(story)


def run(
    tell: Callable[[storyline.Story], Awaitable[None]],
    first: Callable[[storyline.Story], Awaitable[None]] = begin,
) -> None:
    def small() -> storyline.Story:
        here = worlds.small(gates=HOTFIX)
        return storyline.Story(here=here, watch=invariants.Watch(here))

    storyline.play(small, first, tell)


async def asked(here: world.World, environment: str = "staging") -> dict[str, Any]:
    return await here.ask("residual", {"environment": environment})


def told(found: dict[str, Any]) -> dict[str, str]:
    return {each["path"]: each["class"] for each in found["paths"]}


def test_what_is_the_same_is_told_as_the_same():
    async def tell(story: storyline.Story) -> None:
        found = await asked(story.here)
        assert (found["paths"], set(found["counts"].values())) == ([], {0})

    run(tell)


def test_every_class_as_it_comes_about():
    async def tell(story: storyline.Story) -> None:
        here = story.here
        worlds.with_image(here, "dev", "1.5.0")
        await story.healthy("dev", "1.5.0 in dev")
        assert told(await asked(here)) == {worlds.WEB: "behind"}
        worlds.promote(here, "dev", "staging")
        await story.healthy("staging", "1.5.0 in staging")
        here.remote.revert("dev")
        await story.healthy("dev", "dev goes back")
        assert told(await asked(here)) == {worlds.WEB: "ahead"}
        here.remote.revert("dev")
        await story.healthy("dev", "dev is there again")
        here.remote.revert("staging")
        await story.healthy("staging", "staging goes back")
        assert told(await asked(here)) == {worlds.WEB: "reverted"}
        fix = here.remote.read("staging", worlds.GREETING).decode() + "  fixed: here\n"
        here.remote.commit("staging", {worlds.GREETING: fix}, "fix\n\nFleet-Hotfix: it was wrong")
        await story.healthy("staging", "a hotfix")
        found = await asked(here)
        assert told(found) == {worlds.GREETING: "hotfix", worlds.WEB: "reverted"}
        (hotfix,) = [each for each in found["paths"] if each["class"] == "hotfix"]
        assert hotfix["reason"] == "it was wrong"
        assert found["counts"] == {
            "behind": 0, "ahead": 0, "hotfix": 1, "reverted": 1, "unknown": 0,
        }  # fmt: skip

    run(tell)


def test_files_that_come_and_go_and_rules_are_told_too_and_owned_ones_are_not():
    async def tell(story: storyline.Story) -> None:
        here = story.here
        rule = here.remote.read("dev", RULE).decode() + "# as before\n"
        files = {storyline.EXTRA: storyline.CONFIG, RULE: rule}
        here.remote.commit("dev", files, "one comes, a rule changes")
        await story.healthy("dev", "in dev")
        here.remote.commit("staging", {"environments/staging/note.txt": "a note"}, "a note")
        await story.healthy("staging", "a note")
        found = await asked(here)
        assert told(found) == {storyline.EXTRA: "behind", RULE: "behind"}
        (extra,) = [each for each in found["paths"] if each["path"] == storyline.EXTRA]
        assert (extra["here"], extra["hint"]) == (None, "fleet promote dev staging")

    run(tell)


def test_what_was_adopted_by_decree_is_unknown():
    async def tell(story: storyline.Story) -> None:
        here = story.here
        with pytest.raises(errors.RefusedError, match="nothing was accepted in prod"):
            await asked(here, "prod")
        await here.ask("baseline", {"environments": ["prod"]})
        assert told(await asked(here, "prod")) == {worlds.WEB: "unknown"}

    run(tell, adopting)


def test_where_there_is_no_upstream_is_said():
    async def tell(story: storyline.Story) -> None:
        with pytest.raises(errors.InputError, match="where changes enter"):
            await asked(story.here, "dev")
        for odd in ("moon", "", "\x1b[31m"):
            with pytest.raises(errors.InputError, match="no environment"):
                await asked(story.here, odd)

    run(tell)
