"""The fleet repository in memory: a remote that people push to, and the hub's mirror of it.

Ids look like git's and name content: equal files have one blob id. Whole history stays, as in a mirror that keeps
everything.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from fleet.model import errors, names, snapshots
from fleet.ports import repository
from fleet.simulation import faults

Files = dict[str, names.BlobId]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Made:
    """A commit as the remote stores it."""

    files: Mapping[str, names.BlobId] = field(repr=False)
    told: snapshots.Commit


@dataclass(slots=True, kw_only=True)
class Remote:
    """What the git host has. Everything here happens at once, with the rights of whoever may push."""

    now: Callable[[], datetime]
    default: str = "dev"
    branches: dict[str, names.CommitId] = field(default_factory=dict)
    is_down: bool = False
    on_push: Callable[[], None] = lambda: None
    _blobs: dict[names.BlobId, bytes] = field(default_factory=dict)
    _commits: dict[names.CommitId, _Made] = field(default_factory=dict)

    def start(
        self, branch: str, files: Mapping[str, bytes], author: str = "Ada"
    ) -> names.CommitId:
        """A branch of its own history."""
        return self._push(branch, self._stored(files), (), "Start", author)

    def branch(self, name: str, *, at: str) -> None:
        self.branches[name] = self.branches[at]

    def commit(
        self,
        branch: str,
        changes: Mapping[str, bytes | str | None],
        message: str = "Change",
        author: str = "Ada <ada@example.com>",
    ) -> names.CommitId:
        """On top of the branch; None deletes a file."""
        tip = self.branches[branch]
        files = dict(self._commits[tip].files)
        for path in [path for path, data in changes.items() if data is None]:
            del files[path]
        given = {
            p: d.encode() if isinstance(d, str) else d for p, d in changes.items() if d is not None
        }
        return self._push(branch, files | self._stored(given), (tip,), message, author)

    def merge(
        self,
        source: str,
        target: str,
        *,
        takes: Callable[[str], bool],
        author: str = "Ada <ada@example.com>",
        at: names.CommitId | None = None,
    ) -> names.CommitId:
        """As `fleet promote`: paths that it `takes` are the source's (at its tip, or `at`), the others the target's."""
        above, below = at or self.branches[source], self.branches[target]
        files = {p: b for p, b in self._commits[below].files.items() if not takes(p)}
        files |= {p: b for p, b in self._commits[above].files.items() if takes(p)}
        message = f"Promote {source} to {target}"
        return self._push(target, files, (below, above), message, author)

    def revert(self, branch: str, author: str = "Ada <ada@example.com>") -> names.CommitId:
        """The tip's files become those of its first parent."""
        tip = self.branches[branch]
        told = self._commits[tip].told
        files = dict(self._commits[told.parents[0]].files)
        return self._push(branch, files, (tip,), f'Revert "{told.subject}"', author)

    def copy(self, now: Callable[[], datetime]) -> "Remote":
        """Another git host with all that was pushed here so far."""
        made = Remote(now=now, default=self.default, branches=dict(self.branches))
        made._blobs, made._commits = dict(self._blobs), dict(self._commits)
        return made

    def push(
        self,
        branch: str,
        files: Mapping[str, names.BlobId],
        parents: tuple[names.CommitId, ...],
        message: str,
        author: str = "Ada <ada@example.com>",
    ) -> names.CommitId:
        """A commit of just these files, as any tool of git's could make it."""
        return self._push(branch, dict(files), parents, message, author)

    def force(self, branch: str, commit: names.CommitId) -> None:
        self.branches[branch] = commit
        self.on_push()

    def orphan(self, branch: str) -> names.CommitId:
        """The same tree with another history."""
        files = dict(self._commits[self.branches[branch]].files)
        return self._push(branch, files, (), "Start again", "Eve")

    def delete(self, branch: str) -> None:
        del self.branches[branch]
        self.on_push()

    def read(self, branch: str, path: str) -> bytes:
        return self._blobs[self._commits[self.branches[branch]].files[path]]

    def made(self, commit: names.CommitId) -> _Made:
        """Raises errors.UnreachableError for an object that is missing: that is never "no"."""
        if commit not in self._commits:
            raise errors.UnreachableError(f"{commit} is not there")
        return self._commits[commit]

    def bytes_of(self, blob: names.BlobId) -> bytes:
        if blob not in self._blobs:
            raise errors.UnreachableError(f"{blob} is not there")
        return self._blobs[blob]

    def ordered(self, tip: names.CommitId) -> list[names.CommitId]:
        """Breadth first: every commit before its parents, where histories are as simple as here."""
        found: dict[names.CommitId, None] = {}
        left = [tip]
        for commit in left:
            if commit not in found:
                found[commit] = None
                left += self.made(commit).told.parents
        return list(found)

    def steps(self, base: names.CommitId, tip: names.CommitId) -> tuple[snapshots.Step, ...]:
        """From the base's history to the tip, each by its first parent."""
        known = set(self.ordered(base))
        found: list[snapshots.Step] = []
        at: names.CommitId | None = tip
        while at is not None and at not in known:
            found.append(self._step(at))
            at = next(iter(self.made(at).told.parents), None)
        return tuple(reversed(found))

    def _step(self, commit: names.CommitId) -> snapshots.Step:
        made = self.made(commit)
        before = self.made(made.told.parents[0]).files if made.told.parents else {}
        paths = {p for p, _ in set(made.files.items()) ^ set(before.items())}
        return snapshots.Step(
            commit=commit,
            parents=made.told.parents,
            paths=tuple(sorted(paths)),
            message=made.told.message,
        )

    def graft(
        self, files: Mapping[str, names.BlobId], parents: tuple[names.CommitId, ...],
        message: str, author: str,
    ) -> names.CommitId:  # fmt: skip
        """A commit on no branch."""
        told = {"files": sorted(files.items()), "parents": parents, "at": self.now().isoformat()}
        commit = names.CommitId(_sha(repr([told, message, author]).encode()))
        self._commits[commit] = _Made(
            files=dict(sorted(files.items())),
            told=snapshots.Commit(
                id=commit,
                parents=parents,
                author=author,
                subject=message.partition("\n")[0],
                authored=self.now(),
                message=message,
            ),
        )
        return commit

    def _push(
        self, branch: str, files: Files, parents: tuple[names.CommitId, ...],
        message: str, author: str,
    ) -> names.CommitId:  # fmt: skip
        self.branches[branch] = self.graft(files, parents, message, author)
        self.on_push()
        return self.branches[branch]

    def _stored(self, files: Mapping[str, bytes]) -> Files:
        stored = {path: _blob(data) for path, data in files.items()}
        self._blobs |= {stored[path]: data for path, data in files.items()}
        return stored


