"""Debt: no promotion while a hotfix of this environment has been open for too long."""

from fleet.gate import answers, candidates
from fleet.model import findings, kinds
from fleet.model.ledger import GateResult

GATE = "debt"


def gate(
    candidate: candidates.Candidate, facts: candidates.Facts, spec: kinds.EnvironmentSpec
) -> GateResult | None:
    asked = spec.gates.debt
    if asked is None:
        return None
    most = answers.span(asked.max_age.total_seconds())
    here = [each for each in facts.open_hotfixes if each.environment == candidate.environment]
    old = [each for each in here if facts.now - each.since > asked.max_age]
    if not old:
        return answers.opens(GATE, f"no hotfix has been open for longer than {most}")
    oldest = min(old, key=lambda each: each.since)
    paths = findings.escaped(", ".join(oldest.paths[:3]))
    more = f" and {len(oldest.paths) - 3} more" if len(oldest.paths) > 3 else ""
    since = oldest.since.isoformat(timespec="seconds")
    reason = f"hotfix {oldest.commit[:10]} of {paths}{more} has been open since {since}"
    return answers.waits(GATE, f"{reason}; {most} may be", "port it upstream, or revert it here")
