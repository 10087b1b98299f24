"""From candidate and facts to a decision: every gate is asked, every reason is kept."""

from fleet.gate import candidates, gates, lineage, told
from fleet.model import ledger


def decide(candidate: candidates.Candidate, facts: candidates.Facts) -> ledger.Decision:
    return by(candidate, facts, lineage.tell(candidate, facts))


def by(
    candidate: candidates.Candidate, facts: candidates.Facts, found: told.Told
) -> ledger.Decision:
    """With this for what lineage found."""
    results = gates.results(candidate, facts, found)
    return ledger.Decision(
        environment=candidate.environment,
        commit=candidate.commit,
        author=candidate.author,
        subject=candidate.subject,
        verdict=verdict(results),
        lineage=found.kind,
        content=candidate.content,
        rules=candidate.rules,
        owned=candidate.owned,
        findings=facts.findings,
        gates=results,
        at=facts.now,
        source=found.source,
        back_to=found.back_to,
        hotfixes=found.hotfixes,
    )


def verdict(results: tuple[ledger.GateResult, ...]) -> ledger.Verdict:
    """Refused before waiting before accepted; of no results at all: waiting, as of one that failed."""
    states = {result.state for result in results}
    if ledger.GateState.REFUSED in states:
        return ledger.Verdict.REFUSED
    if states == {ledger.GateState.OPEN}:
        return ledger.Verdict.ACCEPTED
    return ledger.Verdict.WAITING
