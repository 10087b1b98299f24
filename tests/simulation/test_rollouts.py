"""Rollouts in a simulated fleet: parts, budgets, soak, who is away or broken, what people stop, what replaces them.

The rules of tests/waverules.py are held against every record after each step.
"""

import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import pytest

import invariants
import lines
import replaying
import storyline
import waverules
import worlds
from fleet.audit import records
from fleet.hub import state as hubs
from fleet.model import errors, findings, ledger, names, objects, pacing
from fleet.simulation import clock, world

DEV = names.Environment("dev")
EU = [f"eu-{n}" for n in range(1, 6)]
CANARY = "canary"
ALL = (CANARY, *EU, "us-1")


def wave(name: str, tier: str | None = None, **more: Any) -> dict[str, Any]:
    selector = {"selector": {"matchLabels": {"tier": tier}}} if tier else {}
    return {"name": name, **selector, **more}


def fleet(*waves: dict[str, Any], **rollout: Any) -> str:
    """fleet.yaml of one environment; JSON is YAML."""
    dev = {"name": "dev", "waves": list(waves), "rollout": rollout}
    document = {"apiVersion": "fleetgate.dev/v1alpha1", "kind": "Fleet", "metadata": {"name": "f"}}
    return json.dumps({**document, "spec": {"environments": [dev]}})


def three(**eu: Any) -> tuple[dict[str, Any], ...]:
    return wave("canary", "canary"), wave("europe", "eu", **eu), wave("rest")


def wave_of(_: str, cluster: str) -> str:
    return {"c": "canary", "e": "europe", "u": "rest"}.get(cluster[:1], "rest")


@contextlib.asynccontextmanager
async def told(
    text: str,
    limits: dict[str, waverules.Limit] | None = None,
    settings: hubs.Settings | None = None,
    change: Callable[[hubs.Hub], None] = lambda _: None,
) -> AsyncIterator[storyline.Story]:
    """A fleet of one environment in which release 1 is healthy everywhere."""
    here = world.World(worlds.hub(settings=settings, change=change), worlds.agent())
    here.remote.start("dev", {**worlds.files(), "fleet.yaml": text.encode()})
    watch = invariants.Watch(here)
    watch.waves.wave_of = wave_of
    watch.waves.limits = {("dev", name): each for name, each in (limits or {}).items()}
    story = storyline.Story(here=here, watch=watch)
    for name in ALL:
        tier = {"c": "canary", "e": "eu"}.get(name[:1], "other")
        await worlds.register(here, name, "dev", {"tier": tier})
    here.hub.start()
    try:
        await story.healthy("dev", "dev at first")
        watch.check()
        yield story
        watch.check()
        await replaying.check(here)
    finally:
        await here.close()


def run(
    tell: Callable[[storyline.Story], Awaitable[None]],
    text: str,
    limits: dict[str, waverules.Limit] | None = None,
    settings: hubs.Settings | None = None,
) -> None:
    async def main() -> None:
        async with told(text, limits, settings) as story:
            await tell(story)

    clock.run(main())


def here_of(story: storyline.Story) -> ledger.EnvironmentState:
    return worlds.book(story.here).environments[DEV]


def has(story: storyline.Story, cluster: str, tag: str) -> bool:
    return worlds.image(story.here, cluster).endswith(f":{tag}")


def waves(story: storyline.Story, release: int) -> list[records.Record]:
    found = [each for each in story.watch.chain() if each.kind is records.Kind.WAVE]
    return [each for each in found if each.body["release"] == release]


def _no_deployment(_verb: str, key: objects.Key, _body: Any) -> str:
    return "no" if key.kind == "Deployment" else ""


def fails(story: storyline.Story, *clusters: str) -> None:
    """Their admission refuses the Deployment from now on."""
    for each in clusters:
        story.here.members[each].server.deny = _no_deployment


def heals(story: storyline.Story, *clusters: str) -> None:
    for each in clusters:
        story.here.members[each].server.deny = lambda _verb, _key, _body: ""


async def release_of(story: storyline.Story) -> dict[str, Any]:
    found = await story.here.ask("status", {})
    release: dict[str, Any] = found["environments"][0]["release"]
    return release


async def accepted(story: storyline.Story, tag: str) -> int:
    worlds.with_image(story.here, "dev", tag)
    await story.until(f"{tag} accepted", lambda: worlds.is_accepted(story.here, "dev"))
    return here_of(story).release


async def act(story: storyline.Story, what: str, **arguments: str) -> list[str]:
    asked = {"environment": "dev", "reason": "because", **arguments}
    done: list[str] = (await story.here.ask(f"rollout {what}", asked))["done"]
    return done


