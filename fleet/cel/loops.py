"""The macros that go over lists and maps, as closures."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from fleet.cel import types, values
from fleet.cel.faults import EvaluationError
from fleet.cel.library import lists
from fleet.cel.tree import Loop

Frame: TypeAlias = list[Any]
Step: TypeAlias = Callable[[Frame], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Turns:
    """What is gone over, where the element goes, and what a turn costs."""

    over: Step
    slot: int
    is_pair: bool
    price: int

    def run(self, frame: Frame) -> Iterator[Any]:
        """One turn a step: the frame is set, the turn is paid for; yields the first name's value."""
        budget, slot, price = frame[0], self.slot, self.price
        over = self.over(frame)
        if isinstance(over, Mapping):
            budget.spend(len(over) >> 3)  # it is copied
        if not self.is_pair:
            for element in _elements(over):
                budget.spend(price)
                frame[slot] = element
                yield element
            return
        for key, element in _pairs(over):
            budget.spend(price)
            frame[slot], frame[slot + 1] = key, element
            yield key


def loop(kind: Loop, turns: Turns, condition: Step | None, body: Step) -> Step:
    if kind in _DECIDING:
        return _decided(turns, body, settling=_DECIDING[kind])
    return _LOOPS[kind](turns, condition or _always, body)


def _always(_: Frame) -> bool:
    return True


def _elements(over: Any) -> Iterable[Any]:
    if isinstance(over, list):
        return over
    if isinstance(over, Mapping):
        return list(over)
    raise _not_iterable(over)


def _pairs(over: Any) -> Iterable[tuple[Any, Any]]:
    if isinstance(over, list):
        return enumerate(over)
    if isinstance(over, Mapping):
        return list(over.items())
    raise _not_iterable(over)


# What the evaluator of Kubernetes calls a value in this one message: by its own type, not by the language's.
_TOLD = {
    "bool": "types.Bool",
    "bytes": "types.Bytes",
    "double": "types.Double",
    "google.protobuf.Duration": "types.Duration",
    "google.protobuf.Timestamp": "types.Timestamp",
    "int": "types.Int",
    "null_type": "types.Null",
    "optional_type": "*types.Optional",
    "string": "types.String",
    "type": "*types.Type",
    "uint": "types.Uint",
}


def _not_iterable(over: Any) -> EvaluationError:
    name = types.name_of(over)
    return EvaluationError(f"got '{_TOLD.get(name, name)}', expected iterable type")


def _bool(value: Any) -> bool:
    if type(value) is not bool:
        raise EvaluationError("no such overload")
    return value


def _decided(turns: Turns, body: Step, *, settling: bool) -> Step:
    """`all` ends with the first false, `exists` with the first true, whatever errors came before."""

    def run(frame: Frame) -> bool:
        fault: EvaluationError | None = None
        for _ in turns.run(frame):
            try:
                if _bool(body(frame)) is settling:
                    return settling
            except EvaluationError as error:
                fault = fault or error
        if fault is not None:
            raise fault
        return not settling

    return run


def _exists_one(turns: Turns, _: Step, body: Step) -> Step:
    return lambda frame: sum(_bool(body(frame)) for _ in turns.run(frame)) == 1


def _filter(turns: Turns, _: Step, body: Step) -> Step:
    return lambda frame: [each for each in turns.run(frame) if _bool(body(frame))]


def _map(turns: Turns, condition: Step, body: Step) -> Step:
    return lambda frame: [body(frame) for _ in turns.run(frame) if _bool(condition(frame))]


def _transform_map(turns: Turns, condition: Step, body: Step) -> Step:
    def run(frame: Frame) -> Mapping[Any, Any]:
        return values.merged(
            [(key, body(frame)) for key in turns.run(frame) if _bool(condition(frame))]
        )

    return run


def _transform_entries(turns: Turns, condition: Step, body: Step) -> Step:
    def run(frame: Frame) -> Mapping[Any, Any]:
        found = values.Mixed()
        for _ in turns.run(frame):
            if _bool(condition(frame)):
                for key, value in _entries(body(frame)):
                    found.insert(key, value)
        return found.plain()

    return run


def _entries(made: Any) -> Iterable[tuple[Any, Any]]:
    if not isinstance(made, Mapping):
        raise EvaluationError("no such overload")
    return made.items()


def insert_all(found: dict[Any, Any], made: Any) -> None:
    """Of keys that Python tells apart."""
    for key, value in _entries(made):
        values.insert(found, key, value)


def _sort_by(turns: Turns, _: Step, body: Step) -> Step:
    def run(frame: Frame) -> list[Any]:
        items: list[Any] = []
        keys: list[Any] = []
        for each in turns.run(frame):
            items.append(each)
            keys.append(body(frame))
        return lists.sorted_by(frame[0], items, keys)

    return run


_DECIDING: Mapping[Loop, bool] = {Loop.ALL: False, Loop.EXISTS: True}
_LOOPS: Mapping[Loop, Callable[[Turns, Step, Step], Step]] = {
    Loop.EXISTS_ONE: _exists_one,
    Loop.FILTER: _filter,
    Loop.MAP: _map,
    Loop.TRANSFORM_LIST: _map,
    Loop.TRANSFORM_MAP: _transform_map,
    Loop.TRANSFORM_MAP_ENTRY: _transform_entries,
    Loop.SORT_BY: _sort_by,
}
