"""Quarantine: content that went wrong does not come back until somebody lifts it, here or farther down the road."""

from fleet.gate import answers, candidates, told
from fleet.model import names, observed
from fleet.model.ledger import GateResult, Lineage

GATE = "quarantine"
FROM_UPSTREAM = frozenset({Lineage.PROMOTION, Lineage.PARTIAL})


def gate(
    candidate: candidates.Candidate, facts: candidates.Facts, found: told.Told
) -> GateResult | None:
    """A promotion is held as well by what an environment before this one says of its source."""
    if facts.quarantine is None and not facts.quarantined_above and not facts.coming_back:
        return None
    holding = [
        *_here(candidate, facts),
        *_above(candidate, facts, found),
        *_coming_back(candidate, facts, found),
    ]
    if not holding:
        return None
    reason = "; ".join(why for why, _ in holding)
    return answers.refuses(GATE, reason, holding[0][1])


def lifting(environment: names.Environment, what: str) -> str:
    return f"fleet hub lift {environment} {what} --reason WHY"


_Held = tuple[str, str]  # why, and how it is lifted


def _here(candidate: candidates.Candidate, facts: candidates.Facts) -> list[_Held]:
    row = facts.quarantine
    is_its = row is not None and (row.environment, row.content) == (
        candidate.environment,
        candidate.content,
    )
    if row is None or row.lifted is not None or not is_its:
        return []
    return [(f"quarantined {told_of(row)}", lifting(row.environment, candidate.commit[:10]))]


def _above(
    candidate: candidates.Candidate, facts: candidates.Facts, found: told.Told
) -> list[_Held]:
    if found.kind not in FROM_UPSTREAM:
        return []
    return [
        (
            f"quarantined in {row.environment} {told_of(row)}",
            lifting(row.environment, row.content),
        )
        for row in facts.quarantined_above
        if row.lifted is None and row.environment != candidate.environment
    ]


def _coming_back(
    candidate: candidates.Candidate, facts: candidates.Facts, found: told.Told
) -> list[_Held]:
    """In other content than was left: that of one that is told already need not be told again."""
    whole = [facts.quarantine, *facts.quarantined_above]
    known = {(each.environment, each.content) for each in whole if each and not each.lifted}
    return [
        (
            _returning(each, candidate),
            lifting(each.quarantine.environment, each.quarantine.content),
        )
        for each in facts.coming_back
        if (each.quarantine.environment, each.quarantine.content) not in known
        and (each.quarantine.environment == candidate.environment or found.kind in FROM_UPSTREAM)
    ]


def _returning(found: candidates.ComingBack, candidate: candidates.Candidate) -> str:
    row, more = found.quarantine, found.count - len(found.paths)
    where = "" if row.environment == candidate.environment else f" in {row.environment}"
    paths = ", ".join(found.paths) + (f" and {more} more" if more > 0 else "")
    return f"{paths} as quarantined{where} {told_of(row)}"


def told_of(row: observed.Quarantine) -> str:
    return f"since {row.since.isoformat(timespec='seconds')} by {row.by}: {row.reason}"
