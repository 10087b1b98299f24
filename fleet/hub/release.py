"""One candidate's whole way: judged, drawn, decided, recorded, let out.

The shell's law (rule 1): what is let out was recorded in the same transaction; a decision that says nothing new
is not written again.
"""

import logging
from dataclasses import replace
from datetime import UTC, datetime

from fleet.audit import drafts, violations
from fleet.gate import candidates, decide, lineage
from fleet.hub import (
    acceptance,
    cases,
    comebacks,
    consents,
    drawing,
    exempting,
    facts,
    lapses,
    measuring,
    rollouts,
    soaks,
    state,
)
from fleet.judge import judging
from fleet.model import ledger, names
from fleet.ports import store

_log = logging.getLogger("fleet.hub")


async def release(
    environment: names.Environment, tip: names.CommitId, hub: state.Hub
) -> ledger.Decision:
    """Decide on the tip of one environment's branch; when accepted, its first wave is out on return."""
    settled = settled_before(environment, tip, hub)
    if settled is not None:
        await lapses.note(environment, hub)
        await rollouts.advance(environment, hub)
        return settled
    with hub.telemetry.span("release", {"environment": environment, "commit": tip}) as trace:
        judged = await judging.judge(question(environment, tip, hub), hub.tools)
        with hub.telemetry.span("plan", {}):
            drawn = await drawing.draw(judged, hub)
        candidate = candidate_of(judged)
        gathered = await facts.gather(candidate, judged, drawn.findings, hub)
        found = lineage.tell(candidate, gathered)
        gathered = await exempting.settled(found, gathered, judged, hub)
        gathered = await consents.asked(gathered, judged, drawn, found.kind, hub)
        gathered = replace(gathered, change=drawn.change)
        decision = decide.by(candidate, gathered, found)
        measuring.ask(decision, judged.specs, hub)
        if is_news(decision, hub):
            case = cases.Case(
                candidate=candidate,
                judged=judged,
                drawn=drawn,
                facts=gathered,
                ran=exempting.ran(found, environment, hub),
            )
            await settle(decision, case, trace, hub)
    await rollouts.advance(environment, hub)
    return decision


def settled_before(
    environment: names.Environment, tip: names.CommitId, hub: state.Hub
) -> ledger.Decision | None:
    """The decision on a tip that runs already: only another tip can bring another one."""
    here = hub.ledger.environments.get(environment)
    decision = here.decision if here else None
    if here is None or decision is None or decision.commit != tip:
        return None
    runs = decision.verdict is ledger.Verdict.ACCEPTED and here.release > here.floor
    return decision if runs and not hub.ledger.seal.held else None


def question(
    environment: names.Environment, tip: names.CommitId, hub: state.Hub
) -> judging.Question:
    """What is asked of the judge: the commit, and by what else than its own rules it is held."""
    running = facts.accepted_here(environment, hub)
    return judging.Question(
        environment=environment,
        commit=tip,
        road=facts.road(hub),
        base=running,
        upstream=facts.upstream_of(environment, hub),
    )


def candidate_of(judged: judging.Judged) -> candidates.Candidate:
    return candidates.Candidate(
        environment=judged.question.environment,
        commit=judged.question.commit,
        content=judged.ids.content,
        rules=judged.ids.rules,
        owned=judged.ids.owned,
        author=judged.commit.author,
        subject=judged.commit.subject,
    )


def is_news(decision: ledger.Decision, hub: state.Hub) -> bool:
    """Whether the book does not say this already."""
    here = hub.ledger.environments.get(decision.environment)
    if here is None or here.decision is None:
        return True
    if running(decision, hub) is not None:
        said = here.decision.commit, here.decision.verdict
        return said != (decision.commit, ledger.Verdict.ACCEPTED)
    is_accepted = decision.verdict is ledger.Verdict.ACCEPTED
    return (is_accepted and here.release <= here.floor) or _said(here.decision) != _said(decision)


def running(decision: ledger.Decision, hub: state.Hub) -> ledger.Release | None:
    """The release in force, if it is of this very commit and nothing new needs to go out."""
    release = hub.ledger.in_force(decision.environment)
    here = acceptance.environment_of(decision.environment, hub)
    is_accepted = decision.verdict is ledger.Verdict.ACCEPTED
    if release is None or decision.lineage is not ledger.Lineage.NOTHING or not is_accepted:
        return None
    is_it = release.commit == decision.commit and release.number > here.floor
    return release if is_it else None


def _said(decision: ledger.Decision) -> ledger.Decision:
    """A decision without what differs each time that it is made, and what only an accepted one gets."""
    never = datetime.min.replace(tzinfo=UTC)
    hotfixes = tuple(replace(each, since=never) for each in decision.hotfixes)
    return replace(decision, at=never, release=0, slices_root=None, clusters=(), hotfixes=hotfixes)


async def settle(
    decision: ledger.Decision,
    case: cases.Case,
    trace: str,
    hub: state.Hub,
) -> None:
    """Write a decision with everything that follows from it, in one transaction."""
    _log.info(
        "%s: %s is %s (%s)",
        decision.environment,
        decision.commit[:10],
        decision.verdict.value,
        "; ".join(each.reason for each in decision.gates if each.reason),
    )
    async with state.writing(hub):
        if is_overtaken(decision, hub):
            return
        labels = {"environment": decision.environment, "verdict": decision.verdict.value}
        hub.telemetry.count("fleet_decisions", labels)
        runs = running(decision, hub)
        if runs is not None:
            await state.write(hub, considered(_of(decision, runs), case, hub))
        elif decision.verdict is ledger.Verdict.ACCEPTED:
            await hub.repository.keep(f"accepted/{decision.commit}", decision.commit)
            left = await comebacks.left_behind(decision, case.judged, hub)
            write = acceptance.accepted(decision, case, trace, left, hub)
            rows = (*write.rows, *soaks.leant_on(decision, hub))
            await state.write(hub, replace(write, rows=rows))
        else:
            await state.write(hub, considered(decision, case, hub))


def is_overtaken(decision: ledger.Decision, hub: state.Hub) -> bool:
    """Whether the book has come to hold since this was decided. A decree stands: it is sent when the book is whole."""
    is_accepted = decision.verdict is ledger.Verdict.ACCEPTED
    is_decree = decision.lineage is ledger.Lineage.BASELINE
    return bool(hub.ledger.seal.held) and is_accepted and not is_decree


def _of(decision: ledger.Decision, release: ledger.Release) -> ledger.Decision:
    return replace(
        decision,
        release=release.number,
        slices_root=release.slices_root,
        clusters=tuple(sorted(release.slices)),
    )


def considered(decision: ledger.Decision, case: cases.Case, hub: state.Hub) -> store.Write:
    """A decision that lets nothing out: the verdict, and the violations that came or went with it."""
    changed = violations.between(hub.ledger.violations.values(), decision)
    here = acceptance.environment_of(decision.environment, hub)
    made = cases.recorded(decision, case, hub.tools)
    return store.Write(
        records=(made.record, *drafts.violations(changed, at=decision.at)),
        rows=(replace(here, decision=decision), *changed),
        facts=made.facts,
    )
