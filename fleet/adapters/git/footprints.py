"""What a working tree looks like from outside: every file's times, size and inode, as git's own index knows it.

Equal footprints mean equal files, as long as all of them had settled: a file that changes in the very moment in which
it is looked at may keep its times, so a fresh footprint proves nothing.
"""

import hashlib
import os
import stat
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from fleet.adapters.git import fixed

_SETTLES = 100_000_000  # nanoseconds; file systems stamp files with a clock that ticks every few milliseconds
_COARSE = 2_000_000_000  # where they keep whole seconds only
_GONE = b"-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Footprint:
    digest: str
    branch: str  # that is checked out; "" = none
    paths: tuple[bytes, ...]
    is_settled: bool


def take(folder: Path) -> Footprint | None:
    """None where git gives no answer."""
    began = time.time_ns()  # the clock that stamps files
    listed = _git(folder, *fixed.LISTING)
    if listed is None:
        return None
    paths = tuple(sorted({path for path in listed.split(b"\0") if path}))
    rows, newest, is_coarse = _rows(os.fsencode(folder), paths)
    branch = _git(folder, "symbolic-ref", "--quiet", "--short", "HEAD") or b""
    digest = hashlib.sha256(b"\0".join(rows)).hexdigest()
    return Footprint(
        digest=digest,
        branch=branch.decode("utf-8", "replace").strip(),
        paths=paths,
        is_settled=newest < began - (_COARSE if is_coarse else _SETTLES),
    )


def _rows(folder: bytes, paths: tuple[bytes, ...]) -> tuple[list[bytes], int, bool]:
    rows: list[bytes] = []
    newest = fractions = 0
    for path in paths:
        try:
            seen = os.lstat(b"%s/%s" % (folder, path))
        except (FileNotFoundError, NotADirectoryError):
            rows += (path, _GONE)
            continue
        newest = max(newest, seen.st_mtime_ns, seen.st_ctime_ns)
        fractions |= seen.st_mtime_ns % 1_000_000_000
        rows += (path, _row(seen))
    return rows, newest, bool(rows) and not fractions


def _row(seen: os.stat_result) -> bytes:
    """A submodule's own times say nothing: what lies in it does not count."""
    if stat.S_ISDIR(seen.st_mode):
        return b"d"
    return b"%d %d %d %d %d" % (
        seen.st_mode,
        seen.st_size,
        seen.st_ino,
        seen.st_mtime_ns,
        seen.st_ctime_ns,
    )


def _git(folder: Path, *words: str) -> bytes | None:
    done = subprocess.run(  # noqa: S603 - fixed words
        [fixed.executable(), *fixed.WORDS, *words],
        cwd=folder,
        env=fixed.ENVIRONMENT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        timeout=60,
        check=False,
    )
    return done.stdout if done.returncode == 0 else None
