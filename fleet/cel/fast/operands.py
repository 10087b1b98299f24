"""What the written code holds at a point: a local name or a literal, and what is certain of its type."""

from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from fleet.cel import dispatch, values


class Kind(Enum):
    """Only what the code itself made certain: what a document holds is of no kind until it was looked at."""

    UNKNOWN = "unknown"
    BOOL = "bool"
    INT = "int"
    DOUBLE = "double"
    STRING = "string"
    LIST = "list"
    OPTIONAL = "optional"  # not a value of CEL's: the value inside, or ABSENT


KINDS = {each.value: each for each in Kind if each not in (Kind.UNKNOWN, Kind.OPTIONAL)}
_OF_LITERALS = {bool: Kind.BOOL, int: Kind.INT, float: Kind.DOUBLE, str: Kind.STRING}
NOT_LITERAL: Final = object()


@dataclass(frozen=True, slots=True, kw_only=True)
class Operand:
    """`literal` is the value itself where it is written in the expression."""

    text: str
    kind: Kind = Kind.UNKNOWN
    literal: Any = NOT_LITERAL

    @property
    def is_literal(self) -> bool:
        return self.literal is not NOT_LITERAL

    @property
    def is_short_text(self) -> bool:
        """A string of the expression's that costs nothing to read."""
        return type(self.literal) is str and len(self.literal) <= dispatch.FREE_TEXT

    @property
    def is_number(self) -> bool:
        return type(self.literal) in (int, float, values.UInt)


def literal(value: Any, text: str) -> Operand:
    return Operand(text=text, kind=_OF_LITERALS.get(type(value), Kind.UNKNOWN), literal=value)
