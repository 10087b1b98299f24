"""From judged manifests to a checked plan: slices cut, waves drawn, deletions weighed."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from fleet.gate import candidates, guard
from fleet.hub import counting, state
from fleet.judge import judging
from fleet.model import errors, findings, gating, health, kinds, ledger, names, objects
from fleet.model import slices as form
from fleet.plan import check, registration, rollout, slices, surroundings
from fleet.policy import leniency


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """A plan with every finding that stands against the candidate: the judge's, the plan's, the guard's."""

    plan: rollout.Plan
    findings: tuple[findings.Finding, ...]
    max_deleted_share: float
    stale_after: int
    change: candidates.Change | None = None  # counted where somebody asks for a budget
    broken: frozenset[names.Cluster] = frozenset()  # that fail already, by their last report
    around: surroundings.Surroundings = field(default_factory=surroundings.Surroundings)
    asked: datetime | None = None  # when it was found to stand so


async def draw(judged: judging.Judged, hub: state.Hub) -> Drawn:
    """Drawn again only when something that it rests on has changed: a tip may wait for long."""
    environment = judged.question.environment
    around = surroundings_of(judged, hub)
    now = hub.clock.now()
    moment = moment_of(around, now)
    valid = [permit.spec.expires > now for permit in judged.declared.permits_only]
    drawn: Drawn = await hub.drawn.of(
        environment, (judged, around, valid), lambda: drawn_in(around, judged, now, hub)
    )
    settled: Drawn = await hub.settled.of(
        environment,
        (drawn, leniency.phases(judged.docket, moment)),
        lambda: settled_at(moment, drawn, judged, hub),
    )
    return replace(settled, asked=now)


def moment_of(around: surroundings.Surroundings, now: datetime) -> leniency.Moment:
    return leniency.Moment(now=now, goes_back=around.goes_back, all_out=around.all_out)


def surroundings_of(judged: judging.Judged, hub: state.Hub) -> surroundings.Surroundings:
    """What of the book the plan depends on."""
    base = hub.ledger.in_force(judged.question.environment)
    return surroundings.Surroundings(
        number=base.number if base else 0,
        slices=base.slices if base else {},
        retired=_retired(judged, base, hub),
        claims=_claims(judged, hub),
        broken=tuple(sorted(_broken(judged.question.environment, hub))),
        goes_back=_goes_back(judged, base, hub),
        all_out=_is_all_out(base, hub),
    )


def _claims(judged: judging.Judged, hub: state.Hub) -> tuple[ledger.ClusterState, ...]:
    """Registered elsewhere under a name, a UID or a key that this commit has too."""
    specs = [each.document.spec for each in judged.declared.clusters]
    called = {each.document.metadata.name for each in judged.declared.clusters}
    uids, public = {each.uid for each in specs}, {each.public_key for each in specs}
    return tuple(
        ledger.ClusterState(
            environment=each.environment,
            cluster=each.cluster,
            uid=each.uid,
            public_key=each.public_key,
            labels={},
            kubernetes_version="",
            retired=each.retired,
        )
        for each in hub.ledger.clusters.values()
        if each.cluster in called or each.uid in uids or each.public_key in public
        if each.environment != judged.question.environment
    )


async def settled_at(
    moment: leniency.Moment, drawn: Drawn, judged: judging.Judged, hub: counting.Shelf
) -> Drawn:
    found = await hub.tools.aside(lambda: leniency.settle(drawn.findings, judged.docket, moment))
    return replace(drawn, findings=found)


def _broken(environment: names.Environment, hub: state.Hub) -> frozenset[names.Cluster]:
    known = state.clusters_of(hub.ledger, environment)
    return frozenset(
        each.cluster
        for each in known
        if each.report and each.report.health is health.Health.FAILED
    )


def _is_all_out(base: ledger.Release | None, hub: state.Hub) -> bool:
    return base is None or hub.ledger.environments[base.environment].wave >= len(base.waves)


def _goes_back(judged: judging.Judged, base: ledger.Release | None, hub: state.Hub) -> bool:
    """Whether other content than runs now comes, which ran here before under these very rules."""
    ids = judged.ids
    if base is None or ids.content == base.content or ids.rules != base.rules:
        return False
    return any(
        release.content == ids.content
        for (environment, _), release in hub.ledger.releases.items()
        if environment == base.environment
    )


