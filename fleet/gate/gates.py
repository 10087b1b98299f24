"""The gates, as a table: each looks at the facts and says open, waiting for what, or refused because of what."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from fleet.gate import approving, candidates, lineage
from fleet.model import findings
from fleet.model.ledger import GateResult, GateState, Lineage


def findings_gate(candidate: candidates.Candidate, facts: candidates.Facts) -> GateResult:
    refusing = [each for each in facts.findings if findings.refuses([each])]
    if not refusing:
        return GateResult(gate="findings", state=GateState.OPEN, reason="nothing denies it")
    return GateResult(
        gate="findings",
        state=GateState.REFUSED,
        reason=f"{len(refusing)} findings deny it",
        hint=f"fleet check --rev {candidate.commit[:10]} --environment {candidate.environment}",
    )


def book_gate(_: candidates.Candidate, facts: candidates.Facts) -> GateResult:
    if not facts.held:
        return GateResult(gate="book", state=GateState.OPEN, reason="the book is whole")
    return GateResult(
        gate="book", state=GateState.WAITING, reason=facts.held, hint="fleet hub recover"
    )


def upstream_health(_: candidates.Candidate, facts: candidates.Facts) -> GateResult:
    """Upstream's release of this content is healthy on all its clusters that report; none reporting = wait."""
    where = facts.upstream.environment if facts.upstream else ""
    if facts.upstream_was_healthy is not None:
        return _health(GateState.OPEN, f"{where} was healthy with it until it moved on")
    awake = [each for each in facts.upstream_clusters if _is_awake(each, facts)]
    if not awake:
        return _health(GateState.WAITING, f"no cluster of {where} reports")
    unwell = [each for each in awake if not (each.runs_content and each.healthy)]
    if not unwell:
        return _health(GateState.OPEN, f"healthy on {len(awake)} clusters of {where}")
    first = unwell[0]
    reason = first.reason or ("not healthy" if first.runs_content else "does not run it yet")
    more = f" and {len(unwell) - 1} more" if len(unwell) > 1 else ""
    hint = f"fleet status --environment {where}"
    return _health(GateState.WAITING, f"{first.cluster}: {reason}{more}", hint)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    judge: Callable[[candidates.Candidate, candidates.Facts], GateResult]
    concerns: frozenset[Lineage]  # the kinds of candidate that must pass it


_EVERY = frozenset(Lineage)
_HOPELESS = frozenset(
    {
        Lineage.REWRITE,
        Lineage.UNADOPTED,
        Lineage.UNACCEPTED,
        Lineage.OLDER,
        Lineage.ALTERED,
        Lineage.DIRECT,
        Lineage.INCOMPLETE,
        Lineage.CARRIED,
    }
)  # nobody's word would let these in

GATES: tuple[Gate, ...] = (
    Gate(judge=book_gate, concerns=_EVERY),
    Gate(judge=lineage.gate, concerns=_EVERY),
    Gate(judge=findings_gate, concerns=_EVERY),
    Gate(judge=upstream_health, concerns=frozenset({Lineage.PROMOTION})),
    Gate(judge=approving.gate, concerns=_EVERY - _HOPELESS),
)


def _is_awake(cluster: candidates.ClusterHealth, facts: candidates.Facts) -> bool:
    seen = cluster.seen
    return seen is not None and facts.now - seen <= timedelta(seconds=facts.stale_after)


def _health(state: GateState, reason: str, hint: str = "") -> GateResult:
    return GateResult(gate="upstream health", state=state, reason=reason, hint=hint)
