"""What happened to one object: the closed list of result words, used by logs, pages, records and tests alike."""

from dataclasses import dataclass
from enum import Enum

from fleet.model import health, objects


class Result(Enum):
    CREATED = "created"
    CONFIGURED = "configured"
    UNCHANGED = "unchanged"
    DELETED = "deleted"
    SKIPPED = "skipped"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One object after one step: what was done, why, and how it is since."""

    key: objects.Key
    result: Result
    message: str = ""
    assessed: health.Assessment | None = None
