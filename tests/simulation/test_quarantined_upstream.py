"""What an environment has quarantined goes no farther down the road, however far it has come by then."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

import invariants
import storyline
import worlds
from fleet.model import ledger

# From 2026-01-01 on; the world begins on 2026-01-05 at 08:00.
FREEZE = (
    "      gates:\n        windows: [{name: freeze, effect: deny, timeZone: Etc/UTC, "
    "start: '2026-01-01T00:00', duration: 4d8h5m}]\n"
)
HOTFIX = "      hotfix: {paths: [apps/**]}\n"


def run(gates: str, tell: Callable[[storyline.Story], Awaitable[None]]) -> None:
    def small() -> storyline.Story:
        here = worlds.small(gates=gates)
        return storyline.Story(here=here, watch=invariants.Watch(here))

    storyline.play(small, begin, tell)


async def begin(story: storyline.Story) -> None:
    here = story.here
    story.watch.trees.scope = ("apps/**",)
    await worlds.register(here, "dev-1", "dev")
    await worlds.register(here, "staging-1", "staging")
    here.hub.start()
    await story.healthy("dev", "dev at first")


def dev_runs(story: storyline.Story, tag: str) -> bool:
    return worlds.image(story.here, "dev-1").endswith(f":{tag}")


async def left_in_dev(story: storyline.Story) -> str:
    """Staging's promotion waits for the end of a freeze when dev goes back from what it brings."""
    here, before = story.here, story.here.remote.read("dev", worlds.WEB)
    good = here.remote.branches["dev"]
    worlds.with_image(here, "dev", "1.5.0")
    await story.healthy("dev", "a change")
    worlds.promote(here, "dev", "staging")
    await story.until("decided", lambda: worlds.decision(here, "staging") is not None)
    here.remote.commit("dev", {worlds.WEB: before.decode()}, f"Back\n\nFleet-Rollback: {good}")
    await story.until("back", lambda: not dev_runs(story, "1.5.0"))
    (shown,) = (await here.ask("status"))["environments"][0]["quarantined"]
    content: str = shown["content"]
    return content


def held(story: storyline.Story) -> dict[str, ledger.GateResult]:
    found = worlds.decision(story.here, "staging")
    assert found is not None
    return {each.gate: each for each in found.gates if each.state is not ledger.GateState.OPEN}


def gate(shown: dict[str, Any]) -> dict[str, Any]:
    (found,) = [each for each in shown["gates"] if each["gate"] == "quarantine"]
    return dict(found)


async def explained(story: storyline.Story, *words: str) -> dict[str, Any]:
    asked = dict(zip(("environment", "commit"), words, strict=False))
    return gate(await story.here.ask("explain", asked))


@pytest.mark.threat(59)
def test_a_rollback_upstream_stops_what_waits_downstream():
    async def tell(story: storyline.Story) -> None:
        here = story.here
        content = await left_in_dev(story)
        await here.pass_time(400.0)
        assert not worlds.is_accepted(here, "staging")
        found = held(story)["quarantine"]
        assert (found.state, found.hint) == (
            ledger.GateState.REFUSED,
            f"fleet hub lift dev {content} --reason WHY",
        )
        assert "quarantined in dev since" in found.reason
        assert (await explained(story, "staging"))["hint"] == found.hint
        shown = (await here.ask("unpromoted", {"environment": "staging"}))["environments"]
        rows = [e for each in shown for e in each["waiting"] if e["promotable"] == "refused"]
        assert [gate(each)["hint"] for each in rows] == [found.hint]
        asked = {"environment": "dev", "what": content, "reason": "mended", "by": "ada"}
        await here.ask("lift", asked)
        await here.pass_time(10.0)
        assert "quarantine" not in held(story)

    run(FREEZE, tell)