def test_a_wave_goes_in_parts_by_name_each_after_the_one_before():
    limits = {"europe": waverules.Limit(at_once=2)}

    async def tell(story: storyline.Story) -> None:
        number = await accepted(story, "1.5.0")
        await story.healthy("dev", "all of it")
        found = waves(story, number)
        assert [each.body["clusters"] for each in found] == [
            ["canary"], ["eu-1", "eu-2"], ["eu-3", "eu-4"], ["eu-5"], ["us-1"],
        ]  # fmt: skip
        assert [(e.body["name"], e.body["part"], e.body["parts"]) for e in found] == [
            ("canary", 1, 1), ("europe", 1, 3), ("europe", 2, 3), ("europe", 3, 3), ("rest", 1, 1),
        ]  # fmt: skip

    run(tell, fleet(*three(size="40%")), limits)


@pytest.mark.threat(114)
def test_clusters_that_are_away_are_pending_counted_and_catch_up_at_their_waves_pace():
    limits = {"europe": waverules.Limit(at_once=1)}

    async def tell(story: storyline.Story) -> None:
        here = story.here
        for name in ("eu-2", "eu-4"):  # 40 % of the wave
            await here.members[name].agent.stop()
        await here.pass_time(400.0)
        number = await accepted(story, "1.5.0")
        await story.until("everyone who is there", lambda: here_of(story).wave == 7)
        await story.until("us-1", lambda: has(story, "us-1", "1.5.0"))
        await here.pass_time(60.0)
        told = await release_of(story)
        counts = [part["counts"] for part in told["rollout"]]
        assert sum(each["pending"] for each in counts) == 2
        assert sum(each["failed"] + each["silent"] for each in counts) == 0
        assert told["failed"] is None
        assert not has(story, "eu-2", "1.5.0")
        for name in ("eu-2", "eu-4"):
            here.members[name].agent.start()
        await story.healthy("dev", "those who were away")
        assert here_of(story).release == number

    run(tell, fleet(*three(size="1")), limits)


@pytest.mark.threat(114)
def test_the_gates_are_asked_again_for_a_cluster_that_comes_back():
    async def tell(story: storyline.Story) -> None:
        here = story.here
        await here.members["eu-2"].agent.stop()
        await here.pass_time(400.0)
        await accepted(story, "1.5.0")
        await story.until("everyone who is there", lambda: has(story, "us-1", "1.5.0"))
        await act(story, "pause", wave="europe")
        here.members["eu-2"].agent.start()
        await here.pass_time(120.0)
        assert not has(story, "eu-2", "1.5.0")
        (state,) = [
            each
            for each in (await here.ask("status", {}))["environments"][0]["clusters"]
            if each["name"] == "eu-2"
        ]
        assert state["state"] == "kept back"
        assert state["keptBack"] == "someone paused wave europe of dev: because"
        await act(story, "resume", wave="europe")
        await story.healthy("dev", "resumed")

    run(tell, fleet(*three()))


def test_a_release_that_silences_its_cluster_before_it_was_healthy_goes_no_further():
    async def tell(story: storyline.Story) -> None:
        here = story.here
        fails(story, "eu-1")
        await accepted(story, "1.5.0")
        await story.until("europe is out", lambda: here_of(story).wave == 2)
        await here.pass_time(30.0)
        await here.members["eu-1"].agent.stop()
        await here.pass_time(600.0)
        assert here_of(story).wave == 2
        told = await release_of(story)
        assert told["next"]["waitsFor"] == ["wave europe: eu-1: went silent before it was healthy"]
        assert told["rollout"][1]["counts"]["silent"] == 1
        heals(story, "eu-1")
        here.members["eu-1"].agent.start()
        await story.healthy("dev", "back and healthy")

    run(tell, fleet(*three()))


def test_as_many_as_may_be_unavailable_do_not_hold_the_next_wave():
    limits = {"europe": waverules.Limit(at_once=2, max_unavailable=1)}

    async def tell(story: storyline.Story) -> None:
        fails(story, "eu-1")
        await accepted(story, "1.5.0")
        await story.until("the last wave", lambda: has(story, "us-1", "1.5.0"))
        assert not has(story, "eu-1", "1.5.0")
        assert here_of(story).failed is None

    run(tell, fleet(*three(size="2", maxUnavailable="20%")), limits)


def test_one_more_than_may_be_unavailable_stops_the_rollout_and_what_is_out_stays():
    limits = {"europe": waverules.Limit(at_once=2, max_unavailable=1)}

    async def tell(story: storyline.Story) -> None:
        here = story.here
        fails(story, "eu-1", "eu-2")
        await accepted(story, "1.5.0")
        await story.until("failed", lambda: here_of(story).failed is not None)
        await here.pass_time(300.0)
        assert here_of(story).wave == 2
        assert has(story, "canary", "1.5.0")
        told = await release_of(story)
        assert told["failed"]["reason"].startswith("wave europe: eu-1: Deployment")
        assert told["next"]["stopped"] == [told["failed"]["reason"]]
        # It is not final: whoever recovers lets it go on, and both are recorded.
        heals(story, "eu-1", "eu-2")
        await story.healthy("dev", "recovered")
        acts = [e.body["act"] for e in story.watch.chain() if e.kind is records.Kind.ROLLOUT]
        assert acts == ["failed", "recovered"]

    run(tell, fleet(*three(size="2", maxUnavailable="1")), limits)


