"""Gates in the simulated world: what opens them, who may pass them, and what is told of it."""

import hashlib
import hmac
import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

import approvers
import invariants
import storyline
import worlds
from fleet.audit import records
from fleet.hub import state as hubs
from fleet.model import approving, errors, ledger
from fleet.ports import answers
from fleet.protocol import approvals, encoding, sshsig
from fleet.simulation import metrics

URL = "http://prometheus:9090"
STATUS = "        statuses: [{issuer: ci, context: e2e}]\n"
METRIC = (
    f"        metrics: [{{name: errors, url: '{URL}', query: errors, window: 5m, "
    "mustBe: below, bound: 1}]\n"
)
BUDGET = "        budget: {objects: 3}\n"


def freeze(ends: str, *, glass: bool = True) -> str:
    declared = (
        "        windows: [{name: freeze, effect: deny, timeZone: Etc/UTC, "
        f"start: '2026-01-01T00:00', duration: {ends}}}]\n"
    )
    return declared + ("        breakGlass: {group: leads, longest: 1h}\n" if glass else "")


class Gated(storyline.Story):
    source: metrics.Source

    def gate(self, name: str) -> ledger.GateResult:
        decision = worlds.decision(self.here, "staging")
        assert decision is not None
        return next(each for each in decision.gates if each.gate == name)

    async def waits(self, name: str) -> ledger.GateResult:
        await self.until(
            f"{name} waits", lambda: worlds.decision(self.here, "staging") is not None
        )
        await self.here.pass_time(10.0)
        assert not worlds.is_accepted(self.here, "staging")
        return self.gate(name)

    async def explained(self, *words: str) -> dict[str, Any]:
        asked = dict(zip(("environment", "commit"), words, strict=False))
        return await self.here.ask("explain", asked)

    async def says(self, document: dict[str, str], secret: str = "shared") -> answers.Reply:  # noqa: S107
        body = json.dumps(document).encode()
        signed = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()

        async def question(desk: answers.Answers) -> answers.Reply:
            return await desk.status(body, f"sha256={signed}")

        return await self.here.serve(question)


def run(gates: str, tell: Callable[[Gated], Awaitable[None]]) -> None:
    """With a healthy dev, and a staging that has these gates and nothing accepted yet."""
    source = metrics.Source()

    def change(hub: hubs.Hub) -> None:
        hub.metrics = source

    settings = hubs.Settings(
        poll_interval=2.0, status_secrets={"ci": "shared"}, metric_urls=frozenset({URL})
    )

    def small() -> Gated:
        here = worlds.small(
            worlds.hub(change=change, settings=settings), gates=f"      gates:\n{gates}"
        )
        story = Gated(here=here, watch=invariants.Watch(here))
        story.source = source
        return story

    storyline.play(small, begin, tell, faultless)


async def begin(story: Gated) -> None:
    here = story.here
    await worlds.register(here, "dev-1", "dev")
    await worlds.register(here, "staging-1", "staging")
    here.hub.start()
    await story.healthy("dev", "dev at first")


async def faultless(story: Gated) -> None:
    assert story.here.faults == []


def said(story: Gated, **fields: str) -> dict[str, str]:
    return {
        "issuer": "ci",
        "context": "e2e",
        "environment": "dev",
        "commit": story.here.remote.branches["dev"],
        "state": "success",
        "at": story.here.clock.now().isoformat(),
        **fields,
    }


