"""The git program with fixed words and a fixed environment: nothing of the user's configuration, nothing inherited.

Names from a repository are only ever given on standard input or after `--`, so none becomes an option (threat 4).
"""

import asyncio
import contextlib
import os
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from fleet.adapters.git import fixed
from fleet.model import errors

_ADVICE = ("Please make sure you have the correct access rights", "and the repository exists.")
_LIMIT = 1 << 30  # bytes that one answer may have


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """git at an absolute path, for one repository."""

    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    timeout: float = 120.0  # seconds

    async def run(self, *words: str, given: bytes = b"", fine: tuple[int, ...] = (0,)) -> bytes:
        """What it printed. Raises errors.UnreachableError for any other end, with what git said."""
        code, out, said = await self._run(words, given)
        if code not in fine:
            raise errors.UnreachableError(f"git {words[0]}: {_words(said)}")
        return out

    async def answered(self, *words: str) -> tuple[int, bytes]:
        """For commands that say 0 or 1, and more beside it; anything else is an error."""
        code, out, said = await self._run(words, b"")
        if code not in (0, 1):
            raise errors.UnreachableError(f"git {words[0]}: {_words(said)}")
        return code, out

    async def holds(self, *words: str) -> bool:
        """For commands that answer by exit code 0 or 1; anything else is an error, never "no"."""
        code, _ = await self.answered(*words)
        return code == 0

    async def _run(self, words: Sequence[str], given: bytes) -> tuple[int, bytes, bytes]:
        process = await asyncio.create_subprocess_exec(
            fixed.executable(),
            *fixed.WORDS,
            *words,
            cwd=self.folder,
            env={**fixed.ENVIRONMENT, **self.environment},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
            limit=1 << 20,
        )
        try:
            async with asyncio.timeout(self.timeout):
                out, said = await process.communicate(given)
        except TimeoutError as error:
            raise errors.UnreachableError(
                f"git {words[0]}: no answer in {self.timeout:.0f} s"
            ) from error
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                await process.wait()
        if len(out) > _LIMIT:
            raise errors.RefusedError(f"git {words[0]}: more than {_LIMIT} bytes")
        return process.returncode or 0, out, said


def _words(said: bytes) -> str:
    """The last of what it said, less the advice that git ends with where a server is out of reach."""
    lines = [line.strip() for line in said.decode("utf-8", "replace").splitlines()]
    told = [line for line in lines if line and line not in _ADVICE]
    return "; ".join(told[-2:]) or "it failed without a word"
