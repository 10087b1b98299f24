"""The lab's programs as children of this process: started, watched, written down, ended.

Each is written down as soon as it runs, so that a later start can end what an earlier one left behind.
"""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from fleet.lab import identities, progress
from fleet.model import errors

_LAUNCH = Path(__file__).parent / "launch.py"
_SECONDS_TO_END = 3.0
_SECONDS_TO_BE_GONE = 10.0
_SECONDS_BETWEEN_LOOKS = 0.02
_SECONDS_BETWEEN_QUESTIONS = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    name: str  # one of a kind in its lab
    words: tuple[str, ...]  # the first is the program's absolute path
    log: Path
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)


class Child:
    """A started program. Nobody else may end its process, so the pid stays ours until it is waited for."""

    def __init__(self, program: Program, process: subprocess.Popen[bytes]) -> None:
        self.program = program
        self._process = process

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs."""
        return self._process.poll()

    def signal(self, number: signal.Signals) -> None:
        """To the whole session of the program."""
        if self.exit_code is None:
            with suppress(ProcessLookupError):
                os.killpg(self.pid, number)


class Children:
    """All programs of one lab, with the file that names them.

    Start them from a thread that lives as long as they shall: Linux ends them with the thread, not with the process.
    """

    def __init__(self, ledger: Path) -> None:
        self._ledger = ledger
        self._children: dict[str, Child] = {}

    def __iter__(self) -> Iterator[Child]:
        return iter(tuple(self._children.values()))

    def __getitem__(self, name: str) -> Child:
        return self._children[name]

    def start(self, program: Program) -> Child:
        with program.log.open("ab") as log:
            process = subprocess.Popen(  # noqa: S603 - the words are the lab's own
                [sys.executable, "-I", "-S", str(_LAUNCH), str(os.getpid()), *program.words],
                cwd=program.log.parent,
                env=dict(program.environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        child = Child(program, process)
        self._children[program.name] = child
        self._write_down(child)
        return child

    async def stop(self, *names: str) -> None:
        """Asks them to end, then ends them. Without names: all."""
        chosen = [self._children.pop(name) for name in names or tuple(self._children)]
        for child in chosen:
            child.signal(signal.SIGTERM)
        with suppress(TimeoutError):
            await wait_until(lambda: _have_ended(chosen), _SECONDS_TO_END)
        for child in chosen:
            child.signal(signal.SIGKILL)
        await wait_until(lambda: _have_ended(chosen), _SECONDS_TO_BE_GONE)

    async def kill(self, name: str) -> None:
        """Without asking."""
        self._children[name].signal(signal.SIGKILL)
        await self.stop(name)

    def _write_down(self, child: Child) -> None:
        found = identities.identify(child.pid)
        if found is not None:
            line = {"name": child.program.name, "pid": found.pid, "began": found.began}
            with self._ledger.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")


async def until(answers: Callable[[], Awaitable[bool]], child: Child, seconds: float) -> None:
    """Waits for a sign of life. Raises errors.UnreachableError where the program ends or stays silent."""
    name, log = child.program.name, child.program.log
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while child.exit_code is None:
                if await answers():
                    return
                await asyncio.sleep(_SECONDS_BETWEEN_QUESTIONS)
    end = "is not ready" if child.exit_code is None else f"ended with code {child.exit_code}"
    raise errors.UnreachableError(
        f"{name} {end}: {progress.last_words(log)}", hint=f"all it said is in {log}"
    )


async def wait_until(holds: Callable[[], bool], seconds: float) -> None:
    """Raises TimeoutError."""
    async with asyncio.timeout(seconds):
        while not holds():  # noqa: ASYNC110 - other processes set no event
            await asyncio.sleep(_SECONDS_BETWEEN_LOOKS)


async def sweep(ledger: Path) -> int:
    """Ends what an earlier lab left behind, and says how many that were."""
    left = [found for found in _written_down(ledger) if identities.is_alive(found)]
    for identity in left:
        identities.kill_session(identity)
    await wait_until(lambda: not any(map(identities.is_alive, left)), _SECONDS_TO_BE_GONE)
    return len(left)


def _written_down(ledger: Path) -> Iterator[identities.Identity]:
    if not ledger.exists():
        return
    for line in ledger.read_text(encoding="utf-8").splitlines():
        with suppress(ValueError, KeyError):  # a torn last line: the kernel has ended that one
            entry = json.loads(line)
            yield identities.Identity(pid=int(entry["pid"]), began=str(entry["began"]))


def _have_ended(children: Iterable[Child]) -> bool:
    return all(child.exit_code is not None for child in children)
