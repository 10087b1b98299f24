"""kustomize, the real program: an export of its own, an empty environment, limits, and no network where that can be.

What it may read was judged before (fleet.manifests.kustomizations); this is the second wall (threats 9, 11). It runs
twice, elsewhere the second time: what depends on clock, host, zone, folder or chance is refused (threat 47).
"""

import asyncio
import contextlib
import functools
import hashlib
import os
import re
import resource
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from fleet.model import errors, findings

_UNEQUAL = "it prints something else on another host, at another time or in another folder"
_WORDS = 1 << 16  # bytes of what it says, the last ones
_SECRET = re.compile(rb"\bSecret\b|secretGenerator")
_ELSEWHERE = {"TZ": "Pacific/Kiritimati", "LC_ALL": "C", "HOSTNAME": "elsewhere"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Of one rendering."""

    seconds: int = 60
    memory: int = 4 << 30  # bytes of address space
    output: int = 256 << 20  # bytes


class Kustomize:
    """Implements ports.renderer.Renderer for a program at an absolute path."""

    def __init__(self, program: Path, version: str, limits: Limits = Limits()) -> None:
        if not program.is_absolute() or not program.is_file():
            raise errors.InputError(f"there is no kustomize at {program}")
        self._program = program
        self._digest = hashlib.sha256(program.read_bytes()).hexdigest()
        self._version = version
        self._limits = limits
        self._prefix = _without_network()
        self._elsewhere = _on_another_host(self._prefix)

    @property
    def identity(self) -> str:
        return f"kustomize {self._version} sha256:{self._digest}"

    async def render(
        self, files: Mapping[str, bytes], folder: str
    ) -> bytes | tuple[findings.Finding, ...]:
        here, elsewhere = await asyncio.gather(
            self._printing(files, folder, self._prefix, {}),
            self._printing(files, folder, self._elsewhere, _ELSEWHERE),
        )
        for each in (here, elsewhere):
            if not isinstance(each, bytes):
                return each
        if here != elsewhere:
            return (_refusal(_UNEQUAL, folder),)
        return here

    async def _printing(
        self,
        files: Mapping[str, bytes],
        folder: str,
        prefix: tuple[str, ...],
        environment: Mapping[str, str],
    ) -> bytes | tuple[findings.Finding, ...]:
        with tempfile.TemporaryDirectory(prefix="fleet-render-") as export:
            await asyncio.to_thread(_write, Path(export), files)
            code, out, said = await self._run(Path(export), folder, prefix, environment)
        if len(out) > self._limits.output:
            return (_refusal(f"it printed more than {self._limits.output} bytes"),)
        if code == 0:
            return out
        if any(_SECRET.search(data) for data in files.values()):
            return (_refusal("it failed, and its words may repeat a Secret's values", folder),)
        words = said.decode("utf-8", "replace").replace(export, "").strip()
        return (_refusal(words or f"it ended with code {code}", folder),)

    async def _run(
        self, export: Path, folder: str, prefix: tuple[str, ...], environment: Mapping[str, str]
    ) -> tuple[int, bytes, bytes]:
        memory = self._limits.memory // 2
        process = await asyncio.create_subprocess_exec(
            *prefix,
            str(self._program),
            "build",
            "--load-restrictor=LoadRestrictionsNone",  # bases of other folders of the export are fine
            f"./{folder}",
            cwd=export,
            env={"HOME": str(export), "PATH": "", "GOMEMLIMIT": str(memory), **environment},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
            # Only system calls between fork and exec, so no lock of another thread is waited for.
            preexec_fn=functools.partial(_limit, self._limits),
        )
        try:
            async with asyncio.timeout(self._limits.seconds):
                out, said = await asyncio.gather(
                    _printed(process, self._limits.output), _said(process)
                )
                await process.wait()
        except TimeoutError:
            return -1, b"", b"no result in %d s" % self._limits.seconds
        finally:
            _kill(process)
            await process.wait()
        return process.returncode or 0, out, said


async def _printed(process: asyncio.subprocess.Process, most: int) -> bytes:
    """What it printed; it is ended as soon as that is more than `most`."""
    found = bytearray()
    while process.stdout and (part := await process.stdout.read(1 << 16)):
        found += part
        if len(found) > most:
            _kill(process)
            break
    return bytes(found)


async def _said(process: asyncio.subprocess.Process) -> bytes:
    found = b""
    while process.stderr and (part := await process.stderr.read(1 << 16)):
        found = (found + part)[-_WORDS:]
    return found


def _kill(process: asyncio.subprocess.Process) -> None:
    """With all that it may have started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _write(export: Path, files: Mapping[str, bytes]) -> None:
    for path, data in files.items():
        target = (export / path).resolve()
        if not target.is_relative_to(export.resolve()):
            raise errors.RefusedError(f"{findings.escaped(path)} leads out of the export")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)


def _limit(limits: Limits) -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (limits.seconds, limits.seconds))
    resource.setrlimit(resource.RLIMIT_AS, (limits.memory, limits.memory))
    resource.setrlimit(resource.RLIMIT_FSIZE, (limits.output, limits.output))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _without_network() -> tuple[str, ...]:
    """A network namespace of its own, where the system lets a user make one."""
    unshare = shutil.which("unshare", path="/usr/bin:/bin")
    words = (unshare or "", "--net", "--map-root-user", "--")
    allowed = unshare and subprocess.run([*words, "/bin/true"], check=False, capture_output=True)  # noqa: S603 - fixed words
    return words if allowed and allowed.returncode == 0 else ()


def _on_another_host(prefix: tuple[str, ...]) -> tuple[str, ...]:
    """With another host's name too, where the system lets a user make one."""
    named = shutil.which("hostname", path="/usr/bin:/bin")
    if not prefix or not named:
        return prefix
    words = (prefix[0], "--uts", *prefix[1:], "/bin/sh", "-c", f'{named} "$0" && exec "$@"')
    words += (_ELSEWHERE["HOSTNAME"],)
    allowed = subprocess.run([*words, "/bin/true"], check=False, capture_output=True)  # noqa: S603 - fixed words
    return words if allowed.returncode == 0 else prefix


def _refusal(words: str, folder: str = "") -> findings.Finding:
    last = words.splitlines()[-1] if words else ""
    place = findings.Place(path="")
    hint = f"see for yourself: kustomize build {findings.escaped(folder)}" if folder else ""
    message = f"kustomize: {findings.escaped(last)[:500]}"
    return findings.deny("kustomize", place, message, hint=hint)
