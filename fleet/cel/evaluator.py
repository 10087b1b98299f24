"""From the checked tree to closures, built once and run often.

Errors travel as exceptions, and `&&`, `||`, `all` and `exists` absorb them exactly as CEL says; a spent budget is
absorbed by nothing. A loop's turn is paid for by the size of its body, so that no nesting of loops can run long.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from fleet.cel import budgets, checker, dispatch, lookup, loops, tree, values
from fleet.cel.faults import EvaluationError

Frame: TypeAlias = list[
    Any
]  # the budget, the bindings, then a slot for each name that a macro binds
Step: TypeAlias = Callable[[Frame], Any]

_FIRST_SLOT = 2


class Evaluator:
    """The closure, made when it is first needed: of many expressions that is never."""

    __slots__ = ("_checked", "_length", "_root", "_step")

    def __init__(self, root: tree.Node, checked: checker.Checked) -> None:
        self._root, self._checked = root, checked
        self._step: Step | None = None
        self._length = 0

    def run(self, budget: budgets.Budget, bindings: Mapping[str, Any]) -> Any:
        step = self._step
        if step is None:
            builder = _Builder(self._checked)
            step = self._step = builder.step(self._root)
            self._length = builder.length
        return step([budget, bindings, *[None] * (self._length - _FIRST_SLOT)])


class _Builder:
    def __init__(self, checked: checker.Checked) -> None:
        self._checked = checked
        self._ways = lookup.STRICT if checked.is_strict else lookup.LENIENT
        self._slots: Mapping[str, int] = {}
        self._later: Mapping[int, Step] = {}  # by slot: what `cel.bind` put there
        self._next = _FIRST_SLOT
        self.length = _FIRST_SLOT

    def step(self, node: tree.Node) -> Step:
        match node:
            case tree.Literal():
                return _constant(node.value)
            case tree.Name():
                return self._name(node)
            case tree.Select():
                return self._select(node)
            case tree.Call():
                return self._call(node)
            case _:
                return self._compound(node)

    def _compound(
        self, node: tree.ListOf | tree.MapOf | tree.Comprehension | tree.Binding
    ) -> Step:
        match node:
            case tree.ListOf():
                return self._list(node)
            case tree.MapOf():
                return self._map(node)
            case tree.Comprehension():
                return self._comprehension(node)
            case tree.Binding():
                return self._binding(node)

    def _name(self, node: tree.Name) -> Step:
        if node.name in self._slots and not node.is_rooted:
            slot = self._slots[node.name]
            later = self._later.get(slot)
            return (lambda frame: frame[slot]) if later is None else _once(slot, later)
        if node.at in self._checked.constants:
            return _constant(self._checked.constants[node.at])
        return _variable(self._checked.references.get(node.at, node.name))

    def _select(self, node: tree.Select) -> Step:
        if node.at in self._checked.constants:
            return _constant(self._checked.constants[node.at])
        if node.at in self._checked.references:
            return _variable(self._checked.references[node.at])
        operand, key = self.step(node.operand), node.field
        if node.test:
            holds = self._ways.holds
            return lambda frame: holds(operand(frame), key)
        if node.optional:
            optional = self._ways.optional
            return lambda frame: optional(operand(frame), key)
        return _field(operand, key, self._ways.value)

    def _call(self, node: tree.Call) -> Step:
        if node.function in _LOGIC:
            return _LOGIC[node.function]([self.step(each) for each in node.arguments])
        resolution = self._checked.calls[node.at]
        has_target = node.target is not None and not resolution.is_static
        operands = (node.target, *node.arguments) if has_target else node.arguments
        steps = [self.step(each) for each in operands if each is not None]
        if node.function in _INDICES:
            operand, key = steps
            return _index(operand, key, _INDICES[node.function](self._ways))
        if node.function == "orValue" and self._checked.opens_plain:
            return _plain_or_value(*steps)
        if node.function in _SPECIAL:
            return _SPECIAL[node.function](*steps)
        return dispatch.call(node.function, resolution.overloads, steps)

    def _list(self, node: tree.ListOf) -> Step:
        steps = [self.step(each) for each in node.items]
        if not node.optional:
            return lambda frame: [step(frame) for step in steps]
        return _list_with_optionals([(each, n in node.optional) for n, each in enumerate(steps)])

    def _map(self, node: tree.MapOf) -> Step:
        entries = [
            (self.step(each.key), self.step(each.value), each.optional) for each in node.entries
        ]
        return _map_of(entries, is_strict=self._checked.is_strict)

    def _bound(self, names: Sequence[str], *nodes: tree.Node | None) -> tuple[int, list[Step]]:
        """The nodes' steps where the names are bound, and the slot of the first one."""
        outer, first = self._slots, self._next
        self._slots = {**outer, **{name: first + n for n, name in enumerate(names)}}
        self._next = first + len(names)
        self.length = max(self.length, self._next)
        steps = [self.step(each) for each in nodes if each is not None]
        self._slots, self._next = outer, first
        return first, steps

    def _comprehension(self, node: tree.Comprehension) -> Step:
        over = self.step(node.over)
        slot, steps = self._bound(node.variables, node.condition, node.body)
        condition = steps[0] if node.condition is not None else None
        parts = [each for each in (node.condition, node.body) if each is not None]
        turns = loops.Turns(
            over=over,
            slot=slot,
            is_pair=len(node.variables) == 2,
            price=1 + sum(map(tree.weight, parts)),
        )
        return loops.loop(node.loop, turns, condition, steps[-1])

    def _binding(self, node: tree.Binding) -> Step:
        if not node.optional:
            return self._lazy_binding(node)
        value = self.step(node.value)
        slot, (body,) = self._bound((node.name,), node.body)
        return _optional_binding(value, slot, body, is_flat=node.optional == "optFlatMap")

    def _lazy_binding(self, node: tree.Binding) -> Step:
        """The value has slots of its own: it runs while the body's are in use."""
        slot, first = self._next, self._next + 1
        outer, length = self._later, self.length
        self._next = self.length = first
        value = self.step(node.value)
        self._next, self.length = self.length, max(length, self.length)
        self._later = {**outer, slot: value}
        body = self._body(node, slot)
        self._next, self._later = slot, outer
        return _unasked(slot, body)

    def _body(self, node: tree.Binding, slot: int) -> Step:
        outer, self._slots = self._slots, {**self._slots, node.name: slot}
        body = self.step(node.body)
        self._slots = outer
        return body


