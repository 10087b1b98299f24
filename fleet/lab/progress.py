"""What a waiting person sees: a line when something long begins, and again while it lasts."""

import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from os import killpg
from pathlib import Path

Say = Callable[[str], None]

_SECONDS_BETWEEN_LINES = 10.0
_TAIL = 2000  # characters of a log that explain an end


def duration(seconds: float) -> str:
    """As people say it: "8 s", "1 m 20 s"."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} m {rest:02d} s" if minutes else f"{rest} s"


def run(
    words: Sequence[str],
    *,
    folder: Path,
    environment: Mapping[str, str],
    log: Path,
    describe: Callable[[str], str],
    say: Say,
) -> int:
    """The program's exit code. All it prints goes into `log`; `describe` makes a line of the log so far.

    It runs in a session of its own, which ends with this call: ctrl-C leaves no compiler behind.
    """
    began = time.monotonic()
    with log.open("wb") as out:
        process = subprocess.Popen(  # noqa: S603 - words are ours
            list(words),
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    try:
        while True:
            try:
                return process.wait(timeout=_SECONDS_BETWEEN_LINES)
            except subprocess.TimeoutExpired:
                said = describe(log.read_text(errors="replace"))
                say(f"  {said}, {duration(time.monotonic() - began)}")
    finally:
        with suppress(ProcessLookupError, PermissionError):
            killpg(process.pid, signal.SIGKILL)
        process.wait()


def last_words(log: Path) -> str:
    """The last line of a log that says anything."""
    if not log.exists():
        return "it said nothing"
    lines = [line.strip() for line in log.read_text(errors="replace")[-_TAIL:].splitlines()]
    return next((line for line in reversed(lines) if line), "it said nothing")
