"""One at a time: a lock that the system lets go of when its holder ends, however it ends."""

import contextlib
import fcntl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO


def take(path: Path) -> IO[bytes] | None:
    """The open file that holds the lock, or None where someone else holds it. Closing it lets go."""
    path.parent.mkdir(parents=True, exist_ok=True)
    file = path.open("ab")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    return file


def is_held(path: Path) -> bool:
    if not path.exists():
        return False
    file = take(path)
    if file is None:
        return True
    file.close()
    return False


@contextlib.contextmanager
def held(path: Path, waiting: Callable[[], None]) -> Iterator[None]:
    """Waits for the lock; `waiting` is called once if that takes any time."""
    file = take(path)
    if file is None:
        waiting()
        file = path.open("ab")
        fcntl.flock(file, fcntl.LOCK_EX)
    with file:
        yield
