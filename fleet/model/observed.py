"""What gates may believe of the past: rows of the book that say who saw what, when, and until when."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from typing import TypeAlias

from fleet.model import findings, json_values, names


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """Time in which an environment was healthy with one content, without a gap.

    At each moment of it at least `quorum` clusters were known, and none that was known was unhealthy.
    """

    began: datetime
    confirmed: datetime  # the last moment that is known
    quorum: int

    @property
    def length(self) -> timedelta:
        return self.confirmed - self.began


@dataclass(frozen=True, slots=True, kw_only=True)
class Soak:
    """How long one content has been healthy in one environment; all on the hub's clock."""

    environment: names.Environment
    content: names.ContentId
    running: Interval | None = None  # up to now
    longest: Interval | None = None  # of those that are over
    is_sick: bool = False  # when last seen, it was not healthy

    @property
    def best(self) -> Interval | None:
        known = [each for each in (self.running, self.longest) if each is not None]
        return max(known, key=lambda each: each.length, default=None)


class Outcome(Enum):
    SUCCESS = "success"
    FAILURE = "failure"
    PENDING = "pending"


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """What somebody outside says of one content; the newest of each issuer and context counts."""

    issuer: str
    context: str
    content: names.ContentId
    outcome: Outcome
    said: datetime  # by the issuer's clock: what was said earlier never replaces it
    at: datetime  # by the hub's


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarantine:
    """Content that may not enter an environment again until somebody lifts it."""

    environment: names.Environment
    content: names.ContentId
    reason: str
    by: str
    since: datetime
    lifted: datetime | None = None
    forms: Mapping[str, str] = field(
        default_factory=dict, repr=False, metadata=findings.LATER
    )  # of paths in which a rollback left it, by mode and blob; none = it is the whole content alone


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakGlass:
    """What one person said: closed windows may be passed until then, once `count` people say so."""

    environment: names.Environment
    by: str  # whose key signed it, by the trust file that was in force
    count: int
    reason: str
    at: datetime  # by the clock of whoever signed; what is older than the last is not taken
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Cosigned:
    """The newest checkpoint of the audit log that one cluster's agent has cosigned; see fleet.protocol.checkpoints."""

    environment: names.Environment
    cluster: names.Cluster
    note: str = field(repr=False)  # the hub's, with the agent's line below
    size: int
    epoch: int
    at: datetime  # by the agent's clock, as it signed


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebaseline:
    """A tip of a rewritten branch that somebody let in, though it does not descend from what was in force then.

    It counts for just this commit on top of just that one: once either is another one, it is over.
    """

    environment: names.Environment
    commit: names.CommitId
    base: names.CommitId  # that was in force
    reason: str
    by: str
    since: datetime


Row: TypeAlias = Soak | Status | Quarantine | BreakGlass | Cosigned | Rebaseline


def key(row: Row) -> str:
    """The row's primary key within its kind."""
    match row:
        case Status():
            return json_values.digest([row.issuer, row.context, row.content])
        case Soak() | Quarantine():
            return f"{row.environment}/{row.content}"
        case BreakGlass():
            return f"{row.environment}/{row.by}"
        case Cosigned():
            return row.cluster
        case Rebaseline():
            return row.environment
