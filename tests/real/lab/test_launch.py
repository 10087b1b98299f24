"""Programs end with their parent, also where the kernel does not promise it."""

import os
import subprocess
import sys
from pathlib import Path

from fleet.lab import launch

_LAUNCH = Path(launch.__file__)
_WATCH = f"""
import sys
sys.path.insert(0, {str(_LAUNCH.parent)!r})
import launch
sys.exit(launch.watch(int(sys.argv[1]), sys.argv[2:]))
"""
# Starts a watcher and passes its own end on: the watcher's output is what the program prints while it lives.
_PARENT = f"""
import os, subprocess, sys
words = [sys.executable, "-c", {_WATCH!r}, str(os.getpid()), "/bin/sleep", "600"]
print(subprocess.Popen(words).pid, flush=True)
sys.stdin.read()
"""


def test_a_watcher_ends_its_program_when_the_parent_is_killed() -> None:
    with subprocess.Popen(  # noqa: S603 - this test's own words
        [sys.executable, "-c", _PARENT],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline().strip().isdigit()
        parent.kill()
        # The watcher and its program hold the pipe's other end: it closes only when both are gone.
        assert parent.stdout.read() == ""


def test_a_watcher_ends_with_the_code_of_its_program() -> None:
    words = [sys.executable, "-c", _WATCH, str(os.getpid()), "/bin/sh", "-c", "exit 7"]
    answer = subprocess.run(words, check=False)  # noqa: S603 - this test's own words
    assert answer.returncode == 7


def test_a_program_does_not_start_for_a_parent_that_is_gone() -> None:
    words = [sys.executable, "-I", "-S", str(_LAUNCH), "1", "/bin/echo", "started"]
    answer = subprocess.run(  # noqa: S603 - this test's own words
        words, capture_output=True, text=True, check=False
    )
    assert (answer.returncode, answer.stdout) == (1, "")
