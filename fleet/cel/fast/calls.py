"""Calls: the library's own functions through a runner that chooses as the exact evaluator does, the usual ones inline.

An inlined line stands behind a test of the types that it is right for; whatever else comes goes through the runner.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from fleet.cel import dispatch, tree
from fleet.cel.fast.operands import KINDS, Kind, Operand
from fleet.cel.fast.writing import Writer

Emitter: TypeAlias = Callable[[Writer, tree.Call], Operand]

FREE = dispatch.FREE_TEXT + 1  # a string shorter than this costs nothing to read


def arguments(writer: Writer, node: tree.Call) -> list[Operand]:
    """The receiver comes first."""
    is_static = writer.checked.calls[node.at].is_static
    target = () if node.target is None or is_static else (node.target,)
    return [writer.value(each) for each in (*target, *node.arguments)]


def result_kind(writer: Writer, node: tree.Call) -> Kind:
    named = {each.result.name for each in writer.checked.calls[node.at].overloads}
    return KINDS.get(named.pop(), Kind.UNKNOWN) if len(named) == 1 else Kind.UNKNOWN


def through_library(writer: Writer, node: tree.Call, operands: Sequence[Operand]) -> str:
    """The call, written where its allowance is at hand."""
    overloads = writer.checked.calls[node.at].overloads
    runner = writer.constant(dispatch.runner(node.function, overloads))
    writer.allow()
    return f"{runner}(B, ({''.join(f'{each.text}, ' for each in operands)}))"


def takes(writer: Writer, node: tree.Call, *kinds: str) -> bool:
    """Whether the static types leave the call that overload: what they exclude is an error, whatever the values are."""
    overloads = writer.checked.calls[node.at].overloads
    return any(tuple(each.name for each in row.arguments) == kinds for row in overloads)


def generic(writer: Writer, node: tree.Call) -> Operand:
    return generic_of(writer, node, arguments(writer, node))


def generic_of(writer: Writer, node: tree.Call, operands: Sequence[Operand]) -> Operand:
    call = through_library(writer, node, operands)
    return writer.assign(call, result_kind(writer, node))


def guarded(
    writer: Writer, node: tree.Call, operands: Sequence[Operand], tests: Sequence[str], quick: str
) -> Operand:
    """`quick` where all tests hold, else the library; a test that is certain was left out by the caller."""
    kind = result_kind(writer, node)
    if not tests:
        return writer.assign(quick, kind)
    result = writer.fresh()
    with writer.branch(f"if {' and '.join(tests)}:"):
        writer.line(f"{result} = {quick}")
    with writer.branch("else:"):
        writer.line(f"{result} = {through_library(writer, node, operands)}")
    return Operand(text=result, kind=kind)


def is_kind(operand: Operand, kind: Kind, python: str) -> list[str]:
    return [] if operand.kind is kind else [f"type({operand.text}) is {python}"]


def is_text(operand: Operand) -> list[str]:
    return is_kind(operand, Kind.STRING, "str")


def is_short_text(operand: Operand) -> list[str]:
    if operand.is_short_text:
        return []
    return [*is_text(operand), f"len({operand.text}) < {FREE}"]


# Arithmetic


def addition(writer: Writer, node: tree.Call) -> Operand:
    one, other = operands = arguments(writer, node)
    if Kind.INT in (one.kind, other.kind):
        return _whole(writer, node, operands, "+")
    if Kind.STRING in (one.kind, other.kind) and takes(writer, node, "string", "string"):
        tests = [*is_short_text(one), *is_short_text(other)]
        return guarded(writer, node, operands, tests, f"{one.text} + {other.text}")
    if takes(writer, node, "list", "list"):
        return _joined(writer, node, operands)
    return generic_of(writer, node, operands)


def _joined(writer: Writer, node: tree.Call, operands: Sequence[Operand]) -> Operand:
    one, other = operands
    tests = [*is_kind(one, Kind.LIST, "list"), *is_kind(other, Kind.LIST, "list")]
    found = guarded(writer, node, operands, tests, f"{one.text} + {other.text}")
    is_list = found.kind is Kind.LIST or not tests or Kind.LIST in (one.kind, other.kind)
    if is_list:
        writer.count(f"len({found.text})")
        return Operand(text=found.text, kind=Kind.LIST)
    with writer.branch(f"if type({found.text}) is list:"):
        writer.count(f"len({found.text})")
    return found


def whole(sign: str) -> Emitter:
    return lambda writer, node: _whole(writer, node, arguments(writer, node), sign)


def _whole(writer: Writer, node: tree.Call, operands: Sequence[Operand], sign: str) -> Operand:
    one, other = operands
    tests = [*is_kind(one, Kind.INT, "int"), *is_kind(other, Kind.INT, "int")]
    is_known = Kind.INT in (one.kind, other.kind)
    if not is_known or not takes(writer, node, "int", "int"):
        return generic_of(writer, node, operands)
    found = guarded(writer, node, operands, tests, f"{one.text} {sign} {other.text}")
    writer.bail_if(f"not -9223372036854775808 <= {found.text} <= 9223372036854775807")
    return Operand(text=found.text, kind=Kind.INT)


# Strings and conversions


_WITH_SIZE: Mapping[str, tuple[Kind, str]] = {
    "string": (Kind.STRING, "str"),
    "bytes": (Kind.UNKNOWN, ""),
    "list": (Kind.LIST, "list"),
    "map": (Kind.UNKNOWN, ""),
}


def size(writer: Writer, node: tree.Call) -> Operand:
    (operand,) = operands = arguments(writer, node)
    quick = f"len({operand.text})"
    taken = {row.arguments[0].name for row in writer.checked.calls[node.at].overloads}
    if taken == _WITH_SIZE.keys():
        return writer.assign(quick, Kind.INT)
    kind, python = _WITH_SIZE[next(iter(taken))] if len(taken) == 1 else (Kind.UNKNOWN, "")
    if not python:
        return generic_of(writer, node, operands)
    return guarded(writer, node, operands, is_kind(operand, kind, python), quick)


def affix(name: str) -> Emitter:
    """Of startsWith and endsWith: only a string has Python's method of that name that takes a string."""

    def emit(writer: Writer, node: tree.Call) -> Operand:
        text, part = operands = arguments(writer, node)
        quick = f"{text.text}.{name}({part.text})"
        if part.is_short_text:
            return writer.assign(quick, Kind.BOOL)
        return guarded(writer, node, operands, [*is_text(text), *is_short_text(part)], quick)

    return emit


