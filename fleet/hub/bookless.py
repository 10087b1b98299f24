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
from fleet.model import json_values, ledger, names, snapshots
from fleet.ports import repository, store
from fleet.protocol import encoding

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Library:
    """Where commits are read. What a commit is, by its ids, is kept: a history is walked again and again."""

    source: repository.Repository
    histories: repository.Histories
    memo: store.Memo


async def judged(
    candidate: names.CommitId, branches: Branches, way: Way, library: Library
) -> ledger.GateResult:
    """The one door to lineage of whoever has no book."""
    shelf = _Shelf(library, branches.where)
    here = _candidate(candidate, await shelf.ids(candidate), branches.where)
    facts = await _facts(here, branches, way, library, shelf)
    await shelf.keep()
    return lineage.gate(here, facts)


async def _facts(
    candidate: candidates.Candidate,
    branches: Branches,
    way: Way,
    library: Library,
    shelf: "_Shelf",
) -> candidates.Facts:
    where, source = branches.where, library.source
    running = branches.running
    base = _as_accepted(running, 0, await shelf.ids(running)) if running else None
    upstream = await _upstream(candidate, base, branches, library, shelf)
    is_odd = upstream is not None and lineage.newest_equal(candidate, upstream.accepted) is None
    nearest = upstream.accepted[-1].commit if upstream and upstream.accepted and is_odd else None
    here = await source.snapshot(candidate.commit)
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
    library: Library,
    shelf: "_Shelf",
) -> candidates.Upstream | None:
    if branches.upstream is None:
        return None
    found = [each for each in (branches.coming,) if each is not None]
    found += await library.histories.line(branches.above, MOST) if branches.above else ()
    return candidates.Upstream(
        environment=branches.upstream,
        accepted=await _history(found, candidate, base, shelf),
        undecided=None,
    )


async def _history(
    newest_first: Sequence[names.CommitId],
    candidate: candidates.Candidate,
    base: candidates.Accepted | None,
    shelf: "_Shelf",
) -> tuple[candidates.Accepted, ...]:
    """In order, back to where all that is looked for was met: a commit that is not known yet costs a listing."""
    await shelf.look_up(newest_first)
    wanted: list[candidates.Candidate | candidates.Accepted] = [candidate]
    wanted += [base] if base else []
    found: list[candidates.Accepted] = []
    for age, commit in enumerate(newest_first):
        ids = await shelf.ids(commit)
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


def _as_accepted(commit: names.CommitId, release: int, ids: layout.Ids) -> candidates.Accepted:
    return candidates.Accepted(
        release=release, commit=commit, content=ids.content, rules=ids.rules, owned=ids.owned
    )


def _candidate(
    commit: names.CommitId, ids: layout.Ids, where: layout.Layout
) -> candidates.Candidate:
    return candidates.Candidate(
        environment=where.environment,
        commit=commit,
        content=ids.content,
        rules=ids.rules,
        owned=ids.owned,
    )


class _Shelf:
    """What commits are, as one environment reads them, looked up before it is worked out."""

    def __init__(self, library: Library, where: layout.Layout) -> None:
        self._library, self._where = library, where
        self._about = json_values.digest([where.environment, list(where.owned)])
        self._known: dict[names.CommitId, layout.Ids] = {}
        self._fresh: dict[str, bytes] = {}

    def _key(self, commit: names.CommitId) -> str:
        return f"ids/{self._about}/{commit}"

    async def look_up(self, commits: Sequence[names.CommitId]) -> None:
        asked = {self._key(each): each for each in commits if each not in self._known}
        found = await self._library.memo.recall(asked)
        self._known |= {
            asked[key]: encoding.decode(layout.Ids, data) for key, data in found.items()
        }

    async def ids(self, commit: names.CommitId) -> layout.Ids:
        """By blob ids: within one repository equal ids are equal bytes, so no file need be read."""
        await self.look_up([commit])
        if commit not in self._known:
            snapshot = await self._library.source.snapshot(commit)
            blobs: Mapping[names.BlobId, str] = {e.blob: e.blob for e in snapshot.entries.values()}
            found = self._known[commit] = layout.ids(snapshot, self._where, blobs)
            self._fresh[self._key(commit)] = encoding.encode(found)
        return self._known[commit]

    async def keep(self) -> None:
        await self._library.memo.remember(self._fresh)