def test_what_a_part_was_left_of_is_held_downstream_in_whatever_content():
    async def tell(story: storyline.Story) -> None:
        here, before = story.here, story.here.remote.read("dev", worlds.WEB)
        good = here.remote.branches["dev"]
        await story.healthy("staging", "at first")
        worlds.with_image(here, "dev", "1.5.0")
        await story.healthy("dev", "a change")
        bad = here.remote.branches["dev"]
        here.remote.commit("dev", {"README.md": "Another file\n"}, "Beside it")
        await story.healthy("dev", "another file")
        here.remote.commit(
            "dev", {worlds.WEB: before.decode()}, f"Back with it\n\nFleet-Rollback: {good}"
        )
        await story.healthy("dev", "a part goes back")
        (row,) = worlds.book(here).quarantines.values()
        shown = await explained(story, "staging", bad)
        assert shown["reason"].startswith(f"{worlds.WEB} as quarantined in dev since")
        assert shown["hint"] == f"fleet hub lift dev {row.content} --reason WHY"
        worlds.promote(here, "dev", "staging")
        await story.healthy("staging", "what dev has now")

    run("", tell)


async def quarantined_in_dev(story: storyline.Story) -> str:
    bad = worlds.with_image(story.here, "dev", "1.5.0")
    await story.healthy("dev", "a change")
    asked = {"environment": "dev", "what": bad, "reason": "loses orders", "by": "ada"}
    content: str = (await story.here.ask("quarantine", asked))["content"]
    return content


def test_what_nobody_has_promoted_yet_is_told_to_be_held_upstream():
    async def tell(story: storyline.Story) -> None:
        await story.healthy("staging", "at first")
        content = await quarantined_in_dev(story)
        found = await explained(story, "staging", story.here.remote.branches["dev"])
        assert found["hint"] == f"fleet hub lift dev {content} --reason WHY"

    run("", tell)


def test_an_open_hotfix_does_not_hide_it():
    async def tell(story: storyline.Story) -> None:
        here = story.here
        await story.healthy("staging", "at first")
        fixed = here.remote.read("staging", worlds.GREETING).decode() + "  fixed: here\n"
        here.remote.commit("staging", {worlds.GREETING: fixed}, "Fix\n\nFleet-Hotfix: it burns\n")
        await story.healthy("staging", "a hotfix")
        content = await quarantined_in_dev(story)
        source = here.remote.branches["dev"]
        kept = {worlds.WEB: here.remote.read("dev", worlds.WEB).decode()}
        here.remote.commit("staging", kept, f"Over the fix\n\nFleet-Source: {source}")
        await story.until("decided", lambda: "quarantine" in held(story))
        found = worlds.decision(here, "staging")
        assert found is not None
        assert (found.lineage, bool(found.hotfixes)) == (ledger.Lineage.PROMOTION, True)
        assert found.content != content
        assert held(story).keys() == {"quarantine"}

    run(HOTFIX, tell)


def test_what_is_on_its_way_downstream_goes_no_further():
    async def tell(story: storyline.Story) -> None:
        here = story.here
        await story.healthy("staging", "at first")
        await here.members["staging-1"].agent.stop()
        await here.pass_time(60.0)  # its last poll is over
        content = await quarantined_in_dev(story)
        asked = {"environment": "dev", "what": content, "reason": "mended", "by": "ada"}
        await here.ask("lift", asked)
        worlds.promote(here, "dev", "staging")
        await story.until("promoted", lambda: worlds.is_accepted(here, "staging"))
        await here.ask("quarantine", asked)
        here.members["staging-1"].agent.start()
        await here.pass_time(120.0)
        assert not worlds.image(here, "staging-1").endswith(":1.5.0")
        await here.ask("lift", asked)
        await story.healthy("staging", "lifted")
        assert worlds.image(here, "staging-1").endswith(":1.5.0")

    run("", tell)


def test_one_bundle_of_it_is_held_as_well():
    async def tell(story: storyline.Story) -> None:
        here = story.here
        await story.healthy("staging", "at first")
        here.remote.commit("dev", {"README.md": "Another file\n"}, "Beside it")
        await story.healthy("dev", "another file")
        await quarantined_in_dev(story)
        part = {worlds.WEB: here.remote.read("dev", worlds.WEB).decode()}
        here.remote.commit("staging", part, "One bundle")
        await story.until("decided", lambda: "quarantine" in held(story))
        found = worlds.decision(here, "staging")
        assert found is not None
        assert found.lineage is ledger.Lineage.PARTIAL

    run("", tell)
