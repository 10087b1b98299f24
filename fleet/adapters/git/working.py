"""What is on someone's disk: a working tree as if it were a commit, and commits of a local repository."""

import asyncio
import hashlib
import io
import os
import stat
from collections.abc import Iterable
from pathlib import Path

from fleet.adapters.git import programs, reading
from fleet.model import errors, names, snapshots
from fleet.ports import repository

TREE = names.CommitId("0" * 40)  # the working tree itself, as a commit id


class Local(reading.Reader):
    """Implements ports.repository.Repository over a user's own repository; nothing is fetched or kept."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        super().__init__(programs.Program(folder=folder))

    async def fetch(self) -> repository.Tips:
        out = await self._git.run(
            "for-each-ref",
            "--format=%(objectname) %(refname)",
            "refs/remotes/origin/",
            "refs/heads/",
        )
        branches: dict[names.Branch, names.CommitId] = {}
        for line in out.decode("utf-8", "replace").splitlines():
            commit, _, ref = line.partition(" ")
            name = ref.removeprefix("refs/heads/").removeprefix("refs/remotes/origin/")
            branches[names.Branch(name)] = names.CommitId(commit)
        return repository.Tips(branches=branches, default=None)

    async def keep(self, name: str, commit: names.CommitId) -> None:
        """A checker keeps nothing."""

    async def current_branch(self) -> str:
        """What is checked out; "" where that is no branch, or no repository."""
        try:
            out = await self._git.run("symbolic-ref", "--quiet", "--short", "HEAD")
        except errors.UnreachableError:
            return ""
        return out.decode("utf-8", "replace").strip()

    async def resolve(self, revision: str) -> names.CommitId:
        """The commit that a person's word means, tags peeled."""
        try:
            out = await self._git.run(
                "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}"
            )
        except errors.UnreachableError as error:
            raise errors.InputError(f"there is no commit {revision!r} here") from error
        return names.CommitId(out.decode().strip().splitlines()[-1])


class WorkTree(Local):
    """A folder as the commit `TREE`, as it was when first asked: all files, in a git repository less ignored ones."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._tree: snapshots.Snapshot | None = None
        self._files: dict[names.BlobId, str] = {}

    async def snapshot(self, commit: names.CommitId) -> snapshots.Snapshot:
        if commit != TREE:
            return await super().snapshot(commit)
        if self._tree is None:
            paths = await self.paths()
            found = await asyncio.to_thread(lambda: [entry(self.folder, each) for each in paths])
            entries = {each.path: each for each in found if each is not None}
            self._files = {each.blob: path for path, each in entries.items()}
            self._tree = snapshots.Snapshot(commit=TREE, entries=entries)
        return self._tree

    async def blobs(self, ids: Iterable[names.BlobId]) -> snapshots.Contents:
        """Raises errors.RefusedError for a file that changed since it was listed."""
        await self.snapshot(TREE)
        wanted = list(ids)
        here = {blob: self.folder / self._files[blob] for blob in wanted if blob in self._files}
        found = await asyncio.to_thread(lambda: {b: bytes_of(file) for b, file in here.items()})
        moved = next((here[blob] for blob, data in found.items() if blob_id(data) != blob), None)
        if moved is not None:
            raise _moved(moved)
        return found | dict(await super().blobs(blob for blob in wanted if blob not in found))

    def holds(self, blob: names.BlobId) -> bool:
        return blob in self._files

    def at_once(self, blob: names.BlobId) -> bytes:
        """Implements ports.repository.Near."""
        file = self.folder / self._files[blob]
        data = bytes_of(file)
        if blob_id(data) != blob:
            raise _moved(file)
        return data

    async def commit(self, commit: names.CommitId) -> snapshots.Commit:
        if commit != TREE:
            return await super().commit(commit)
        return snapshots.Commit(
            id=TREE, parents=(), author="", subject="the working tree", authored=None
        )

    async def is_ancestor(self, older: names.CommitId, newer: names.CommitId) -> bool:
        return newer == TREE or await super().is_ancestor(older, newer)

    async def steps(self, base: names.CommitId, tip: names.CommitId) -> tuple[snapshots.Step, ...]:
        return () if tip == TREE else await super().steps(base, tip)

    async def signatures(
        self, base: names.CommitId | None, tip: names.CommitId
    ) -> tuple[snapshots.Signature, ...]:
        return () if tip == TREE else await super().signatures(base, tip)

    async def paths(self) -> list[str]:
        """All files, less those that git ignores."""
        try:
            out = await self._git.run("ls-files", "-co", "--exclude-standard", "-z")
        except errors.UnreachableError as error:
            if "work tree" in str(error):
                raise errors.InputError(
                    f"{self.folder} has no files of its own", hint="name a commit: --rev REV"
                ) from error
            if "not a git repository" not in str(error):
                raise
            return await asyncio.to_thread(_walk, self.folder)
        return sorted({p.decode("utf-8", "surrogateescape") for p in out.split(b"\0") if p})


def _moved(file: Path) -> errors.RefusedError:
    return errors.RefusedError(f"{file} changed meanwhile", hint="run it again")


async def prefix(folder: Path) -> str:
    """The folder's path from the top of its git repository, as "infra/"; "" at the top and outside of any."""
    try:
        out = await programs.Program(folder=folder).run("rev-parse", "--show-prefix")
    except errors.UnreachableError:
        return ""
    return out.decode("utf-8", "surrogateescape").removesuffix("\n")


def _walk(folder: Path) -> list[str]:
    found = []
    for where, folders, files in os.walk(folder):
        folders[:] = sorted(each for each in folders if each != ".git")
        inner = Path(where).relative_to(folder)
        found += [(inner / each).as_posix() for each in files]
    return sorted(found)


def entry(folder: Path, path: str) -> snapshots.Entry | None:
    """None for what was deleted but not yet committed."""
    file = f"{folder}/{path}"
    try:
        mode = os.lstat(file).st_mode
    except (FileNotFoundError, NotADirectoryError):
        return None
    if stat.S_ISLNK(mode):
        kind, data = snapshots.SYMLINK, os.fsencode(os.readlink(file))  # noqa: PTH115 - paths by the ten thousand
    elif stat.S_ISREG(mode):
        kind = snapshots.EXECUTABLE if mode & stat.S_IXUSR else snapshots.FILE  # as git has it
        with io.FileIO(file) as opened:
            data = opened.readall()
    elif stat.S_ISDIR(mode):
        kind, data = snapshots.SUBMODULE, b""
    else:
        return None
    return snapshots.Entry(path=path, mode=kind, blob=blob_id(data), size=len(data))


def bytes_of(file: Path) -> bytes:
    """A link is never followed: its bytes are the words in it."""
    return os.fsencode(file.readlink()) if file.is_symlink() else file.read_bytes()


def blob_id(data: bytes) -> names.BlobId:
    """As git names a blob."""
    head = b"blob %d\0" % len(data)
    return names.BlobId(hashlib.sha1(head + data, usedforsecurity=False).hexdigest())
