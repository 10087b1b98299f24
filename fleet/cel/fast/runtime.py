"""What the written code calls, and what it may spend before it leaves the rest to the exact evaluator.

The allowances are so small that the exact evaluator could not have run out of its own budget on the way here: each
node of a turn costs it at most nine units more than were counted, so 10,000 turns' nodes, 1,000 nodes outside of loops
and the allowance for functions stay below `budgets.DEFAULT_BUDGET` together.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from fleet.cel import budgets, lookup, loops, values
from fleet.cel.library import strings

Function: TypeAlias = Callable[[Mapping[str, Any]], Any]

BAIL: Final = object()
# An optional that holds nothing: by `get`, nothing lies in it either.
ABSENT: Final[dict[str, Any]] = {}
UNSET: Final = object()  # a definition that nobody has asked for so far
TURNS = 10_000  # nodes of the bodies of loops, and elements of lists that are made or searched
CALLS = 30_000  # of what functions of the library count themselves
MOST_NODES = 1000  # of an expression with its definitions; a larger one is evaluated exactly


class _Left(Exception):  # noqa: N818 - no error: the exact evaluator goes on from here
    pass


class Allowance(budgets.Budget):
    """What library functions may spend; beyond it the quick way ends, not the evaluation."""

    __slots__ = ()

    def spend(self, units: int) -> None:
        self.left -= units
        if self.left < 0:
            raise _Left


def allowance() -> Allowance:
    return Allowance(CALLS)


def opened(value: Any) -> Any:
    """The value inside an optional or ABSENT."""
    if type(value) is not values.Optional:
        raise _Left
    return value.value if value.present else ABSENT


def inserted(entries: list[tuple[Any, Any]]) -> Mapping[Any, Any]:
    """Which value of a key that is there twice counts, the exact evaluator knows."""
    return values.written(entries, is_strict=True)


# Everything that written code may name besides its own constants. There are no builtins in it.
NAMES: Mapping[str, Any] = {
    "__builtins__": {},
    **{each.__name__: each for each in (type, len, str, int, list, dict, bool, enumerate)},
    "BAIL": BAIL,
    "TURNS": TURNS,
    "SPACE": strings.SPACE,
    "LOWER": strings.LOWER,
    "ABSENT": ABSENT,
    "UNSET": UNSET,
    "NONE": values.NONE,
    "Optional": values.Optional,
    "allowance": allowance,
    "opened": opened,
    "inserted": inserted,
    "insert_all": loops.insert_all,
}


def names(ways: lookup.Ways) -> dict[str, Any]:
    return {**NAMES, "holds": ways.holds, "value_at": ways.value, "optional_at": ways.optional}
