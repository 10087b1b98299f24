"""From the book to what the gate is told about one candidate: who saw what, and when."""

from dataclasses import dataclass, replace
from datetime import datetime

from fleet.gate import candidates, lineage
from fleet.hub import evidence, judging, rollouts, soaks, state
from fleet.manifests import layout
from fleet.model import errors, findings, ledger, names, snapshots


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """What git says of how a candidate came about; it stays so for as long as both ends do."""

    descends: bool
    steps: tuple[candidates.Step, ...]
    differing: tuple[str, ...]


async def gather(
    candidate: candidates.Candidate,
    judged: judging.Judged,
    found: tuple[findings.Finding, ...],
    hub: state.Hub,
) -> candidates.Facts:
    known = from_book(candidate, evidence.sides(judged), hub)
    base, upstream = known.base, known.upstream
    nearest = _nearest(candidate, upstream)
    above = _tip(upstream.environment, hub) if upstream else None
    way: Way = await hub.ways.of(
        candidate.environment,
        (candidate, base, nearest, above, judged.layout),
        lambda: _way(candidate, base, nearest, above, judged, hub),
    )
    return replace(
        known, descends=way.descends, steps=way.steps, differing=way.differing, findings=found
    )


def from_book(
    candidate: candidates.Candidate, sides: tuple[candidates.Side, ...], hub: state.Hub
) -> candidates.Facts:
    """All that git and the judge need not be asked for."""
    upstream = upstream_of(candidate.environment, hub)
    release = hub.ledger.in_force(upstream.environment) if upstream else None
    known = candidates.Facts(
        now=hub.clock.now(),
        base=accepted_here(candidate.environment, hub),
        descends=True,
        upstream=upstream,
        upstream_clusters=_health(candidate, release, hub),
        upstream_was_healthy=_was_healthy(candidate, upstream, release, hub),
        stale_after=release.stale_after if release else 300,
        held=hub.ledger.seal.held,
        findings=(),
        sides=sides,
    )
    return evidence.beside(known, candidate, hub)


def road(hub: state.Hub) -> ledger.Road:
    found = hub.ledger.seal.road
    if found is None:
        raise errors.BrokenError("there is no road yet: nothing can be asked before one is read")
    return found


def accepted_here(environment: names.Environment, hub: state.Hub) -> candidates.Accepted | None:
    release = hub.ledger.in_force(environment)
    return _accepted(release) if release else None


def upstream_of(environment: names.Environment, hub: state.Hub) -> candidates.Upstream | None:
    before = road(hub).before(environment)
    if before is None:
        return None
    here = hub.ledger.environments.get(before)
    decision = here.decision if here else None
    pending = decision is not None and decision.verdict is not ledger.Verdict.ACCEPTED
    return candidates.Upstream(
        environment=before,
        accepted=candidates.account(hub.ledger.releases).get(before, ()),
        undecided=decision if pending else None,
    )


def _accepted(release: ledger.Release) -> candidates.Accepted:
    return candidates.Accepted(
        release=release.number,
        commit=release.commit,
        content=release.content,
        rules=release.rules,
        owned=release.owned,
    )


def _health(
    candidate: candidates.Candidate, release: ledger.Release | None, hub: state.Hub
) -> tuple[candidates.ClusterHealth, ...]:
    """How the clusters of upstream stand towards the candidate's content: all of them, in whatever wave."""
    if release is None:
        return ()
    carries = lineage.same(candidate, _accepted(release))
    return tuple(
        candidates.ClusterHealth(
            cluster=each.cluster,
            runs_content=carries and each.release == release.number and _runs(each, release),
            healthy=rollouts.is_healthy(each, release),
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
    source = lineage.newest_equal(candidate, upstream.accepted) if upstream else None
    if upstream is None or source is None or running is None or source.release == running.number:
        return None
    soak = soaks.of(upstream.environment, candidate.content, hub)
    if soak is not None:
        return soak.best.confirmed if soak.best and not soak.is_sick else None
    return hub.ledger.releases[upstream.environment, source.release].healthy


async def _way(
    candidate: candidates.Candidate,
    base: candidates.Accepted | None,
    nearest: names.CommitId | None,
    above: names.CommitId | None,
    judged: judging.Judged,
    hub: state.Hub,
) -> Way:
    descends = base is None or await hub.repository.is_ancestor(base.commit, candidate.commit)
    differing: tuple[str, ...] = ()
    if nearest is not None:
        other = await hub.repository.snapshot(nearest)
        differing = layout.differ(judged.snapshot, other, judged.layout)
    if base is None or not descends or _is_unmoved(candidate, base):
        return Way(descends=descends, steps=(), differing=differing)
    steps = await hub.repository.steps(base.commit, candidate.commit)
    listed = [await _step(each, above, judged.layout, hub) for each in steps]
    return Way(descends=descends, steps=tuple(listed), differing=differing)


def _is_unmoved(candidate: candidates.Candidate, base: candidates.Accepted) -> bool:
    return lineage.same(candidate, base) and candidate.owned == base.owned


async def _step(
    step: snapshots.Step, above: names.CommitId | None, where: layout.Layout, hub: state.Hub
) -> candidates.Step:
    parts = {where.part(path) for path in step.paths}
    is_owned = layout.Part.OWNED in parts
    return candidates.Step(
        commit=step.commit,
        changes_shared=bool(parts & {layout.Part.RULES, layout.Part.CONTENT}),
        changes_owned=is_owned,
        is_upstreams=is_owned
        and above is not None
        and await hub.repository.is_ancestor(step.commit, above),
    )


def _tip(environment: names.Environment, hub: state.Hub) -> names.CommitId | None:
    """The newest commit that was seen on an environment's branch."""
    here = hub.ledger.environments.get(environment)
    return here.decision.commit if here and here.decision else None


def _nearest(
    candidate: candidates.Candidate, upstream: candidates.Upstream | None
) -> names.CommitId | None:
    """What a candidate is compared with that equals nothing upstream accepted."""
    if upstream is None or not upstream.accepted:
        return None
    if lineage.newest_equal(candidate, upstream.accepted) is not None:
        return None
    return upstream.accepted[-1].commit
