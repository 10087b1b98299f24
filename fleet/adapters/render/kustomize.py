"""kustomize, the real program: an export of its own, an empty environment, limits, and no network where that can be.

What it may read was judged before (fleet.manifests.kustomizations); this is the second wall (threats 9, 11).
"""

import asyncio
import contextlib
import hashlib
import os
import resource
import shutil
import signal
import tempfile
from collections.abc import Mapping
from pathlib import Path

from fleet.model import errors, findings

_SECONDS = 60
_MEMORY = 2 << 30
_OUTPUT = 256 << 20


class Kustomize:
    """Implements ports.renderer.Renderer for a program at an absolute path."""

    def __init__(self, program: Path, version: str) -> None:
        if not program.is_absolute() or not program.is_file():
            raise errors.InputError(f"there is no kustomize at {program}")
        self._program = program
        self._digest = hashlib.sha256(program.read_bytes()).hexdigest()
        self._version = version
        self._prefix = _without_network()

    @property
    def identity(self) -> str:
        return f"kustomize {self._version} sha256:{self._digest}"

    async def render(
        self, files: Mapping[str, bytes], folder: str
    ) -> bytes | tuple[findings.Finding, ...]:
        with tempfile.TemporaryDirectory(prefix="fleet-render-") as export:
            await asyncio.to_thread(_write, Path(export), files)
            code, out, said = await self._run(Path(export), folder)
        if code == 0 and len(out) <= _OUTPUT:
            return out
        words = said.decode("utf-8", "replace").replace(export, "").strip()
        return (_refusal(words or f"it ended with code {code}"),)

    async def _run(self, export: Path, folder: str) -> tuple[int, bytes, bytes]:
        process = await asyncio.create_subprocess_exec(
            *self._prefix,
            str(self._program),
            "build",
            "--load-restrictor=LoadRestrictionsNone",  # bases of other folders of the export are fine
            f"./{folder}",
            cwd=export,
            env={"HOME": str(export), "PATH": "", "GOMEMLIMIT": str(_MEMORY)},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
            preexec_fn=_limit,  # noqa: PLW1509 - only system calls, and the child is a program of one purpose
        )
        try:
            async with asyncio.timeout(_SECONDS):
                out, said = await process.communicate()
        except TimeoutError:
            return -1, b"", b"no result in %d s" % _SECONDS
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
        return process.returncode or 0, out, said


def _write(export: Path, files: Mapping[str, bytes]) -> None:
    for path, data in files.items():
        target = (export / path).resolve()
        if not target.is_relative_to(export.resolve()):
            raise errors.RefusedError(f"{findings.escaped(path)} leads out of the export")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)


def _limit() -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (_SECONDS, _SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (_OUTPUT, _OUTPUT))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _without_network() -> tuple[str, ...]:
    """A network namespace of its own, where the system lets a user make one."""
    unshare = shutil.which("unshare", path="/usr/bin:/bin")
    return (unshare, "--net", "--map-root-user", "--") if unshare and os.geteuid() == 0 else ()


def _refusal(words: str) -> findings.Finding:
    last = words.splitlines()[-1] if words else ""
    place = findings.Place(path="")
    return findings.deny("kustomize", place, f"kustomize: {findings.escaped(last)[:500]}")
