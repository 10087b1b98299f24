"""One fault, in the API server's own words: where, what kind, which value, why.

A rule says where a fault is from the value that it was given; the walk to that value completes the path.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any, Final

from fleet.model import findings

_LONGEST = 200  # characters of a value that are repeated


class Reason(Enum):
    """As in apimachinery's util/validation/field, each with its words."""

    REQUIRED = "Required value"
    INVALID = "Invalid value"
    DUPLICATE = "Duplicate value"
    UNSUPPORTED = "Unsupported value"
    FORBIDDEN = "Forbidden"
    NOT_FOUND = "Not found"
    TOO_LONG = "Too long"
    TOO_MANY = "Too many"


class Key(str):
    """A step to a value of a map whose keys are the user's own, written in brackets."""

    __slots__ = ()


Step = str | int
Path = tuple[Step, ...]
OMITTED: Final = object()
_SILENT = frozenset({Reason.REQUIRED, Reason.FORBIDDEN, Reason.TOO_LONG})


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    path: Path
    reason: Reason
    detail: str = ""
    value: Any = OMITTED
    hint: str = ""
    written: Path | None = None  # where the cause stands, if the API server names another place

    @property
    def field(self) -> str:
        return spelled(self.path)

    @property
    def body(self) -> str:
        """Without the field, as the API server gives it in its causes."""
        said = self.reason.value
        if self.reason not in _SILENT and self.value is not OMITTED:
            said += f": {shown(self.value)}"
        return f"{said}: {self.detail}" if self.detail else said

    def below(self, step: Step) -> "Fault":
        written = None if self.written is None else (step, *self.written)
        return replace(self, path=(step, *self.path), written=written)


def below(found: Iterable[Fault], *steps: Step) -> list[Fault]:
    moved = list(found)
    for step in reversed(steps):
        moved = [each.below(step) for each in moved]
    return moved


def spelled(path: Path) -> str:
    said = ""
    for step in path:
        if isinstance(step, (int, Key)):
            said += f"[{step}]"
        else:
            said += f".{step}" if said else step
    return said or "<nil>"


def shown(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return json.dumps(value)
    said = json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)
    return findings.escaped(said if len(said) <= _LONGEST else f"{said[:_LONGEST]}...")


def required(detail: str, *path: Step, hint: str = "") -> Fault:
    return Fault(path=path, reason=Reason.REQUIRED, detail=detail, hint=hint)


def invalid(value: Any, detail: str, *path: Step, hint: str = "") -> Fault:
    return Fault(path=path, reason=Reason.INVALID, detail=detail, value=value, hint=hint)


def each_invalid(value: Any, details: Iterable[str], *path: Step) -> list[Fault]:
    return [invalid(value, detail, *path) for detail in details]


def duplicate(value: Any, *path: Step, hint: str = "") -> Fault:
    return Fault(path=path, reason=Reason.DUPLICATE, value=value, hint=hint)


def forbidden(detail: str, *path: Step, hint: str = "") -> Fault:
    return Fault(path=path, reason=Reason.FORBIDDEN, detail=detail, hint=hint)


def not_found(value: Any, *path: Step, hint: str = "") -> Fault:
    return Fault(path=path, reason=Reason.NOT_FOUND, value=value, hint=hint)


def too_long(limit: int, *path: Step, hint: str = "") -> Fault:
    detail = f"may not be more than {limit} bytes"
    return Fault(path=path, reason=Reason.TOO_LONG, detail=detail, hint=hint)


def too_many(count: int, limit: int, *path: Step) -> Fault:
    detail = f"must have at most {limit} items"
    return Fault(path=path, reason=Reason.TOO_MANY, detail=detail, value=count)


def unsupported(value: Any, known: Iterable[str], *path: Step) -> Fault:
    listed = ", ".join(json.dumps(each) for each in known)
    return Fault(
        path=path, reason=Reason.UNSUPPORTED, detail=f"supported values: {listed}", value=value
    )


def written_at(fault: Fault, *path: Step) -> Fault:
    """With the place of the cause, where the API server names one around it or beside it."""
    return replace(fault, written=path)