def test_a_wave_that_is_not_healthy_by_its_deadline_has_failed_until_someone_resumes():
    async def tell(story: storyline.Story) -> None:
        here = story.here
        fails(story, "canary")
        await accepted(story, "1.5.0")
        await here.pass_time(500.0)
        failed = here_of(story).failed
        assert failed is not None
        assert not failed.final  # it may still recover
        await here.pass_time(200.0)
        failed = here_of(story).failed
        assert failed is not None
        assert (failed.final, failed.reason) == (True, "not healthy within 0:10:00")
        heals(story, "canary")
        await here.pass_time(600.0)
        assert here_of(story).wave == 1
        assert not has(story, "us-1", "1.5.0")
        await act(story, "resume", reason="looked at it")
        await story.healthy("dev", "resumed")

    run(tell, fleet(*three(), deadline="10m"))


async def rolled_back(story: storyline.Story, tag: str) -> ledger.EnvironmentState:
    """The canary fails with what comes; where the hub stands a while later."""
    fails(story, "canary")
    await accepted(story, tag)
    await story.until("failed", lambda: bool(acts(story, "failed")))
    heals(story, "canary")
    await story.here.pass_time(120.0)
    return here_of(story)


def acts(story: storyline.Story, act_: str) -> list[dict[str, Any]]:
    found = [each.body for each in story.watch.chain() if each.kind is records.Kind.ROLLOUT]
    return [each for each in found if each["act"] == act_]


async def quarantined(story: storyline.Story, what: str = "quarantine") -> None:
    release = worlds.book(story.here).in_force(DEV)
    assert release is not None
    asked = {"environment": "dev", "what": release.content, "reason": "it is slow", "by": "ada"}
    await story.here.ask(what, asked)


SOAKS = fleet(wave("canary", "canary", soak="1m"), wave("europe", "eu"), wave("rest"))


def test_what_is_quarantined_goes_no_further_until_it_is_lifted():
    async def tell(story: storyline.Story) -> None:
        here = story.here
        await accepted(story, "1.5.0")
        await story.until("the canary", lambda: has(story, "canary", "1.5.0"))
        await quarantined(story)
        await here.pass_time(300.0)
        assert [each for each in ALL if has(story, each, "1.5.0")] == ["canary"]
        (why,) = (await release_of(story))["next"]["stopped"]
        assert why.startswith("quarantined in dev since")
        assert why.endswith("by ada (as someone): it is slow")
        # Another release of the same content is no way around it.
        label = here.remote.read("dev", "clusters/dev/us-1.yaml").decode()
        changed = label.replace('"other"', '"another"')
        assert changed != label
        here.remote.commit("dev", {"clusters/dev/us-1.yaml": changed}, "A label")
        await story.until("a label", lambda: here_of(story).release == 3)
        await here.pass_time(300.0)
        assert [each for each in ALL if has(story, each, "1.5.0")] == ["canary"]
        await quarantined(story, "lift")
        await story.healthy("dev", "lifted")
        assert all(has(story, each, "1.5.0") for each in ALL)

    run(tell, SOAKS)


def test_what_is_out_already_may_change_otherwise_though_it_is_quarantined():
    async def tell(story: storyline.Story) -> None:
        here = story.here
        await quarantined(story)
        label = here.remote.read("dev", "clusters/dev/us-1.yaml").decode()
        here.remote.commit(
            "dev", {"clusters/dev/us-1.yaml": label.replace('"other"', '"another"')}
        )
        await story.until("a label", lambda: here_of(story).release == 2)
        await story.healthy("dev", "a label")

    run(tell, SOAKS)


def test_who_comes_late_does_not_get_what_is_quarantined_by_then():
    async def tell(story: storyline.Story) -> None:
        here = story.here
        await here.members["us-1"].agent.stop()
        await here.pass_time(400.0)
        await accepted(story, "1.5.0")
        await story.until("all waves", lambda: here_of(story).wave == 3)
        await quarantined(story)
        here.members["us-1"].agent.start()
        await here.pass_time(120.0)
        assert [each for each in ALL if not has(story, each, "1.5.0")] == ["us-1"]
        await quarantined(story, "lift")
        await here.pass_time(60.0)
        assert has(story, "us-1", "1.5.0")

    run(tell, SOAKS)


ROLLS_BACK = fleet(*three(), onFailure="rollback")


