"""A lab that stays when the command that asked for it is over: what `fleet lab up` calls."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from fleet.lab import clusters, lab, locks, progress, records
from fleet.model import errors


def up(
    names: Sequence[str],
    folder: Path,
    binaries: Path,
    *,
    full: bool,
    say: progress.Say,
) -> tuple[clusters.Cluster, ...]:
    """Returns when all clusters are ready; `lab.down` ends them.

    Raises errors.RefusedError where a lab runs there, errors.UnreachableError where this one does not come up.
    """
    if locks.is_held(folder / records.LOCK):
        raise errors.RefusedError(f"a lab runs in {folder} already", hint="fleet lab down ends it")
    words = [str(folder), "--binaries", str(binaries), "--names", ",".join(names), "--background"]
    with subprocess.Popen(  # noqa: S603 - a module of ours
        [sys.executable, "-P", "-m", "fleet.lab.supervisor", *words, *(["--full"] * full)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as starter:
        last = "it said nothing"
        for line in starter.stdout or ():
            last = line.rstrip()
            say(last)
    if starter.returncode != 0:
        raise errors.UnreachableError(f"the lab in {folder} does not come up: {last}")
    return lab.read(folder)
