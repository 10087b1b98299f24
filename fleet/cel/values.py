"""CEL's values in Python: JSON's own types stand for themselves, the rest has a class here.

int is int64, bool is never a number, str counts in code points, list and dict are never changed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

MAX_INT, MIN_INT, MAX_UINT = 2**63 - 1, -(2**63), 2**64 - 1


class UInt(int):
    """uint64."""

    __slots__ = ()


@dataclass(frozen=True, slots=True, order=True)
class Duration:
    nanoseconds: int


@dataclass(frozen=True, slots=True, order=True)
class Timestamp:
    nanoseconds: int  # since 1970-01-01T00:00:00Z


@dataclass(frozen=True, slots=True)
class TypeName:
    """A type as a value, as `type(1) == int` compares them."""

    name: str


@dataclass(frozen=True, slots=True)
class Optional:
    """`value` means something only where `present`."""

    present: bool
    value: Any = None


NONE = Optional(present=False)

_NUMBERS = frozenset({int, float, UInt})


def optional(value: Any) -> Optional:
    return Optional(present=True, value=value)


def equal(one: Any, other: Any) -> bool:
    """CEL's equality: numbers by their value across types, all else only within its type; never an error."""
    kind = type(one)
    if kind is not type(other):
        return kind in _NUMBERS and type(other) in _NUMBERS and bool(one == other)
    if kind is list:
        return len(one) == len(other) and all(map(equal, one, other))
    if kind is dict:
        return len(one) == len(other) and all(
            key in other and equal(value, other[key]) for key, value in one.items()
        )
    if kind is Optional:
        return one.present == other.present and equal(one.value, other.value)
    return bool(one == other)


def is_zero(value: Any) -> bool:
    """What `optional.ofNonZeroValue` takes for nothing."""
    if isinstance(value, Duration):
        return value.nanoseconds == 0
    return value is None or (isinstance(value, (bool, int, float, str, bytes, list, Mapping)) and not value)