def test_what_fails_goes_back_by_itself_to_what_was_healthy_here():
    async def tell(story: storyline.Story) -> None:
        here = await rolled_back(story, "1.5.0")
        release = worlds.book(story.here).in_force(DEV)
        assert release is not None
        assert (release.number, release.healthy is not None, here.failed) == (3, True, None)
        assert not any(has(story, each, "1.5.0") for each in ALL)
        (decided,) = [
            each.body
            for each in story.watch.chain()
            if each.kind is records.Kind.DECISION and each.body["release"] == 3
        ]
        assert (decided["lineage"], decided["backTo"], decided["author"]) == (
            "rollback",
            1,
            "fleet hub",
        )
        assert decided["subject"].startswith("release 2 failed: wave canary: canary: ")
        # The tip is what failed: it does not come again by itself, and a fix on top of it does.
        assert here.decision is not None
        assert here.decision.verdict is ledger.Verdict.REFUSED
        assert [e.gate for e in here.decision.gates if e.state.value == "refused"] == [
            "quarantine"
        ]
        await accepted(story, "1.6.0")
        await story.healthy("dev", "the fix")

    run(tell, ROLLS_BACK)


def test_what_a_rule_says_of_what_ran_does_not_keep_it_from_coming_back():
    """A baseline let it through, since what ran before had it too; what failed has it no more."""

    async def tell(story: storyline.Story) -> None:
        here = story.here
        fleet_ = json.loads(ROLLS_BACK)
        fleet_["spec"]["environments"][0]["baseline"] = True
        rude = storyline.CONFIG.replace("word: more", "word: rude")
        for what, files in (
            ("rude", {storyline.EXTRA: rude}),
            ("a baseline", {"fleet.yaml": json.dumps(fleet_)}),
            ("a rule", {"policies/polite/policy.yaml": lines.POLICY}),
        ):
            here.remote.commit("dev", files, what)
            await story.healthy("dev", what)
        before = await accepted(story, "1.5.0")
        await story.healthy("dev", "rude still")
        here.remote.commit("dev", {storyline.EXTRA: storyline.CONFIG}, "kind")
        state = await rolled_back(story, "1.6.0")
        found = [each.body for each in story.watch.chain() if each.kind is records.Kind.DECISION]
        (back,) = [each for each in found if each["release"] == state.release]
        assert (back["lineage"], back["backTo"]) == ("rollback", before)
        assert [f["passed"] for f in back["findings"] if f["rule"] == "polite"] == [
            findings.EXEMPT
        ]

    run(tell, ROLLS_BACK)


def test_a_way_back_that_is_none_is_said_once_and_tried_again():
    """What was there before came under other rules: going back would take those back as well."""

    async def tell(story: storyline.Story) -> None:
        rules = json.loads(ROLLS_BACK)
        rules["spec"]["environments"][0]["guard"] = {"maxDeletedShare": 0.4}
        story.here.remote.commit("dev", {"fleet.yaml": json.dumps(rules).encode()})
        here = await rolled_back(story, "1.5.0")
        assert here.failed is not None
        assert here.failed.stays.startswith("no release with these rules")
        assert [each["reason"] for each in acts(story, "stays")] == [here.failed.stays]
        assert here.release == 2

    run(tell, ROLLS_BACK)


def test_it_goes_back_past_what_is_quarantined():
    async def tell(story: storyline.Story) -> None:
        await accepted(story, "1.5.0")
        await story.healthy("dev", "1.5.0")
        await quarantined(story)
        here = await rolled_back(story, "1.6.0")
        assert (here.release, here.failed) == (4, None)
        assert not any(has(story, each, "1.5.0") for each in ALL)
        (decided,) = [
            each.body
            for each in story.watch.chain()
            if each.kind is records.Kind.DECISION and each.body["release"] == 4
        ]
        assert (decided["lineage"], decided["backTo"]) == ("rollback", 1)

    run(tell, ROLLS_BACK)


def test_it_goes_back_past_what_has_the_paths_of_what_was_left():
    async def tell(story: storyline.Story) -> None:
        here = story.here
        good = here.remote.branches["dev"]
        first = here.remote.read("dev", worlds.WEB).decode()
        await accepted(story, "1.5.0")
        await story.healthy("dev", "1.5.0")
        here.remote.commit("dev", {"README.md": "Another file\n"}, "Beside it")
        await story.healthy("dev", "another content with it")
        fails(story, "canary")
        back = f"Back with it\n\nFleet-Rollback: {good}"
        here.remote.commit("dev", {worlds.WEB: first}, back)
        await story.until("failed", lambda: bool(acts(story, "failed")))
        heals(story, "canary")
        await here.pass_time(120.0)
        found = worlds.decision(here, "dev")
        release = worlds.book(here).in_force(DEV)
        assert found is not None
        assert release is not None
        assert (release.number, release.commit) == (5, good)
        assert not acts(story, "stays")

    run(tell, ROLLS_BACK)