async def drawn_in(
    around: surroundings.Surroundings, judged: judging.Judged, now: datetime, hub: counting.Shelf
) -> Drawn:
    broken = frozenset(around.broken)
    plan, unsound = await hub.tools.aside(lambda: _planned(judged, around.retired, broken))
    share = min(spec.guard.max_deleted_share for spec in judged.specs)
    found = (
        *judged.findings,
        *registration.check(judged.declared.clusters, judged.question.environment, around.claims),
        *unsound,
        *await _guarded(judged, around.slices, share, now, hub),
    )
    return Drawn(
        plan=plan,
        findings=found,
        max_deleted_share=share,
        stale_after=min(spec.health.stale_after for spec in judged.specs),
        change=await counting.change(plan, around, hub) if _has_budget(judged) else None,
        broken=broken,
        around=around,
    )


def _has_budget(judged: judging.Judged) -> bool:
    return any(spec.gates.budget != gating.Budget() for spec in judged.specs)


def _planned(
    judged: judging.Judged,
    retired: Mapping[names.Cluster, kinds.OnRemoval],
    broken: frozenset[names.Cluster],
) -> tuple[rollout.Plan, tuple[findings.Finding, ...]]:
    clusters = [each.document for each in judged.declared.clusters]
    cut = slices.cut_each(judged.manifests)
    plan = rollout.plan(judged.spec, clusters, cut, retired, broken)
    return plan, unsound(plan, judged, retired, broken)


def unsound(
    plan: rollout.Plan,
    judged: judging.Judged,
    retired: Mapping[names.Cluster, kinds.OnRemoval],
    broken: frozenset[names.Cluster] = frozenset(),
) -> tuple[findings.Finding, ...]:
    """What stands against the plan; what is claimed twice is refused with both files named, and no fault of it."""
    if any(each.rule == "ownership" for each in judged.findings):
        return ()
    clusters = [each.document for each in judged.declared.clusters]
    return check.check(
        plan,
        spec=judged.spec,
        clusters=clusters,
        retired=retired,
        judged=judged.manifests,
        broken=broken,
    )


def _retired(
    judged: judging.Judged, base: ledger.Release | None, hub: state.Hub
) -> Mapping[names.Cluster, kinds.OnRemoval]:
    """Clusters that are known here but declared no more, with how they leave by their last accepted document."""
    here = {names.Cluster(each.document.metadata.name) for each in judged.declared.clusters}
    last = dict(base.retired) if base else {}
    if judged.base is not None:
        last |= {
            names.Cluster(each.document.metadata.name): each.document.spec.on_removal
            for each in judged.base.clusters
        }
    known = state.clusters_of(hub.ledger, judged.question.environment)
    gone = [each.cluster for each in known if each.cluster not in here]
    return {cluster: last.get(cluster, kinds.OnRemoval.ORPHAN) for cluster in gone}


async def _guarded(
    judged: judging.Judged,
    runs: Mapping[names.Cluster, names.SliceDigest],
    share: float,
    now: datetime,
    hub: counting.Shelf,
) -> list[findings.Finding]:
    """What this release would delete without being allowed to, cluster by cluster."""
    found = []
    running: dict[names.SliceDigest, frozenset[objects.Key]] = {}
    for cluster, manifests in judged.manifests.items():
        digest = runs.get(cluster)
        if digest is not None and digest not in running:
            running[digest] = await _keys(digest, hub)
        before = running[digest] if digest is not None else frozenset()
        refusals = guard.refusals(
            cluster=cluster,
            going=before - {each.key for each in manifests},
            before=len(before),
            max_deleted_share=share,
            permits=judged.declared.permits_only,
            now=now,
        )
        found += [_refusal(judged, cluster, reason) for reason in refusals]
    return found


async def _keys(digest: names.SliceDigest, hub: counting.Shelf) -> frozenset[objects.Key]:
    """What a slice in force holds. One that is not in the book is no empty one (rule 6)."""
    data = await hub.book.slice(digest)
    if data is None:
        raise errors.BrokenError(f"the book does not have slice {digest}, which is in force")
    return await hub.tools.aside(lambda: frozenset(item.key for item in form.decode(data)))


def _refusal(judged: judging.Judged, cluster: names.Cluster, reason: str) -> findings.Finding:
    environment = judged.question.environment
    return findings.Finding(
        rule="deletion-guard",
        severity=findings.Severity.DENY,
        message=reason,
        place=judged.declared.place_of(cluster),
        hint=f"add a Permit under environments/{environment}/ that names it, with an end",
        clusters=(cluster,),
    )
