"""Between a lab and one of its programs: starts the program so that it ends when the lab's process does.

Run as a script of its own, `python -I -S launch.py PARENT PROGRAM...`, because code between fork and exec is not safe
in a process with threads. Linux keeps the promise itself; elsewhere this process stays and watches its parent.
"""

import ctypes
import os
import signal
import subprocess
import sys
from contextlib import suppress
from types import FrameType
from typing import NoReturn

_PR_SET_PDEATHSIG = 1
_SECONDS_BETWEEN_LOOKS = 0.5


def become(parent: int, words: list[str]) -> NoReturn:
    """Linux: the kernel kills what this becomes when the thread that started it ends."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")
    if os.getppid() != parent:  # it ended before the kernel was asked
        sys.exit(1)
    os.execv(words[0], words)  # noqa: S606 - the words are the lab's own


def watch(parent: int, words: list[str]) -> int:
    """Elsewhere: the program's exit code, after its end or its parent's."""
    child = subprocess.Popen(words)  # noqa: S603 - the words are the lab's own

    def pass_on(number: int, _: FrameType | None) -> None:
        with suppress(ProcessLookupError):
            child.send_signal(number)

    signal.signal(signal.SIGTERM, pass_on)
    while os.getppid() == parent:
        with suppress(subprocess.TimeoutExpired):
            return child.wait(timeout=_SECONDS_BETWEEN_LOOKS)
    child.kill()
    return child.wait()


if __name__ == "__main__":
    if sys.platform == "linux":
        become(int(sys.argv[1]), sys.argv[2:])
    else:
        sys.exit(watch(int(sys.argv[1]), sys.argv[2:]))
