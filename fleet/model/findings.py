"""What is wrong, as values: never an exception, all of them at once, each with its place and the next step."""

from collections.abc import Iterable
from dataclasses import dataclass
from dataclasses import field as _field
from datetime import datetime
from enum import Enum

from fleet.model import names


class Severity(Enum):
    """What a finding does to the candidate that it was found in."""

    DENY = "deny"  # refuses it
    UNKNOWN = "not evaluated"  # refuses it too: unknown is never a pass
    WARN = "warn"
    AUDIT = "audit"
    WAIVED = "waived"  # it would refuse, were there not a waiver that has not ended


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Place:
    """A place in the repository; line and column count from 1, 0 = the whole file."""

    path: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        text = escaped(self.path)
        if self.line:
            text += f":{self.line}"
            if self.column:
                text += f":{self.column}"
        return text


@dataclass(frozen=True, slots=True, kw_only=True)
class Waived:
    """The waiver that covers a finding: who answers for it, why, and until when."""

    waiver: str
    owner: str
    reason: str
    ticket: str
    until: datetime
    place: Place
    otherwise: Severity  # what the finding is without it


# Why a finding does not refuse a way back.
EXEMPT = "exempt: it ran here just so, and what rules say of it since does not block the way back"

LATER = {"later": True}  # of a field that rows of an older book do not have


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong. `rule` is a policy's name, or one of fleet's own such as `schema` or `tree`."""

    rule: str
    severity: Severity
    message: str
    place: Place
    hint: str = ""
    subject: str = ""  # the object's key in words, where there is one
    clusters: tuple[names.Cluster, ...] = ()  # () = whatever cluster
    field: tuple[str, ...] = ()  # inside the object, until `place` is narrowed to its line
    level: str = _field(default="", metadata=LATER)  # how bad its policy says that this is
    # By severity: it is waived, or it was until that waiver ended.
    waived: Waived | None = _field(default=None, metadata=LATER)
    passed: str = _field(default="", metadata=LATER)  # why it does not refuse though its rule does


def refuses(found: Iterable[Finding]) -> bool:
    return any(finding.severity in (Severity.DENY, Severity.UNKNOWN) for finding in found)


LEVELS = ("critical", "high", "medium", "low", "info")


def deny(rule: str, place: Place, message: str, *, hint: str = "", subject: str = "") -> Finding:
    return Finding(
        rule=rule,
        severity=Severity.DENY,
        message=message,
        place=place,
        hint=hint,
        subject=subject,
    )


def escaped(text: str) -> str:
    """The text with everything unprintable or misleading (controls, bidi, zero width, surrogates) spelled out."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
