"""Metrics: every value of a range query keeps to its bound; none at all, NaN and errors wait (threat 57)."""

from datetime import datetime, timedelta

from fleet.gate import answers, candidates
from fleet.model import gating, json_values, kinds, names
from fleet.model.ledger import GateResult, GateState

GATE = "metrics"
FRESH = timedelta(seconds=60)  # an answer counts for so long
EVERY = timedelta(seconds=15)  # and is asked for no more often than that


def key(asked: gating.Metric) -> names.Digest:
    """One question is asked once, whoever wants to know."""
    window = int(asked.window.total_seconds())
    return json_values.digest([asked.url, asked.query, window])


def gate(
    _: candidates.Candidate, facts: candidates.Facts, spec: kinds.EnvironmentSpec
) -> GateResult | None:
    asked = spec.gates.metrics
    if not asked:
        return None
    found = [judged(each, facts.measurements.get(key(each)), facts.now) for each in asked]
    unmet = [each for each in found if each.state is not GateState.OPEN]
    if not unmet:
        return answers.opens(GATE, "; ".join(each.reason for each in found))
    reason = "; ".join(each.reason for each in unmet)
    is_broken = any(each.state is GateState.ERROR for each in unmet)
    hint = f"it is asked again every {EVERY.seconds} s while nothing else holds the commit"
    return (answers.fails if is_broken else answers.waits)(GATE, reason, hint)


def judged(
    asked: gating.Metric, found: candidates.Measurement | None, now: datetime
) -> GateResult:
    """Its words hold no value: each other value would be another decision."""
    name, bound = asked.name, f"{asked.must_be.value} {asked.bound:g}"
    if found is None or not timedelta(0) <= now - found.at <= FRESH:
        return answers.waits(GATE, f"{name} is not measured yet")
    if found.trouble:
        return answers.fails(GATE, f"{name}: {found.trouble}")
    if found.lowest is None or found.highest is None or found.odd:
        return answers.waits(GATE, f"{name} has no value, or one that is no number")
    if _keeps(asked, found.lowest, found.highest):
        return answers.opens(GATE, f"{name} is {bound}")
    return answers.waits(GATE, f"{name} is not {bound}")


def _keeps(asked: gating.Metric, lowest: float, highest: float) -> bool:
    if asked.must_be is gating.Comparison.BELOW:
        return highest < asked.bound
    return lowest > asked.bound