def contains(writer: Writer, node: tree.Call) -> Operand:
    text, part = operands = arguments(writer, node)
    tests = [*is_short_text(text), *is_short_text(part)]
    return guarded(writer, node, operands, tests, f"{part.text} in {text.text}")


def same(kind: Kind, python: str) -> Emitter:
    """A conversion to the type that the value has already."""

    def emit(writer: Writer, node: tree.Call) -> Operand:
        (operand,) = operands = arguments(writer, node)
        is_string = kind is Kind.STRING
        if not takes(writer, node, kind.value):
            return generic_of(writer, node, operands)
        tests = is_short_text(operand) if is_string else is_kind(operand, kind, python)
        found = guarded(writer, node, operands, tests, operand.text)
        return Operand(text=found.text, kind=kind)

    return emit


def trim(writer: Writer, node: tree.Call) -> Operand:
    return _of_text(writer, node, "{}.strip(SPACE)")


def lower(writer: Writer, node: tree.Call) -> Operand:
    return _of_text(writer, node, "{}.translate(LOWER)")


def _of_text(writer: Writer, node: tree.Call, quick: str) -> Operand:
    (text,) = operands = arguments(writer, node)
    return guarded(writer, node, operands, is_short_text(text), quick.format(text.text))


QUICK: Mapping[str, Emitter] = {
    "_+_": addition,
    "_-_": whole("-"),
    "_*_": whole("*"),
    "size": size,
    "startsWith": affix("startswith"),
    "endsWith": affix("endswith"),
    "contains": contains,
    "string": same(Kind.STRING, "str"),
    "int": same(Kind.INT, "int"),
    "trim": trim,
    "lowerAscii": lower,
}
