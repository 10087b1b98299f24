"""A way back is not blocked by rules that came later: it is let through, and the record says with what."""

import pytest

import lines
import storyline
import worlds
from fleet.audit import records
from fleet.model import findings, ledger
from fleet.simulation import world

EXTRA, RULES = storyline.EXTRA, "policies/polite/policy.yaml"
RUDE = storyline.CONFIG.replace("word: more", "word: rude")
KIND = "word: more"


async def begin(story: storyline.Story) -> None:
    """Staging ran what a rule denies that came with its second release."""
    here = story.here
    await worlds.register(here, "dev-1", "dev")
    await worlds.register(here, "staging-1", "staging")
    here.hub.start()
    await story.healthy("dev", "dev at first")
    here.remote.commit("dev", {EXTRA: RUDE}, "rude")
    await promoted(story, "rude")
    here.remote.commit("dev", {EXTRA: storyline.CONFIG}, "kind")
    await promoted(story, "kind")
    here.remote.commit("dev", {RULES: lines.POLICY}, "a rule")
    await promoted(story, "a rule")


async def promoted(story: storyline.Story, what: str) -> None:
    await story.healthy("dev", f"{what} in dev")
    worlds.promote(story.here, "dev", "staging")
    await story.healthy("staging", f"{what} in staging")


def decided(here: world.World) -> ledger.Decision | None:
    found = worlds.decision(here, "staging")
    return found if found and found.commit == here.remote.branches["staging"] else None


async def decision(story: storyline.Story, what: str) -> ledger.Decision:
    await story.until(f"{what} is decided", lambda: decided(story.here) is not None)
    found = decided(story.here)
    assert found is not None
    return found


def gate(found: ledger.Decision) -> ledger.GateResult:
    return next(each for each in found.gates if each.gate == "findings")


@pytest.mark.threat(38)
def test_what_ran_before_a_rule_came_is_let_back_and_recorded_as_exempt():
    async def tell(story: storyline.Story) -> None:
        here = story.here
        here.remote.commit("staging", {EXTRA: RUDE}, "back to rude")
        await story.healthy("staging", "back")
        found = await decision(story, "back")
        assert found.lineage is ledger.Lineage.ROLLBACK
        (kept,) = [each for each in found.findings if each.rule == "polite"]
        assert (kept.severity, kept.passed) == (findings.Severity.WARN, findings.EXEMPT)
        assert "1 findings are exempt" in gate(found).reason
        assert here.remote.read("staging", RULES).decode() == lines.POLICY
        told = [r.body for r in story.watch.chain() if r.kind is records.Kind.DECISION]
        (recorded,) = [f for f in told[-1]["findings"] if f["rule"] == "polite"]
        assert recorded["passed"] == findings.EXEMPT

    storyline.play(storyline.small, begin, tell)


@pytest.mark.threat(36)
@pytest.mark.threat(38)
def test_what_never_ran_here_is_not_let_in_beside_it():
    async def tell(story: storyline.Story) -> None:
        here = story.here
        other = RUDE.replace("name: extra", "name: other")
        changes = {EXTRA: RUDE, "apps/hello/other.yaml": other}
        here.remote.commit("staging", changes, "back, and a bit more")
        found = await decision(story, "more than back")
        assert found.verdict is ledger.Verdict.REFUSED
        assert found.lineage is not ledger.Lineage.ROLLBACK
        assert [each.passed for each in found.findings if each.rule == "polite"] == ["", ""]

    storyline.play(storyline.small, begin, tell)


def test_the_next_commit_is_judged_by_the_rules_again():
    async def tell(story: storyline.Story) -> None:
        here = story.here
        here.remote.commit("staging", {EXTRA: RUDE}, "back to rude")
        await story.healthy("staging", "back")
        here.remote.commit("staging", {"environments/staging/note.txt": "a note"}, "a note")
        found = await decision(story, "a note")
        assert found.verdict is ledger.Verdict.REFUSED
        assert found.lineage is ledger.Lineage.OWNED
        assert [each.passed for each in found.findings if each.rule == "polite"] == [""]
        here.remote.commit("staging", {EXTRA: storyline.CONFIG}, "kind after all")
        found = await decision(story, "kind")
        assert [e.gate for e in found.gates if e.state is ledger.GateState.REFUSED] == [
            "quarantine"
        ]

    storyline.play(storyline.small, begin, tell)
