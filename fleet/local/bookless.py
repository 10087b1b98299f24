"""What gates can say of a commit where there is no book: by branches alone, for a preview or a hook of the git host.

What runs is taken to be the branch as it was, and what upstream accepted to be the first-parent history of its branch.
So it cannot know what upstream's hub refused or has not decided, which releases were healthy, what was accepted by
decree, and who approved: all of that is for the hub. Nothing here lets anything out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from fleet.gate import budgets, candidates, gates, lineage, told, trailers, windows
from fleet.judge import fixes, roads
from fleet.manifests import layout
from fleet.model import findings, json_values, ledger, names
from fleet.model.ledger import Lineage
from fleet.ports import repository, store
from fleet.protocol import encoding

MOST = 200  # commits of a branch that are looked at
_NEWEST = MOST + 1  # the number of a branch's newest commit, as if it were a release
KNOWN = frozenset({lineage.GATE, budgets.GATE, windows.GATE})  # what takes no book to say
_Finding = findings.Finding  # inside Seen and Known the modules' names are fields'
_Layout = layout.Layout
_NUMBERED = frozenset({Lineage.OLDER, Lineage.ROLLBACK})  # told by the release that they go to


@dataclass(frozen=True, slots=True, kw_only=True)
class Branches:
    """Where the environment and its upstream stand. `coming` is upstream's next commit, not yet on its branch."""

    running: names.CommitId | None
    upstream: names.Environment | None
    above: names.CommitId | None = None
    coming: names.CommitId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Library:
    """Where commits are read. What a commit is, by its ids, is kept: a history is walked again and again."""

    source: repository.Repository
    histories: repository.Histories
    memo: store.Memo


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """All that there is to look at beside the branches: settings, and what changes."""

    sides: tuple[candidates.Side, ...]
    scope: tuple[str, ...]  # of hotfixes
    change: candidates.Change
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A candidate among what was accepted, as far as branches tell."""

    layout: _Layout
    candidate: candidates.Candidate
    base: candidates.Accepted | None
    upstream: candidates.Upstream | None
    own: tuple[candidates.Accepted, ...]

    @property
    def rules_came_first(self) -> bool:
        base = self.base
        return base is not None and lineage.rules_came_first(self.candidate, base, self.upstream)


async def known(
    commit: names.CommitId, where: layout.Layout, branches: Branches, library: Library
) -> Known:
    shelf = _Shelf(library, where)
    candidate = _candidate(commit, await shelf.ids(commit), where)
    base = await _base(branches, library, shelf)
    upstream = await _upstream(candidate, base, branches, library, shelf)
    own = await _own(candidate, base, upstream, library, shelf)
    await shelf.keep()
    return Known(layout=where, candidate=candidate, base=base, upstream=upstream, own=own)


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """What lineage tells of the candidate, with the facts that it tells it by."""

    candidate: candidates.Candidate
    facts: candidates.Facts
    found: told.Told

    @property
    def kind(self) -> Lineage:
        return self.found.kind

    def results(self, found: tuple[_Finding, ...]) -> tuple[ledger.GateResult, ...]:
        """Of every gate that concerns such a candidate; what those say that are not `KNOWN` means nothing."""
        return gates.results(self.candidate, replace(self.facts, findings=found), self.found)


async def tell(about: Known, seen: Seen, source: repository.Repository) -> Telling:
    candidate = about.candidate
    facts = candidates.Facts(
        now=seen.now,
        layout=about.layout,
        base=about.base,
        own=about.own,
        upstream=about.upstream,
        findings=(),  # nothing of lineage is told by them
        sides=seen.sides,
        scope=seen.scope,
        change=seen.change,
    )
    here = await source.snapshot(candidate.commit)
    way = await roads.way(candidate, facts, about.upstream, here, source)
    facts = replace(facts, way=way)
    found = _unnumbered(lineage.tell(candidate, facts))
    return Telling(candidate=candidate, facts=facts, found=found)


def _unnumbered(found: told.Told) -> told.Told:
    """Releases have numbers in a book alone: without one they are told by their commits."""
    if found.kind not in _NUMBERED:
        return found
    return replace(found, detail=f": that of {told.short(found.commits[0])}")


async def _base(
    branches: Branches, library: Library, shelf: "_Shelf"
) -> candidates.Accepted | None:
    running = branches.running
    if running is None:
        return None
    found = _as_accepted(running, _NEWEST, await shelf.ids(running))
    if branches.above is None:
        return found
    return replace(found, hotfixes=await fixes.of(running, branches.above, library.source))


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
        accepted=await _history(found, [candidate, *([base] if base else [])], shelf),
        undecided=None,
        tip=branches.above,
    )


async def _own(
    candidate: candidates.Candidate,
    base: candidates.Accepted | None,
    upstream: candidates.Upstream | None,
    library: Library,
    shelf: "_Shelf",
) -> tuple[candidates.Accepted, ...]:
    """Those to which the candidate may go back, where it takes nothing newer of upstream's."""
    if base is None or told.same(candidate, base):
        return ()
    if upstream is None:
        comes = not await _is_declared(candidate, base, library)
    else:
        comes = _is_newer(candidate, base, upstream)
    if comes:
        return ()
    return await _history(await library.histories.line(base.commit, MOST), [candidate], shelf)


async def _is_declared(
    candidate: candidates.Candidate, base: candidates.Accepted, library: Library
) -> bool:
    """Where changes enter, nothing else is a way back."""
    steps = await library.source.steps(base.commit, candidate.commit)
    return bool(trailers.values(trailers.ROLLBACK, steps))


def _is_newer(
    candidate: candidates.Candidate, base: candidates.Accepted, upstream: candidates.Upstream
) -> bool:
    exact = told.newest_equal(candidate, upstream.accepted)
    is_newer = exact is not None and exact.release > told.running_source(base, upstream)
    return is_newer and not base.hotfixes


async def _history(
    newest_first: Sequence[names.CommitId],
    wanted: Sequence[candidates.Candidate | candidates.Accepted],
    shelf: "_Shelf",
) -> tuple[candidates.Accepted, ...]:
    """In order, back to where all that is looked for was met: a commit that is not known yet costs a listing."""
    await shelf.look_up(newest_first)
    left = list(wanted)
    found: list[candidates.Accepted] = []
    for age, commit in enumerate(newest_first):
        found.append(_as_accepted(commit, _NEWEST - age, await shelf.ids(commit)))
        left = [each for each in left if not told.same(each, found[-1])]
        if not left:
            break
    return tuple(reversed(found))


def _as_accepted(commit: names.CommitId, release: int, ids: layout.Ids) -> candidates.Accepted:
    return replace(candidates.unnumbered(commit, ids), release=release)


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
