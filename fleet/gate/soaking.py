"""Soak: contiguous healthy time of the candidate's content upstream, on the hub's clock (rule 5)."""

from datetime import timedelta

from fleet.gate import answers, candidates, health
from fleet.model import kinds, observed
from fleet.model.ledger import GateResult

GATE = "soak"


def gate(
    _: candidates.Candidate, facts: candidates.Facts, spec: kinds.EnvironmentSpec
) -> GateResult | None:
    asked = spec.gates.soak
    if not asked:
        return None
    where = facts.upstream.environment if facts.upstream else ""
    wanted = answers.span(asked.total_seconds())
    counting = _counting(facts, spec)
    if any(each.length >= asked for each in counting):
        return answers.opens(GATE, f"healthy in {where} for {wanted} without a gap")
    running = facts.soak.running if facts.soak else None
    hint = f"fleet status --environment {where}"
    if running in counting and running is not None:
        began = running.began.isoformat(timespec="seconds")
        reason = f"healthy in {where} since {began}; {wanted} without a gap are asked for"
        return answers.waits(GATE, reason, until=running.began + asked)
    longest = max((each.length for each in counting), default=timedelta(0))
    told = answers.span(longest.total_seconds())
    was = f"was healthy in {where} for {told} at most" if longest else f"is not healthy in {where}"
    return answers.waits(GATE, f"it {was}; {wanted} without a gap are asked for", hint)


def _counting(
    facts: candidates.Facts, spec: kinds.EnvironmentSpec
) -> tuple[observed.Interval, ...]:
    """The intervals in which at least as many clusters were known as this side asks for."""
    soak = facts.soak
    known = (soak.running, soak.longest) if soak else ()
    quorum = health.needed(spec.health.quorum, len(facts.upstream_clusters))
    return tuple(each for each in known if each is not None and each.quorum >= quorum)