@pytest.mark.threat(55, 59)
def test_a_status_of_exactly_this_opens_and_nothing_else_does():
    async def tell(story: Gated) -> None:
        gate = await story.waits("statuses")
        assert gate.reason == "not said yet: ci/e2e"
        first = said(story)
        for wrong, secret, status in (
            (first, "guessed", 401),
            ({**first, "issuer": "scanner"}, "shared", 401),
            ({**first, "state": "fine"}, "shared", 400),
            ({**first, "commit": "0" * 40}, "shared", 400),
            ({**first, "at": "2027-01-01T00:00:00Z"}, "shared", 400),
            ({**first, "environment": "moon"}, "shared", 400),
        ):
            assert (await story.says(wrong, secret)).status == status
        assert (await story.says({**first, "context": "unit"})).status == 200
        await story.here.pass_time(10.0)
        assert not worlds.is_accepted(story.here, "staging")
        assert (await story.says({**first, "state": "failure"})).status == 200
        # What was sent before is not taken again, whatever it says.
        assert (await story.says(first)).status == 409
        await story.here.pass_time(5.0)
        assert story.gate("statuses").state is ledger.GateState.REFUSED
        good = said(story)
        assert (await story.says(good)).status == 200
        assert (await story.says(good)).status == 200
        await story.healthy("staging", "good")
        told = [r for r in story.watch.chain() if r.kind is records.Kind.STATUS]
        assert [r.body["state"] for r in told] == ["success", "failure", "success"]

    run(STATUS, tell)


async def accepted_without_its_cluster(story: Gated) -> None:
    """By a status that is good; the cluster has not heard of it."""
    await story.waits("statuses")
    await story.here.members["staging-1"].agent.stop()
    assert (await story.says(said(story))).status == 200
    await story.until("accepted", lambda: worlds.is_accepted(story.here, "staging"))
    await story.here.pass_time(5.0)


@pytest.mark.threat(55)
def test_a_status_that_turns_to_failure_stops_what_is_not_out_yet():
    async def tell(story: Gated) -> None:
        here = story.here
        await accepted_without_its_cluster(story)
        assert (await story.says(said(story, state="failure"))).status == 200
        here.members["staging-1"].agent.start()
        await here.pass_time(120.0)
        assert worlds.DEPLOYMENT not in here.members["staging-1"].server.held
        assert (await story.says(said(story))).status == 200
        await story.healthy("staging", "good again")

    run(STATUS, tell)


def test_a_status_that_is_pending_again_stops_nothing():
    async def tell(story: Gated) -> None:
        await accepted_without_its_cluster(story)
        assert (await story.says(said(story, state="pending"))).status == 200
        story.here.members["staging-1"].agent.start()
        await story.healthy("staging", "good")

    run(STATUS, tell)


def test_a_person_may_say_what_ci_would():
    async def tell(story: Gated) -> None:
        await story.waits("statuses")
        written = {**said(story), "at": ""}
        found = await story.here.ask("status-set", written)
        assert found["state"] == "success"
        await story.healthy("staging", "good")
        with pytest.raises(errors.InputError, match="state is"):
            await story.here.ask("status-set", {**written, "state": "perhaps"})

    run(STATUS, tell)


@pytest.mark.threat(54)
def test_a_window_opens_by_the_clock_alone():
    async def tell(story: Gated) -> None:
        gate = await story.waits("windows")
        assert gate.until is not None
        shown = await story.explained("staging")
        (row,) = [each for each in shown["gates"] if each["gate"] == "windows"]
        assert (row["state"], row["until"]) == ("waiting", gate.until.isoformat())
        assert "break-glass staging" in row["hint"]
        while story.here.clock.now() < gate.until:
            assert not worlds.is_accepted(story.here, "staging")
            await story.here.pass_time(0.5)
        assert (
            await story.here.until(lambda: worlds.is_accepted(story.here, "staging"), within=1.0)
            < 1
        )

    # From 2026-01-01 on; the world begins on 2026-01-05 at 08:00.
    run(freeze("4d8h5m"), tell)


def glass(story: Gated, who: approvers.Person, **changed: Any) -> dict[str, Any]:
    """What `fleet break-glass` would send."""
    now = story.here.clock.now()
    defaults: dict[str, Any] = {"environment": "staging", "reason": "outage", "at": now}
    defaults["until"] = now + timedelta(minutes=30)
    said = approving.BreakGlass(kind="BreakGlass", **{**defaults, **changed})
    text = approvals.text(said)
    return {"text": text, "signature": who.sign(text.encode(), sshsig.GLASS)}


