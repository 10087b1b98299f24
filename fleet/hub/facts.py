"""From the book to what the gate is told about one candidate: who saw what, and when."""

from dataclasses import replace
from datetime import datetime

from fleet.gate import candidates, lineage, told
from fleet.hub import comebacks, evidence, members, soaks, state
from fleet.judge import judging, roads, settings
from fleet.manifests import layout
from fleet.model import errors, findings, ledger, names
from fleet.model.ledger import Lineage


async def gather(
    candidate: candidates.Candidate,
    judged: judging.Judged,
    found: tuple[findings.Finding, ...],
    hub: state.Hub,
) -> candidates.Facts:
    known = replace(
        _of_book(candidate, settings.sides(judged), hub),
        findings=found,
        scope=settings.scope(judged),
    )
    upstream = await roads.with_branch(known.upstream, hub.repository)
    way: candidates.Way = await hub.ways.of(
        candidate.environment,
        (candidate, known.base, upstream, judged.layout, known.rebaselined),
        lambda: roads.way(candidate, known, upstream, judged.snapshot, hub.repository),
    )
    back = await comebacks.coming(candidate.environment, judged.snapshot, hub)
    facts = replace(known, upstream=upstream, way=way, coming_back=back)
    return seen(facts, source_of(candidate, facts), hub)


def from_book(
    candidate: candidates.Candidate, sides: tuple[candidates.Side, ...], hub: state.Hub
) -> candidates.Facts:
    """All that git and the judge need not be asked for."""
    return seen(_of_book(candidate, sides, hub), candidate, hub)


def _of_book(
    candidate: candidates.Candidate, sides: tuple[candidates.Side, ...], hub: state.Hub
) -> candidates.Facts:
    known = candidates.Facts(
        now=hub.clock.now(),
        layout=layout.Layout(environment=candidate.environment, owned=road(hub).owned),
        base=accepted_here(candidate.environment, hub),
        own=candidates.accepted(hub.ledger.releases, candidate.environment),
        upstream=upstream_of(candidate.environment, hub),
        held=hub.ledger.seal.held,
        findings=(),
        sides=sides,
    )
    return evidence.beside(known, candidate, hub)


def source_of(candidate: candidates.Candidate, facts: candidates.Facts) -> candidates.Candidate:
    """What upstream must have been healthy with, and not have quarantined.

    Of a promotion in part, or over hotfixes, that is all of its source.
    """
    found = lineage.tell(candidate, facts)
    every = facts.upstream.accepted if facts.upstream else ()
    source = next((each for each in every if each.release == found.source), None)
    if source is None or found.kind not in (Lineage.PROMOTION, Lineage.PARTIAL):
        return candidate
    return replace(candidate, content=source.content, rules=source.rules)


def seen(facts: candidates.Facts, shown: candidates.Candidate, hub: state.Hub) -> candidates.Facts:
    """With what upstream's clusters were seen to do with this content, and whether it was quarantined on its way."""
    upstream = facts.upstream
    release = hub.ledger.in_force(upstream.environment) if upstream else None
    return replace(
        facts,
        upstream_clusters=_health(shown, release, hub),
        upstream_was_healthy=_was_healthy(shown, upstream, release, hub),
        stale_after=release.stale_after if release else 300,
        soak=soaks.of(upstream.environment, shown.content, hub) if upstream else None,
        quarantined_above=evidence.above(shown.environment, shown.content, hub),
    )


def road(hub: state.Hub) -> ledger.Road:
    found = hub.ledger.seal.road
    if found is None:
        raise errors.BrokenError("there is no road yet: nothing can be asked before one is read")
    return found


def accepted_here(environment: names.Environment, hub: state.Hub) -> candidates.Accepted | None:
    release = hub.ledger.in_force(environment)
    return candidates.of_release(release) if release else None


def upstream_of(environment: names.Environment, hub: state.Hub) -> candidates.Upstream | None:
    before = road(hub).before(environment)
    if before is None:
        return None
    here = hub.ledger.environments.get(before)
    decision = here.decision if here else None
    pending = decision is not None and decision.verdict is not ledger.Verdict.ACCEPTED
    return candidates.Upstream(
        environment=before,
        accepted=candidates.accepted(hub.ledger.releases, before),
        undecided=decision if pending else None,
        tip=decision.commit if decision else None,
        skipped=_skipped(before, hub),
    )


def _skipped(
    upstream: names.Environment, hub: state.Hub
) -> tuple[tuple[names.Environment, candidates.Accepted], ...]:
    order = [step.environment for step in road(hub).steps]
    farther = reversed(order[: order.index(upstream)])
    return tuple(
        (each, one)
        for each in farther
        for one in candidates.accepted(hub.ledger.releases, each)[::-1]
    )


def _health(
    candidate: candidates.Candidate, release: ledger.Release | None, hub: state.Hub
) -> tuple[candidates.ClusterHealth, ...]:
    """How the clusters of upstream stand towards the candidate's content: all of them, in whatever wave."""
    if release is None:
        return ()
    carries = told.same(candidate, candidates.of_release(release))
    return tuple(
        candidates.ClusterHealth(
            cluster=each.cluster,
            runs_content=carries and each.release == release.number and _runs(each, release),
            healthy=members.is_healthy(each, release),
            seen=state.last_sign(hub, each),
            reason=_reason(each) if carries else f"{release.environment} runs something newer",
        )
        for each in state.clusters_of(hub.ledger, release.environment)
        if each.cluster in release.slices
    )


def _runs(cluster: ledger.ClusterState, release: ledger.Release) -> bool:
    return cluster.report is not None and cluster.report.release == release.number


def _reason(cluster: ledger.ClusterState) -> str:
    report = cluster.report
    unwell = report.outcomes if report else ()
    named = [each for each in unwell if each.message or (each.assessed and each.assessed.reason)]
    if not named:
        return ""
    first = named[0]
    told = first.message or (first.assessed.reason if first.assessed else "")
    return f"{first.key}: {told}"


def _was_healthy(
    candidate: candidates.Candidate,
    upstream: candidates.Upstream | None,
    running: ledger.Release | None,
    hub: state.Hub,
) -> datetime | None:
    """Only of a release that was replaced: for the one that runs, its present health counts."""
    source = told.newest_equal(candidate, upstream.accepted) if upstream else None
    if upstream is None or source is None or running is None or source.release == running.number:
        return None
    soak = soaks.of(upstream.environment, candidate.content, hub)
    if soak is not None:
        return soak.best.confirmed if soak.best and not soak.is_sick else None
    return hub.ledger.releases[upstream.environment, source.release].healthy