_UNASKED: Final = object()


@dataclass(frozen=True, slots=True)
class _Failed:
    error: EvaluationError


def _unasked(slot: int, body: Step) -> Step:
    def run(frame: Frame) -> Any:
        frame[slot] = _UNASKED
        return body(frame)

    return run


def _once(slot: int, value: Step) -> Step:
    """The value when it is first asked for; its error each time."""

    def run(frame: Frame) -> Any:
        found = frame[slot]
        if found is _UNASKED:
            found = frame[slot] = _tried(value, frame)
        if type(found) is _Failed:
            raise found.error
        return found

    return run


def _tried(value: Step, frame: Frame) -> Any:
    try:
        return value(frame)
    except EvaluationError as error:
        return _Failed(error)


def _constant(value: Any) -> Step:
    return lambda _: value


def _variable(name: str) -> Step:
    def run(frame: Frame) -> Any:
        try:
            return frame[1][name]
        except KeyError:
            raise EvaluationError(f"no such attribute(s): {name}") from None

    return run


def _field(operand: Step, key: str, otherwise: Callable[[Any, Any], Any]) -> Step:
    def run(frame: Frame) -> Any:
        container = operand(frame)
        if type(container) is dict:
            found = container.get(key, values.MISSING)
            if found is not values.MISSING:
                return found
        return otherwise(container, key)

    return run


def _logic(settling: bool) -> Callable[[list[Step]], Step]:  # noqa: FBT001  the value that decides
    def chain(steps: list[Step]) -> Step:
        def run(frame: Frame) -> bool:
            fault: EvaluationError | None = None
            for step in steps:
                try:
                    found: object = step(frame)
                except EvaluationError as error:
                    fault = fault or error
                    continue
                if found is settling:
                    return settling
                if found is not (not settling):
                    fault = fault or EvaluationError("no such overload")
            if fault is not None:
                raise fault
            return not settling

        return run

    return chain


def _conditional(condition: Step, then: Step, otherwise: Step) -> Step:
    def run(frame: Frame) -> Any:
        chosen = condition(frame)
        if chosen is True:
            return then(frame)
        if chosen is False:
            return otherwise(frame)
        raise EvaluationError("no such overload")

    return run


def _index(operand: Step, key: Step, look: Callable[[Any, Any], Any]) -> Step:
    return lambda frame: look(operand(frame), key(frame))


def _present(value: Any) -> values.Optional:
    if not isinstance(value, values.Optional):
        raise EvaluationError("no such overload")
    return value


def _or(one: Step, other: Step) -> Step:
    def run(frame: Frame) -> Any:
        found = _present(one(frame))
        return found if found.present else _present(other(frame))

    return run


def _or_value(one: Step, other: Step) -> Step:
    def run(frame: Frame) -> Any:
        found = _present(one(frame))
        return found.value if found.present else other(frame)

    return run


def _plain_or_value(one: Step, other: Step) -> Step:
    def run(frame: Frame) -> Any:
        found = one(frame)
        if not isinstance(found, values.Optional):
            return found
        return found.value if found.present else other(frame)

    return run


def _optional_binding(value: Step, slot: int, body: Step, *, is_flat: bool) -> Step:
    def run(frame: Frame) -> Any:
        found = _present(value(frame))
        if not found.present:
            return values.NONE
        frame[slot] = found.value
        made = body(frame)
        return _present(made) if is_flat else values.optional(made)

    return run


def _list_with_optionals(steps: list[tuple[Step, bool]]) -> Step:
    def run(frame: Frame) -> list[Any]:
        found: list[Any] = []
        for step, is_optional in steps:
            value = step(frame)
            if not is_optional:
                found.append(value)
            elif _present(value).present:
                found.append(value.value)
        return found

    return run


def _map_of(entries: list[tuple[Step, Step, bool]], *, is_strict: bool) -> Step:
    def run(frame: Frame) -> Mapping[Any, Any]:
        found: list[tuple[Any, Any]] = []
        for key, value, is_optional in entries:
            name, content = key(frame), value(frame)
            if not is_optional:
                found.append((name, content))
            elif _present(content).present:
                found.append((name, content.value))
        return values.written(found, is_strict=is_strict)

    return run


_LOGIC: Mapping[str, Callable[[list[Step]], Step]] = {"_&&_": _logic(False), "_||_": _logic(True)}
_INDICES: Mapping[str, Callable[[lookup.Ways], Callable[[Any, Any], Any]]] = {
    "_[_]": lambda ways: ways.value,
    "_[?_]": lambda ways: ways.optional,
}
_SPECIAL: Mapping[str, Callable[..., Step]] = {
    "_?_:_": _conditional,
    "or": _or,
    "orValue": _or_value,
}
