"""The clock's edge: what a waiver let pass comes back when it ends, without any commit; what runs keeps running."""

import json
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

import invariants
import repositories
import storyline
import worlds
from fleet.audit import records
from fleet.model import findings, ledger, names
from fleet.simulation import world

RULE = "disallow-latest-tag"
FOR_WEB = [{"kind": "Deployment", "namespace": "hello", "name": "web"}]


def waiver(ends: datetime, environment: str = "dev") -> dict[str, str]:
    text = repositories.waiver_text(rules=[RULE], objects=FOR_WEB, expires=ends.isoformat())
    return {f"environments/{environment}/legacy.yaml": text}


def small() -> storyline.Story:
    here = worlds.small()
    return storyline.Story(here=here, watch=invariants.Watch(here))


async def begin(story: storyline.Story) -> None:
    """A small fleet that is healthy in dev."""
    await worlds.register(story.here, "dev-1", "dev")
    story.here.hub.start()
    await story.healthy("dev", "dev at first")


def run(tell: Callable[[storyline.Story], Awaitable[None]]) -> None:
    storyline.play(small, begin, tell)


async def waived(story: storyline.Story, ends: datetime) -> None:
    """The waiver is in force, and dev runs what it waives."""
    story.here.remote.commit("dev", waiver(ends), "a waiver")
    await story.healthy("dev", "a waiver of its own")
    worlds.with_image(story.here, "dev", "latest")
    await story.healthy("dev", "what it waives")


def violations(here: world.World, environment: str = "dev") -> list[ledger.Violation]:
    every = worlds.book(here).violations.values()
    return [v for v in every if v.environment == environment and v.finding.rule == RULE]


def verdict(here: world.World, environment: str = "dev") -> str:
    found = worlds.decision(here, environment)
    is_of_tip = found is not None and found.commit == here.remote.branches[environment]
    return found.verdict.value if found and is_of_tip else "none yet"


async def shown(here: world.World, environment: str = "dev") -> list[dict[str, Any]]:
    found = await here.ask("status", {})
    (one,) = [each for each in found["environments"] if each["name"] == environment]
    waivers: list[dict[str, Any]] = one["waivers"]
    return waivers


async def reach(here: world.World, moment: datetime) -> None:
    await here.pass_time((moment - here.clock.now()).total_seconds())


@pytest.mark.threat(39)
def test_a_finding_comes_back_on_its_day_without_a_commit():
    async def tell(story: storyline.Story) -> None:
        here = story.here
        ends = here.clock.now() + timedelta(minutes=10)
        await waived(story, ends)
        release = worlds.book(here).environments[names.Environment("dev")].release
        (before,) = await shown(here)
        assert (before["until"], before["ended"], before["owner"]) == (
            ends.isoformat(), False, "team-shop",
        )  # fmt: skip
        assert [each["rule"] for each in before["findings"]] == [RULE]
        await reach(here, ends - timedelta(seconds=1))
        assert [v.finding.severity.value for v in violations(here)] == ["waived"]
        await reach(here, ends + timedelta(seconds=6))
        (back,) = violations(here)
        assert back.finding.severity is findings.Severity.DENY
        assert back.until is None
        assert "its waiver legacy ended" in back.finding.hint
        assert [each["ended"] for each in await shown(here)] == [True]
        # What runs keeps running.
        assert verdict(here) == "accepted"
        assert worlds.book(here).environments[names.Environment("dev")].release == release
        assert worlds.image(here, "dev-1").endswith(":latest")
        told = [
            each.body["severity"]
            for each in story.watch.chain()
            if each.kind is records.Kind.VIOLATION and each.body["rule"] == RULE
        ]
        assert told == ["waived", "deny"]

    run(tell)


