"""`fleet check` of a working tree in which nothing has changed: what was said of it is said again.

Said again is only what the very same program said, to the very same words, of a tree with the very same footprint;
what depends on anything else is judged anew. Only this module and what it imports is loaded for that.
"""

import contextlib
import hashlib
import json
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from fleet.adapters.git import footprints
from fleet.cli import editions, settings

_MOST = 200  # kept; the oldest go first
_FORMS = ("text", "json", "sarif", "github")  # to standard output, without the time in them
_ALONE = ("-e", "--environment", "-o", "--output")
_TIMED = b"Waiver"  # what such a document lets pass depends on the day


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """One way of asking, of one tree as it is."""

    place: Path  # where the answer is kept
    question: str
    folder: Path
    seen: footprints.Footprint

    def recalled(self) -> tuple[str, int] | None:
        """What was said, and the exit code; None = nobody asked yet, or of another tree, or it is damaged (106)."""
        try:
            total, _, kept = self.place.read_bytes().partition(b"\n")
            if total.decode() != hashlib.sha256(kept).hexdigest():
                return None
            answer = json.loads(kept)
        except (OSError, ValueError):
            return None
        return (answer["said"], answer["code"]) if answer["question"] == self.question else None

    def remember(self, said: str, code: int) -> None:
        """Whatever changed since the footprint was taken has another one, so the next question finds nothing."""
        if not self.seen.is_settled or self._is_timed():
            return
        answer = {"question": self.question, "said": said, "code": code}
        with contextlib.suppress(OSError):  # a home that is read-only costs time only
            self._keep(json.dumps(answer).encode())

    def _keep(self, kept: bytes) -> None:
        self.place.parent.mkdir(parents=True, exist_ok=True)
        fresh = self.place.with_suffix(f".{os.getpid()}")
        fresh.write_bytes(hashlib.sha256(kept).hexdigest().encode() + b"\n" + kept)
        fresh.replace(self.place)
        _tidy(self.place.parent)

    def _is_timed(self) -> bool:
        owned = (path for path in self.seen.paths if path.startswith(b"environments/"))
        files = (self.folder / os.fsdecode(path) for path in owned)
        return any(_TIMED in each.read_bytes() for each in files if each.is_file())


def answered(words: Sequence[str], command: Callable[[], None]) -> None:
    """Run the command, unless it would say what it has said before."""
    is_open = sys.stdout is not None and sys.stderr is not None  # they may be closed
    replay = of(words) if is_open else None
    known = replay.recalled() if replay else None
    if replay is None:
        command()
    elif known is not None:
        sys.stdout.write(known[0])
        sys.stdout.flush()
        sys.exit(known[1])
    else:
        _recorded(replay, command)


def _recorded(replay: Replay, command: Callable[[], None]) -> None:
    """What goes to standard error speaks of this run, so such a run is not said again."""
    out, err = _Copy(sys.stdout), _Copy(sys.stderr)
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            command()
            code: Any = 0
        except SystemExit as end:
            code = end.code or 0
    if code in (0, 1) and not err.parts:
        replay.remember("".join(out.parts), code)
    sys.exit(code)


def of(words: Sequence[str]) -> Replay | None:
    """None for what is no plain check of a working tree."""
    asked = _folder(words)
    if asked is None or not Path(asked).is_dir():
        return None
    folder = Path(asked).resolve()
    seen = footprints.take(folder)
    if seen is None:
        return None
    found = settings.read()
    about = [str(folder), list(words), found.no_color, found.is_terminal]
    name = hashlib.sha256(json.dumps(about).encode()).hexdigest()
    question = json.dumps([edition(), seen.digest, seen.branch, _built(found.cache)])
    return Replay(place=found.cache / "said" / name, question=question, folder=folder, seen=seen)


def _folder(words: Sequence[str]) -> str | None:
    """The folder that a plain check is about; None where another word means more than is known here."""
    if not words or words[0] != "check":
        return None
    folders, rest = [], list(words[1:])
    while rest:
        word = rest.pop(0)
        if word in _ALONE and rest:
            value = rest.pop(0)
            if word in _ALONE[2:] and value not in _FORMS:
                return None
        elif word.startswith("-"):
            return None
        else:
            folders.append(word)
    return (folders or ["."])[0] if len(folders) < 2 else None


def edition() -> str:
    """Of this program: every file of it, and what is installed beside it, by name, size and time."""
    rows = [(name, each.st_size, each.st_mtime_ns) for name, each in editions.files()]
    beside = [Path(each).stat().st_mtime_ns for each in sys.path if each and Path(each).is_dir()]
    return hashlib.sha256(json.dumps([rows, beside, sys.version]).encode()).hexdigest()


def _built(cache: Path) -> list[tuple[str, int]]:
    """The programs of our own that a check may call."""
    built = sorted((cache / "kustomize").glob("*/kustomize"))
    return [(str(each), each.stat().st_mtime_ns) for each in built]


def _tidy(folder: Path) -> None:
    kept = sorted(folder.iterdir(), key=lambda each: each.stat().st_mtime_ns)
    for each in kept[:-_MOST]:
        each.unlink(missing_ok=True)


class _Copy:
    """A stream that passes on what it is given, and keeps it."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream
        self.parts: list[str] = []

    def write(self, text: str) -> int:
        self.parts.append(text)
        return self._stream.write(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
