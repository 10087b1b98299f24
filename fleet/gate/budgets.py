"""Budget: how much one release may change of the one in force."""

from fleet.gate import answers, candidates
from fleet.model import kinds
from fleet.model.ledger import GateResult

GATE = "budget"


def gate(
    _: candidates.Candidate, facts: candidates.Facts, spec: kinds.EnvironmentSpec
) -> GateResult | None:
    asked = spec.gates.budget
    if (asked.clusters, asked.objects, asked.deletions) == (None, None, None):
        return None
    change = facts.change
    if change is None:
        return answers.fails(GATE, "what it would change was not counted")
    counted = (
        (change.clusters, asked.clusters, "clusters change"),
        (change.objects, asked.objects, "objects change"),
        (change.deletions, asked.deletions, "objects go"),
    )
    over = [
        f"{n} {what}, {most} may" for n, most, what in counted if most is not None and n > most
    ]
    if over:
        hint = "promote it in parts, oldest commit first: fleet promote --commit"
        return answers.refuses(GATE, "; ".join(over), hint)
    within = ", ".join(f"{n} {what}" for n, most, what in counted if most is not None)
    return answers.opens(GATE, within)
