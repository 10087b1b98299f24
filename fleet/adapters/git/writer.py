"""What `fleet promote` writes, with the rights, the name and the signature of the person who runs it."""

import asyncio
import os
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from fleet.adapters.git import fixed
from fleet.model import errors, names, snapshots

_ORIGIN, _ITSELF = "origin", "."
_AGAIN = "run it again: it starts from the branch as it is"
_REFUSALS = {  # words of git's, the first that fit
    "is currently checked out": "switch that repository to another branch: its files would not follow",
    "stale info": _AGAIN,
    "rejected": _AGAIN,
    "failed to push": _AGAIN,
}


class Writer:
    """Implements ports.repository.Writer over the user's own clone and configuration.

    A repository without an `origin`, as `fleet init` makes it, is its own: then its branches are what is moved.
    """

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        """`environment` is the user's own, since it is the user who commits, signs and pushes."""
        self._folder, self._environment = folder, environment

    async def graft(
        self,
        entries: Iterable[snapshots.Entry],
        parents: tuple[names.CommitId, ...],
        message: str,
    ) -> names.CommitId:
        """The tree is built in an index of its own: the user's index and files stay as they are."""
        listed = b"".join(
            b"%o %s\t%s\0" % (e.mode, e.blob.encode(), os.fsencode(e.path)) for e in entries
        )
        with tempfile.TemporaryDirectory(prefix="fleet-") as folder:
            index = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
            await self._run("update-index", "-z", "--index-info", given=listed, extra=index)
            staged = await self._run("ls-files", "--stage", "-z", extra=index)
            tree = (await self._run("write-tree", extra=index)).strip()
        if staged.count("\0") != listed.count(b"\0"):  # git leaves out what it takes for its own
            raise errors.RefusedError("git did not take every path", hint="fleet check names them")
        words = [word for parent in parents for word in ("-p", parent)]
        words += ["-S"] if await self._signs() else []
        out = await self._run("commit-tree", *words, "-F", "-", tree, given=message.encode())
        return names.CommitId(out.strip())

    async def _signs(self) -> bool:
        """`git commit` looks at this setting, `git commit-tree` does not."""
        asked = "config", "--type=bool", "--default=false", "--get", "commit.gpgSign"
        return (await self._run(*asked)).strip() == "true"

    async def push(
        self, branch: names.Branch, commit: names.CommitId, expected: names.CommitId
    ) -> None:
        ref = f"refs/heads/{branch}"
        where = await self._remote()
        try:
            await self._run(
                "push", "--porcelain", f"--force-with-lease={ref}:{expected}",
                where, f"{commit}:{ref}",
            )  # fmt: skip
        except errors.UnreachableError as error:
            if (hint := _why_refused(str(error))) is None:
                raise
            raise errors.RefusedError(
                f"{branch} moved meanwhile, or the server refused: {error}", hint=hint
            ) from error

    async def fetch(self) -> None:
        if (where := await self._remote()) != _ITSELF:
            await self._run("fetch", "--quiet", where)

    async def _remote(self) -> str:
        return _ORIGIN if _ORIGIN in (await self._run("remote")).split() else _ITSELF

    async def _run(
        self, *words: str, given: bytes = b"", extra: dict[str, str] | None = None
    ) -> str:
        process = await asyncio.create_subprocess_exec(
            shutil.which("git", path=self._environment.get("PATH")) or fixed.executable(),
            *words,
            cwd=self._folder,
            env={**self._environment, "LC_ALL": "C", **(extra or {})},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, said = await process.communicate(given)
        if process.returncode != 0:
            lines = (said + out).decode("utf-8", "replace").splitlines()
            text = "; ".join(line.strip() for line in lines if line.strip())
            raise errors.UnreachableError(f"git {words[0]}: {text}")
        return out.decode("utf-8", "surrogateescape")


def _why_refused(said: str) -> str | None:
    """What to do about a push that was refused; None for one that got nowhere."""
    return next((hint for words, hint in _REFUSALS.items() if words in said), None)
