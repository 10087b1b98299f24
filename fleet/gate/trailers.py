"""What a commit message declares, in lines as `Fleet-Hotfix: the port was wrong`. They name; they never prove."""

import re
from collections.abc import Iterable

from fleet.model import snapshots

SOURCE = "Fleet-Source"  # the commit of upstream's that was taken
BUNDLE = "Fleet-Bundle"  # of a partial promotion or rollback: the folder
HOTFIX = "Fleet-Hotfix"  # the reason
PORTED = "Fleet-Ported"  # a path whose fix upstream has in another form
OLDER = "Fleet-Older"  # the reason for going back to an older release of upstream's
ROLLBACK = "Fleet-Rollback"  # the commit that it goes back to

_LINE = re.compile(r"^(Fleet-[A-Z][a-z]+):[ \t]*(\S.*?)[ \t]*$", re.MULTILINE)


def values(key: str, steps: Iterable[snapshots.Step]) -> tuple[str, ...]:
    """Of the newest commit first."""
    lines = [_LINE.findall(step.message) for step in reversed(tuple(steps))]
    return tuple(value for found in lines for name, value in found if name == key)


def written(subject: str, lines: Iterable[tuple[str, str]]) -> str:
    """A message. Line breaks in a value would be lines of their own."""
    told = "\n".join(f"{key}: {' '.join(value.split())}" for key, value in lines)
    return f"{subject}\n\n{told}\n"
