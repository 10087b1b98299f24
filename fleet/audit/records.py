"""Records: what was decided, sent, seen and done, in the order in which it became durable."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from fleet.model import json_values


class Kind(Enum):
    ROAD = "road"
    BASELINE = "baseline"
    RECOVERY = "recovery"
    DECISION = "decision"
    DISPATCH = "dispatch"
    REPORT = "report"
    ENROLMENT = "enrolment"
    RETIREMENT = "retirement"
    WAVE = "wave"
    HOLD = "hold"
    VIOLATION = "violation"
    APPROVAL = "approval"
    STATUS = "status"
    QUARANTINE = "quarantine"
    BREAK_GLASS = "break glass"
    REBASELINE = "rebaseline"
    ROLLOUT = "rollout"
    ALARM = "alarm"


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A record before the book gives it its place in the chain. `body` is JSON, whole and without secrets."""

    kind: Kind
    subject: str  # "dev", "dev/cluster-1": what it is about
    at: datetime
    body: json_values.JsonObject = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A link of the chain: `hash` = SHA-256 over the canonical JSON of everything else here."""

    index: int  # from 0, without gaps
    kind: Kind
    subject: str
    at: datetime
    body: json_values.JsonObject = field(repr=False)
    previous: str  # hash of the record before; 64 zeros for the first
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """Where the chain ends: an anchor to hold an older copy against."""

    length: int
    hash: str
