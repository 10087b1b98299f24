"""A commit beside what its branch holds: judged, compared cluster by cluster, asked by every gate that takes no book.

The hub's own pipeline, where there is neither hub nor cluster: for a preview, and for a hook of the git host. Nothing
is written, and nothing is let out.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from fleet.gate import candidates, demands, guard
from fleet.judge import imagined, judging, settings
from fleet.local import bookless, offline, retracing, standstill
from fleet.manifests import layout
from fleet.model import errors, findings, kinds, ledger, names
from fleet.plan import previews, rollout, slices
from fleet.policy import exemptions

_Difference = previews.Difference  # inside Weighed the module's name is a field's
_Demand = demands.Demand
_Finding = findings.Finding
_UNREAD = frozenset({"tree", "yaml", "json", "fleet", "bundle", "kustomize", "variables"})  # rules


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """`findings` are those of the commit with the deletion guard's, `before` those of what runs.

    `results` are of every gate that concerns it; only those that are bookless.KNOWN say something.
    `unread` says why something of what runs cannot be read: nobody can tell then what would be deleted.
    """

    difference: _Difference
    findings: tuple[_Finding, ...]
    before: tuple[_Finding, ...]
    results: tuple[ledger.GateResult, ...]
    demands: tuple[_Demand, ...]
    assumed: tuple[str, ...]
    is_timed: bool = False  # something in it changes by the clock
    unread: str = ""

    @property
    def refusing(self) -> tuple[ledger.GateResult, ...]:
        """Findings are asked one by one."""
        return tuple(
            each
            for each in self.results
            if each.gate in bookless.KNOWN and each.state is ledger.GateState.REFUSED
        )


async def weigh(
    commit: names.CommitId,
    where: layout.Layout,
    branches: bookless.Branches,
    library: bookless.Library,
    tools: judging.Tools,
) -> Weighed:
    """Raises errors.InputError for a commit that cannot be judged at all."""
    if tools.clock is None:
        raise errors.BrokenError("windows, permits and waivers cannot be weighed without a clock")
    now = tools.clock.now()
    tip = branches.running
    branches = await retracing.begin(commit, where, branches, library, tools.clock)
    about = await bookless.known(commit, where, branches, library)
    before, notes = await _before(where.environment, branches.running, tools)
    after = await offline.check_commit(
        where.environment,
        commit,
        branches.running,
        tools,
        counts=False,
        by_own_rules=about.rules_came_first,
        held=before.manifests if before else None,
    )
    judged = after.judged
    plan = _plan(judged, _retiring(before, judged))
    difference = previews.between(before.manifests if before else {}, judged.manifests, plan)
    found = (*after.findings, *_guarded(before, judged, difference, now))
    seen = bookless.Seen(
        sides=settings.sides(judged),
        scope=settings.scope(judged),
        change=_change(difference),
        now=now,
    )
    telling = await bookless.tell(about, seen, library.source)
    found = await _exempted(found, telling, before, judged, tools)
    results = telling.results(found)
    return Weighed(
        difference=difference,
        findings=found,
        before=before.findings if before else (),
        results=results,
        demands=_demands(
            telling.kind, results, plan, seen, branches.upstream or "", loosens=judged.loosens
        ),
        assumed=(*after.assumed, *notes, *_retraced(tip, branches), *_unseen(judged)),
        is_timed=_is_timed(judged) or (before is not None and before.is_timed),
        unread=_faults(before) if before else "".join(notes),
    )


def _demands(
    kind: ledger.Lineage,
    results: tuple[ledger.GateResult, ...],
    plan: rollout.Plan,
    seen: bookless.Seen,
    upstream: str,
    *,
    loosens: bool,
) -> tuple[demands.Demand, ...]:
    case = demands.Case(
        kind=kind,
        loosens=loosens,
        specs=tuple(each.spec for each in seen.sides),
        terms=rollout.paced(plan.terms, kind),
        upstream=upstream,
    )
    known = demands.answered(demands.of(case), results, bookless.KNOWN)
    return demands.with_windows(known, case.specs, seen.now)


async def _exempted(
    found: tuple[findings.Finding, ...],
    telling: bookless.Telling,
    before: standstill.Standstill | None,
    judged: judging.Judged,
    tools: judging.Tools,
) -> tuple[findings.Finding, ...]:
    """As the hub will have it of a rollback. What can no longer be read is exempt from nothing."""
    if telling.kind is not ledger.Lineage.ROLLBACK or not findings.refuses(found):
        return found
    to = telling.found.commits[0]
    then, _ = await _before(judged.question.environment, to, tools)
    past = exemptions.Past(
        ran=exemptions.held(then.manifests if then else {}),
        runs=exemptions.held(before.manifests if before else {}),
        installed=judged.docket.installed,
        in_part=bool(telling.found.paths),
    )
    return exemptions.exempted(found, judged.manifests, past)


def _retraced(tip: names.CommitId | None, branches: bookless.Branches) -> Iterator[str]:
    if branches.running and branches.running != tip:
        yield f"a way back: what runs is taken to be {branches.running[:10]}, which had these rules last"


def _unseen(judged: judging.Judged) -> Iterator[str]:
    if judged.spec.rollout.broken_first:
        yield "no cluster is asked: those that fail already would go with the first wave"


def _is_timed(judged: judging.Judged) -> bool:
    said = judged.declared
    return bool(said.waivers or said.permits) or any(e.gates.windows for e in judged.specs)


async def _before(
    environment: names.Environment, running: names.CommitId | None, tools: judging.Tools
) -> tuple[standstill.Standstill | None, tuple[str, ...]]:
    """What runs, by its own rules; None with a word where it cannot be read. Where no environment was, nothing runs."""
    if running is None or not await _is_named(environment, running, tools):
        return None, ()
    try:
        return await standstill.of(environment, running, tools), ()
    except errors.InputError as error:
        return None, (f"what runs cannot be read, so all is shown as created: {error}",)


async def _is_named(
    environment: names.Environment, running: names.CommitId, tools: judging.Tools
) -> bool:
    """Whether its fleet.yaml has the environment, as far as it can be read."""
    road = await judging.road_of(running, tools)
    return not isinstance(road, ledger.Road) or environment in {
        step.environment for step in road.steps
    }


def _faults(before: standstill.Standstill) -> str:
    """Of files that could not be read, and bundles that could not be rendered."""
    found = [
        f"{each.place}: {each.message}"
        for each in before.findings
        if each.rule in _UNREAD and findings.refuses([each])
    ]
    return f"what runs cannot be read in whole: {'; '.join(found[:5])}" if found else ""


def _plan(
    judged: judging.Judged, retiring: Mapping[names.Cluster, kinds.OnRemoval]
) -> rollout.Plan:
    """Of its slices nobody asks."""
    blank = slices.Slice(digest=names.SliceDigest(""), data=b"", objects=0)
    clusters = [each.document for each in judged.declared.clusters]
    return rollout.plan(judged.spec, clusters, dict.fromkeys(judged.manifests, blank), retiring)


def _retiring(
    before: standstill.Standstill | None, judged: judging.Judged
) -> dict[names.Cluster, kinds.OnRemoval]:
    """Clusters that are declared no more, with how they leave by their last document."""
    staying = {*judged.manifests, imagined.NAME}
    last = before.leaving if before else {}
    return {cluster: how for cluster, how in last.items() if cluster not in staying}


def _change(difference: previews.Difference) -> candidates.Change:
    """As the hub counts it for a budget: what only moves to another bundle is no change of an object."""
    total = difference.totals
    moved = sum(
        len(group.clusters)
        for group in difference.groups
        for each in group.changes
        if each.note and not each.edits
    )
    changed = {cluster for group in difference.groups for cluster in group.clusters}
    return candidates.Change(
        clusters=len(changed.union(difference.retiring)),
        objects=total.created + total.configured + total.deleted - moved,
        deletions=total.deleted,
    )


def _guarded(
    before: standstill.Standstill | None,
    judged: judging.Judged,
    difference: previews.Difference,
    now: datetime,
) -> tuple[findings.Finding, ...]:
    """What the deletion guard would say if every cluster held what its branch says."""
    if before is None:
        return ()
    share = min(spec.guard.max_deleted_share for spec in judged.specs)
    found: dict[findings.Finding, list[names.Cluster]] = {}
    for group in difference.groups:
        going = [e.key for e in group.changes if e.concern is previews.Concern.DELETION]
        for cluster in group.clusters if going else ():
            if cluster in difference.retiring:
                continue
            reasons = guard.refusals(
                cluster=cluster,
                going=going,
                before=len(before.manifests[cluster]),
                max_deleted_share=share,
                permits=judged.declared.permits_only,
                now=now,
            )
            for reason in reasons:
                found.setdefault(_refusal(reason, judged), []).append(cluster)
    return tuple(replace(each, clusters=tuple(sorted(c))) for each, c in found.items())


def _refusal(reason: str, judged: judging.Judged) -> findings.Finding:
    environment = judged.question.environment
    return findings.deny(
        "deletion-guard",
        findings.Place(path="fleet.yaml"),
        reason,
        hint=f"add a Permit under environments/{environment}/ that names it, with an end",
    )