def test_what_came_back_holds_new_commits_until_it_is_mended():
    async def tell(story: storyline.Story) -> None:
        here = story.here
        ends = here.clock.now() + timedelta(minutes=10)
        await waived(story, ends)
        await reach(here, ends + timedelta(seconds=1))
        here.remote.commit("dev", {storyline.EXTRA: storyline.CONFIG}, "one more object")
        await story.until("refused", lambda: verdict(here) == "refused")
        await here.pass_time(30.0)
        assert storyline.EXTRA_KEY not in here.members["dev-1"].server.held
        worlds.with_image(here, "dev", "1.6.0")
        await story.healthy("dev", "mended")
        assert [v.until is None for v in violations(here)] == [False]
        assert await shown(here) == []

    run(tell)


def test_a_rollback_is_not_blocked_by_a_waiver_that_ended():
    async def tell(story: storyline.Story) -> None:
        here = story.here
        ends = here.clock.now() + timedelta(minutes=10)
        await waived(story, ends)
        worlds.with_image(here, "dev", "1.6.0")
        await story.healthy("dev", "a newer version")
        await reach(here, ends + timedelta(seconds=1))
        here.remote.revert("dev")
        await story.healthy("dev", "back to what ran before")
        assert worlds.image(here, "dev-1").endswith(":latest")
        await here.pass_time(10.0)
        assert [v.finding.severity.value for v in violations(here) if v.until is None] == ["deny"]
        # Something that never ran is not on the way back.
        here.remote.commit("dev", {storyline.EXTRA: storyline.CONFIG}, "one more object")
        await story.until("refused", lambda: verdict(here) == "refused")

    run(tell)


def test_a_waiver_that_ended_is_renewed_by_a_commit_of_its_own():
    async def tell(story: storyline.Story) -> None:
        here = story.here
        ends = here.clock.now() + timedelta(minutes=10)
        await waived(story, ends)
        await reach(here, ends + timedelta(seconds=6))
        here.remote.commit("dev", waiver(ends + timedelta(days=30)), "renewed")
        await story.healthy("dev", "renewed")
        here.remote.commit("dev", {storyline.EXTRA: storyline.CONFIG}, "one more object")
        await story.healthy("dev", "the next commit profits")
        (still,) = violations(here)
        assert still.finding.severity is findings.Severity.WAIVED

    run(tell)


def test_a_tip_that_waits_is_refused_when_its_waiver_ends():
    async def tell(story: storyline.Story) -> None:
        here = story.here
        await worlds.register(here, "staging-1", "staging")
        await story.healthy("staging", "staging at first")
        ends = here.clock.now() + timedelta(minutes=20)
        await waived(story, ends)
        here.remote.commit("staging", waiver(ends, "staging"), "a waiver")
        await story.healthy("staging", "a waiver of its own")
        await here.members["dev-1"].agent.stop()
        await here.pass_time(400.0)  # dev is away
        worlds.promote(here, "dev", "staging")
        await story.until("waits for dev", lambda: verdict(here, "staging") == "waiting")
        assert [v.finding.severity.value for v in violations(here, "staging")] == ["waived"]
        await reach(here, ends + timedelta(seconds=6))
        assert verdict(here, "staging") == "refused"
        assert [v.finding.severity.value for v in violations(here, "staging")] == ["deny"]

    run(tell)


def test_an_end_that_is_too_far_is_near_enough_one_day():
    async def tell(story: storyline.Story) -> None:
        here = story.here
        near_enough = here.clock.now() + timedelta(minutes=5)
        here.remote.commit("dev", waiver(near_enough + timedelta(days=366)), "for long")
        await story.until("refused", lambda: verdict(here) == "refused")
        await reach(here, near_enough - timedelta(seconds=5))
        assert verdict(here) == "refused"
        await reach(here, near_enough + timedelta(seconds=6))
        assert verdict(here) == "accepted"

    run(tell)


def test_a_hub_that_was_down_at_the_end_finds_it_when_it_is_back():
    async def tell(story: storyline.Story) -> None:
        here = story.here
        ends = here.clock.now() + timedelta(minutes=10)
        await waived(story, ends)
        await here.hub.stop()
        await reach(here, ends + timedelta(minutes=30))
        assert [v.finding.severity.value for v in violations(here)] == ["waived"]
        here.hub.start()
        await here.pass_time(20.0)
        assert [v.finding.severity.value for v in violations(here)] == ["deny"]

    run(tell)


