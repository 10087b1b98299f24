"""`make demo KEEP=1`: the story is told by a process that stays, so that everything runs on when the prompt returns."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from fleet.cli import output, settings
from fleet.model import errors

KEPT = "everything keeps running"  # the line after which the prompt returns
_SECONDS = 30.0


def tell() -> int:
    """Relay the story until it is told; its process stays behind."""
    end()
    words = [sys.executable, "-m", "fleet.cli.demo", "--supervise"]
    with subprocess.Popen(  # noqa: S603 - ourselves
        words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        _write(process.pid)
        try:
            for line in process.stdout or ():
                print(line, end="", flush=True)  # noqa: T201 - relayed as it is
                if line.startswith(KEPT):
                    os._exit(0)  # without waiting for the one that stays
        except KeyboardInterrupt:
            process.send_signal(signal.SIGTERM)
            process.wait()
            return 130
    _place().unlink(missing_ok=True)
    return process.returncode


def end() -> bool:
    """End what an earlier demo left running; whether there was anything."""
    try:
        pid = int(json.loads(_place().read_text())["pid"])
    except (OSError, ValueError, KeyError, TypeError):
        return False
    was_running = _is_demo(pid)
    if was_running:
        os.kill(pid, signal.SIGTERM)
        _wait(pid)
    _place().unlink(missing_ok=True)
    return was_running


def _wait(pid: int) -> None:
    until = time.monotonic() + _SECONDS
    while _is_demo(pid):
        if time.monotonic() > until:
            raise errors.UnreachableError(f"process {pid} of an earlier demo does not end")
        time.sleep(0.1)


def _is_demo(pid: int) -> bool:
    """The number may be somebody else's by now."""
    with contextlib.suppress(OSError):
        return b"fleet.cli.demo" in Path(f"/proc/{pid}/cmdline").read_bytes()
    return False


def silence() -> None:
    """The one who reads along has gone."""
    output.say(KEPT + "; to end it: make demo-down")
    sys.stdout.flush()
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for number in (1, 2):
        os.dup2(nowhere, number)


def _write(pid: int) -> None:
    _place().parent.mkdir(parents=True, exist_ok=True)
    _place().write_text(json.dumps({"pid": pid}))


def _place() -> Path:
    return settings.read().cache / "demo.json"
