"""Health in the words of kstatus, and how the parts of a slice add up."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum


class Health(Enum):
    CURRENT = "Current"
    IN_PROGRESS = "InProgress"
    FAILED = "Failed"
    TERMINATING = "Terminating"
    NOT_FOUND = "NotFound"
    UNKNOWN = "Unknown"


_WORST_FIRST = (
    Health.FAILED,
    Health.UNKNOWN,
    Health.NOT_FOUND,
    Health.TERMINATING,
    Health.IN_PROGRESS,
    Health.CURRENT,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    health: Health
    reason: str = ""  # what a person can act on


def worst(parts: Iterable[Health]) -> Health:
    """The worst of them; of none: Unknown, since nothing observed is never healthy."""
    found = set(parts)
    return next((health for health in _WORST_FIRST if health in found), Health.UNKNOWN)