def test_without_it_what_is_out_stays():
    async def tell(story: storyline.Story) -> None:
        fails(story, "canary")
        await accepted(story, "1.5.0")
        await story.here.pass_time(300.0)
        assert here_of(story).release == 2
        assert not acts(story, "stays")

    run(tell, fleet(*three()))


def test_the_next_wave_waits_until_the_one_before_has_soaked():
    limits = {"canary": waverules.Limit(soak=600)}

    async def tell(story: storyline.Story) -> None:
        here = story.here
        number = await accepted(story, "1.5.0")
        await story.until("the canary", lambda: has(story, "canary", "1.5.0"))
        await here.pass_time(200.0)
        assert here_of(story).wave == 1
        assert "soaks until" in (await release_of(story))["next"]["waitsFor"][0]
        # Moments of which nobody knows begin it anew.
        await here.members["canary"].agent.stop()
        await here.pass_time(400.0)
        here.members["canary"].agent.start()
        await here.pass_time(550.0)
        assert here_of(story).wave == 1
        await story.healthy("dev", "all of it")
        assert here_of(story).release == number

    run(
        tell,
        fleet(wave("canary", "canary", soak="10m"), wave("europe", "eu"), wave("rest")),
        limits,
    )


@pytest.mark.threat(102)
@pytest.mark.parametrize("jump", [-60, -86400, 86400])
def test_a_clock_that_jumps_makes_nobody_look_away(jump: int):
    """Signs of life that are of days to come, or of days ago, say nothing: each part waits for the one before."""

    async def tell(story: storyline.Story) -> None:
        story.here.clock.ahead += timedelta(seconds=jump)
        number = await accepted(story, "1.5.0")
        await story.healthy("dev", "all of it")
        assert len(waves(story, number)) == len({each.at for each in waves(story, number)})

    run(tell, fleet(*three()))


@pytest.mark.threat(102)
def test_a_clock_that_jumps_breaks_a_soak_and_never_fills_it():
    async def tell(story: storyline.Story) -> None:
        here = story.here
        await accepted(story, "1.5.0")
        await story.until("the canary", lambda: has(story, "canary", "1.5.0"))
        await here.pass_time(60.0)
        here.clock.ahead += clock.timedelta(days=7)
        await here.pass_time(300.0)
        assert here_of(story).wave == 1
        await here.pass_time(400.0)
        assert here_of(story).wave > 1

    run(tell, fleet(wave("canary", "canary", soak="10m"), wave("europe", "eu"), wave("rest")))


@pytest.mark.threat(102)
def test_a_hub_that_was_down_counts_nothing_of_that_time():
    limits = {"canary": waverules.Limit(soak=600)}

    async def tell(story: storyline.Story) -> None:
        here = story.here
        await accepted(story, "1.5.0")
        await story.until("the canary", lambda: has(story, "canary", "1.5.0"))
        await here.pass_time(60.0)
        await here.hub.stop()
        await here.pass_time(3600.0)
        here.hub.start()
        await here.pass_time(500.0)
        assert here_of(story).wave == 1
        await story.healthy("dev", "all of it")

    run(
        tell,
        fleet(wave("canary", "canary", soak="10m"), wave("europe", "eu"), wave("rest")),
        limits,
    )


@pytest.mark.parametrize("first", [True, False])
def test_clusters_that_fail_already_may_take_the_fix_first_and_never_count(first: bool):
    async def tell(story: storyline.Story) -> None:
        here = story.here
        fails(story, "eu-3")
        await accepted(story, "1.5.0")
        await story.until("failed", lambda: here_of(story).failed is not None)
        story.watch.waves.broken_before = frozenset({"eu-3"})
        number = await accepted(story, "1.6.0")
        told = waves(story, number)[0].body["clusters"]
        assert told == (["canary", "eu-3"] if first else ["canary"])
        await story.until("all others", lambda: has(story, "us-1", "1.6.0"))
        assert not has(story, "eu-3", "1.6.0")
        assert here_of(story).failed is None
        heals(story, "eu-3")
        await story.healthy("dev", "mended")
        assert here.faults == []

    run(tell, fleet(*three(), brokenFirst=first))


@pytest.mark.threat(108)
def test_a_hub_that_has_just_begun_takes_nobody_for_away():
    """All that the last life heard of is forgotten; whoever has not polled again yet is there all the same."""

    async def tell(story: storyline.Story) -> None:
        here = story.here
        await here.pass_time(400.0)  # the last reports are old by now
        await act(story, "pause", wave="rest")
        await act(story, "pause", wave="europe")
        await accepted(story, "1.5.0")
        await story.until("the canary", lambda: has(story, "canary", "1.5.0"))
        for name in EU:
            await here.members[name].agent.stop()
        await here.hub.stop()
        here.hub.start()
        await here.pass_time(30.0)
        await act(story, "resume", wave="europe")
        await act(story, "resume", wave="rest")
        await here.pass_time(200.0)
        assert here_of(story).wave == 2
        told = (await release_of(story))["next"]["waitsFor"]
        assert told == ["wave europe: eu-1: was not heard of yet since the hub began and 4 more"]
        await here.pass_time(200.0)
        assert here_of(story).wave == 3  # now they are away for certain

    run(tell, fleet(*three()))


