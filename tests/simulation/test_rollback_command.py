"""`fleet rollback` against a running hub: told to be a rollback, and what it left is quarantined."""

from collections.abc import Awaitable, Callable

import pytest

import lines
import storyline
import worlds
from fleet.hub.desk import releases
from fleet.local import offline, rollbacks
from fleet.model import errors, findings, ledger, names
from fleet.simulation import repository, world

Lineage = ledger.Lineage
STAGING = names.Environment("staging")
EXTRA, RULES = storyline.EXTRA, "policies/polite/policy.yaml"
RUDE = storyline.CONFIG.replace("word: more", "word: rude")
OTHER = "apps/other/other.yaml"
OTHER_BUNDLE = """apiVersion: fleetgate.dev/v1alpha1
kind: Bundle
metadata:
  name: other
spec: {}
"""


def other(word: str) -> str:
    return storyline.CONFIG.replace("name: extra", "name: other").replace("more", word)


async def begin(story: storyline.Story) -> None:
    """Staging has run three contents, each of them healthy."""
    here = story.here
    await storyline.two(story)
    for tag in ("1.5.0", "1.6.0"):
        worlds.with_image(here, "dev", tag)
        await promoted(story, tag)


async def promoted(story: storyline.Story, what: str) -> None:
    await story.healthy("dev", f"{what} in dev")
    worlds.promote(story.here, "dev", "staging")
    await story.healthy("staging", f"{what} in staging")


def run(tell: Callable[[storyline.Story], Awaitable[None]]) -> None:
    storyline.play(storyline.small, begin, tell)


async def offered(
    here: world.World, to: str = "", *bundles: str, environment: str = "staging"
) -> rollbacks.Offer:
    tools = worlds.person(here)
    tips = (await tools.repository.fetch()).branches
    scene = rollbacks.Scene(
        tips=tips,
        road=await offline.road_of(tips[names.Branch("dev")], tools),
        history=releases.read(await here.ask("releases", {"environment": environment})),
    )
    asked = rollbacks.Asked(
        environment=names.Environment(environment), reason="it is slow", to=to, bundles=bundles
    )
    return await rollbacks.prepare(asked, scene, tools, repository.Writer(here.remote, "Ada"))


async def pushed(here: world.World, offer: rollbacks.Offer) -> None:
    assert not findings.refuses(offer.findings)
    await repository.Writer(here.remote, "Ada").push(offer.branch, offer.commit, offer.tip)


async def rolled_back(
    story: storyline.Story, to: str = "", *bundles: str, environment: str = "staging"
) -> ledger.Decision:
    await pushed(story.here, await offered(story.here, to, *bundles, environment=environment))
    await story.healthy(environment, f"back to {to or 'the last good one'}")
    found = decided(story.here, environment)
    assert found is not None
    assert found.lineage is Lineage.ROLLBACK
    return found


def decided(here: world.World, branch: str = "staging") -> ledger.Decision | None:
    found = worlds.decision(here, branch)
    return found if found and found.commit == here.remote.branches[branch] else None


def tag(here: world.World, cluster: str = "staging-1") -> str:
    return worlds.image(here, cluster).rpartition(":")[2]


def held(found: ledger.Decision) -> list[str]:
    return [each.gate for each in found.gates if each.state is not ledger.GateState.OPEN]


def test_it_goes_back_to_the_last_one_that_was_good_and_quarantines_what_it_left():
    async def tell(story: storyline.Story) -> None:
        here = story.here
        found = await rolled_back(story)
        assert (tag(here), tag(here, "dev-1")) == ("1.5.0", "1.6.0")
        assert found.subject.endswith(": it is slow")
        shown = (await here.ask("status"))["environments"][1]["quarantined"]
        assert ["it is slow" in each["reason"] for each in shown] == [True]
        worlds.promote(here, "dev", "staging")
        await story.until("promoted again", lambda: decided(here) is not None)
        again = decided(here)
        assert again is not None
        assert held(again) == ["quarantine"]
        what = here.remote.branches["staging"]
        asked = {"environment": "staging", "what": what, "reason": "mended", "by": "Ada"}
        await here.ask("lift", asked)
        await story.healthy("staging", "lifted")
        assert tag(here) == "1.6.0"

    run(tell)


