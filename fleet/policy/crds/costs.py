"""What an API server thinks that a rule can cost at most, before it takes in the CRD that has it.

The same estimate, for expressions of the functions and macros in the tables here; of any other nothing is said. Source:
checker/cost.go of cel-go v0.26, pkg/cel/library/cost.go of k8s.io/apiserver.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from fleet import cel
from fleet.cel import parser, tree
from fleet.policy.crds import sizes

_INFINITE = 2**64 - 1
_TRAVERSAL, _REGEX = 0.1, 0.25  # of a letter


@dataclass(frozen=True, slots=True, kw_only=True)
class _Value:
    """`where` is the part of self that it is, if it is one; `element` what is in a list that is none."""

    kind: str
    most: int
    where: sizes.Size | None = None
    element: "_Value | None" = None


_TRUTH = _Value(kind="scalar", most=1)


class _Unknown(Exception):  # noqa: N818 - no error: nothing is said of the expression
    pass


def most(text: str, self_: sizes.Size) -> int | None:
    """None where the expression has something that is not in the tables."""
    try:
        return _Estimate(self_).cost(parser.parse(text), {})[0]
    except (_Unknown, cel.CompileError, RecursionError):
        return None


def _add(*parts: int) -> int:
    return min(sum(parts), _INFINITE)


def times(one: int, other: int) -> int:
    return min(one * other, _INFINITE)


def _by(most: int, factor: float) -> int:
    return _INFINITE if most >= _INFINITE else math.ceil(most * factor)


def _part(where: sizes.Size) -> _Value:
    return _Value(kind=where.kind, most=where.most, where=where)


_Names = Mapping[str, _Value]
_Found = tuple[int, _Value]


class _Estimate:
    def __init__(self, self_: sizes.Size) -> None:
        self._self = self_

    def cost(self, node: tree.Node, names: _Names) -> _Found:
        match node:
            case tree.Literal():
                return 0, _literal(node.value)
            case tree.Name():
                return 1, self._named(node, names)
            case tree.Select():
                return self._selected(node, names)
            case tree.ListOf() if not node.optional:
                return self._listed(node, names)
            case tree.Comprehension():
                return self._looped(node, names)
            case tree.Call():
                return self._called(node, names)
            case _:
                raise _Unknown

    def _named(self, node: tree.Name, names: _Names) -> _Value:
        if node.name in names:
            return names[node.name]
        if node.name in ("self", "oldSelf"):
            return _part(self._self)
        raise _Unknown

    def _selected(self, node: tree.Select, names: _Names) -> _Found:
        cost, value = self.cost(node.operand, names)
        if node.test:
            return cost, _TRUTH
        inner = value.where.fields.get(node.field) if value.where is not None else None
        if node.optional or inner is None or value.kind != "object":
            raise _Unknown
        return _add(cost, 1), _part(inner)

    def _listed(self, node: tree.ListOf, names: _Names) -> _Found:
        found = [self.cost(each, names) for each in node.items]
        kinds = {value.kind for _, value in found} or {"dyn"}
        most = max((value.most for _, value in found), default=0)
        inside = _Value(kind=kinds.pop() if len(kinds) == 1 else "dyn", most=most)
        return _add(10, *(cost for cost, _ in found)), _Value(
            kind="list", most=len(found), element=inside
        )

    def _looped(self, node: tree.Comprehension, names: _Names) -> _Found:
        loop = _LOOPS.get(node.loop)
        over, value = self.cost(node.over, names)
        if (
            loop is None
            or len(node.variables) != 1
            or (node.condition and node.loop is tree.Loop.FILTER)
        ):
            raise _Unknown
        each = self._each(value)
        inside = {**names, node.variables[0]: each}
        condition = 0 if node.condition is None else self.cost(node.condition, inside)[0]
        body, made = self.cost(node.body, inside)
        turn = (
            loop.turn(body) if node.condition is None else _add(condition, max(loop.turn(body), 1))
        )
        result = loop.result(value, each, made)
        return _add(over, loop.around, times(value.most, turn)), result

    def _each(self, value: _Value) -> _Value:
        """Of what is no part of self, its size is taken to be that of self: the server's own confusion."""
        if value.where is not None and value.kind == "map":
            return _Value(kind="string", most=0)
        if value.where is not None and value.where.element is not None:
            return _part(value.where.element)
        if value.element is None:
            raise _Unknown
        return _Value(kind=value.element.kind, most=self._self.most)

    def _called(self, node: tree.Call, names: _Names) -> _Found:
        parts = node.arguments if node.target is None else (node.target, *node.arguments)
        found = [self.cost(each, names) for each in parts]
        values = [value for _, value in found]
        if node.function == "_?_:_":
            (asked, _), (one, first), (other, second) = found
            size = max(first.most, second.most)
            made = first if first == second else _Value(kind=first.kind, most=size)
            return _add(asked, max(one, other)), made
        if node.function in ("_&&_", "_||_"):
            return _add(*(cost for cost, _ in found)), _TRUTH
        estimate = _CALLS.get((node.function, len(parts)))
        is_plain = node.function not in ("_==_", "_!=_") or _OPAQUE not in {e.kind for e in values}
        if estimate is None or not is_plain or any(value.kind == "dyn" for value in values):
            raise _Unknown
        own, made = estimate(*values)
        return _add(own, *(cost for cost, _ in found)), made


