"""Optionals, which the written code holds as the value inside or ABSENT, and makes only where one is handed on."""

from fleet.cel import tree
from fleet.cel.fast.operands import Kind, Operand
from fleet.cel.fast.writing import Unwritable, Writer


def _target(writer: Writer, node: tree.Call) -> Operand:
    if node.target is None:
        raise Unwritable
    return writer.optional(writer.emit(node.target))


def or_value(writer: Writer, node: tree.Call) -> Operand:
    optional = _target(writer, node)
    result = writer.assign(optional.text)
    with writer.branch(f"if {result.text} is ABSENT:"):
        writer.line(f"{result.text} = {writer.value(node.arguments[0]).text}")
    return result


def or_other(writer: Writer, node: tree.Call) -> Operand:
    optional = _target(writer, node)
    result = writer.assign(optional.text, Kind.OPTIONAL)
    with writer.branch(f"if {result.text} is ABSENT:"):
        other = writer.optional(writer.emit(node.arguments[0]))
        writer.line(f"{result.text} = {other.text}")
    return result


def has_value(writer: Writer, node: tree.Call) -> Operand:
    return writer.assign(f"{_target(writer, node).text} is not ABSENT", Kind.BOOL)


def value(writer: Writer, node: tree.Call) -> Operand:
    optional = _target(writer, node)
    writer.bail_if(f"{optional.text} is ABSENT")
    return Operand(text=optional.text)


def of(writer: Writer, node: tree.Call) -> Operand:
    return writer.assign(writer.value(node.arguments[0]).text, Kind.OPTIONAL)


def none(writer: Writer, _: tree.Call) -> Operand:
    return writer.assign("ABSENT", Kind.OPTIONAL)


def binding(writer: Writer, node: tree.Binding) -> Operand:
    """`cel.bind`, `optMap` and `optFlatMap`."""
    bound = writer.emit(node.value)
    if not node.optional:
        with writer.bound({node.name: bound}):
            return writer.emit(node.body)
    optional = writer.optional(bound)
    result = writer.assign("ABSENT", Kind.OPTIONAL)
    with (
        writer.branch(f"if {optional.text} is not ABSENT:"),
        writer.bound({node.name: Operand(text=optional.text)}),
    ):
        body = writer.emit(node.body)
        is_flat = node.optional == "optFlatMap"
        made = writer.optional(body) if is_flat else writer.plain(body)
        writer.line(f"{result.text} = {made.text}")
    return result
