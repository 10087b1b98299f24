"""Upstream's health with the candidate's content: unknown means wait (rule 6)."""

import math
from datetime import timedelta

from fleet.gate import answers, candidates
from fleet.model import gating, kinds
from fleet.model.ledger import GateResult

GATE = "upstream health"


def needed(share: gating.Share, of: int) -> int:
    """So many clusters, as 3 or 80% of all; never none, because nothing is healthy with none."""
    wanted = math.ceil(int(share[:-1]) * of / 100) if share.endswith("%") else int(share)
    return max(1, wanted)


def gate(
    _: candidates.Candidate, facts: candidates.Facts, spec: kinds.EnvironmentSpec
) -> GateResult:
    """Upstream's release of this content is healthy on all its clusters that report, and enough of them do."""
    where = facts.upstream.environment if facts.upstream else ""
    if facts.upstream_was_healthy is not None:
        return answers.opens(GATE, f"{where} was healthy with it until it moved on")
    known = facts.upstream_clusters
    oldest = facts.now - timedelta(seconds=facts.stale_after)
    awake = [each for each in known if each.seen is not None and each.seen >= oldest]
    if not awake:
        return answers.waits(GATE, f"no cluster of {where} reports")
    quorum = needed(spec.health.quorum, len(known))
    hint = f"fleet status --environment {where}"
    unwell = [each for each in awake if not (each.runs_content and each.healthy)]
    if unwell:
        return answers.waits(GATE, _told(unwell), hint)
    if len(awake) < quorum:
        missing = f"{len(awake)} of {len(known)} clusters of {where} report; {quorum} must"
        return answers.waits(GATE, missing, hint)
    return answers.opens(GATE, f"healthy on {len(awake)} clusters of {where}")


def _told(unwell: list[candidates.ClusterHealth]) -> str:
    first = unwell[0]
    reason = first.reason or ("not healthy" if first.runs_content else "does not run it yet")
    more = f" and {len(unwell) - 1} more" if len(unwell) > 1 else ""
    return f"{first.cluster}: {reason}{more}"
