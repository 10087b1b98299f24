"""CEL's values in Python: JSON's own types stand for themselves, the rest has a class here or in its library.

int is int64, bool is never a number, str counts in code points, list and dict are never changed.
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final

from fleet.cel import budgets
from fleet.cel.faults import EvaluationError

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
    offset: int = field(default=0, compare=False)  # seconds east of UTC, for its text alone


@dataclass(frozen=True, slots=True)
class TypeName:
    """A type as a value, as `type(1) == int` compares them."""

    name: str


@dataclass(frozen=True, slots=True)
class Optional:
    """`value` means something only where `present`."""

    present: bool
    value: Any = None


class Opaque:
    """What a library's values inherit; their equality is Python's."""

    __slots__ = ()
    type_name: ClassVar[str]


@dataclass(frozen=True, slots=True)
class Unknown(Opaque):
    """Something of a known type that nobody can tell: whatever asks for a part of it gets the reason as an error."""

    type_name: str  # type: ignore[misc]  # of a value here, of a class elsewhere
    reason: str


_FIRST_MOMENT = -62_135_596_800 * 10**9  # of the year 1, which is Go's zero
NONE = Optional(present=False)
MISSING: Final = object()  # what `find` answers where there is nothing; never a value

NUMBERS = frozenset({int, float, UInt})
_KEYS = frozenset({bool, int, UInt, str})


def optional(value: Any) -> Optional:
    return Optional(present=True, value=value)


def equal(one: Any, other: Any, budget: budgets.Budget) -> bool:
    """CEL's equality: numbers by their value across types, all else only within its type."""
    kind = type(one)
    if kind is not type(other):
        return _equal_kinds(one, other, budget)
    if kind is list:
        return len(one) == len(other) and _equal_lists(one, other, budget)
    if kind is dict:
        return _equal_maps(one, other, budget)
    if kind is Optional:
        return one.present == other.present and equal(one.value, other.value, budget)
    if kind is Mixed:
        return _equal_maps(one, other, budget)
    return bool(one == other)


def _equal_lists(one: list[Any], other: list[Any], budget: budgets.Budget) -> bool:
    budget.spend(len(one))
    for left, right in zip(one, other, strict=True):
        if type(left) is str and type(right) is str:
            if left != right:
                return False
        elif not equal(left, right, budget):
            return False
    return True


def _equal_kinds(one: Any, other: Any, budget: budgets.Budget) -> bool:
    if isinstance(one, list) and isinstance(other, list):
        return bool(one == other)  # of which one has an equality of its own
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return _equal_maps(one, other, budget)
    if type(one) not in NUMBERS or type(other) not in NUMBERS:
        return False
    return bool(as_like(one, other) == as_like(other, one))


def as_like(number: Any, other: Any) -> Any:
    """The number as it is compared with another one: with a double as a double, whatever digits that costs."""
    if type(other) is not float or type(number) is float:
        return number
    try:
        return float(number)
    except OverflowError:
        return math.copysign(math.inf, number)


def _equal_maps(one: Mapping[Any, Any], other: Mapping[Any, Any], budget: budgets.Budget) -> bool:
    budget.spend(2 * len(one))
    return len(one) == len(other) and all(
        equal(value, find(other, key), budget) for key, value in one.items()
    )


def find(mapping: Mapping[Any, Any], key: Any) -> Any:
    """The value of a key or MISSING. Python takes True for 1, CEL does not."""
    if type(key) is str:
        return mapping.get(key, MISSING)
    if type(key) not in _KEYS and type(key) is not float:
        return MISSING
    found = mapping.get(key, MISSING)
    if found is MISSING or key not in (0, 1) or type(mapping) is Mixed:
        return found
    is_bool = type(key) is bool
    is_same = any(each == key and (type(each) is bool) == is_bool for each in mapping)
    return found if is_same else MISSING


class Mixed(Mapping[Any, Any]):
    """A map with keys that are one key for Python: true and 1, 1 and 1u. What has none such is a plain dict.

    A number finds the key of its own type first, then that of another one.
    """

    __slots__ = ("_entries",)
    __hash__ = None  # type: ignore[assignment]  # as a dict

    def __init__(self, entries: Iterable[tuple[Any, Any]] = ()) -> None:
        self._entries = {(type(key), key): (key, value) for key, value in entries}

    def __getitem__(self, key: Any) -> Any:
        for kind in _ALIKE.get(type(key), ()):
            if (kind, key) in self._entries:
                return self._entries[kind, key][1]
        raise KeyError(key)

    def __iter__(self) -> Iterator[Any]:
        return (key for key, _ in self._entries.values())

    def __len__(self) -> int:
        return len(self._entries)

    def insert(self, key: Any, value: Any) -> None:
        """While it is being made."""
        _checked_key(key)
        if key in self:
            raise EvaluationError(f"insert failed: key {key} already exists")
        self._entries[type(key), key] = (key, value)

    def plain(self) -> Mapping[Any, Any]:
        """As a dict if that can hold it."""
        found = dict(self._entries.values())
        return found if len(found) == len(self) else self


_ALIKE: Mapping[type, tuple[type, ...]] = {
    str: (str,),
    bool: (bool,),
    int: (int, UInt),
    UInt: (UInt, int),
    float: (int, UInt),
}


def merged(entries: list[tuple[Any, Any]]) -> Mapping[Any, Any]:
    """Of a key that is there twice the last value counts."""
    found = dict(entries)
    return found if len(found) == len(entries) else Mixed(entries).plain()


def written(entries: list[tuple[Any, Any]], *, is_strict: bool) -> Mapping[Any, Any]:
    """What a literal makes; strictly, a key that is there twice is an error, 1 and 1u are one."""
    if is_strict:
        found = Mixed()
        for key, value in entries:
            found.insert(key, value)
        return found.plain()
    for key, _ in entries:
        _checked_key(key)
    return merged(entries)


def _checked_key(key: Any) -> None:
    if type(key) not in _KEYS:
        raise EvaluationError("unsupported key type")


def insert(mapping: dict[Any, Any], key: Any, value: Any) -> None:
    """One more entry of a map that is being made, of keys that Python tells apart."""
    _checked_key(key)
    if key in mapping:
        raise EvaluationError(f"insert failed: key {key} already exists")
    mapping[key] = value


def is_zero(value: Any) -> bool:
    """What `optional.ofNonZeroValue` takes for nothing."""
    if isinstance(value, Duration):
        return value.nanoseconds == 0
    if isinstance(value, Timestamp):
        return value.nanoseconds == _FIRST_MOMENT
    plain = (bool, int, float, str, bytes, list, Mapping)
    return value is None or (isinstance(value, plain) and not value)
