"""A new repository: shared files on every branch, owned files each on its own."""

import asyncio
import shutil
from collections.abc import Mapping
from pathlib import Path

from fleet.adapters.git import fixed
from fleet.model import errors

Files = Mapping[str, bytes]
_NOBODY = {  # where the user's git knows no name yet
    "GIT_AUTHOR_NAME": "fleet init",
    "GIT_AUTHOR_EMAIL": "fleet@localhost",
    "GIT_COMMITTER_NAME": "fleet init",
    "GIT_COMMITTER_EMAIL": "fleet@localhost",
}


async def plant(
    folder: Path, shared: Files, owned: Mapping[str, Files], environment: Mapping[str, str]
) -> None:
    """`owned` by branch; the first of them is checked out at the end."""
    folder.mkdir(parents=True, exist_ok=True)
    first, *others = owned
    await _git(folder, environment, "init", "--quiet", f"--initial-branch={first}")
    if not await _knows_author(folder, environment):
        environment = {**environment, **_NOBODY}
    await _commit(folder, shared, "A new fleet", environment)
    root = (await _git(folder, environment, "rev-parse", "HEAD")).strip()
    for branch in (*others, first):
        where = ("switch", "--quiet") if branch == first else ("switch", "--quiet", "-c")
        start = () if branch == first else (root,)
        await _git(folder, environment, *where, branch, *start)
        await _commit(folder, owned[branch], f"What {branch} owns", environment)


async def _knows_author(folder: Path, environment: Mapping[str, str]) -> bool:
    try:
        return bool(await _git(folder, environment, "config", "user.email"))
    except errors.UnreachableError:
        return False


async def _commit(
    folder: Path, files: Files, message: str, environment: Mapping[str, str]
) -> None:
    for path, data in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    await _git(folder, environment, "add", "--all")
    await _git(folder, environment, "commit", "--quiet", "-m", message)


async def _git(folder: Path, environment: Mapping[str, str], *words: str) -> str:
    process = await asyncio.create_subprocess_exec(
        shutil.which("git") or fixed.executable(),
        *words,
        cwd=folder,
        env=dict(environment),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, said = await process.communicate()
    if process.returncode != 0:
        raise errors.UnreachableError(f"git {words[0]}: {said.decode('utf-8', 'replace').strip()}")
    return out.decode()
