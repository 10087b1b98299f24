"""What of the language came with which version of Kubernetes, and what an expression needs of it.

Source: k8s.io/apiserver pkg/cel/environment/base.go. An API server takes in a new expression only what the version
before its own knew as well, so that it can be rolled back.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from fleet.cel import checker, tree
from fleet.cel.library import (
    authorizer,
    formats,
    lists,
    networks,
    operators,
    optionals,
    quantities,
    strings,
    versions,
)
from fleet.cel.overloads import Overload


@dataclass(frozen=True, slots=True)
class Need:
    """`minor` is the 1.N of Kubernetes whose expressions have it first."""

    word: str
    minor: int


def needs(root: tree.Node, checked: checker.Checked) -> tuple[Need, ...]:
    """All that is not as old as the language itself, the newest first."""
    found = set()
    waiting = [root]
    while waiting:
        node = waiting.pop()
        found |= set(_of(node, checked))
        waiting += tree.children(node)
    return tuple(sorted(found, key=lambda each: (-each.minor, each.word)))


def is_known(need: Need, minor: int) -> bool:
    """Whether the API server of Kubernetes 1.`minor` takes it."""
    return need.minor < minor


def _of(node: tree.Node, checked: checker.Checked) -> Iterator[Need]:
    match node:
        case tree.Call():
            yield from _of_call(node, checked)
        case tree.Comprehension():
            if len(node.variables) == 2:
                yield Need(f"{node.loop.value} with two variables", _TWO_VARIABLES)
            if node.loop is tree.Loop.SORT_BY:
                yield Need(node.loop.value, _LISTS)
        case tree.Binding():
            if node.optional:
                yield Need(node.optional, _OPTIONALS)
        case _:
            if _is_optional(node):
                yield Need(_OPTIONAL_SYNTAX, _OPTIONALS)


def _of_call(node: tree.Call, checked: checker.Checked) -> Iterator[Need]:
    """What no static type tells apart may turn out to be the oldest of its overloads."""
    resolution = checked.calls.get(node.at)
    if resolution is None or not resolution.overloads:
        return
    since, name = min(map(_since, resolution.overloads)), resolution.overloads[0].name
    if since:
        yield Need(_WORDS.get(name, name), since)


def _is_optional(node: tree.Node) -> bool:
    if isinstance(node, tree.MapOf):
        return any(each.optional for each in node.entries)
    return isinstance(node, (tree.Select, tree.ListOf)) and bool(node.optional)


def _since(overload: Overload) -> int:
    return _BY_OVERLOAD.get(id(overload), 0)


def _named(rows: Iterable[Overload], words: Iterable[str]) -> Iterator[Overload]:
    wanted = frozenset(words)
    return (each for each in rows if each.name in wanted)


_OPTIONALS, _TWO_VARIABLES, _LISTS = 28, 32, 34
_OPTIONAL_SYNTAX = "optional syntax"
_COMPARED = "numbers of two types compared"
_WORDS = dict.fromkeys(("_<_", "_<=_", "_>_", "_>=_"), _COMPARED) | {"_[?_]": _OPTIONAL_SYNTAX}
_SETS = ("sets.contains", "sets.intersects", "sets.equivalent")
_NEW_LISTS = ("slice", "flatten", "sort", "distinct", "reverse", "first", "last", "lists.range")
# An overload of one row and of a later one counts as the later.
_HISTORY: tuple[tuple[int, Iterable[Overload]], ...] = (
    (27, authorizer.OVERLOADS),
    (28, operators.ACROSS_NUMBERS),
    (28, _named(operators.OVERLOADS, ("_[?_]",))),
    (_OPTIONALS, optionals.OVERLOADS),
    (28, quantities.OVERLOADS),
    (29, _named(strings.OVERLOADS, ("format", "strings.quote"))),
    (29, _named(lists.OVERLOADS, _SETS)),
    (30, networks.OVERLOADS),
    (31, formats.OVERLOADS),
    (31, authorizer.SELECTORS),
    (33, versions.OVERLOADS),
    (_LISTS, _named(lists.OVERLOADS, _NEW_LISTS)),
)
_BY_OVERLOAD: Mapping[int, int] = {id(each): minor for minor, rows in _HISTORY for each in rows}
