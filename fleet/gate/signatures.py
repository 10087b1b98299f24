"""Signatures: each commit on the way was signed by somebody of a group of the trust file."""

from fleet.gate import answers, candidates, told
from fleet.model import kinds
from fleet.model.ledger import GateResult

GATE = "signatures"


def gate(
    candidate: candidates.Candidate, facts: candidates.Facts, spec: kinds.EnvironmentSpec
) -> GateResult | None:
    asked = spec.gates.signatures
    if asked is None:
        return None
    if facts.signers is None:
        hint = f"add trust/{candidate.environment}/1.yaml: docs/approvals.md"
        return answers.waits(GATE, "no trust file says whose keys count", hint)
    people = facts.groups.get(asked.group, frozenset())
    if not people:
        hint = f"name it in trust/{candidate.environment}/"
        return answers.waits(GATE, f"group {asked.group} has nobody in it", hint)
    way = dict.fromkeys([*(each.commit for each in facts.way.steps), candidate.commit])
    unsigned = [each for each in way if facts.signers.get(each) not in people]
    if not unsigned:
        return answers.opens(GATE, f"signed by {asked.group}: {len(way)} commits")
    named = told.listed(map(told.short, unsigned))
    reason = f"not signed by anybody of {asked.group}: {named}"
    return answers.refuses(GATE, reason, "make these commits anew, signed: git commit -S")