def test_what_was_left_is_explained_by_its_quarantine():
    async def tell(story: storyline.Story) -> None:
        here = story.here
        left = worlds.book(here).in_force(STAGING)
        assert left is not None
        asked = {"environment": "staging", "what": left.content, "reason": "slow", "by": "Ada"}
        source = here.remote.branches["dev"]
        await here.ask("quarantine", asked)
        running = await here.ask("explain", {"environment": "staging", "commit": source})
        assert (running["standing"], "quarantined since" in running["told"]) == ("accepted", True)
        await here.ask("lift", asked)
        await rolled_back(story)
        for commit in (left.commit, source):
            found = await here.ask("explain", {"environment": "staging", "commit": commit})
            lift = f"fleet hub lift staging {commit[:10]} --reason WHY"
            assert (found["standing"], found["hint"]) == ("quarantined", lift)
            assert "it ran in staging as release 3" in found["told"]
            (gate,) = [each for each in found["gates"] if each["gate"] == "quarantine"]
            assert (gate["state"], "it is slow" in gate["reason"]) == ("refused", True)
        await here.ask("lift", asked)
        found = await here.ask("explain", {"environment": "staging", "commit": left.commit})
        assert found["standing"] == "replaced"

    run(tell)


async def another_bundle(story: storyline.Story) -> None:
    """Two bundles, of which the other turns bad; staging goes back from that one alone."""
    here = story.here
    files = {"apps/other/bundle.yaml": OTHER_BUNDLE, OTHER: other("good")}
    here.remote.commit("dev", files, "another bundle")
    await promoted(story, "another bundle")
    here.remote.commit("dev", {OTHER: other("bad")}, "bad")
    await promoted(story, "bad")
    await rolled_back(story, "", "apps/other")


def test_what_was_left_does_not_come_back_with_the_next_unrelated_change():
    async def tell(story: storyline.Story) -> None:
        here = story.here
        await another_bundle(story)
        left = worlds.book(here).releases[
            STAGING, worlds.book(here).environments[STAGING].release - 1
        ]
        row = worlds.book(here).quarantines[STAGING, left.content]
        assert row.forms.keys() == {OTHER}
        bad = worlds.with_image(here, "dev", "1.9.0")
        await story.healthy("dev", "1.9.0 in dev")
        lift = f"fleet hub lift staging {left.content} --reason WHY"
        explained = await here.ask("explain", {"environment": "staging", "commit": bad})
        assert (explained["standing"], explained["hint"]) == ("quarantined", lift)
        (waits,) = (await here.ask("unpromoted", {"environment": "staging"}))["environments"]
        assert waits["waiting"][0]["promotable"] == "refused"
        worlds.promote(here, "dev", "staging")
        await story.until("decided", lambda: decided(here) is not None)
        found = decided(here)
        assert found is not None
        assert held(found) == ["quarantine"]
        (gate,) = [each for each in found.gates if each.gate == "quarantine"]
        assert gate.reason.startswith(f"{OTHER} as quarantined since")
        assert gate.hint == lift
        # A part of it without what was left may come, and a fix may.
        here.remote.commit("dev", {OTHER: other("mended")}, "mended")
        await promoted(story, "mended")
        assert tag(here) == "1.9.0"

    run(tell)


def test_once_it_is_lifted_it_comes_in_whatever_content():
    async def tell(story: storyline.Story) -> None:
        here = story.here
        await another_bundle(story)
        (left,) = worlds.book(here).quarantines.values()
        asked = {"environment": "staging", "what": left.content, "reason": "no fault", "by": "Ada"}
        await here.ask("quarantine", asked)  # said again by hand, it is still of these paths
        worlds.with_image(here, "dev", "1.9.0")
        await story.healthy("dev", "1.9.0 in dev")
        worlds.promote(here, "dev", "staging")
        await story.until("decided", lambda: decided(here) is not None)
        found = decided(here)
        assert found is not None
        assert held(found) == ["quarantine"]
        await here.ask("lift", asked)
        await story.healthy("staging", "lifted")
        # By hand it is the whole content alone.
        await here.ask("quarantine", asked)
        worlds.with_image(here, "dev", "1.9.1")
        await promoted(story, "1.9.1")

    run(tell)


def test_twice_goes_further_back_and_a_rollback_is_rolled_back_once_it_is_lifted():
    async def tell(story: storyline.Story) -> None:
        here = story.here
        left = worlds.book(here).in_force(STAGING)
        assert left is not None
        await rolled_back(story)
        await rolled_back(story)
        assert tag(here) not in ("1.5.0", "1.6.0")
        with pytest.raises(errors.RefusedError, match="quarantined since") as refused:
            await offered(here, str(left.number))
        assert f"fleet hub lift staging {left.commit}" in refused.value.hint
        with pytest.raises(errors.RefusedError, match="no earlier release to go back to"):
            await offered(here)
        asked = {"environment": "staging", "what": left.commit, "reason": "mended", "by": "Ada"}
        await here.ask("lift", asked)
        await rolled_back(story, left.commit[:10])
        assert tag(here) == "1.6.0"

    run(tell)


