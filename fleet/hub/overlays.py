"""A repository in which commits stand with the rules of another one: what they would be judged by, not yet merged."""

import hashlib
from collections.abc import Iterable, Mapping

from fleet.manifests import layout
from fleet.model import ledger, names, snapshots
from fleet.ports import repository


class Overlaid:
    """Implements ports.repository.Repository: one that is read, with commits that are in none."""

    def __init__(self, under: repository.Repository) -> None:
        self._under = under
        self._made: dict[names.CommitId, snapshots.Snapshot] = {}
        self._content: dict[names.CommitId, names.CommitId] = {}

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
        return self.put(_name(content, rules), content, entries)

    def put(
        self,
        name: names.CommitId,
        content: names.CommitId,
        entries: Mapping[str, snapshots.Entry],
    ) -> names.CommitId:
        """A commit of these entries; for all that is asked of its history it is `content`."""
        self._made[name] = snapshots.Snapshot(commit=name, entries=entries)
        self._content[name] = content
        return name

    def content(self, commit: names.CommitId) -> names.CommitId:
        """The real commit that one stands for in history."""
        return self._content.get(commit, commit)

    async def fetch(self) -> repository.Tips:
        return await self._under.fetch()

    async def snapshot(self, commit: names.CommitId) -> snapshots.Snapshot:
        return self._made.get(commit) or await self._under.snapshot(commit)

    async def blobs(self, ids: Iterable[names.BlobId]) -> snapshots.Contents:
        return await self._under.blobs(ids)

    async def commit(self, commit: names.CommitId) -> snapshots.Commit:
        return await self._under.commit(self._content.get(commit, commit))

    async def is_ancestor(self, older: names.CommitId, newer: names.CommitId) -> bool:
        content = self._content
        return await self._under.is_ancestor(content.get(older, older), content.get(newer, newer))

    async def steps(self, base: names.CommitId, tip: names.CommitId) -> tuple[snapshots.Step, ...]:
        return await self._under.steps(base, self._content.get(tip, tip))

    async def keep(self, name: str, commit: names.CommitId) -> None:
        """What is in no repository is kept by none."""


def _is_rule(path: str, where: layout.Layout) -> bool:
    return where.part(path) is layout.Part.RULES


def _name(content: names.CommitId, rules: names.CommitId) -> names.CommitId:
    said = f"{content} by {rules}".encode()
    return names.CommitId(hashlib.sha1(said, usedforsecurity=False).hexdigest())
