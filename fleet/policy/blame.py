"""Which field of the object a denial is about: a guess, made by asking the parts of the failed expression alone.

It only moves a finding from the object's first line to a better one, so whatever goes wrong here ends in a shorter
path and never in an error.
"""

import functools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from fleet import cel
from fleet.cel import parser, tree, types
from fleet.policy import documents, expressions, spans, spelling

Path = tuple[str, ...]

_QUESTIONS = 100  # asked of one denial
_BUDGET = 20_000  # of one question
_REMEMBERED = 2_000  # parts of expressions
_UNSURE = object()


class _Enough(Exception):  # noqa: N818 - no error: the search has taken as long as it may
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class Guilt:
    """The field of the object, and the part of an expression that decided; `at` counts its characters from 1."""

    path: Path = ()
    text: str = ""  # "" = which part it was cannot be told
    at: int = 0
    variable: str = ""  # in whose expression that part stands; "" = in the one that was asked


def path(
    expression: expressions.Expression | None,
    policy: documents.Policy,
    scene: Mapping[str, Any],
) -> Path:
    """Of the field that made the expression false; () where that cannot be told."""
    return () if expression is None else _searched(expression, policy, scene)[0]


def guilt(
    expression: expressions.Expression, policy: documents.Policy, scene: Mapping[str, Any]
) -> Guilt:
    """What made the expression false, for whoever reads it."""
    found, search = _searched(expression, policy, scene)
    leaf = search.leaf(found)
    if leaf is None:
        return Guilt(path=found)
    node, variable = leaf
    text = policy.variables[variable].text if variable else expression.text
    span = spans.span(text, node)
    if span is None:
        return Guilt(path=found, variable=variable)
    return Guilt(path=found, text=text[slice(*span)], at=span[0] + 1, variable=variable)


def _searched(
    expression: expressions.Expression, policy: documents.Policy, scene: Mapping[str, Any]
) -> tuple[Path, "_Search"]:
    here = _Place(bindings=scene, known={"object": ()})
    search = _Search(policy, scene["object"])
    try:
        return search.blamed(_parsed(expression.text), here, wanted=True), search
    except (cel.CompileError, RecursionError, _Enough):
        return (), search


_parsed = functools.lru_cache(maxsize=_REMEMBERED)(parser.parse)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Language:
    """All that the meaning of a part of an expression depends on: of equal ones the programs are the same."""

    has_params: bool
    is_kyverno: bool
    variables: tuple[tuple[str, str], ...]  # with their texts
    written: Mapping[str, expressions.Expression] = field(compare=False, repr=False)  # the same
    loops: tuple[str, ...] = ()  # names of loops around it, the innermost last


@functools.lru_cache(maxsize=_REMEMBERED)
def _program(text: str, language: _Language) -> cel.Program:
    environment = expressions.environment(
        has_params=language.has_params, is_kyverno=language.is_kyverno
    )
    environment = expressions.with_variables(environment, language.written)
    for name in language.loops:
        environment = environment.extended(name, types.DYN)
    return cel.compile(text, environment)


def _containers(value: Any, where: Path) -> Iterator[tuple[int, Path]]:
    """Every mapping and list of the object by its identity: expressions hand them on unchanged."""
    if isinstance(value, Mapping):
        yield id(value), where
        for key, inner in value.items():
            yield from _containers(inner, (*where, str(key)))
    elif isinstance(value, list):
        yield id(value), where
        for index, inner in enumerate(value):
            yield from _containers(inner, (*where, str(index)))


