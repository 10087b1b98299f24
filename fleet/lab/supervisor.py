"""A process that does nothing but keep a lab, so that the lab outlives the command that asked for it.

By hand, with programs built by `fleet.lab.binaries.ensure`; ends with ctrl-C, with `--background` when all is ready:

    python -m fleet.lab.supervisor /tmp/lab --binaries ~/.cache/fleetgate/lab/DIGEST --names dev-1,prod-1 [--full]
    kubectl --kubeconfig /tmp/lab/clusters/dev-1/kubeconfig get namespaces
    python -m fleet.lab.supervisor /tmp/lab --down

Killed in any way, it takes the lab's programs with it; what it leaves in the folder is cleared by the next start there.
"""

import argparse
import asyncio
import contextlib
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from fleet.lab import lab, locks, records
from fleet.model import errors

_SECONDS_BETWEEN_LOOKS = 0.1
_SECONDS_TO_END = 30.0
_ENDS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def main(words: Sequence[str] | None = None) -> int:
    given = _parser().parse_args(words)
    folder = given.folder.absolute()
    try:
        if given.down:
            _say("ended" if asyncio.run(lab.down(folder)) else "nothing runs there")
        elif given.background:
            return _start_in_background(folder, given)
        else:
            asyncio.run(_keep(folder, given))
    except errors.FleetError as error:
        _say(f"{error} ({error.hint})" if error.hint else str(error))
        return 1
    return 0


async def _keep(folder: Path, given: argparse.Namespace) -> None:
    """Until a signal comes. A second one does not wait: the programs die with this process."""
    _cancel_on_signals()
    with contextlib.suppress(asyncio.CancelledError):
        async with await lab.up(
            given.names, folder, given.binaries, full=given.full, detached=True, say=_say
        ) as kept:
            await _watch(kept)


async def _watch(kept: lab.Lab) -> None:
    """Says which programs end before they should. The rest goes on."""
    told: set[str] = set()
    while True:
        for child in kept.children:
            if child.exit_code is not None and child.program.name not in told:
                told.add(child.program.name)
                _say(f"{child.program.name} ended with code {child.exit_code}")
        await asyncio.sleep(_SECONDS_BETWEEN_LOOKS)


def _cancel_on_signals() -> None:
    loop, task = asyncio.get_running_loop(), asyncio.current_task()

    def end() -> None:
        for number in _ENDS:
            loop.remove_signal_handler(number)
        if task is not None:
            task.cancel()

    for number in _ENDS:
        loop.add_signal_handler(number, end)


def _start_in_background(folder: Path, given: argparse.Namespace) -> int:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if locks.is_held(folder / records.LOCK):
        raise errors.RefusedError(f"a lab runs in {folder} already", hint="end it with --down")
    log = folder / "supervisor.log"
    with log.open("wb") as out:
        process = subprocess.Popen(  # noqa: S603 - this very module
            [sys.executable, "-P", "-m", "fleet.lab.supervisor", *_words(folder, given)],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    try:
        return _follow(process, folder, log)
    except KeyboardInterrupt:
        process.terminate()
        return process.wait(timeout=_SECONDS_TO_END)


def _follow(process: subprocess.Popen[bytes], folder: Path, log: Path) -> int:
    """Passes on what the supervisor says, until it is up or gone."""
    with log.open(encoding="utf-8") as said:
        while True:
            record = records.read(folder)
            is_up = record is not None and record.is_up and record.owner.pid == process.pid
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=_SECONDS_BETWEEN_LOOKS)
            for line in said:
                _say(line.rstrip())
            if process.returncode is not None:
                return 1
            if is_up:
                return 0


def _words(folder: Path, given: argparse.Namespace) -> list[str]:
    words = [str(folder), "--binaries", str(given.binaries), "--names", ",".join(given.names)]
    return [*words, "--full"] if given.full else words


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m fleet.lab.supervisor")
    parser.add_argument("folder", type=Path, help="where the lab lives")
    parser.add_argument("--binaries", type=lambda given: Path(given).absolute())
    parser.add_argument("--names", type=lambda given: given.split(","), default=["dev-1"])
    parser.add_argument("--full", action="store_true", help="with controllers and a played node")
    parser.add_argument("--background", action="store_true", help="return when all is ready")
    parser.add_argument("--down", action="store_true", help="end the lab in that folder")
    return parser


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
