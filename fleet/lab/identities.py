"""Which process a number means: a pid alone may have been given to someone else since it was written down."""

import os
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    pid: int
    began: str  # when, in the system's own words; never the same for two processes of one pid


def identify(pid: int) -> Identity | None:
    """None where no such process runs."""
    began = _began_linux(pid) if sys.platform == "linux" else _began_elsewhere(pid)
    return Identity(pid=pid, began=began) if began else None


def is_alive(identity: Identity) -> bool:
    return identify(identity.pid) == identity


def kill_session(identity: Identity) -> None:
    """Ends the process and all of its group, if it is still the one that was meant."""
    if is_alive(identity):
        with suppress(ProcessLookupError):
            os.killpg(identity.pid, signal.SIGKILL)


def _began_linux(pid: int) -> str:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except (FileNotFoundError, ProcessLookupError):
        return ""
    fields = stat.rpartition(")")[2].split()  # the program's name may hold anything, also ")"
    return "" if fields[0] in "ZX" else f"{boot} {fields[19]}"


def _began_elsewhere(pid: int) -> str:
    answer = subprocess.run(  # noqa: S603 - a number
        ["/bin/ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return answer.stdout.strip()
