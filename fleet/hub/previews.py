"""A promotion, a pull request or an owned-path change before it is merged: what every cluster of the target would get.

The commit is imagined and judged by the hub's own pipeline beside what runs. No book is asked and no cluster, nothing
is written: what gates say, and what upstream accepted, is for the hub.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from fleet.gate import asking, guard
from fleet.hub import bookless, judging, offline, overlays, standstill
from fleet.manifests import layout
from fleet.model import errors, findings, kinds, ledger, names, snapshots
from fleet.plan import previews, rollout, slices, unseen
from fleet.policy import impacts
from fleet.ports import repository

_Difference = previews.Difference  # inside Preview the module's name is a field's
_Unseen = unseen.Unseen
_Impact = impacts.Impact
_Finding = findings.Finding
_Histories = repository.Histories
_NOTHING = previews.between({}, {}, (), {})


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """`commit` is taken to `target`: as a promotion where `source` is the environment before it, else as a merge.

    `head`: that commit, of a branch of `source`, would be accepted there first.
    """

    target: names.Environment
    commit: names.CommitId
    source: names.Environment | None = None
    head: names.CommitId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What a preview stands on. `tools` read `repository`."""

    tips: Mapping[names.Branch, names.CommitId]
    road: ledger.Road
    repository: overlays.Overlaid = field(repr=False)
    histories: _Histories = field(repr=False)
    tools: judging.Tools = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """`conflicts`: paths that git cannot merge; then nothing else is known."""

    asked: Asked
    running: names.CommitId
    subject: str
    difference: _Difference = _NOTHING
    impacts: tuple[_Impact, ...] = ()
    findings: tuple[_Finding, ...] = ()
    lineage: ledger.GateResult | None = None
    unseen: _Unseen | None = None  # None: the histories never met
    gates: tuple[asking.Asked, ...] = ()
    conflicts: tuple[str, ...] = ()
    assumed: tuple[str, ...] = ()
    is_timed: bool = False  # something in it ends by the clock

    @property
    def is_refused(self) -> bool:
        by_way = self.lineage is not None and self.lineage.state is ledger.GateState.REFUSED
        return bool(self.conflicts) or by_way or findings.refuses(self.findings)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Result:
    """What the target would become. `source` is the commit whose changes a pull request would show."""

    commit: names.CommitId
    source: names.CommitId
    coming: names.CommitId | None = None
    conflicts: tuple[str, ...] = ()


async def road_of(
    tips: Mapping[names.Branch, names.CommitId], target: names.Environment, tools: judging.Tools
) -> ledger.Road:
    """As the target's own branch has it, as far as it can be found; else as any branch does."""
    likely = names.Branch(target)
    first = [tips[likely]] if likely in tips else []
    for commit in dict.fromkeys([*first, *tips.values()]):
        found = await judging.road_of(commit, tools)
        if isinstance(found, ledger.Road) and target in {s.environment for s in found.steps}:
            return found
    raise errors.InputError(
        f"no branch here has a fleet.yaml that names environment {target}", hint="git fetch"
    )


async def preview(asked: Asked, ground: Ground) -> Preview:
    running = _running(asked.target, ground)
    told = await ground.repository.commit(asked.head or asked.commit)
    blank = Preview(asked=asked, running=running, subject=told.subject)
    result = await _result(asked, running, ground)
    if result.conflicts:
        return replace(blank, conflicts=result.conflicts)
    before, notes = await _before(asked.target, running, ground.tools)
    after = await offline.check_commit(
        asked.target, result.commit, running, ground.tools, counts=False
    )
    difference = _difference(before, after)
    guarded = _guarded(before, after, difference, ground.tools)
    found = (*after.findings, *guarded)
    return replace(
        blank,
        difference=difference,
        impacts=impacts.between(before.findings if before else (), found),
        findings=found,
        lineage=await _lineage(asked, running, result, ground),
        unseen=await _unseen(running, result, _layout(asked.target, ground), ground),
        gates=asking.of(*after.judged.specs, upstream=ground.road.before(asked.target) or ""),
        assumed=(*after.assumed, *notes),
        is_timed=_ends(after) or (before is not None and before.is_timed),
    )


def _ends(verdict: offline.Verdict) -> bool:
    said = verdict.judged.declared
    return bool(said.waivers or said.permits)


def _running(target: names.Environment, ground: Ground) -> names.CommitId:
    branch = ground.road.branch(target)
    if branch not in ground.tips:
        raise errors.InputError(f"there is no branch {branch} here", hint="git fetch")
    return ground.tips[branch]


def _layout(target: names.Environment, ground: Ground) -> layout.Layout:
    return layout.Layout(environment=target, owned=ground.road.owned)


async def _result(asked: Asked, running: names.CommitId, ground: Ground) -> _Result:
    if asked.source is None:
        return await _merged(running, asked.commit, ground)
    coming = None
    if asked.head is not None:
        accepted = await _merged(asked.commit, asked.head, ground)
        if accepted.conflicts:
            return accepted
        coming = accepted.commit
    above = coming or asked.commit
    entries = promoted(
        await ground.repository.snapshot(above),
        await ground.repository.snapshot(running),
        _layout(asked.target, ground),
    )
    made = _put(entries, running, ground)
    return _Result(commit=made, source=above, coming=coming)


