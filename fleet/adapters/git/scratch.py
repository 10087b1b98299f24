"""A bare repository for a moment that borrows the objects of another one: what is made here leaves no trace there.

It has no configuration, no attributes and no refs of anybody, so that no merge driver runs (threat 5) and nothing of
the clone, its working tree or its index can change.
"""

import contextlib
import tempfile
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

from fleet.adapters.git import programs, reading
from fleet.model import errors, names
from fleet.ports import repository

_IDENTITY = {
    "GIT_AUTHOR_NAME": "fleet", "GIT_AUTHOR_EMAIL": "fleet@localhost",
    "GIT_COMMITTER_NAME": "fleet", "GIT_COMMITTER_EMAIL": "fleet@localhost",
}  # fmt: skip


class Scratch(reading.Reader):
    """Implements the reading half of ports.repository.Repository, and ports.repository.Histories."""

    def __init__(self, program: programs.Program) -> None:
        super().__init__(program)
        self._is_whole = False

    async def _whole(self) -> None:
        """It is there for a moment, so it is asked once."""
        if not self._is_whole:
            await super()._whole()
            self._is_whole = True

    async def fetch(self) -> repository.Tips:
        """It has no branches."""
        return repository.Tips(branches={}, default=None)

    async def keep(self, name: str, commit: names.CommitId) -> None:
        """It keeps nothing."""

    async def line(self, tip: names.CommitId, most: int) -> tuple[names.CommitId, ...]:
        out = await self._git.run("rev-list", "--first-parent", f"--max-count={most:d}", tip)
        return tuple(names.CommitId(each) for each in out.decode().split())

    async def merged(self, ours: names.CommitId, theirs: names.CommitId) -> repository.Merged:
        words = "merge-tree", "--write-tree", "-z", "--name-only", "--no-messages"
        code, out = await self._git.answered(*words, ours, theirs)
        tree, *paths = out.split(b"\0")
        conflicts = {each.decode("utf-8", "surrogateescape") for each in paths if each}
        if (code == 1) != bool(conflicts):
            raise errors.UnreachableError("git merge-tree: it neither merged nor said why not")
        return repository.Merged(
            tree=names.CommitId(tree.decode()), conflicts=tuple(sorted(conflicts))
        )


@contextlib.asynccontextmanager
async def borrowed(
    folder: Path, environment: Mapping[str, str] | None = None
) -> AsyncIterator[Scratch]:
    """Over the objects of the repository that `folder` is in. Raises errors.UnreachableError for a cut off history."""
    asked = "--path-format=absolute", "--is-shallow-repository", "--show-object-format"
    own = programs.Program(folder=folder, environment=environment or {})
    out = await own.run("rev-parse", *asked, "--git-path", "objects")
    shallow, form, objects = out.decode("utf-8", "surrogateescape").splitlines()
    if shallow != "false":
        raise errors.UnreachableError(
            "the history of this clone is cut off", hint="git fetch --unshallow"
        )
    if "\n" in objects:
        raise errors.InputError(f"{folder} has a path that git cannot borrow from")
    with tempfile.TemporaryDirectory(prefix="fleet-") as made:
        here = programs.Program(folder=Path(made), environment=_IDENTITY)
        words = "init", "--bare", "--quiet", "--template=", f"--object-format={form}"
        await here.run(*words)
        info = Path(made) / "objects" / "info"
        info.mkdir(exist_ok=True)
        (info / "alternates").write_text(f"{objects}\n", "utf-8", "surrogateescape")
        yield Scratch(here)
