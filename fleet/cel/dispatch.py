"""Which overload of a call the arguments ask for, and what the call costs."""

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from fleet.cel import budgets, types
from fleet.cel.faults import EvaluationError
from fleet.cel.overloads import Overload

Step: TypeAlias = Callable[[list[Any]], Any]
Runner: TypeAlias = Callable[[budgets.Budget, Sequence[Any]], Any]

_FREE_TEXT = 256  # characters that a function reads or makes for one unit
_UNSIZED = frozenset({"bool", "int", "uint", "double"})


def call(name: str, overloads: tuple[Overload, ...], steps: Sequence[Step]) -> Step:
    """The overloads are those that the static types leave; of `dyn` arguments, that may be several."""
    known: dict[tuple[type, ...], Runner] = {}
    choose = _chooser(name, overloads, known)
    if len(steps) != 2:
        return _of_any(known, choose, steps)
    first, second = steps

    def run(frame: list[Any]) -> Any:
        one, other = first(frame), second(frame)
        runner = known.get((type(one), type(other))) or choose((one, other))
        return runner(frame[0], (one, other))

    return run


def _of_any(
    known: dict[tuple[type, ...], Runner],
    choose: Callable[[Sequence[Any]], Runner],
    steps: Sequence[Step],
) -> Step:
    def run(frame: list[Any]) -> Any:
        arguments = [step(frame) for step in steps]
        runner = known.get(tuple(map(type, arguments))) or choose(arguments)
        return runner(frame[0], arguments)

    return run


def _chooser(
    name: str, overloads: tuple[Overload, ...], known: dict[tuple[type, ...], Runner]
) -> Callable[[Sequence[Any]], Runner]:
    """Remembers its choice where the Python types alone make it."""
    is_shallow = all(_is_shallow(each) for row in overloads for each in row.arguments)
    runners = [(() if each.loose else each.arguments, _runner(each)) for each in overloads]

    def choose(arguments: Sequence[Any]) -> Runner:
        for wanted, runner in runners:
            if all(map(types.holds, wanted, arguments)):
                if is_shallow:
                    known[tuple(map(type, arguments))] = runner
                return runner
        shown = ", ".join(map(types.name_of, arguments))
        raise EvaluationError(f"no such overload: {name}({shown})")

    return choose


def _is_shallow(wanted: types.Type) -> bool:
    return all(each == types.DYN or each.name in types.PARAMETERS for each in wanted.of)


def _runner(overload: Overload) -> Runner:
    plain = overload.call
    if overload.metered:
        return _sized(overload, plain)
    if all(each.name in _UNSIZED for each in (*overload.arguments, overload.result)):
        return lambda _, arguments: plain(*arguments)
    return _sized(overload, lambda _, *arguments: plain(*arguments))


def _sized(overload: Overload, metered: Callable[..., Any]) -> Runner:
    price = overload.price

    def run(budget: budgets.Budget, arguments: Sequence[Any]) -> Any:
        units = price
        for each in arguments:
            if type(each) is str and len(each) > _FREE_TEXT:
                units += len(each) // _FREE_TEXT
        if units:
            budget.spend(units)
        result = metered(budget, *arguments)
        if type(result) in _SIZED:
            budget.spend(len(result) // _SIZED[type(result)])
        return result

    return run


_SIZED: dict[type, int] = {str: 64, bytes: 64, list: 8}