def test_a_release_that_there_is_not_names_those_that_there_are():
    async def tell(story: storyline.Story) -> None:
        here = story.here
        running = worlds.book(here).in_force(STAGING)
        assert running is not None
        for wrong in ("99", "0", "-1", "f" * 40, "abc", "\x1b[31m"):
            with pytest.raises(
                errors.InputError, match=r"is no release of staging: \d+ \("
            ) as said:
                await offered(here, wrong)
            assert "\x1b" not in str(said.value)
        with pytest.raises(errors.InputError, match="already"):
            await offered(here, str(running.number))

    run(tell)


def test_what_runs_already_is_said():
    async def tell(story: storyline.Story) -> None:
        here = story.here
        before = worlds.book(here).in_force(STAGING)
        assert before is not None
        here.remote.commit("staging", {"environments/staging/note.txt": "a note"}, "a note")
        await story.healthy("staging", "a note")
        with pytest.raises(errors.InputError, match="already"):
            await offered(here, str(before.number))
        await rolled_back(story)
        assert tag(here) == "1.5.0"

    run(tell)


def test_a_release_that_was_never_healthy_is_taken_only_by_name():
    async def tell(story: storyline.Story) -> None:
        here = story.here
        here.members["staging-1"].agent.kill()
        worlds.with_image(here, "dev", "1.7.0")
        await story.healthy("dev", "1.7.0 in dev")
        for _ in range(2):
            worlds.promote(here, "dev", "staging")
            await story.until("accepted", lambda: worlds.is_accepted(here, "staging"))
            sick = worlds.book(here).in_force(STAGING)
            worlds.with_image(here, "dev", "1.8.0")
            await story.healthy("dev", "1.8.0 in dev")
        assert sick is not None
        offer = await offered(here)
        good = worlds.book(here).releases[STAGING, offer.target.release]
        assert (good.healthy is not None, good.number < sick.number - 1) == (True, True)
        named = await offered(here, str(sick.number - 1))
        assert any("never healthy" in note for note in named.notes)

    run(tell)


def test_one_bundle():
    async def tell(story: storyline.Story) -> None:
        here = story.here
        files = {"apps/other/bundle.yaml": OTHER_BUNDLE, OTHER: other("one")}
        here.remote.commit("dev", files, "another bundle")
        await promoted(story, "another bundle")
        here.remote.commit("dev", {OTHER: other("two")}, "two")
        await promoted(story, "two")
        worlds.with_image(here, "dev", "1.7.0")
        await promoted(story, "1.7.0")
        offer = await offered(here, "", "apps/other")
        assert offer.changes[names.Cluster("staging-1")] == ("~ ConfigMap hello/other",)
        await rolled_back(story, "", "apps/other")
        assert tag(here) == "1.7.0"
        assert b"one" in here.remote.read("staging", OTHER)
        with pytest.raises(errors.InputError, match="no bundle's folder"):
            await offered(here, "1", "apps/elsewhere")

    run(tell)


def test_where_changes_enter():
    async def tell(story: storyline.Story) -> None:
        await rolled_back(story, environment="dev")
        assert tag(story.here, "dev-1") == "1.5.0"
        shown = (await story.here.ask("status"))["environments"][0]["quarantined"]
        assert len(shown) == 1

    run(tell)


@pytest.mark.threat(38)
def test_rules_that_came_since_do_not_block_it_and_the_preview_says_so():
    async def tell(story: storyline.Story) -> None:
        here = story.here
        here.remote.commit("dev", {EXTRA: RUDE}, "rude")
        await promoted(story, "rude")
        rude = worlds.book(here).in_force(STAGING)
        assert rude is not None
        here.remote.commit("dev", {EXTRA: storyline.CONFIG}, "kind")
        await promoted(story, "kind")
        here.remote.commit("dev", {RULES: lines.POLICY}, "a rule")
        await promoted(story, "a rule")
        await worlds.register(here, "staging-2", "staging")
        await story.healthy("staging", "a cluster that came later")
        offer = await offered(here, str(rude.number))
        told = [each for each in offer.findings if each.rule == "polite"]
        assert [each.passed for each in told] == [findings.EXEMPT]
        found = await rolled_back(story, str(rude.number))
        kept = [each for each in found.findings if each.rule == "polite"]
        assert [each.passed for each in kept] == [findings.EXEMPT]
        assert here.remote.read("staging", RULES).decode() == lines.POLICY

    run(tell)


