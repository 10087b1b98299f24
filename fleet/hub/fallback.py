"""`onFailure: rollback`: a rollout that has failed for good goes back by itself to what was healthy here before.

It is a release of its own with an earlier commit, decided and recorded like any other. The branch still has what
failed, which is quarantined: it comes again when somebody lifts it, or when a commit takes it back.
"""

from dataclasses import replace

from fleet.audit import drafts, grounds
from fleet.gate import candidates, decide, returns
from fleet.hub import (
    cases,
    comebacks,
    consents,
    drawing,
    exempting,
    facts,
    failures,
    release,
    state,
)
from fleet.judge import judging
from fleet.model import errors, ledger, names
from fleet.ports import store

BY = "fleet hub"


async def back(environment: names.Environment, hub: state.Hub) -> None:
    failed = hub.ledger.in_force(environment)
    if failed is None or not _is_asked(failed, hub):
        return
    before = await _before(failed, hub)
    if before is None:
        why = "no release with these rules and owned paths was healthy here and is not quarantined"
        await _stays(why, failed, hub)
        return
    judged = await judging.judge(release.question(environment, before.commit, hub), hub.tools)
    drawn = await drawing.draw(judged, hub)
    case = await _case(before, failed, judged, drawn, hub)
    decision = decided(case, candidates.of_release(before))
    if decision.verdict is ledger.Verdict.ACCEPTED:
        await release.settle(decision, case, "", hub)
        return
    why = "; ".join(e.reason for e in decision.gates if e.state is not ledger.GateState.OPEN)
    await _stays(f"release {before.number}: {why}", failed, hub)


def _is_asked(release_: ledger.Release, hub: state.Hub) -> bool:
    here = hub.ledger.environments[release_.environment]
    is_final = here.failed is not None and here.failed.final
    return release_.rolls_back and is_final and not hub.ledger.seal.held


async def _before(failed: ledger.Release, hub: state.Hub) -> ledger.Release | None:
    """The newest that was good and may come again.

    Rules, trust files and clusters stay as they are (rule 3): only what differs in content alone is a way back.
    """
    found = [
        each
        for (environment, number), each in hub.ledger.releases.items()
        if environment == failed.environment
        and number < failed.number
        and each.healthy is not None
        and (each.rules, each.owned) == (failed.rules, failed.owned)
        and each.content != failed.content
    ]
    for each in sorted(found, key=lambda each: each.number, reverse=True):
        if not await _is_quarantined(each, hub):
            return each
    return None


async def _is_quarantined(release_: ledger.Release, hub: state.Hub) -> bool:
    """By its content, or by paths of it."""
    row = hub.ledger.quarantines.get((release_.environment, release_.content))
    if row is not None and row.lifted is None:
        return True
    found = await comebacks.of_commit(release_.environment, release_.commit, hub)
    return any(each.quarantine.environment == release_.environment for each in found)


def decided(case: cases.Case, before: candidates.Accepted) -> ledger.Decision:
    """Raises errors.BrokenError for a case that no gate was asked about."""
    if case.facts is None:
        raise errors.BrokenError("a way back is for the gates to decide")
    return decide.by(case.candidate, case.facts, returns.to(before))


async def _case(
    before: ledger.Release,
    failed: ledger.Release,
    judged: judging.Judged,
    drawn: drawing.Drawn,
    hub: state.Hub,
) -> cases.Case:
    why = f"release {failed.number} failed: {failures.failed(failed, hub)}"
    candidate = replace(release.candidate_of(judged), author=BY, subject=why)
    gathered = await facts.gather(candidate, judged, drawn.findings, hub)
    found = returns.to(candidates.of_release(before))
    gathered = await exempting.settled(found, gathered, judged, hub)
    gathered = await consents.asked(gathered, judged, drawn, found.kind, hub)
    return cases.Case(
        candidate=candidate,
        judged=judged,
        drawn=drawn,
        facts=gathered,
        how=grounds.How.BACK,
        back_to=before.number,
        ran=before.slices,
    )


async def _stays(why: str, failed: ledger.Release, hub: state.Hub) -> None:
    """Said once: it is tried again at every turn."""
    async with state.writing(hub):
        here = hub.ledger.environments[failed.environment]
        if here.release != failed.number or here.failed is None or here.failed.stays == why:
            return
        draft = drafts.rollout(
            act="stays",
            environment=failed.environment,
            release=failed.number,
            reason=why,
            at=hub.clock.now(),
        )
        row = replace(here, failed=replace(here.failed, stays=why))
        await state.write(hub, store.Write(records=(draft,), rows=(row,)))