def _literal(value: object) -> _Value:
    match value:
        case str():
            return _Value(kind="string", most=len(value))
        case bytes():
            return _Value(kind="bytes", most=len(value))
        case _:
            return _TRUTH


@dataclass(frozen=True, slots=True, kw_only=True)
class _Loop:
    """`around` is paid once, `turn` for each element by what its body costs."""

    around: int
    turn: Callable[[int], int]
    result: Callable[[_Value, _Value, _Value], _Value]


def _truth(_over: _Value, _each: _Value, _made: _Value) -> _Value:
    return _TRUTH


def _filtered(over: _Value, each: _Value, _made: _Value) -> _Value:
    return _Value(kind="list", most=over.most, element=replace(each, where=None))


def _mapped(over: _Value, _each: _Value, made: _Value) -> _Value:
    return _Value(kind="list", most=over.most, element=replace(made, where=None))


_LOOPS: Mapping[tree.Loop, _Loop] = {
    tree.Loop.ALL: _Loop(around=1, turn=lambda body: _add(body, 3), result=_truth),
    tree.Loop.EXISTS: _Loop(around=1, turn=lambda body: _add(body, 4), result=_truth),
    tree.Loop.EXISTS_ONE: _Loop(around=2, turn=lambda body: _add(body, 2), result=_truth),
    tree.Loop.FILTER: _Loop(around=11, turn=lambda body: _add(body, 13), result=_filtered),
    tree.Loop.MAP: _Loop(around=11, turn=lambda body: _add(body, 12), result=_mapped),
}


def _cheap(*_: _Value) -> _Found:
    return 1, _TRUTH


def _compared(one: _Value, other: _Value) -> _Found:
    return _by(min(one.most, other.most), _TRAVERSAL), _TRUTH


def _ordered(one: _Value, other: _Value) -> _Found:
    return _compared(one, other) if one.kind in ("string", "bytes") else (1, _TRUTH)


def _joined(one: _Value, other: _Value) -> _Found:
    if one.kind == "scalar":
        return 1, _TRUTH
    most = _add(one.most, other.most)
    if one.kind == "list":
        raise _Unknown
    return _by(most, _TRAVERSAL), _Value(kind=one.kind, most=most)


def _held(_one: _Value, other: _Value) -> _Found:
    return (other.most if other.kind == "list" else 1), _TRUTH


def _indexed(one: _Value, _other: _Value) -> _Found:
    if one.where is None or one.where.element is None:
        raise _Unknown
    return 1, _part(one.where.element)


def _matched(one: _Value, pattern: _Value) -> _Found:
    return times(_by(_add(one.most, 1), _TRAVERSAL), _by(pattern.most, _REGEX)), _TRUTH