@pytest.mark.threat(108)
def test_a_newer_release_replaces_a_running_rollout_from_wave_one_and_the_record_says_so():
    async def tell(story: storyline.Story) -> None:
        here = story.here
        fails(story, "eu-1")
        first = await accepted(story, "1.5.0")
        await story.until("europe is out", lambda: here_of(story).wave == 2)
        await here.hub.stop()
        worlds.with_image(here, "dev", "1.6.0")
        heals(story, "eu-1")
        here.hub.start()
        await story.until("the newer commit", lambda: worlds.is_accepted(here, "dev"))
        second = here_of(story).release
        await story.healthy("dev", "the newer one")
        assert waves(story, second)[0].body["replaces"] == {"release": first, "wave": 2, "of": 3}
        assert all(each.body["replaces"] is None for each in waves(story, second)[1:])
        assert [e.body["clusters"] for e in waves(story, second)] == [["canary"], EU, ["us-1"]]
        third = await accepted(story, "1.7.0")
        await story.healthy("dev", "one more")
        assert waves(story, third)[0].body["replaces"] is None

    run(tell, fleet(*three()))


@pytest.mark.parametrize(
    ("scope", "reached", "kept"),
    [
        ({"environment": ""}, (), ALL),
        ({}, (), ALL),
        ({"wave": "europe"}, ("canary",), (*EU, "us-1")),
        ({"cluster": "eu-2"}, ("canary", "eu-1", "us-1"), ("eu-2",)),
    ],
    ids=["fleet", "environment", "wave", "cluster"],
)
def test_what_is_paused_gets_nothing_new_until_it_is_resumed(
    scope: dict[str, str], reached: tuple[str, ...], kept: tuple[str, ...]
):
    async def tell(story: storyline.Story) -> None:
        here = story.here
        await act(story, "pause", **scope)
        await accepted(story, "1.5.0")
        for name in reached:
            await story.until(f"{name} has it", lambda name=name: has(story, name, "1.5.0"))
        await here.pass_time(200.0)
        assert [name for name in kept if has(story, name, "1.5.0")] == []
        (halt,) = (await here.ask("status", {}))["halts"]
        assert (halt["act"], halt["reason"], halt["by"]) == ("pause", "because", "someone")
        await act(story, "resume", **scope, reason="over")
        await story.healthy("dev", "resumed")
        told = [e.body for e in story.watch.chain() if e.kind is records.Kind.ROLLOUT]
        assert [(e["act"], e["reason"]) for e in told] == [
            ("pause", "because"),
            ("resume", "over"),
        ]
        assert (await here.ask("status", {}))["halts"] == []

    run(tell, fleet(*three()))


def test_a_paused_cluster_keeps_what_it_has_for_longer_than_a_dispatch_lives():
    async def tell(story: storyline.Story) -> None:
        here = story.here
        await act(story, "pause", cluster="eu-2")
        number = await accepted(story, "1.5.0")
        await story.until("us-1", lambda: has(story, "us-1", "1.5.0"))
        before = worlds.book(here).clusters[names.Cluster("eu-2")].dispatch
        await here.pass_time(900.0)
        after = worlds.book(here).clusters[names.Cluster("eu-2")]
        assert before is not None
        assert after.dispatch is not None
        assert after.dispatch.expires > here.clock.now()
        assert after.dispatch.sequence > before.sequence
        assert (after.dispatch.slice, after.dispatch.release) == (before.slice, number - 1)
        assert after.release == number
        assert not has(story, "eu-2", "1.5.0")

    settings = hubs.Settings(poll_interval=2.0, dispatch_lifetime=600)
    run(tell, fleet(*three()), settings=settings)


def test_an_aborted_rollout_never_goes_on_and_a_new_release_replaces_it():
    async def tell(story: storyline.Story) -> None:
        here = story.here
        fails(story, "eu-1")
        number = await accepted(story, "1.5.0")
        await story.until("europe is out", lambda: here_of(story).wave == 2)
        (said,) = await act(story, "abort", reason="wrong")
        assert said == "someone aborted environment dev: wrong"
        heals(story, "eu-1")
        await story.until("what was sent comes to rest", lambda: has(story, "eu-1", "1.5.0"))
        await here.pass_time(200.0)
        assert not has(story, "us-1", "1.5.0")
        with pytest.raises(errors.RefusedError, match="not paused"):
            await act(story, "resume")
        later = await accepted(story, "1.6.0")
        await story.healthy("dev", "the next release")
        assert waves(story, later)[0].body["replaces"]["release"] == number
        with pytest.raises(errors.RefusedError, match="nothing is rolling out"):
            await act(story, "abort")

    run(tell, fleet(*three()))


