"""The files that this program is made of: what another edition of it found out is not believed."""

import functools
import os
from collections.abc import Iterator
from pathlib import Path

import fleet

_OURS = (".py", ".zz")


@functools.cache
def files() -> tuple[tuple[str, os.stat_result], ...]:
    """By name, looked at once."""
    return tuple(sorted(_below(str(Path(fleet.__file__).parent))))


def _below(folder: str) -> Iterator[tuple[str, os.stat_result]]:
    with os.scandir(folder) as found:
        for each in found:
            if each.is_dir(follow_symlinks=False):
                if each.name != "__pycache__":
                    yield from _below(each.path)
            elif each.name.endswith(_OURS):
                yield each.path, each.stat()
