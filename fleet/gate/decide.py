"""From candidate and facts to a decision: every gate is asked, every reason is kept."""

from fleet.gate import candidates, gates, lineage
from fleet.model import ledger


def decide(candidate: candidates.Candidate, facts: candidates.Facts) -> ledger.Decision:
    told = lineage.tell(candidate, facts)
    results = gates.results(candidate, facts, told)
    return ledger.Decision(
        environment=candidate.environment,
        commit=candidate.commit,
        author=candidate.author,
        subject=candidate.subject,
        verdict=verdict(results),
        lineage=told.kind,
        content=candidate.content,
        rules=candidate.rules,
        owned=candidate.owned,
        findings=facts.findings,
        gates=results,
        at=facts.now,
        source=told.source,
        back_to=told.back_to,
        hotfixes=told.hotfixes,
    )


def verdict(results: tuple[ledger.GateResult, ...]) -> ledger.Verdict:
    """Refused before waiting before accepted; of no results at all: waiting, as of one that failed."""
    states = {result.state for result in results}
    if ledger.GateState.REFUSED in states:
        return ledger.Verdict.REFUSED
    if states == {ledger.GateState.OPEN}:
        return ledger.Verdict.ACCEPTED
    return ledger.Verdict.WAITING
