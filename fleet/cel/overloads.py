"""One row for each way a function may be called: the checker and the evaluator both walk these rows."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from fleet.cel import types


class Reads(Enum):
    """How much of the strings that it is given a function looks at: what a call is charged for."""

    ALL = "all"
    SHORTEST = "shortest"  # a comparison ends where the shorter one does
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Overload:
    """`arguments` begin with the receiver where `member`; what is `metered` gets the run's budget before them.

    `price` is what one call costs beyond a step of the evaluator; what is `loose` takes any value where the static
    types let it pass.
    """

    name: str
    arguments: tuple[types.Type, ...]
    result: types.Type
    call: Callable[..., Any]
    member: bool = False
    metered: bool = False
    price: int = 0
    loose: bool = False
    reads: Reads = Reads.ALL
    is_plain: bool = field(init=False)  # without parameters, so that there is nothing to settle

    def __post_init__(self) -> None:
        plain = not any(map(types.is_parametric, (*self.arguments, self.result)))
        object.__setattr__(self, "is_plain", plain)


def function(
    name: str,
    arguments: Iterable[types.Type],
    result: types.Type,
    call: Callable[..., Any],
    *,
    metered: bool = False,
    price: int = 0,
    reads: Reads = Reads.ALL,
) -> Overload:
    return Overload(
        name, tuple(arguments), result, call, metered=metered, price=price, reads=reads
    )


def method(
    name: str,
    arguments: Iterable[types.Type],
    result: types.Type,
    call: Callable[..., Any],
    *,
    metered: bool = False,
    price: int = 0,
    loose: bool = False,
    reads: Reads = Reads.ALL,
) -> Overload:
    return Overload(
        name,
        tuple(arguments),
        result,
        call,
        member=True,
        metered=metered,
        price=price,
        loose=loose,
        reads=reads,
    )
