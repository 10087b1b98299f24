"""What lineage says of a commit where there is no book: by the branches alone, for a preview or a hook of the git host.

What runs is taken to be the branch as it was, and what upstream accepted to be the first-parent history of its branch.
So it cannot know what upstream's hub refused or has not decided, which releases were healthy, what was accepted by
decree, and who approved: all of that is for the hub. Nothing here lets anything out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from fleet.gate import candidates, lineage
from fleet.manifests import layout
from fleet.model import ledger, names, snapshots
from fleet.ports import repository

MOST = 200  # commits of upstream's that are looked at
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)  # lineage asks for no time


@dataclass(frozen=True, slots=True, kw_only=True)
class Branches:
    """Where the environment and its upstream stand. `coming` is upstream's next commit, not yet on its branch."""

    where: layout.Layout
    running: names.CommitId | None
    upstream: names.Environment | None
    above: names.CommitId | None = None
    coming: names.CommitId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """How the candidate came about: whether it has what runs among its ancestors, and the steps from there."""

    descends: bool
    steps: tuple[snapshots.Step, ...]


async def judged(
    candidate: names.CommitId,
    branches: Branches,
    way: Way,
    source: repository.Repository,
    histories: repository.Histories,
) -> ledger.GateResult:
    """The one door to lineage of whoever has no book."""
    facts = await _facts(candidate, branches, way, source, histories)
    here = await source.snapshot(candidate)
    return lineage.gate(_candidate(here, branches.where), facts)


async def _facts(
    candidate: names.CommitId,
    branches: Branches,
    way: Way,
    source: repository.Repository,
    histories: repository.Histories,
) -> candidates.Facts:
    where = branches.where
    here = await source.snapshot(candidate)
    base = await _accepted(branches.running, where, source)
    upstream = await _upstream(_candidate(here, where), base, branches, source, histories)
    nearest = upstream.accepted[-1].commit if upstream and upstream.accepted else None
    other = await source.snapshot(nearest) if nearest else None
    return candidates.Facts(
        now=_NEVER,
        base=base,
        descends=way.descends,
        upstream=upstream,
        findings=(),
        steps=tuple([await _step(each, branches, source) for each in way.steps]),
        differing=layout.differ(here, other, where) if other else (),
    )


async def _upstream(
    candidate: candidates.Candidate,
    base: candidates.Accepted | None,
    branches: Branches,
    source: repository.Repository,
    histories: repository.Histories,
) -> candidates.Upstream | None:
    if branches.upstream is None:
        return None
    found = [each for each in (branches.coming,) if each is not None]
    found += await histories.line(branches.above, MOST) if branches.above else ()
    return candidates.Upstream(
        environment=branches.upstream,
        accepted=await _history(found, candidate, base, branches.where, source),
        undecided=None,
    )


async def _history(
    newest_first: Sequence[names.CommitId],
    candidate: candidates.Candidate,
    base: candidates.Accepted | None,
    where: layout.Layout,
    source: repository.Repository,
) -> tuple[candidates.Accepted, ...]:
    """In order, back to where all that is looked for was met: each commit costs a listing."""
    wanted: list[candidates.Candidate | candidates.Accepted] = [candidate]
    wanted += [base] if base else []
    found: list[candidates.Accepted] = []
    for age, commit in enumerate(newest_first):
        ids = _ids(await source.snapshot(commit), where)
        found.append(_as_accepted(commit, len(newest_first) - age, ids))
        wanted = [each for each in wanted if not lineage.same(each, found[-1])]
        if not wanted:
            break
    return tuple(reversed(found))


async def _step(
    step: snapshots.Step, branches: Branches, source: repository.Repository
) -> candidates.Step:
    parts = {branches.where.part(path) for path in step.paths}
    is_owned = layout.Part.OWNED in parts
    return candidates.Step(
        commit=step.commit,
        changes_shared=bool(parts & {layout.Part.RULES, layout.Part.CONTENT}),
        changes_owned=is_owned,
        is_upstreams=is_owned
        and branches.above is not None
        and await source.is_ancestor(step.commit, branches.above),
    )


async def _accepted(
    commit: names.CommitId | None, where: layout.Layout, source: repository.Repository
) -> candidates.Accepted | None:
    if commit is None:
        return None
    return _as_accepted(commit, 0, _ids(await source.snapshot(commit), where))


def _as_accepted(commit: names.CommitId, release: int, ids: layout.Ids) -> candidates.Accepted:
    return candidates.Accepted(
        release=release, commit=commit, content=ids.content, rules=ids.rules, owned=ids.owned
    )


def _candidate(snapshot: snapshots.Snapshot, where: layout.Layout) -> candidates.Candidate:
    ids = _ids(snapshot, where)
    return candidates.Candidate(
        environment=where.environment,
        commit=snapshot.commit,
        content=ids.content,
        rules=ids.rules,
        owned=ids.owned,
    )


def _ids(snapshot: snapshots.Snapshot, where: layout.Layout) -> layout.Ids:
    """By blob ids: within one repository equal ids are equal bytes, so no file need be read."""
    blobs: Mapping[names.BlobId, str] = {e.blob: e.blob for e in snapshot.entries.values()}
    return layout.ids(snapshot, where, blobs)