async def refused(story: Gated) -> None:
    now = story.here.clock.now()
    good = glass(story, approvers.ADA)
    replayed = glass(story, approvers.ADA, at=now - timedelta(hours=1))
    for wrong in (
        glass(story, approvers.MALLORY),
        glass(story, approvers.CARA),  # known here, and no lead
        glass(story, approvers.ADA, reason=" "),
        glass(story, approvers.ADA, until=now + timedelta(hours=2)),
        glass(story, approvers.ADA, until=now),
        glass(story, approvers.ADA, at=now + timedelta(hours=1)),
        glass(story, approvers.ADA, environment="moon"),
        {**good, "text": good["text"].replace("outage", "outrage")},
        {**good, "text": good["text"] + " "},
        {**good, "signature": ""},
        replayed,
    ):
        if wrong is replayed:
            await story.here.ask("approve", good)
        with pytest.raises(errors.FleetError):
            await story.here.ask("approve", wrong)


async def staging_of(story: Gated) -> dict[str, Any]:
    found = await story.here.ask("status")
    return next(each for each in found["environments"] if each["name"] == "staging")


async def held_in_spite_of_leads(story: Gated) -> None:
    """A trust file is in force, and a change waits for the window."""
    here = story.here
    first = approvers.trust(
        environment="staging", approvals=[], groups={"owners": ["ada"], "leads": ["ada", "bert"]},
        people={each.name: [each.line] for each in (approvers.ADA, approvers.BERT, approvers.CARA)},
    )  # fmt: skip
    files = {"trust/staging/1.yaml": first.text, "trust/staging/1.sig": first.signatures}
    here.remote.commit("staging", files, "Trust")
    await here.pass_time(5.0)
    await here.ask("baseline", {"environments": ["staging"]})
    await story.healthy("staging", "by decree")
    worlds.with_image(here, "dev", "1.5.0")
    await story.healthy("dev", "a change")
    worlds.promote(here, "dev", "staging")
    await here.pass_time(20.0)
    assert not worlds.is_accepted(here, "staging")


@pytest.mark.threat(54)
def test_glass_is_broken_where_what_is_in_force_allows_it_and_everybody_sees_it():
    async def tell(story: Gated) -> None:
        here = story.here
        await story.waits("windows")
        with pytest.raises(errors.RefusedError, match="no breakGlass"):
            await here.ask("approve", glass(story, approvers.ADA))  # nothing is in force there yet
        await held_in_spite_of_leads(story)
        await refused(story)
        await here.pass_time(20.0)
        assert not worlds.is_accepted(here, "staging")  # one of two
        signed = encoding.encode(approving.Signed(**glass(story, approvers.BERT)))
        assert (await here.serve(lambda desk: desk.approve(signed))).status == 200
        await story.healthy("staging", "through the glass")
        assert "break-glass" in story.gate("windows").reason
        staging = await staging_of(story)
        assert staging["brokenGlass"]["reason"] == "outage"
        told = [r for r in story.watch.chain() if r.kind is records.Kind.BREAK_GLASS]
        assert [(r.subject, r.body["by"], r.body["count"]) for r in told] == [
            ("staging", "ada", 2), ("staging", "bert", 2),
        ]  # fmt: skip
        await here.pass_time(1900.0)
        staging = await staging_of(story)
        assert staging["brokenGlass"] is None

    run(freeze("40d"), tell)


