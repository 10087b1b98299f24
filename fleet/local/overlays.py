"""A repository with commits that nobody has made yet: a merge before it is merged, content by the rules of another."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from fleet.manifests import layout
from fleet.model import ledger, names, snapshots
from fleet.ports import repository


@dataclass(frozen=True, slots=True, kw_only=True)
class _Made:
    snapshot: snapshots.Snapshot = field(repr=False)
    parents: tuple[names.CommitId, ...]  # one at least
    message: str


class Overlaid:
    """Implements ports.repository.Repository: one that is read, with commits that are in none."""

    def __init__(self, under: repository.Repository) -> None:
        self._under = under
        self._made: dict[names.CommitId, _Made] = {}

    async def make(
        self, content: names.CommitId, rules: names.CommitId, road: ledger.Road
    ) -> names.CommitId:
        """All of `content` but its rules, which are those of `rules`."""
        here = await self._under.snapshot(content)
        there = await self._under.snapshot(rules)
        where = layout.Layout(environment=names.Environment("none"), owned=road.owned)
        entries = {
            **{path: each for path, each in here.entries.items() if not _is_rule(path, where)},
            **{path: each for path, each in there.entries.items() if _is_rule(path, where)},
        }
        return self.put(entries, (content,))

    def put(
        self,
        entries: Mapping[str, snapshots.Entry],
        parents: tuple[names.CommitId, ...],
        message: str = "",
    ) -> names.CommitId:
        """A commit of these entries, named by all that is in it."""
        said = [*parents, message, *_listed(entries)]
        data = "\0".join(said).encode("utf-8", "surrogateescape")
        name = names.CommitId(hashlib.sha1(data, usedforsecurity=False).hexdigest())
        snapshot = snapshots.Snapshot(commit=name, entries=entries)
        self._made[name] = _Made(snapshot=snapshot, parents=parents, message=message)
        return name

    async def fetch(self) -> repository.Tips:
        return await self._under.fetch()

    async def snapshot(self, commit: names.CommitId) -> snapshots.Snapshot:
        made = self._made.get(commit)
        return made.snapshot if made else await self._under.snapshot(commit)

    async def blobs(self, ids: Iterable[names.BlobId]) -> snapshots.Contents:
        return await self._under.blobs(ids)

    async def commit(self, commit: names.CommitId) -> snapshots.Commit:
        made = self._made.get(commit)
        if made is None:
            return await self._under.commit(commit)
        return snapshots.Commit(
            id=commit,
            parents=made.parents,
            author="",
            subject=made.message.partition("\n")[0],
            authored=None,
            message=made.message,
        )

    async def is_ancestor(self, older: names.CommitId, newer: names.CommitId) -> bool:
        made, real = self._behind([newer])
        if older in self._made:
            return older in made
        if older in real:
            return True
        return any([await self._under.is_ancestor(older, each) for each in real])

    async def steps(self, base: names.CommitId, tip: names.CommitId) -> tuple[snapshots.Step, ...]:
        made = self._made.get(tip)
        if made is None or base == tip:
            return await self._under.steps(base, tip) if base != tip else ()
        first = made.parents[0]
        before = (await self.snapshot(first)).entries
        after = made.snapshot.entries
        paths = [p for p in {*before, *after} if before.get(p) != after.get(p)]
        own = snapshots.Step(
            commit=tip, parents=made.parents, paths=tuple(sorted(paths)), message=made.message
        )
        return (*await self.steps(base, first), own)

    async def between(
        self, tip: names.CommitId, without: Iterable[names.CommitId], most: int
    ) -> tuple[names.CommitId, ...]:
        made, real = self._behind([tip])
        left_out, others = self._behind(without)
        found = [each for each in made if each not in left_out]
        for each in real:
            found += await self._under.between(each, others, most) if each not in others else ()
        return tuple(dict.fromkeys(found))[:most]

    async def fork(self, one: names.CommitId, other: names.CommitId) -> names.CommitId | None:
        """Of two histories with a commit that nobody made, the newest that they have in common."""
        nearest: names.CommitId | None = None
        for here in self._behind([one])[1]:
            for there in self._behind([other])[1]:
                each = await self._under.fork(here, there)
                is_newer = each and nearest and await self._under.is_ancestor(nearest, each)
                nearest = each if nearest is None or is_newer else nearest
        return nearest

    async def signatures(
        self, base: names.CommitId | None, tip: names.CommitId
    ) -> tuple[snapshots.Signature, ...]:
        """Nobody has signed what nobody made."""
        made, real = self._behind([tip])
        if made and base is None:
            return (snapshots.Signature(commit=tip),)
        found = [snapshots.Signature(commit=each) for each in made]
        for each in real:
            found += await self._under.signatures(base, each)
        return tuple(dict.fromkeys(found))

    async def keep(self, name: str, commit: names.CommitId) -> None:
        """What is in no repository is kept by none."""

    def _behind(
        self, commits: Iterable[names.CommitId]
    ) -> tuple[tuple[names.CommitId, ...], tuple[names.CommitId, ...]]:
        """The commits in their histories that nobody made, and the first real ones behind those."""
        made: dict[names.CommitId, None] = {}
        real: dict[names.CommitId, None] = {}
        left = list(commits)
        while left:
            each = left.pop(0)
            if each in self._made:
                made[each] = None
                left += self._made[each].parents
            else:
                real[each] = None
        return tuple(made), tuple(real)


def _is_rule(path: str, where: layout.Layout) -> bool:
    return where.part(path) is layout.Part.RULES


def _listed(entries: Mapping[str, snapshots.Entry]) -> Iterator[str]:
    for path, each in sorted(entries.items()):
        yield f"{path} {each.mode:o} {each.blob}"