class Repository:
    """Implements ports.repository.Repository for one life of a hub; `kept` survives it, as the mirror's refs do."""

    def __init__(
        self, remote: Remote, kept: dict[str, names.CommitId], process: faults.Process
    ) -> None:
        self._remote, self._kept, self._process = remote, kept, process

    async def fetch(self) -> repository.Tips:
        async with self._process.call("repository.fetch"):
            if self._remote.is_down:
                raise errors.UnreachableError("the git host does not answer")
            branches = {names.Branch(name): tip for name, tip in self._remote.branches.items()}
            return repository.Tips(branches=branches, default=names.Branch(self._remote.default))

    async def snapshot(self, commit: names.CommitId) -> snapshots.Snapshot:
        async with self._process.call("repository.snapshot"):
            files = self._remote.made(commit).files
            return snapshots.Snapshot(
                commit=commit,
                entries={path: self._entry(path, blob) for path, blob in files.items()},
            )

    async def blobs(self, ids: Iterable[names.BlobId]) -> snapshots.Contents:
        async with self._process.call("repository.blobs"):
            return {blob: self._remote.bytes_of(blob) for blob in ids}

    async def commit(self, commit: names.CommitId) -> snapshots.Commit:
        async with self._process.call("repository.commit"):
            return self._remote.made(commit).told

    async def is_ancestor(self, older: names.CommitId, newer: names.CommitId) -> bool:
        async with self._process.call("repository.is_ancestor"):
            return older in self._history(newer)

    async def steps(self, base: names.CommitId, tip: names.CommitId) -> tuple[snapshots.Step, ...]:
        async with self._process.call("repository.steps"):
            return self._remote.steps(base, tip)

    async def between(
        self, tip: names.CommitId, without: Iterable[names.CommitId], most: int
    ) -> tuple[names.CommitId, ...]:
        async with self._process.call("repository.between"):
            known = {commit for each in without for commit in self._history(each)}
            found = [each for each in self._remote.ordered(tip) if each not in known]
            return tuple(found[:most])

    async def fork(self, one: names.CommitId, other: names.CommitId) -> names.CommitId | None:
        async with self._process.call("repository.fork"):
            known = self._history(other)
            return next((each for each in self._remote.ordered(one) if each in known), None)

    async def signatures(
        self, base: names.CommitId | None, tip: names.CommitId
    ) -> tuple[snapshots.Signature, ...]:
        """Nobody here signs commits."""
        async with self._process.call("repository.signatures"):
            new = self._history(tip) - self._history(base) if base else {tip}
            return tuple(snapshots.Signature(commit=each) for each in sorted(new))

    async def keep(self, name: str, commit: names.CommitId) -> None:
        async with self._process.call("repository.keep"):
            self._kept[name] = commit

    def _history(self, tip: names.CommitId) -> set[names.CommitId]:
        return set(self._remote.ordered(tip))

    def _entry(self, path: str, blob: names.BlobId) -> snapshots.Entry:
        size = len(self._remote.bytes_of(blob))
        return snapshots.Entry(path=path, mode=snapshots.FILE, blob=blob, size=size)


class Writer:
    """Implements ports.repository.Writer: what `fleet promote` pushes, with a person's rights."""

    def __init__(self, remote: Remote, author: str) -> None:
        self._remote, self._author = remote, author

    async def graft(
        self,
        entries: Iterable[snapshots.Entry],
        parents: tuple[names.CommitId, ...],
        message: str,
    ) -> names.CommitId:
        files = {each.path: each.blob for each in entries}
        return self._remote.graft(files, parents, message, self._author)

    async def push(
        self, branch: names.Branch, commit: names.CommitId, expected: names.CommitId
    ) -> None:
        if self._remote.branches.get(branch) != expected:
            raise errors.RefusedError(f"{branch} moved meanwhile", hint="run it again")
        self._remote.force(branch, commit)


def _blob(data: bytes) -> names.BlobId:
    """As git names it."""
    return names.BlobId(_sha(b"blob %d\0" % len(data) + data))


def _sha(data: bytes) -> str:
    return hashlib.sha1(data, usedforsecurity=False).hexdigest()