def test_on_top_of_a_promotion_that_waits():
    async def tell(story: storyline.Story) -> None:
        here = story.here
        assert (await waiting(story)).verdict is ledger.Verdict.WAITING
        offer = await offered(here)
        assert any("goes as well" in note for note in offer.notes)
        await rolled_back(story)
        assert tag(here) == "1.5.0"

    run(tell)


def test_a_branch_may_go_back_to_what_runs():
    async def tell(story: storyline.Story) -> None:
        here = story.here
        running = worlds.book(here).in_force(STAGING)
        assert running is not None
        await waiting(story)
        offer = await offered(here, str(running.number))
        assert not any("quarantined" in note for note in offer.notes)
        await pushed(here, offer)
        await story.healthy("staging", "as it was")
        found = decided(here)
        assert found is not None
        assert (found.lineage, worlds.book(here).quarantines) == (Lineage.NOTHING, {})

    run(tell)


def test_what_runs_is_never_quarantined():
    """Also where an earlier release had the same content, and upstream has it by now."""

    async def tell(story: storyline.Story) -> None:
        here = story.here
        await fixed(story)
        await worlds.register(here, "staging-2", "staging")
        await story.healthy("staging", "a change of owned paths")
        here.remote.commit("dev", {worlds.WEB: here.remote.read("staging", worlds.WEB)}, "port")
        await story.healthy("dev", "the same fix")
        await waiting(story)
        running = worlds.book(here).in_force(STAGING)
        assert running is not None
        await pushed(here, await offered(here, str(running.number)))
        await story.healthy("staging", "as it was")
        found = decided(here)
        assert found is not None
        assert (found.lineage, found.content) == (Lineage.NOTHING, running.content)
        assert worlds.book(here).quarantines == {}

    run(tell)


async def fixed(story: storyline.Story) -> None:
    """A hotfix in staging."""
    here, story.watch.trees.scope = story.here, ("apps/**",)
    text = here.remote.read("dev", "fleet.yaml").decode()
    scope = "- name: staging\n      hotfix: {paths: ['apps/**']}"
    here.remote.commit("dev", {"fleet.yaml": text.replace("- name: staging", scope)}, "hotfixes")
    await promoted(story, "hotfixes")
    text = here.remote.read("staging", worlds.WEB).decode().replace("1.6.0", "1.6.1")
    here.remote.commit("staging", {worlds.WEB: text}, "fix\n\nFleet-Hotfix: it was wrong")
    await story.healthy("staging", "a hotfix")


async def waiting(story: storyline.Story) -> ledger.Decision:
    """A promotion that is not let through: upstream is not healthy with its source."""
    here = story.here
    here.members["dev-1"].agent.kill()
    worlds.with_image(here, "dev", "1.7.0")
    await story.until("in dev", lambda: worlds.is_accepted(here, "dev"))
    worlds.promote(here, "dev", "staging")
    await story.until("it waits", lambda: decided(here) is not None)
    found = decided(here)
    assert found is not None
    assert found.verdict is not ledger.Verdict.ACCEPTED
    return found


def test_a_branch_that_was_rewritten_is_not_rolled_back():
    async def tell(story: storyline.Story) -> None:
        here = story.here
        here.remote.orphan("staging")
        with pytest.raises(errors.RefusedError, match="was rewritten"):
            await offered(here)

    run(tell)


def test_a_branch_that_moved_meanwhile_is_left_alone():
    async def tell(story: storyline.Story) -> None:
        here = story.here
        offer = await offered(here)
        tip = here.remote.commit("staging", {"environments/staging/note.txt": "a note"}, "note")
        with pytest.raises(errors.RefusedError, match="moved"):
            await pushed(here, offer)
        assert here.remote.branches["staging"] == tip

    run(tell)


def test_where_nothing_runs_there_is_nothing_to_go_back_to():
    async def tell(story: storyline.Story) -> None:
        here = story.here
        with pytest.raises(errors.RefusedError, match="no earlier release"):
            await offered(here, environment="prod")
        with pytest.raises(errors.InputError, match="no environment"):
            await here.ask("releases", {"environment": "moon"})
        with pytest.raises(errors.InputError, match="no environment"):
            await here.ask("releases", {})

    run(tell)
