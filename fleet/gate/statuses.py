"""Statuses: what CI says of exactly this content. Another issuer, context or content says nothing (threat 55)."""

from fleet.gate import answers, candidates
from fleet.model import findings, gating, kinds, observed
from fleet.model.ledger import GateResult

GATE = "statuses"


def gate(
    candidate: candidates.Candidate, facts: candidates.Facts, spec: kinds.EnvironmentSpec
) -> GateResult | None:
    asked = spec.gates.statuses
    if not asked:
        return None
    said = {_title(each): outcome(each, candidate, facts) for each in asked}
    failed = [title for title, told in said.items() if told is observed.Outcome.FAILURE]
    if failed:
        return answers.refuses(GATE, f"failed: {', '.join(failed)}", "mend it, or run it again")
    missing = [title for title, told in said.items() if told is not observed.Outcome.SUCCESS]
    if missing:
        hint = f"POST /v1/statuses, or: fleet hub status-set, for {candidate.content}"
        return answers.waits(GATE, f"not said yet: {', '.join(missing)}", hint)
    return answers.opens(GATE, f"good: {', '.join(said)}")


def outcome(
    asked: gating.Status, candidate: candidates.Candidate, facts: candidates.Facts
) -> observed.Outcome | None:
    wanted = asked.issuer, asked.context, candidate.content
    for each in facts.statuses:
        if (each.issuer, each.context, each.content) == wanted:
            return each.outcome
    return None


def _title(asked: gating.Status) -> str:
    return findings.escaped(f"{asked.issuer}/{asked.context}")