@pytest.mark.threat(43)
def test_a_wave_that_asks_for_approvals_waits_while_nobody_can_give_them():
    async def tell(story: storyline.Story) -> None:
        await accepted(story, "1.5.0")
        await story.until("the canary", lambda: has(story, "canary", "1.5.0"))
        await story.here.pass_time(200.0)
        assert here_of(story).wave == 1

    asked = [{"group": "leads", "count": 2}]

    async def main() -> None:
        waves_ = (wave("canary", "canary"), wave("rest"))
        async with told(fleet(*waves_)) as story:
            gated = fleet(waves_[0], wave("rest", approvals=asked))
            story.here.remote.commit("dev", {"fleet.yaml": gated}, "approvals before the rest")
            await story.healthy("dev", "from the next commit on")
            await tell(story)
            told_ = await release_of(story)
            assert told_["next"]["waitsFor"] == [
                "wave rest: approvals are asked for, and no trust file says whose"
            ]

    clock.run(main())


BAD: list[tuple[dict[str, Any], str]] = [
    ({"reason": " "}, "say why"),
    ({"reason": "x" * 1001}, "say why"),
    ({"environment": "moon"}, "no environment 'moon': dev"),
    ({"wave": "moon"}, "no wave 'moon' in dev: canary, europe, rest"),
    ({"cluster": "moon"}, "no cluster 'moon' in dev: canary, eu-1"),
    ({"wave": "europe", "cluster": "eu-1"}, "not both"),
    ({"environment": "", "cluster": "eu-1"}, "together with its environment"),
    ({"wave": 7}, "has the words"),
    ({"force": "yes"}, "has the words"),
    ({"cluster": "\x1b[31m"}, "no cluster '.x1b"),
]


@pytest.mark.threat(73)
def test_acts_that_make_no_sense_are_refused_and_change_nothing():
    async def tell(story: storyline.Story) -> None:
        before = len(story.watch.chain())
        for what in ("pause", "resume", "abort"):
            for arguments, said in BAD:
                with pytest.raises(errors.InputError, match=said):
                    await act(story, what, **arguments)
        with pytest.raises(errors.RefusedError, match="dev is not paused") as raised:
            await act(story, "resume")
        assert raised.value.hint == "nothing is paused"
        assert len(story.watch.chain()) == before
        await act(story, "pause")
        with pytest.raises(errors.RefusedError, match="paused already"):
            await act(story, "pause")
        with pytest.raises(errors.RefusedError, match="cluster eu-1 is not paused") as raised:
            await act(story, "resume", cluster="eu-1")
        assert raised.value.hint == "what holds: someone paused environment dev: because"

    run(tell, fleet(*three()))


def test_a_cluster_in_no_wave_or_in_two_refuses_the_commit_and_what_runs_stays():
    async def tell(story: storyline.Story) -> None:
        here: world.World = story.here
        worlds.with_image(here, "dev", "1.5.0")
        overlapping = fleet(wave("canary", "canary"), wave("all"), wave("europe", "eu"))
        here.remote.commit("dev", {"fleet.yaml": overlapping}, "overlapping")
        await here.pass_time(30.0)
        decision = worlds.decision(here, "dev")
        assert decision is not None
        assert decision.verdict is ledger.Verdict.REFUSED
        said = sorted(each.message for each in decision.findings if each.rule == "waves")
        assert said == [
            "canary is in more than one wave: canary, all",
            "eu-1, eu-2, eu-3, eu-4, eu-5 are in more than one wave: all, europe",
        ]
        here.remote.commit("dev", {"fleet.yaml": fleet(wave("canary", "canary"))}, "too few")
        await here.pass_time(30.0)
        decision = worlds.decision(here, "dev")
        assert decision is not None
        (lost,) = [each for each in decision.findings if each.rule == "waves"]
        assert lost.message == "eu-1, eu-2, eu-3, eu-4, eu-5 and 1 more are in no wave of dev"
        assert "name: rest" in lost.hint
        here.remote.commit("dev", {"fleet.yaml": fleet(*three())}, "mended")
        await story.healthy("dev", "mended")

    run(tell, fleet(*three()))


def with_window() -> str:
    window = {"name": "eu-hours", "effect": "allow", "timeZone": "UTC", "waves": ["europe"],
              "start": "2026-01-05T08:30", "duration": "1h"}  # fmt: skip
    document = json.loads(fleet(*three()))
    document["spec"]["environments"][0]["gates"] = {"windows": [window]}
    return json.dumps(document)


