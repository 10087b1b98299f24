"""`fleet` as a program with words, exit codes and JSON; and never a traceback."""

import asyncio
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import repositories


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    code: int
    out: str
    said: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


ROOT = Path(__file__).resolve().parents[1]


async def fleet(*words: str | Path, at: Path | None = None, **environment: str) -> Ended:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "fleet.cli.main", *map(str, words),
        cwd=at,
        env={**os.environ, **repositories.PERSON, "NO_COLOR": "1", "PYTHONPATH": str(ROOT), **environment},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, said = await process.communicate()
    ended = Ended(code=process.returncode or 0, out=out.decode(), said=said.decode())
    assert "Traceback" not in ended.out + ended.said, ended.said
    return ended
