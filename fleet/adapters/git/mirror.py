"""The hub's bare mirror of the fleet repository: fetched, never checked out, its own refs out of the remote's reach."""

import asyncio
import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from shlex import quote

import git

from fleet.adapters.git import programs, reading
from fleet.model import errors, names
from fleet.ports import repository

_HEADS = "refs/mirror/heads/"
_ALLOWED = re.compile(r"(https://\w|ssh://\w|\w[\w.-]*@\w[\w.-]*:)(?!:)[^\s]+\Z")
_BRANCH = re.compile(r"[A-Za-z0-9][\w./-]*\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """How to get into a private repository; paths of files, "" = none."""

    ssh_key: str = ""
    known_hosts: str = ""
    token_file: str = ""


class Mirror(reading.Reader):
    """Implements ports.repository.Repository for a URL or a local path that the operator gave."""

    def __init__(self, url: str, folder: Path, access: Access = Access()) -> None:
        self._url = _url(url)
        self._folder = folder
        is_local = not _ALLOWED.match(self._url)
        environment = {"GIT_ALLOW_PROTOCOL": "file" if is_local else "https:ssh", **_ssh(access)}
        self._access = access
        self._turn = asyncio.Lock()
        super().__init__(programs.Program(folder=folder, environment=environment))

    async def fetch(self) -> repository.Tips:
        async with self._turn:  # git locks each reference, and a lock that is held is an error
            return await self._fetched()

    async def _fetched(self) -> repository.Tips:
        if not (self._folder / "HEAD").is_file():
            await self._init()
        fetching = programs.Program(
            folder=self._folder,
            environment={**self._git.environment, **_token(self._access, self._url)},
        )
        await fetching.run(
            "fetch", "--prune", "--no-tags", "--no-recurse-submodules", "--force", "--quiet",
            "--no-write-fetch-head", "--end-of-options", self._url, f"+refs/heads/*:{_HEADS}*",
        )  # fmt: skip
        return repository.Tips(
            branches=await self._branches(), default=await self._default(fetching)
        )

    async def keep(self, name: str, commit: names.CommitId) -> None:
        await self._git.run("update-ref", "--", f"refs/fleet/{name}", commit)

    async def _init(self) -> None:
        """Without templates: they are the user's, and can bring hooks."""
        await asyncio.to_thread(self._folder.mkdir, parents=True, exist_ok=True)
        await self._git.run("init", "--bare", "--quiet", "--template=")
        await asyncio.to_thread(_configure, self._folder)

    async def _branches(self) -> Mapping[names.Branch, names.CommitId]:
        out = await self._git.run("for-each-ref", "--format=%(objectname) %(refname)", _HEADS)
        lines = (line.split(" ", 1) for line in out.decode("utf-8", "replace").splitlines())
        return {
            names.Branch(ref.removeprefix(_HEADS)): names.CommitId(commit)
            for commit, ref in lines
            if _BRANCH.match(ref.removeprefix(_HEADS))
        }

    async def _default(self, fetching: programs.Program) -> names.Branch | None:
        out = await fetching.run("ls-remote", "--symref", "--end-of-options", self._url, "HEAD")
        found = re.match(rb"ref: refs/heads/(\S+)\tHEAD", out)
        return names.Branch(found[1].decode("utf-8", "replace")) if found else None


def _configure(folder: Path) -> None:
    # A reference of the mirror must not be lost with the power, nor its objects by their age.
    with git.Repo(folder) as repo, repo.config_writer() as config:
        config.set_value("core", "fsync", "all")
        config.set_value("gc", "pruneExpire", "never")


def _url(given: str) -> str:
    """Raises errors.InputError for what could be an option or another program (threat 4)."""
    if _ALLOWED.match(given):
        return given
    path = Path(given.removeprefix("file://"))
    if not given or "::" in given or given.startswith("-") or not path.is_dir():
        raise errors.InputError(
            f"{given!r} is no repository that fleet reads",
            hint="an https:// or ssh:// URL, or the path of a local repository",
        )
    return str(path.resolve())


def _ssh(access: Access) -> dict[str, str]:
    words = ["ssh", "-F", "none", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=yes"]
    if access.known_hosts:
        words += ["-o", f"UserKnownHostsFile={access.known_hosts}"]
    if access.ssh_key:
        words += ["-o", "IdentitiesOnly=yes", "-i", access.ssh_key]
    return {"GIT_SSH_COMMAND": " ".join(map(quote, words)), "GIT_SSH_VARIANT": "ssh"}


def _token(access: Access, url: str) -> dict[str, str]:
    """The token travels in the environment, bound to this URL, never in words that others can list."""
    if not access.token_file or not url.startswith("https://"):
        return {}
    try:
        token = Path(access.token_file).read_text().strip()
    except OSError as error:
        raise errors.InputError(f"cannot read the token: {error}") from error
    basic = base64.b64encode(f"x-access-token:{token}".encode()).decode()
    return {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"http.{url}.extraHeader",
        "GIT_CONFIG_VALUE_0": f"Authorization: Basic {basic}",
    }
