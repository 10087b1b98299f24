"""What a candidate is towards what runs: by content and rules alone (rule 4: the tip decides).

Branch names, dates, patch ids and commit messages decide nothing; the way from base to tip is looked at only to
explain, and to tell an owned-path commit from a merge that carries another environment's owned paths.
"""

from fleet.gate import candidates
from fleet.model.ledger import GateResult, GateState, Lineage


def classify(candidate: candidates.Candidate, facts: candidates.Facts) -> Lineage:
    base = facts.base
    if base is None:
        return _first(candidate, facts)
    if not facts.descends:
        return Lineage.REWRITE
    if same(candidate, base):
        return Lineage.NOTHING if candidate.owned == base.owned else Lineage.OWNED
    return _moved(candidate, base, facts)


def _moved(
    candidate: candidates.Candidate, base: candidates.Accepted, facts: candidates.Facts
) -> Lineage:
    if facts.upstream is None:
        return Lineage.ENTRY
    source = newest_equal(candidate, facts.upstream.accepted)
    if source is None:
        return _unmatched(facts)
    running = newest_equal(base, facts.upstream.accepted)
    if running is not None and source.release < running.release:
        return Lineage.OLDER
    return Lineage.PROMOTION


def same(
    one: candidates.Candidate | candidates.Accepted,
    other: candidates.Accepted | candidates.Candidate,
) -> bool:
    return (one.content, one.rules) == (other.content, other.rules)


def newest_equal(
    candidate: candidates.Candidate | candidates.Accepted,
    accepted: tuple[candidates.Accepted, ...],
) -> candidates.Accepted | None:
    return next((each for each in reversed(accepted) if same(candidate, each)), None)


def rules_came_first(
    candidate: candidates.Candidate,
    base: candidates.Accepted,
    upstream: candidates.Upstream | None,
) -> bool:
    """Whether upstream ran the candidate's rules before its content.

    Then a promotion that brings both is judged in two steps, rules first (rule 3), and the content is held
    against the new rules alone.
    """
    if upstream is None or candidate.rules == base.rules:
        return False
    rules = next(
        (each.release for each in upstream.accepted if each.rules == candidate.rules), None
    )
    content = next(
        (each.release for each in upstream.accepted if each.content == candidate.content), None
    )
    return rules is not None and content is not None and rules < content


def gate(candidate: candidates.Candidate, facts: candidates.Facts) -> GateResult:
    """The lineage gate: only changes whose way is explained go on."""
    kind = classify(candidate, facts)
    if kind in (Lineage.PROMOTION, Lineage.OWNED) and carries_owned(kind, candidate, facts):
        return _result(
            GateState.REFUSED,
            f"the merge changes paths that {candidate.environment} owns",
            _promote(candidate, facts),
        )
    state, reason, hint = _explain(kind, candidate, facts)
    return _result(state, reason, hint)


def carries_owned(kind: Lineage, candidate: candidates.Candidate, facts: candidates.Facts) -> bool:
    """Whether a promotion brings the target's owned paths along: in the merge itself, or in upstream's own commits."""
    base = facts.base
    if base is None or candidate.owned == base.owned:
        return False
    merges = kind is Lineage.PROMOTION
    return any(
        step.is_upstreams or (merges and step.changes_shared)
        for step in facts.steps
        if step.changes_owned
    )


def _first(candidate: candidates.Candidate, facts: candidates.Facts) -> Lineage:
    if facts.upstream is None:
        return Lineage.ENTRY
    found = newest_equal(candidate, facts.upstream.accepted)
    return Lineage.PROMOTION if found else Lineage.UNACCEPTED


def _unmatched(facts: candidates.Facts) -> Lineage:
    upstream = facts.upstream
    if upstream is not None and upstream.undecided is not None:
        return Lineage.UNACCEPTED
    return Lineage.ALTERED if any(step.changes_shared for step in facts.steps) else Lineage.DIRECT


def _explain(
    kind: Lineage, candidate: candidates.Candidate, facts: candidates.Facts
) -> tuple[GateState, str, str]:
    upstream = facts.upstream.environment if facts.upstream else ""
    here = candidate.environment
    match kind:
        case Lineage.REWRITE:
            return (
                GateState.WAITING,
                f"the branch was rewritten: {_short(candidate.commit)} does not descend from {_base(facts)}",
                f"push a branch that contains {_base(facts)}, or revert on top of it",
            )
        case Lineage.UNACCEPTED:
            return _unaccepted(candidate, facts)
        case Lineage.OLDER:
            return (
                GateState.REFUSED,
                f"this content is older than what {here} runs, though {upstream} accepted it once",
                f"going back is a rollback: revert in {upstream} and promote that",
            )
        case Lineage.ALTERED | Lineage.DIRECT:
            return (
                GateState.REFUSED,
                f"{kind.value}: it equals no commit that {upstream} accepted; it differs in {_paths(facts)}",
                _promote(candidate, facts),
            )
        case _:
            return GateState.OPEN, kind.value, ""


def _unaccepted(
    candidate: candidates.Candidate, facts: candidates.Facts
) -> tuple[GateState, str, str]:
    upstream = facts.upstream
    if upstream is None:
        return GateState.OPEN, "", ""
    pending = upstream.undecided
    if pending and (pending.content, pending.rules) == (candidate.content, candidate.rules):
        return (
            GateState.WAITING,
            f"{upstream.environment} has not accepted this content: {pending.verdict.value} there",
            f"see: fleet status --environment {upstream.environment}",
        )
    if facts.base is None:
        return (
            GateState.WAITING,
            f"nothing accepted here yet, and the tip equals no accepted commit of {upstream.environment}",
            "adopt what runs there by decree: fleet hub baseline",
        )
    return (
        GateState.REFUSED,
        f"it equals no commit that {upstream.environment} accepted; it differs in {_paths(facts)}",
        _promote(candidate, facts),
    )


def _promote(candidate: candidates.Candidate, facts: candidates.Facts) -> str:
    upstream = facts.upstream.environment if facts.upstream else "UPSTREAM"
    return f"revert it on {candidate.environment}, then: fleet promote {upstream} {candidate.environment}"


def _paths(facts: candidates.Facts, limit: int = 5) -> str:
    shown = ", ".join(facts.differing[:limit]) or "paths that could not be listed"
    more = len(facts.differing) - limit
    return f"{shown} and {more} more" if more > 0 else shown


def _base(facts: candidates.Facts) -> str:
    return _short(facts.base.commit) if facts.base else "what was accepted"


def _short(commit: str) -> str:
    return commit[:10]


def _result(state: GateState, reason: str, hint: str) -> GateResult:
    return GateResult(gate="lineage", state=state, reason=reason, hint=hint)
