"""Which overload of a call the arguments ask for, and what the call costs."""

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from fleet.cel import budgets, types
from fleet.cel.faults import EvaluationError
from fleet.cel.overloads import Overload

Step: TypeAlias = Callable[[list[Any]], Any]

_LONG_TEXT = 1024  # characters that a function reads for nothing


def call(name: str, overloads: tuple[Overload, ...], steps: Sequence[Step]) -> Step:
    """The overloads are those that the static types leave; of `dyn` arguments, that may be several."""
    choose = _chooser(name, overloads)

    def run(frame: list[Any]) -> Any:
        arguments = [step(frame) for step in steps]
        overload = choose(arguments)
        budget: budgets.Budget = frame[0]
        for each in arguments:
            if type(each) is str and len(each) >= _LONG_TEXT:
                budget.spend(len(each) // _LONG_TEXT)
        metered = (budget,) if overload.metered else ()
        result = overload.call(*metered, *arguments)
        _pay(result, budget)
        return result

    return run


def _pay(result: Any, budget: budgets.Budget) -> None:
    kind = type(result)
    if kind is str or kind is bytes:
        budget.spend(len(result) >> 6)
    elif kind is list:
        budget.spend(len(result) >> 3)


def _chooser(name: str, overloads: tuple[Overload, ...]) -> Callable[[list[Any]], Overload]:
    known: dict[tuple[type, ...], Overload] = {}
    is_shallow = all(_is_shallow(each) for row in overloads for each in row.arguments)

    def choose(arguments: list[Any]) -> Overload:
        kinds = tuple(map(type, arguments))
        if kinds in known:
            return known[kinds]
        for each in overloads:
            if all(map(types.holds, each.arguments, arguments)):
                if is_shallow:
                    known[kinds] = each
                return each
        shown = ", ".join(map(types.name_of, arguments))
        raise EvaluationError(f"no such overload: {name}({shown})")

    return choose


def _is_shallow(wanted: types.Type) -> bool:
    """Whether the Python type alone tells if a value fits."""
    return all(each == types.DYN or each.name in types.PARAMETERS for each in wanted.of)