def _contained(one: _Value, other: _Value) -> _Found:
    return times(_by(one.most, _TRAVERSAL), _by(other.most, _TRAVERSAL)), _TRUTH


def _begun(_one: _Value, other: _Value) -> _Found:
    return _by(other.most, _TRAVERSAL), _TRUTH


def _walked(one: _Value) -> _Found:
    return _by(one.most, _TRAVERSAL), _Value(kind=one.kind, most=one.most)


def _texted(*_: _Value) -> _Found:
    """How long it will be, nobody tells."""
    return 1, _Value(kind="string", most=_INFINITE)


def _read(text: _Value) -> _Found:
    return _by(text.most, _TRAVERSAL), _TRUTH


def _made(text: _Value) -> _Found:
    """Of a kind of its own: what is asked of it costs next to nothing."""
    return _by(text.most, _TRAVERSAL), _Value(kind=_OPAQUE, most=_INFINITE)


def _asked(one: _Value, *_: _Value) -> _Found:
    if one.kind != _OPAQUE:
        raise _Unknown
    return 1, _TRUTH


def _cut(text: _Value, *_: _Value) -> _Found:
    return _by(text.most, _TRAVERSAL), _Value(kind="string", most=text.most)


def _split(text: _Value, _separator: _Value) -> _Found:
    words = _Value(kind="string", most=_INFINITE)
    return _by(text.most, 2 * _TRAVERSAL), _Value(kind="list", most=text.most, element=words)


def _found(text: _Value, pattern: _Value) -> _Found:
    return _matched(text, pattern)[0], _Value(kind="string", most=text.most)


def _sought(text: _Value, *_: _Value) -> _Found:
    if text.kind != "string":
        raise _Unknown
    return _by(text.most, _TRAVERSAL), _TRUTH


def _summed(one: _Value) -> _Found:
    """All elements are looked at."""
    inside = None if one.where is None else one.where.element
    if one.kind != "list" or inside is None or inside.kind not in ("scalar", "string"):
        raise _Unknown
    each = 1 if inside.kind == "scalar" else _add(1, _by(inside.most, _TRAVERSAL))
    most = 1 if inside.kind == "scalar" else _INFINITE
    return times(one.most, each), _Value(kind=inside.kind, most=most)


_OPAQUE = "opaque"
_CALLS: Mapping[tuple[str, int], Callable[..., _Found]] = {
    ("_==_", 2): _compared,
    ("_!=_", 2): _compared,
    **{(each, 2): _ordered for each in ("_<_", "_<=_", "_>_", "_>=_")},
    **{(each, 2): _cheap for each in ("_-_", "_*_", "_/_", "_%_")},
    ("!_", 1): _cheap,
    ("-_", 1): _cheap,
    ("size", 1): _cheap,
    ("_+_", 2): _joined,
    ("@in", 2): _held,
    ("_[_]", 2): _indexed,
    ("matches", 2): _matched,
    ("contains", 2): _contained,
    ("startsWith", 2): _begun,
    ("endsWith", 2): _begun,
    ("string", 1): _texted,
    **{(each, 1): _cheap for each in ("int", "double", "duration", "timestamp")},
    **{(each, 1): _read for each in ("isQuantity", "isIP", "isCIDR")},
    **{(each, 1): _made for each in ("quantity", "ip", "cidr", "url")},
    **{(each, 2): _asked for each in ("isLessThan", "isGreaterThan", "compareTo")},
    **{(each, 1): _asked for each in ("sign", "asInteger", "isInteger", "family", "prefixLength")},
    **{("substring", count): _cut for count in (2, 3)},
    ("split", 2): _split,
    ("find", 2): _found,
    **{(each, 2): _sought for each in ("indexOf", "lastIndexOf")},
    **{(each, 1): _summed for each in ("min", "max", "sum", "isSorted")},
    **{(each, 1): _walked for each in ("lowerAscii", "upperAscii", "trim")},
}
