"""What a release stands on besides windows and approvals, and what may turn against it while it goes out.

A quarantine and a status that fails are acts of somebody after it was accepted: they stop what is not out yet.
"""

from fleet.gate import quarantines, statuses
from fleet.hub import evidence, state
from fleet.judge import judging
from fleet.model import findings, ledger, names, observed, pacing

_SAME_CONTENT = frozenset({ledger.Lineage.NOTHING, ledger.Lineage.OWNED})


def of(decision: ledger.Decision, judged: judging.Judged, hub: state.Hub) -> pacing.Footing:
    """Of a release with the same content as the one before, where that is still going out: what that one had."""
    if decision.lineage is ledger.Lineage.BASELINE:
        return pacing.Footing(is_settled=True)
    running = hub.ledger.in_force(decision.environment)
    if decision.lineage in _SAME_CONTENT and running is not None:
        is_out = hub.ledger.environments[decision.environment].wave >= len(running.waves)
        return pacing.Footing(is_settled=True) if is_out else running.footing
    return pacing.Footing(source=_source(decision, hub), statuses=_statuses(decision, judged))


def _source(decision: ledger.Decision, hub: state.Hub) -> names.ContentId | None:
    road = hub.ledger.seal.road
    before = road.before(decision.environment) if road else None
    if decision.lineage not in quarantines.FROM_UPSTREAM or before is None:
        return None
    release = hub.ledger.releases.get((before, decision.source))
    return release.content if release else None


def _statuses(decision: ledger.Decision, judged: judging.Judged) -> tuple[tuple[str, str], ...]:
    """Those that its gate asked for."""
    if statuses.GATE not in {each.gate for each in decision.gates}:
        return ()
    asked = (each for spec in judged.specs for each in spec.gates.statuses)
    return tuple(sorted({(each.issuer, each.context) for each in asked}))


def quarantined(release: ledger.Release, _: int, hub: state.Hub) -> str:
    """Of its content here, or of its source's before. What a decree let in passes those that were there by then."""
    here = evidence.quarantined(release.environment, release.content, hub)
    source = release.footing.source
    above = evidence.above(release.environment, source, hub) if source else ()
    rows = [each for each in (here, *above) if each is not None and each.lifted is None]
    return "; ".join(
        f"quarantined in {each.environment} {quarantines.told_of(each)}"
        for each in rows
        if not release.footing.is_settled or each.since >= release.accepted
    )


def failing(release: ledger.Release, _: int, hub: state.Hub) -> str:
    """A status that it was accepted with says by now that it fails."""
    said = hub.ledger.statuses.get(release.content, {})
    failed = [
        findings.escaped(f"{issuer}/{context}")
        for issuer, context in release.footing.statuses
        if (row := said.get((issuer, context))) and row.outcome is observed.Outcome.FAILURE
    ]
    return f"a status failed since: {', '.join(failed)}" if failed else ""
