"""Quarantine: content that went wrong here does not come back until somebody lifts it."""

from fleet.gate import answers, candidates
from fleet.model.ledger import GateResult

GATE = "quarantine"


def gate(candidate: candidates.Candidate, facts: candidates.Facts) -> GateResult | None:
    row = facts.quarantine
    is_its = row is not None and (row.environment, row.content) == (
        candidate.environment,
        candidate.content,
    )
    if row is None or row.lifted is not None or not is_its:
        return None
    since = row.since.isoformat(timespec="seconds")
    reason = f"quarantined since {since} by {row.by}: {row.reason}"
    hint = f"fleet hub lift {candidate.environment} {candidate.commit[:10]} --reason WHY"
    return answers.refuses(GATE, reason, hint)
