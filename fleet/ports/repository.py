"""The fleet repository, read by commit id from a mirror; nothing is ever checked out."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from fleet.model import names, snapshots


@dataclass(frozen=True, slots=True, kw_only=True)
class Tips:
    """Branches as they were at one fetch. A branch that is not here was not there: unknown, not empty."""

    branches: Mapping[names.Branch, names.CommitId]
    default: names.Branch | None  # what the remote's HEAD names


class Repository(Protocol):
    async def fetch(self) -> Tips:
        """Bring the mirror up to date. Forced updates and deletions come through as they are: the hub decides."""

    async def snapshot(self, commit: names.CommitId) -> snapshots.Snapshot:
        """The full listing of a commit, from trees alone. Raises errors.InputError past the size limits."""

    async def blobs(self, ids: Iterable[names.BlobId]) -> snapshots.Contents:
        """Their bytes, all of them or an error."""

    async def commit(self, commit: names.CommitId) -> snapshots.Commit: ...

    async def is_ancestor(self, older: names.CommitId, newer: names.CommitId) -> bool:
        """A commit is its own ancestor here. A missing object is an error, never "no"."""

    async def steps(self, base: names.CommitId, tip: names.CommitId) -> tuple[snapshots.Step, ...]:
        """The first-parent commits after `base` up to `tip`, oldest first, each against its first parent."""

    async def between(
        self, tip: names.CommitId, without: Iterable[names.CommitId], most: int
    ) -> tuple[names.CommitId, ...]:
        """What is reachable from `tip` and from none of the others, newest first, `most` at most."""

    async def fork(self, one: names.CommitId, other: names.CommitId) -> names.CommitId | None:
        """Where two histories part; None where they have nothing in common."""

    async def signatures(
        self, base: names.CommitId | None, tip: names.CommitId
    ) -> tuple[snapshots.Signature, ...]:
        """Of every commit of the tip's history that is not of the base's; without a base of the tip alone.

        They are not checked: whose keys count is for the caller to know.
        """

    async def keep(self, name: str, commit: names.CommitId) -> None:
        """Keep a commit from garbage collection under refs/fleet/NAME, durably."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """What git makes of two commits: a tree, and the paths in which people would have to decide."""

    tree: names.CommitId  # to be read as a commit's
    conflicts: tuple[str, ...]


class Histories(Protocol):
    """What a preview asks of git besides reading. Nothing that it makes is kept."""

    async def line(self, tip: names.CommitId, most: int) -> tuple[names.CommitId, ...]:
        """The first-parent commits from `tip` back, newest first."""

    async def merged(self, ours: names.CommitId, theirs: names.CommitId) -> Merged: ...


class Near(Protocol):
    """Files that lie on this very disk: their bytes are there without waiting."""

    def holds(self, blob: names.BlobId) -> bool: ...

    def at_once(self, blob: names.BlobId) -> bytes:
        """Of one that is held. Raises errors.RefusedError for a file that changed since it was listed."""


class Writer(Protocol):
    """What `fleet promote` needs besides reading, with the rights of the person who runs it."""

    async def graft(
        self,
        entries: Iterable[snapshots.Entry],
        parents: tuple[names.CommitId, ...],
        message: str,
    ) -> names.CommitId:
        """A commit whose tree is exactly `entries`; author, committer and signing as the user's git says."""

    async def push(
        self, branch: names.Branch, commit: names.CommitId, expected: names.CommitId
    ) -> None:
        """Compare-and-swap: raises errors.RefusedError when the branch is no longer at `expected`."""
