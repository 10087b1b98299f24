"""`==`, `!=`, `<` and its like, `in`, `matches`: where Python and CEL differ about bools, numbers and keys."""

from collections.abc import Mapping, Sequence

from fleet.cel import budgets, tree
from fleet.cel.fast import calls, runtime
from fleet.cel.fast.operands import Kind, Operand
from fleet.cel.fast.writing import Writer
from fleet.cel.library import regexes

_EXACT = 2**53  # from here on CEL compares integers with doubles less exactly than Python does
_SINGLE = (Kind.BOOL, Kind.INT, Kind.DOUBLE)


def equality(writer: Writer, node: tree.Call) -> Operand:
    one, other = operands = calls.arguments(writer, node)
    sign = "==" if node.function == "_==_" else "!="
    if one.is_literal and not other.is_literal:
        one, other = other, one
    written = _to_literal(one, other, sign) if other.is_literal and not one.is_literal else ""
    if written:
        return writer.assign(written, Kind.BOOL)
    quick = f"{one.text} {sign} {other.text}"
    if one.kind is other.kind and one.kind in _SINGLE:
        return writer.assign(quick, Kind.BOOL)
    tests = [*calls.is_text(one), *calls.is_short_text(other)]
    return calls.guarded(writer, node, operands, tests, quick)


def _to_literal(one: Operand, literal: Operand, sign: str) -> str:
    """Of whatever JSON holds, only a string equals a string; true is 1 for Python, and for CEL it is not."""
    if literal.literal is None or type(literal.literal) is bool:
        return f"{one.text} {'is' if sign == '==' else 'is not'} {literal.text}"
    if literal.is_short_text:
        return f"{one.text} {sign} {literal.text}"
    if not literal.is_number or not -_EXACT < literal.literal < _EXACT:
        return ""
    if literal.literal not in (0, 1) or one.kind in (Kind.INT, Kind.DOUBLE):
        return f"{one.text} {sign} {literal.text}"
    like = bool(literal.literal)
    if sign == "==":
        return f"{one.text} == {literal.text} and {one.text} is not {like}"
    return f"{one.text} != {literal.text} or {one.text} is {like}"


def order(writer: Writer, node: tree.Call) -> Operand:
    one, other = operands = calls.arguments(writer, node)
    quick = f"{one.text} {node.function.strip('_')} {other.text}"
    if Kind.INT in (one.kind, other.kind) and calls.takes(writer, node, "int", "int"):
        tests = [each for side in operands for each in calls.is_kind(side, Kind.INT, "int")]
        return calls.guarded(writer, node, operands, tests, quick)
    is_text = one.is_short_text or other.is_short_text
    if is_text and calls.takes(writer, node, "string", "string"):
        tests = [each for side in operands for each in calls.is_text(side)]
        return calls.guarded(writer, node, operands, tests, quick)
    return calls.generic_of(writer, node, operands)


def membership(writer: Writer, node: tree.Call) -> Operand:
    one, among = operands = calls.arguments(writer, node)
    if type(among.literal) is list and among.literal:
        kinds = {type(each) for each in among.literal}
        if kinds == {str}:
            return writer.assign(f"{one.text} in {_set(writer, among)}", Kind.BOOL)
        if kinds == {int}:
            quick = f"{one.text} in {_set(writer, among)}"
            tests = calls.is_kind(one, Kind.INT, "int")
            return calls.guarded(writer, node, operands, tests, quick)
    return _searched(writer, node, operands)


def _set(writer: Writer, among: Operand) -> str:
    return writer.constant(frozenset(among.literal))


def _searched(writer: Writer, node: tree.Call, operands: Sequence[Operand]) -> Operand:
    one, among = operands
    result = writer.fresh()
    is_text = "".join(f" and {each}" for each in calls.is_text(one))
    is_list, is_map = calls.takes(writer, node, "A", "list"), calls.takes(writer, node, "A", "map")
    with writer.branch(f"if {is_list} and type({among.text}) is list{is_text}:"):
        writer.count(f"len({among.text})")
        writer.line(f"{result} = {one.text} in {among.text}")
    with writer.branch(f"elif {is_map} and type({among.text}) is dict{is_text}:"):
        writer.line(f"{result} = {one.text} in {among.text}")
    with writer.branch("else:"):
        writer.line(f"{result} = {calls.through_library(writer, node, operands)}")
    return Operand(text=result, kind=Kind.BOOL)


def matches(writer: Writer, node: tree.Call) -> Operand:
    """A pattern of the expression's own is read once; what a search costs is counted all the same."""
    text, pattern = operands = calls.arguments(writer, node)
    if not pattern.is_short_text:
        return calls.generic_of(writer, node, operands)
    meter = budgets.Budget(runtime.TURNS)
    search = writer.constant(regexes.compiled(meter, pattern.literal).search)
    result = writer.fresh()
    with writer.branch(f"if {' and '.join(calls.is_short_text(text)) or True}:"):
        writer.count(str(runtime.TURNS - meter.left + calls.FREE // 32))
        writer.line(f"{result} = {search}({text.text}.encode()) is not None")
    with writer.branch("else:"):
        writer.line(f"{result} = {calls.through_library(writer, node, operands)}")
    return Operand(text=result, kind=Kind.BOOL)


QUICK: Mapping[str, calls.Emitter] = {
    "_==_": equality,
    "_!=_": equality,
    "_<_": order,
    "_<=_": order,
    "_>_": order,
    "_>=_": order,
    "@in": membership,
    "matches": matches,
}
