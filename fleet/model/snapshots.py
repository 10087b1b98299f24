"""A commit as fleet sees it: a listing, and the bytes of those blobs that someone asked for."""

import bisect
import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from fleet.model import names

FILE, EXECUTABLE, SYMLINK, SUBMODULE = 0o100644, 0o100755, 0o120000, 0o160000


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One leaf of a git tree. `path` is decoded with surrogateescape, so nothing is lost of an odd name."""

    path: str
    mode: int
    blob: names.BlobId
    size: int  # bytes; 0 for submodules


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """The whole listing of one commit, by path. What has no bytes yet is read through ports.Repository.blobs."""

    commit: names.CommitId
    entries: Mapping[str, Entry] = field(repr=False)

    def form(self, path: str) -> str:
        """Mode and blob; "" = no such file. Within one repository equal forms are equal bytes."""
        entry = self.entries.get(path)
        return f"{entry.mode:o} {entry.blob}" if entry else ""

    def under(self, folder: str) -> Iterator[Entry]:
        """In order of their paths; what lies elsewhere costs nothing."""
        prefix = folder.rstrip("/") + "/" if folder not in ("", ".") else ""
        for path in self._paths[bisect.bisect_left(self._paths, prefix) :]:
            if not path.startswith(prefix):
                return
            yield self.entries[path]

    @functools.cached_property
    def _paths(self) -> list[str]:
        return sorted(self.entries)


Contents = Mapping[names.BlobId, bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """What git says of a commit. Author and dates are claims: shown, never decided by."""

    id: names.CommitId
    parents: tuple[names.CommitId, ...]
    author: str
    subject: str
    authored: datetime | None
    message: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """What a commit is signed with: `armor` as it stands in it, "" = nothing, over `payload`."""

    commit: names.CommitId
    armor: str = field(default="", repr=False)
    payload: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One commit on a first-parent way with the paths in which it differs from its first parent."""

    commit: names.CommitId
    parents: tuple[names.CommitId, ...]
    paths: tuple[str, ...]
    message: str = field(default="", repr=False)
