"""Files that are no fleet repository: manifests and policies from wherever they lie, as if they were one commit."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from fleet.adapters.git import working
from fleet.model import errors, names, snapshots

Files = Mapping[str, Path | bytes]  # by the path that they shall have


class Loose(working.Local):
    """Implements what checking needs of ports.repository.Repository: `rules` lie beside the commit, not in it."""

    def __init__(self, folder: Path, manifests: Files, rules: Files) -> None:
        super().__init__(folder)
        self._bytes: dict[names.BlobId, Path | bytes] = {}
        self._manifests = self._entries(manifests)
        self.rules = self._entries(rules)

    async def snapshot(self, commit: names.CommitId) -> snapshots.Snapshot:
        return snapshots.Snapshot(commit=commit, entries=self._manifests)

    async def blobs(self, ids: Iterable[names.BlobId]) -> snapshots.Contents:
        """Raises errors.RefusedError for a file that changed since it was listed."""
        wanted = {each: self._bytes[each] for each in ids}
        found = await asyncio.to_thread(lambda: {b: _read(each) for b, each in wanted.items()})
        moved = next((wanted[b] for b, data in found.items() if working.blob_id(data) != b), None)
        if moved is not None:
            raise errors.RefusedError(f"{moved!s} changed meanwhile", hint="run it again")
        return found

    async def commit(self, commit: names.CommitId) -> snapshots.Commit:
        return snapshots.Commit(
            id=commit, parents=(), author="", subject="plain files", authored=None
        )

    def _entries(self, files: Files) -> dict[str, snapshots.Entry]:
        found = {}
        for path, file in files.items():
            entry = _entry(file)
            if entry is not None:
                found[path] = replace(entry, path=path)
                self._bytes[entry.blob] = file
        return found


def _entry(file: Path | bytes) -> snapshots.Entry | None:
    if isinstance(file, Path):
        return working.entry(file.parent, file.name)
    blob = working.blob_id(file)
    return snapshots.Entry(path="", mode=snapshots.FILE, blob=blob, size=len(file))


def _read(file: Path | bytes) -> bytes:
    return working.bytes_of(file) if isinstance(file, Path) else file
