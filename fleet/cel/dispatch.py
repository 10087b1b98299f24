"""Which overload of a call the arguments ask for, and what the call costs."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from fleet.cel import budgets, types
from fleet.cel.faults import EvaluationError
from fleet.cel.overloads import Overload, Reads

Step: TypeAlias = Callable[[list[Any]], Any]
Runner: TypeAlias = Callable[[budgets.Budget, Sequence[Any]], Any]
"""What one overload does with arguments that it fits, or what a call does with any."""

FREE_TEXT = 256  # characters that a function reads or makes for one unit
_UNSIZED = frozenset({"bool", "int", "uint", "double"})


def runner(name: str, overloads: tuple[Overload, ...]) -> Runner:
    """The call by itself, for arguments that somebody else evaluated."""
    known: dict[tuple[type, ...], Runner] = {}
    choose = _chooser(name, overloads, known)

    def run(budget: budgets.Budget, arguments: Sequence[Any]) -> Any:
        chosen = known.get(tuple(map(type, arguments))) or choose(arguments)
        return chosen(budget, arguments)

    return run


def call(name: str, overloads: tuple[Overload, ...], steps: Sequence[Step]) -> Step:
    """The overloads are those that the static types leave; of `dyn` arguments, that may be several."""
    known: dict[tuple[type, ...], Runner] = {}
    choose = _chooser(name, overloads, known)
    if len(steps) != 2:
        return _of_any(known, choose, steps)
    first, second = steps

    def run(frame: list[Any]) -> Any:
        one, other = first(frame), second(frame)
        chosen = known.get((type(one), type(other))) or choose((one, other))
        return chosen(frame[0], (one, other))

    return run


def _of_any(
    known: dict[tuple[type, ...], Runner],
    choose: Callable[[Sequence[Any]], Runner],
    steps: Sequence[Step],
) -> Step:
    def run(frame: list[Any]) -> Any:
        arguments = [step(frame) for step in steps]
        chosen = known.get(tuple(map(type, arguments))) or choose(arguments)
        return chosen(frame[0], arguments)

    return run


def _chooser(
    name: str, overloads: tuple[Overload, ...], known: dict[tuple[type, ...], Runner]
) -> Callable[[Sequence[Any]], Runner]:
    """Remembers its choice where the Python types alone make it."""
    is_shallow = all(_is_shallow(each) for row in overloads for each in row.arguments)
    runners = [(() if each.loose else each.arguments, _runner(each)) for each in overloads]

    def choose(arguments: Sequence[Any]) -> Runner:
        for wanted, fitting in runners:
            if all(map(types.holds, wanted, arguments)):
                if is_shallow:
                    known[tuple(map(type, arguments))] = fitting
                return fitting
        shown = ", ".join(map(types.name_of, arguments))
        raise EvaluationError(f"no such overload: {name}({shown})")

    return choose


def _is_shallow(wanted: types.Type) -> bool:
    return all(each == types.DYN or each.name in types.PARAMETERS for each in wanted.of)


_RUNNERS: dict[int, tuple[Overload, Runner]] = {}  # by identity: the library's rows are made once


def _runner(overload: Overload) -> Runner:
    known = _RUNNERS.get(id(overload))
    if known is None:
        known = _RUNNERS[id(overload)] = (overload, _made_runner(overload))
    return known[1]


def _made_runner(overload: Overload) -> Runner:
    plain = overload.call
    if overload.metered:
        return _sized(overload, plain)
    if all(each.name in _UNSIZED for each in (*overload.arguments, overload.result)):
        return lambda _, arguments: plain(*arguments)
    return _sized(overload, lambda _, *arguments: plain(*arguments))


def _sized(overload: Overload, metered: Callable[..., Any]) -> Runner:
    price, read = overload.price, _READ[overload.reads]

    def run(budget: budgets.Budget, arguments: Sequence[Any]) -> Any:
        units = price + read(arguments)
        if units:
            budget.spend(units)
        result = metered(budget, *arguments)
        if type(result) in _SIZED:
            budget.spend(len(result) // _SIZED[type(result)])
        return result

    return run


def _all_read(arguments: Sequence[Any]) -> int:
    units = 0
    for each in arguments:
        if type(each) is str and len(each) > FREE_TEXT:
            units += len(each) // FREE_TEXT
    return units


def _shortest_read(arguments: Sequence[Any]) -> int:
    one, other = arguments
    if type(one) is not str or type(other) is not str:
        return 0
    shortest = min(len(one), len(other))
    return shortest // FREE_TEXT if shortest > FREE_TEXT else 0


_READ: Mapping[Reads, Callable[[Sequence[Any]], int]] = {
    Reads.ALL: _all_read,
    Reads.SHORTEST: _shortest_read,
    Reads.NOTHING: lambda _: 0,
}
_SIZED: Mapping[type, int] = {str: 64, bytes: 64, list: 8}