def promoted(
    above: snapshots.Snapshot, here: snapshots.Snapshot, where: layout.Layout
) -> dict[str, snapshots.Entry]:
    """Upstream's shared paths; all else, owned or inert, as the target has it."""
    return {
        **{path: each for path, each in above.entries.items() if where.is_shared(path)},
        **{path: each for path, each in here.entries.items() if not where.is_shared(path)},
    }


async def _merged(ours: names.CommitId, theirs: names.CommitId, ground: Ground) -> _Result:
    """As git merges them; where one has the other already, that one as it is."""
    if await ground.repository.is_ancestor(ours, theirs):
        return _Result(commit=theirs, source=theirs)
    if await ground.repository.is_ancestor(theirs, ours):
        return _Result(commit=ours, source=theirs)
    merged = await ground.histories.merged(ours, theirs)
    entries = (await ground.repository.snapshot(merged.tree)).entries
    made = _put(entries, ours, ground)
    return _Result(commit=made, source=theirs, conflicts=merged.conflicts)


def _put(
    entries: Mapping[str, snapshots.Entry], like: names.CommitId, ground: Ground
) -> names.CommitId:
    """Named by what is in it, as git would."""
    said = "\0".join(f"{path} {e.mode:o} {e.blob}" for path, e in sorted(entries.items()))
    data = f"{like}\0{said}".encode("utf-8", "surrogateescape")
    name = names.CommitId(hashlib.sha1(data, usedforsecurity=False).hexdigest())
    return ground.repository.put(name, like, entries)


async def _before(
    target: names.Environment, running: names.CommitId, tools: judging.Tools
) -> tuple[standstill.Standstill | None, tuple[str, ...]]:
    """What runs, by its own rules; None with a word where it cannot be read."""
    try:
        return await standstill.of(target, running, tools), ()
    except errors.InputError as error:
        return None, (f"what runs cannot be read, so all is shown as created: {error}",)


def _difference(before: standstill.Standstill | None, after: offline.Verdict) -> _Difference:
    judged = after.judged
    clusters = [each.document for each in judged.declared.clusters]
    retiring = _retiring(before, after)
    plan = rollout.plan(judged.spec, clusters, _uncut(judged), retiring)
    return previews.between(
        before.manifests if before else {}, judged.manifests, plan.waves, retiring
    )


def _uncut(judged: judging.Judged) -> dict[names.Cluster, slices.Slice]:
    """Stand-ins: of this plan only the waves are asked."""
    blank = slices.Slice(digest=names.SliceDigest(""), data=b"", objects=0)
    return dict.fromkeys(judged.manifests, blank)


def _retiring(
    before: standstill.Standstill | None, after: offline.Verdict
) -> dict[names.Cluster, kinds.OnRemoval]:
    """Clusters that are declared no more, with how they leave by their last document."""
    staying = {*after.judged.manifests, judging.IMAGINED}
    last = before.leaving if before else {}
    return {cluster: how for cluster, how in last.items() if cluster not in staying}


def _guarded(
    before: standstill.Standstill | None,
    after: offline.Verdict,
    difference: _Difference,
    tools: judging.Tools,
) -> tuple[findings.Finding, ...]:
    """What the deletion guard would say if every cluster held what its branch says."""
    if before is None or tools.clock is None:
        return ()
    now, judged = tools.clock.now(), after.judged
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
                max_deleted_share=min(spec.guard.max_deleted_share for spec in judged.specs),
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


async def _lineage(
    asked: Asked, running: names.CommitId, result: _Result, ground: Ground
) -> ledger.GateResult:
    where, upstream = _layout(asked.target, ground), ground.road.before(asked.target)
    above = ground.tips.get(ground.road.branch(upstream)) if upstream else None
    here = await ground.repository.snapshot(running)
    there = await ground.repository.snapshot(result.commit)
    paths = {*here.entries, *there.entries}
    moved = tuple(sorted(p for p in paths if here.entries.get(p) != there.entries.get(p)))
    step = snapshots.Step(commit=result.commit, paths=moved)
    return await bookless.judged(
        result.commit,
        bookless.Branches(
            where=where, running=running, upstream=upstream, above=above, coming=result.coming
        ),
        bookless.Way(descends=True, steps=(step,) if moved else ()),
        bookless.Library(
            source=ground.repository, histories=ground.histories, memo=ground.tools.memo
        ),
    )


async def _unseen(
    running: names.CommitId, result: _Result, where: layout.Layout, ground: Ground
) -> _Unseen | None:
    """Against `git diff target...source`, which a pull request shows."""
    parted = await ground.histories.parted(running, ground.repository.content(result.source))
    if parted is None:
        return None
    read = ground.repository.snapshot
    return unseen.between(
        await read(parted),
        await read(result.source),
        await read(running),
        await read(result.commit),
        where,
    )
