"""A promotion, a pull request or an owned-path change before it is merged: what every cluster of the target would get.

The commit is imagined and judged by the hub's own pipeline beside what runs. No book is asked and no cluster, nothing
is written: what gates say, and what upstream accepted, is for the hub.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from fleet.gate import demands, lineage
from fleet.judge import judging
from fleet.local import bookless, grafting, overlays, weighing
from fleet.manifests import layout
from fleet.model import errors, findings, ledger, names
from fleet.plan import previews, unseen
from fleet.policy import impacts
from fleet.ports import repository

_Difference = previews.Difference  # inside Preview the module's name is a field's
_Unseen = unseen.Unseen
_Impact = impacts.Impact
_Finding = findings.Finding
_Histories = repository.Histories
_Result = ledger.GateResult
_Demand = demands.Demand


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
    difference: _Difference = previews.NOTHING
    impacts: tuple[_Impact, ...] = ()
    findings: tuple[_Finding, ...] = ()
    lineage: _Result | None = None
    refusing: tuple[_Result, ...] = ()  # gates that no other fact would open
    unseen: _Unseen | None = None  # None: the histories never met
    demands: tuple[_Demand, ...] = ()
    conflicts: tuple[str, ...] = ()
    assumed: tuple[str, ...] = ()
    is_timed: bool = False  # something in it ends by the clock

    @property
    def is_refused(self) -> bool:
        return bool(self.conflicts or self.refusing) or findings.refuses(self.findings)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Outcome:
    """What the target would become. `source` is the commit whose changes a pull request would show."""

    commit: names.CommitId
    source: names.CommitId
    coming: names.CommitId | None = None
    conflicts: tuple[str, ...] = ()


async def preview(asked: Asked, ground: Ground) -> Preview:
    running = _running(asked.target, ground)
    told = await ground.repository.commit(asked.head or asked.commit)
    blank = Preview(asked=asked, running=running, subject=told.subject)
    result = await _result(asked, running, ground)
    if result.conflicts:
        return replace(blank, conflicts=result.conflicts)
    weighed = await weighing.weigh(
        result.commit,
        _layout(asked.target, ground),
        _branches(asked.target, running, result, ground),
        bookless.Library(
            source=ground.repository, histories=ground.histories, memo=ground.tools.memo
        ),
        ground.tools,
    )
    lineages = (each for each in weighed.results if each.gate == lineage.GATE)
    return replace(
        blank,
        difference=weighed.difference,
        impacts=impacts.between(weighed.before, weighed.findings),
        findings=weighed.findings,
        lineage=next(lineages, None),
        refusing=weighed.refusing,
        unseen=await _unseen(running, result, _layout(asked.target, ground), ground),
        demands=weighed.demands,
        assumed=weighed.assumed,
        is_timed=weighed.is_timed,
    )


def _running(target: names.Environment, ground: Ground) -> names.CommitId:
    branch = ground.road.branch(target)
    if branch not in ground.tips:
        raise errors.InputError(f"there is no branch {branch} here", hint="git fetch")
    return ground.tips[branch]


def _layout(target: names.Environment, ground: Ground) -> layout.Layout:
    return layout.Layout(environment=target, owned=ground.road.owned)


def _branches(
    target: names.Environment, running: names.CommitId, result: _Outcome, ground: Ground
) -> bookless.Branches:
    upstream = ground.road.before(target)
    return bookless.Branches(
        running=running,
        upstream=upstream,
        above=ground.tips.get(ground.road.branch(upstream)) if upstream else None,
        coming=result.coming,
    )


async def _result(asked: Asked, running: names.CommitId, ground: Ground) -> _Outcome:
    if asked.source is None:
        return await _merged(running, asked.commit, ground)
    coming = None
    if asked.head is not None:
        accepted = await _merged(asked.commit, asked.head, ground)
        if accepted.conflicts:
            return accepted
        coming = accepted.commit
    above = coming or asked.commit
    wanted = grafting.Wanted(subject=f"Promote {asked.source} to {asked.target}")
    where = _layout(asked.target, ground)
    made = await grafting.graft(wanted, above, running, where, ground.repository)
    if made is None:
        return _Outcome(commit=running, source=above, coming=coming)
    entries = {each.path: each for each in made.entries}
    commit = ground.repository.put(entries, made.parents, made.message)
    return _Outcome(commit=commit, source=above, coming=coming)


async def _merged(ours: names.CommitId, theirs: names.CommitId, ground: Ground) -> _Outcome:
    """As git merges them; where one has the other already, that one as it is."""
    if await ground.repository.is_ancestor(ours, theirs):
        return _Outcome(commit=theirs, source=theirs)
    if await ground.repository.is_ancestor(theirs, ours):
        return _Outcome(commit=ours, source=theirs)
    merged = await ground.histories.merged(ours, theirs)
    entries = (await ground.repository.snapshot(merged.tree)).entries
    made = ground.repository.put(entries, (ours, theirs))
    return _Outcome(commit=made, source=theirs, conflicts=merged.conflicts)


async def _unseen(
    running: names.CommitId, result: _Outcome, where: layout.Layout, ground: Ground
) -> _Unseen | None:
    """Against `git diff target...source`, which a pull request shows."""
    parted = await ground.repository.fork(running, result.source)
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