@pytest.mark.threat(54)
def test_a_window_of_one_wave_holds_that_wave_and_whoever_comes_back_to_it():
    """From 08:00 on; europe may change from 08:30 to 09:30, the canary at any time."""

    async def main() -> None:
        async with told(fleet(*three())) as story:
            here = story.here
            here.remote.commit("dev", {"fleet.yaml": with_window()}, "windows")
            await story.until("the canary", lambda: here_of(story).wave == 1)
            await here.pass_time(60.0)
            assert here_of(story).wave == 1
            (why,) = (await release_of(story))["next"]["waitsFor"]
            assert "eu-hours" in why
            assert (await release_of(story))["stopped"] == ""
            await here.members["eu-1"].agent.stop()
            await reach(story, 40)
            assert here_of(story).wave == 3
            await reach(story, 95)  # closed again
            worlds.with_image(here, "dev", "1.5.0")
            await story.until("the canary again", lambda: has(story, "canary", "1.5.0"))
            here.members["eu-1"].agent.start()
            await here.pass_time(300.0)
            before = worlds.book(here).clusters[names.Cluster("eu-1")].dispatch
            assert before is not None
            assert before.release == 1  # neither the new one nor the one whose window is over
            assert here_of(story).wave == 1

    clock.run(main())


async def reach(story: storyline.Story, minutes: int) -> None:
    passed = (story.here.clock.now() - clock.START).total_seconds()
    await story.here.pass_time(minutes * 60 - passed)


class Spoiled(ledger.Ledger):
    """Keeps something else than the book."""

    def __init__(self, spoil: Callable[[ledger.Row], ledger.Row | None]) -> None:
        super().__init__()
        self.spoil = spoil

    def take(self, row: ledger.Row) -> None:
        found = self.spoil(row)
        if found is not None:
            super().take(found)


class SpoiledBook:
    def __init__(self, behind: Any, spoil: Callable[[ledger.Row], ledger.Row | None]) -> None:
        self.behind, self.spoil = behind, spoil

    def __getattr__(self, name: str) -> Any:
        return getattr(self.behind, name)

    async def load(self) -> ledger.Ledger:
        return Spoiled(self.spoil)


def no_halts(row: ledger.Row) -> ledger.Row | None:
    return None if isinstance(row, pacing.Halt) else row


def one_part(row: ledger.Row) -> ledger.Row:
    if not isinstance(row, ledger.Release) or len(row.waves) < 3:
        return row
    members = tuple(each for part in row.waves[1:] for each in part)
    terms = tuple(replace(each, at_once=0) for each in row.terms[:2])
    return replace(row, waves=(row.waves[0], members), terms=terms)


def with_terms(row: ledger.Row, **changed: int) -> ledger.Row:
    if not isinstance(row, ledger.Release):
        return row
    return replace(row, terms=tuple(replace(each, **changed) for each in row.terms))


LIMITS = {"europe": waverules.Limit(at_once=2), "canary": waverules.Limit(soak=300)}
SPOILED: dict[str, tuple[Callable[[ledger.Row], ledger.Row | None], str]] = {
    "pauses are forgotten": (no_halts, "in spite of a pause"),
    "sizes are forgotten": (one_part, "changed at once"),
    "who is sick is passed over": (
        lambda row: with_terms(row, max_unavailable=9),
        "of europe were good",
    ),
    "soaks are skipped": (lambda row: with_terms(row, soak=0), "after the one before it"),
    "nothing": (lambda row: row, ""),
}


@pytest.mark.parametrize(("spoil", "said"), SPOILED.values(), ids=SPOILED.keys())
def test_each_rule_of_waves_can_be_broken(
    spoil: Callable[[ledger.Row], ledger.Row | None], said: str
):
    """By a hub that is spoiled on purpose, from the second release on: no rule is blind."""
    spoils: list[Callable[[ledger.Row], ledger.Row | None]] = [lambda row: row]
    broken: list[str] = []

    def change(hub: hubs.Hub) -> None:
        hub.book = cast("Any", SpoiledBook(hub.book, lambda row: spoils[-1](row)))  # noqa: PLW0108 - whichever is the last by then

    async def tell() -> None:
        text = fleet(
            wave("canary", "canary", soak="5m"), wave("europe", "eu", size="2"), wave("rest")
        )
        async with told(text, LIMITS, change=change) as story:
            spoils.append(spoil)
            await act(story, "pause", cluster="us-1")
            if "of europe" in said:
                fails(story, "eu-1", "eu-2")
            await accepted(story, "1.5.0")
            await story.here.pass_time(900.0)
            with contextlib.suppress(AssertionError):
                story.watch.check()
            broken.extend(story.watch.broken)
            story.watch.broken.clear()

    clock.run(tell())
    assert any(said in each for each in broken) if said else broken == []
