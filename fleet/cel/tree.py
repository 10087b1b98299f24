"""The syntax tree: plain values, each with the offset of the character where it begins."""

from dataclasses import dataclass, field
from enum import Enum
from typing import Any, TypeAlias


@dataclass(frozen=True, slots=True, kw_only=True)
class Literal:
    value: Any
    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Name:
    """`is_rooted`: written `.name`, which no container and no macro's name stands before."""

    name: str
    is_rooted: bool = False
    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Select:
    """`operand.field`, `operand.?field`; `test` is `has(operand.field)`."""

    operand: "Node"
    field: str
    optional: bool = False
    test: bool = False
    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A function, an operator ("_+_") or, with a target, a member function."""

    function: str
    target: "Node | None" = None
    arguments: "tuple[Node, ...]" = ()
    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ListOf:
    items: "tuple[Node, ...]"
    optional: frozenset[int] = field(default=frozenset())  # indices of `?item`
    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    key: "Node"
    value: "Node"
    optional: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MapOf:
    entries: tuple[Entry, ...]
    at: int


class Loop(Enum):
    """The macros that go over a list or a map."""

    ALL = "all"
    EXISTS = "exists"
    EXISTS_ONE = "exists_one"
    MAP = "map"
    FILTER = "filter"
    TRANSFORM_LIST = "transformList"
    TRANSFORM_MAP = "transformMap"
    TRANSFORM_MAP_ENTRY = "transformMapEntry"
    SORT_BY = "sortBy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Comprehension:
    loop: Loop
    over: "Node"
    variables: tuple[str, ...]  # one, or index/key and value
    condition: "Node | None" = None
    body: "Node"
    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """`cel.bind(name, value, body)`; for `optMap` and `optFlatMap`, `optional` says which."""

    name: str
    value: "Node"
    body: "Node"
    optional: str = ""
    at: int


Node: TypeAlias = Literal | Name | Select | Call | ListOf | MapOf | Comprehension | Binding


def children(node: Node) -> "tuple[Node, ...]":
    """What lies directly below a node."""
    match node:
        case Select():
            return (node.operand,)
        case Call():
            return node.arguments if node.target is None else (node.target, *node.arguments)
        case ListOf():
            return node.items
        case MapOf():
            return tuple(part for entry in node.entries for part in (entry.key, entry.value))
        case Comprehension():
            condition = () if node.condition is None else (node.condition,)
            return (node.over, *condition, node.body)
        case Binding():
            return (node.value, node.body)
        case Literal() | Name():
            return ()


def weight(node: Node) -> int:
    """The nodes that one run may visit, loops inside counted once: they pay for their own turns."""
    count, waiting = 0, [node]
    while waiting:
        each = waiting.pop()
        count += 1
        waiting += [each.over] if isinstance(each, Comprehension) else children(each)
    return count


def dotted(node: Node) -> str:
    """`a.b.c` as one name, a dot before it where one is written; empty for anything else."""
    if isinstance(node, Name):
        return f".{node.name}" if node.is_rooted else node.name
    if not isinstance(node, Select) or node.optional or node.test:
        return ""
    prefix = dotted(node.operand)
    return f"{prefix}.{node.field}" if prefix else ""