class _Same:
    """A value by its identity, which it keeps for as long as it is remembered."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self.value is other.value

    def __hash__(self) -> int:
        return id(self.value)


@functools.lru_cache(maxsize=2)  # of one object there may be several denials, one after the other
def _by_identity(judged: _Same) -> Mapping[int, Path]:
    return dict(_containers(judged.value, ()))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """Where in an expression we are: what its names mean, and which of them are parts of the object."""

    bindings: Mapping[str, Any] = field(repr=False)
    known: Mapping[str, Path]
    loops: tuple[str, ...] = ()
    owner: str = ""  # the variable whose expression this is

    def inside(self, name: str, value: Any, where: Path | None) -> "_Place":
        known = {each: path for each, path in self.known.items() if each != name}
        return _Place(
            bindings={**self.bindings, name: value},
            known=known if where is None else {**known, name: where},
            loops=(*self.loops, name),
            owner=self.owner,
        )


class _Search:
    def __init__(self, policy: documents.Policy, judged: Any) -> None:
        self._variables, self._judged = policy.variables, judged
        self._language = _Language(
            has_params=policy.param_kind is not None,
            is_kyverno=policy.dialect.is_kyverno,
            variables=tuple((name, each.text) for name, each in policy.variables.items()),
            written=policy.variables,
        )
        self._leaves: list[tuple[Path, tree.Node, str]] = []
        self._left = _QUESTIONS

    def leaf(self, path: Path) -> tuple[tree.Node, str] | None:
        """The part that led to this path, else the first that was looked at, and whose it is."""
        fitting = [each for each in self._leaves if each[0] == path] or self._leaves
        return fitting[0][1:] if fitting else None

    @property
    def _containers(self) -> Mapping[int, Path]:
        return _by_identity(_Same(self._judged))

    def blamed(self, node: tree.Node, here: _Place, *, wanted: bool) -> Path:
        """`node` should have been `wanted` and is the opposite."""
        match node:
            case tree.Call(function="!_", arguments=(inner,)):
                return self.blamed(inner, here, wanted=not wanted)
            case tree.Call(function="_&&_" | "_||_", arguments=sides):
                guilty = (s for s in sides if self._value(s, here) is not wanted)
                return _longest(self.blamed(each, here, wanted=wanted) for each in guilty)
            case tree.Call(function="_?_:_", arguments=(condition, yes, no)):
                chosen = yes if self._value(condition, here) is True else no
                return self.blamed(chosen, here, wanted=wanted)
            case tree.Comprehension(loop=tree.Loop.ALL | tree.Loop.EXISTS, variables=(_,)):
                return self._loop(node, here, wanted=wanted)
            case tree.Select(operand=tree.Name(name="variables"), test=False):
                return self._variable(node.field, here, wanted=wanted)
            case _:
                return self._leaf(node, _longest(self._mentioned(node, here)), here)

    def _leaf(self, node: tree.Node, path: Path, here: _Place) -> Path:
        self._leaves.append((path, node, here.owner))
        return path

    def _loop(self, node: tree.Comprehension, here: _Place, *, wanted: bool) -> Path:
        """The first element whose body is not as wanted; where one that is was missing, the whole."""
        where = self._path(node.over, here)
        if (node.loop is tree.Loop.ALL) is wanted:
            for inside in self._elements(node, here, where):
                if self._value(node.body, inside) is (not wanted):
                    return _longest(
                        (
                            inside.known.get(node.variables[0], ()),
                            self.blamed(node.body, inside, wanted=wanted),
                        )
                    )
        return self._leaf(node, where or (), here)

    def _elements(
        self, node: tree.Comprehension, here: _Place, where: Path | None
    ) -> Iterator[_Place]:
        over = self._value(node.over, here)
        steps: Iterable[Any] = over if isinstance(over, (list, Mapping)) else ()
        for index, element in enumerate(steps):
            own = self._containers.get(id(element))
            if own is None and where is not None:
                step = str(index) if isinstance(over, list) else str(element)
                own = (*where, step)
            yield here.inside(node.variables[0], element, own)

    def _variable(self, name: str, here: _Place, *, wanted: bool) -> Path:
        """Inside the variable's own expression, where no name of a loop reaches."""
        self._ask()
        written = self._variables.get(name)
        if written is None:
            return ()
        top = _top(here, name)
        return self.blamed(_parsed(written.text), top, wanted=wanted)

    def _mentioned(self, node: tree.Node, here: _Place) -> Iterator[Path]:
        """The parts of the object that an expression names, whatever it does with them."""
        found = self._path(node, here)
        if found is not None:
            yield found
            return
        match node:
            case tree.Call():
                inner = (node.target, *node.arguments) if node.target else node.arguments
            case tree.Select():
                inner = (node.operand,)
            case tree.Comprehension():
                inner = (node.over,)
            case tree.ListOf():
                inner = node.items
            case _:
                inner = ()
        for each in inner:
            yield from self._mentioned(each, here)

    def _path(self, node: tree.Node, here: _Place) -> Path | None:
        """Of a chain of fields and indexes that begins at a known name."""
        match node:
            case tree.Name():
                return here.known.get(node.name)
            case tree.Select(operand=tree.Name(name="variables")):
                return self._of_variable(node, here)
            case tree.Select():
                return _joined(self._path(node.operand, here), node.field)
            case tree.Call(function="_[_]" | "_[?_]", arguments=(operand, index)):
                return _joined(self._path(operand, here), self._value(index, here))
            case tree.Call(function="orValue", target=target) if target is not None:
                return self._path(target, here)
        return None

    def _of_variable(self, node: tree.Select, here: _Place) -> Path | None:
        """A part of the object that a variable stands for, or the first that it picked out."""
        value = self._value(node, here)
        if id(value) in self._containers:
            return self._containers[id(value)]
        written = self._variables.get(node.field)
        if not isinstance(value, list) or not value or written is None:
            return None
        first = self._containers.get(id(value[0]))
        picked = _parsed(written.text)
        if not isinstance(picked, tree.Comprehension) or picked.loop is not tree.Loop.FILTER:
            return first
        top = _top(here, node.field).inside(picked.variables[0], value[0], first)
        return _longest((first or (), self.blamed(picked.body, top, wanted=False)))

    def _value(self, node: tree.Node, here: _Place) -> Any:
        """What a part of the expression is by itself."""
        self._ask()
        try:
            return self._program(node, here).evaluate(here.bindings, budget=_BUDGET)
        except (cel.CompileError, cel.EvaluationError, cel.ExhaustedError):
            return _UNSURE

    def _program(self, node: tree.Node, here: _Place) -> cel.Program:
        language = replace(self._language, loops=here.loops)
        return _program(spelling.spelled(node), language)

    def _ask(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise _Enough


def _top(here: _Place, variable: str) -> _Place:
    """Of a variable's own expression, where no name of a loop means anything."""
    return _Place(bindings=here.bindings, known={"object": ()}, loops=here.loops, owner=variable)


def _joined(where: Path | None, step: Any) -> Path | None:
    if where is None or not isinstance(step, (str, int)) or isinstance(step, bool):
        return None
    return (*where, str(step))


def _longest(paths: Iterable[Path]) -> Path:
    return max(paths, key=len, default=())
