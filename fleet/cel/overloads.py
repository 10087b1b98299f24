"""One row for each way a function may be called: the checker and the evaluator both walk these rows."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from fleet.cel import types


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


def function(
    name: str,
    arguments: Iterable[types.Type],
    result: types.Type,
    call: Callable[..., Any],
    *,
    metered: bool = False,
    price: int = 0,
) -> Overload:
    return Overload(name, tuple(arguments), result, call, metered=metered, price=price)


def method(
    name: str,
    arguments: Iterable[types.Type],
    result: types.Type,
    call: Callable[..., Any],
    *,
    metered: bool = False,
    price: int = 0,
    loose: bool = False,
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
    )