def test_every_decision_holds_what_was_waived():
    async def tell(story: storyline.Story) -> None:
        here = story.here
        ends = here.clock.now() + timedelta(minutes=10)
        await waived(story, ends)
        (last,) = [
            each for each in story.watch.chain()
            if each.kind is records.Kind.DECISION
            and each.body["commit"] == here.remote.branches["dev"]
        ]  # fmt: skip
        (recorded,) = [each for each in last.body["findings"] if each["rule"] == RULE]
        assert recorded["severity"] == "waived"
        assert recorded["waived"] == {
            "waiver": "legacy", "owner": "team-shop", "reason": "moves out in spring", "ticket": "OPS-1",
            "until": ends.isoformat(), "path": "environments/dev/legacy.yaml", "line": 1, "otherwise": "deny",
        }  # fmt: skip
        asked = await here.ask("audit violations", {"rule": RULE, "open": True})
        (listed,) = asked["violations"]
        assert listed["waived"] == recorded["waived"]
        json.dumps(asked)

    run(tell)


async def two_waves(story: storyline.Story, ends: datetime) -> None:
    """prod has let out to its canary what a waiver lets through; the other cluster waits for the canary."""
    here = story.here
    for environment in ("staging", "prod"):
        here.remote.commit(environment, waiver(ends, environment), "a waiver")
    await worlds.register(here, "staging-1", "staging")
    await worlds.register(here, "prod-canary", "prod", worlds.CANARY)
    await worlds.register(here, "prod-eu", "prod")
    for environment in ("staging", "prod"):
        await story.healthy(environment, f"{environment} at first")
    await waived(story, ends)
    worlds.promote(here, "dev", "staging")
    await story.healthy("staging", "promoted to staging")
    await here.members["prod-canary"].agent.stop()
    worlds.promote(here, "staging", "prod")
    await story.until("accepted in prod", lambda: worlds.is_accepted(here, "prod"))
    assert worlds.book(here).environments[names.Environment("prod")].wave == 1


def wave(here: world.World) -> int:
    return worlds.book(here).environments[names.Environment("prod")].wave


async def stopped(here: world.World) -> str:
    found = await here.ask("status", {})
    (prod,) = [each for each in found["environments"] if each["name"] == "prod"]
    why: str = prod["release"]["stopped"]
    return why


@pytest.mark.threat(43)
def test_a_waiver_that_ends_between_two_waves_stops_them():
    async def tell(story: storyline.Story) -> None:
        here = story.here
        ends = here.clock.now() + timedelta(minutes=15)
        await two_waves(story, ends)
        assert await stopped(here) == ""
        await reach(here, ends + timedelta(seconds=1))
        here.members["prod-canary"].agent.start()
        await story.until(
            "the canary has it", lambda: worlds.image(here, "prod-canary")[-7:] == ":latest"
        )
        await here.pass_time(120.0)
        assert wave(here) == 1
        assert not worlds.image(here, "prod-eu").endswith(":latest")
        assert await stopped(here) == f"waiver legacy ended {ends.isoformat()}"
        # Renewed by a commit of its own it goes on.
        here.remote.commit("prod", waiver(ends + timedelta(days=30), "prod"), "renewed")
        await story.healthy("prod", "renewed")
        assert worlds.image(here, "prod-eu").endswith(":latest")

    run(tell)


@pytest.mark.threat(43)
def test_a_waiver_that_is_taken_back_between_two_waves_stops_them():
    async def tell(story: storyline.Story) -> None:
        here = story.here
        await two_waves(story, here.clock.now() + timedelta(days=10))
        here.remote.commit("prod", {"environments/prod/legacy.yaml": None}, "taken back")
        await story.until("judged again", lambda: verdict(here, "prod") == "refused")
        here.members["prod-canary"].agent.start()
        await story.until(
            "the canary has it", lambda: worlds.image(here, "prod-canary")[-7:] == ":latest"
        )
        await here.pass_time(120.0)
        assert wave(here) == 1
        assert not worlds.image(here, "prod-eu").endswith(":latest")
        assert "takes back legacy" in await stopped(here)

    run(tell)