@pytest.mark.threat(57)
def test_a_metric_is_asked_for_when_it_alone_holds_and_only_now_and_then():
    async def tell(story: Gated) -> None:
        await story.waits("metrics")
        await story.here.pass_time(60.0)
        assert story.gate("metrics").state is ledger.GateState.ERROR
        assert 2 <= len(story.source.asked) <= 6
        for values, state in (
            ((), "waiting"),
            ((0.5, float("nan")), "waiting"),
            ((2.0,), "waiting"),
        ):
            story.source.known["errors"] = values
            await story.here.pass_time(30.0)
            assert story.gate("metrics").state.value == state
        decided = [r for r in story.watch.chain() if r.kind is records.Kind.DECISION]
        story.source.known["errors"] = (3.0,)
        await story.here.pass_time(120.0)
        assert len([r for r in story.watch.chain() if r.kind is records.Kind.DECISION]) == len(
            decided
        )
        story.source.known["errors"] = (0.5, 0.9)
        await story.healthy("staging", "within bounds")

    run(METRIC, tell)


def test_a_metric_is_not_asked_for_while_something_else_holds():
    async def tell(story: Gated) -> None:
        await story.waits("statuses")
        await story.here.pass_time(60.0)
        assert story.source.asked == []

    run(STATUS + METRIC, tell)


@pytest.mark.threat(75)
def test_an_address_that_the_hubs_owner_did_not_allow_is_never_asked():
    async def tell(story: Gated) -> None:
        await story.waits("metrics")
        await story.here.pass_time(30.0)
        assert story.source.asked == []
        assert "may not ask there" in story.gate("metrics").reason

    run(METRIC.replace(URL, "http://169.254.169.254"), tell)


def test_a_budget_counts_what_would_change():
    async def tell(story: Gated) -> None:
        gate = await story.waits("budget")
        assert gate.state is ledger.GateState.REFUSED
        assert gate.reason == "4 objects change, 3 may"

    run(BUDGET, tell)


def test_what_is_quarantined_does_not_come_back_until_it_is_lifted():
    async def tell(story: Gated) -> None:
        here = story.here
        await story.healthy("staging", "at first")
        bad = worlds.with_image(here, "dev", "1.5.0")
        await story.healthy("dev", "a change")
        asked = {"environment": "staging", "what": bad[:10], "reason": "loses orders", "by": "ada"}
        found = await here.ask("quarantine", asked)
        worlds.promote(here, "dev", "staging")
        await here.pass_time(20.0)
        assert story.gate("quarantine").state is ledger.GateState.REFUSED
        assert "loses orders" in story.gate("quarantine").reason
        for wrong in ({**asked, "what": "0000000"}, {**asked, "what": "sha256:" + "0" * 64},
                      {**asked, "what": "--all"}, {**asked, "reason": ""}):  # fmt: skip
            with pytest.raises(errors.InputError):
                await here.ask("quarantine", wrong)
        await here.ask("lift", {**asked, "what": found["content"]})
        await story.healthy("staging", "lifted")
        with pytest.raises(errors.RefusedError, match="is not quarantined"):
            await here.ask("lift", asked)

    run("        soak: 1s\n", tell)


def test_explain_tells_of_a_commit_that_is_not_there_yet():
    async def tell(story: Gated) -> None:
        here = story.here
        await story.waits("soak")
        await story.healthy("staging", "at first")
        commit = worlds.with_image(here, "dev", "1.5.0")
        await story.healthy("dev", "a change")
        found = await story.explained("staging", commit[:12])
        assert found["standing"] == "not there"
        assert found["hint"] == f"fleet promote dev staging --commit {commit[:10]}"
        (soak,) = [each for each in found["gates"] if each["gate"] == "soak"]
        assert soak["state"] == "waiting"
        assert soak["until"] is not None
        assert {each["gate"] for each in found["gates"]} >= {"lineage", "upstream health"}
        worlds.promote(here, "dev", "staging")
        await story.healthy("staging", "promoted")
        assert (await story.explained("staging", commit))["standing"] == "accepted"
        assert (await story.explained("dev"))["standing"] == "accepted"
        for words in (("moon",), ("dev", "zz"), ("dev", "0" * 40)):
            with pytest.raises(errors.InputError):
                await story.explained(*words)

    run("        soak: 2m\n", tell)
