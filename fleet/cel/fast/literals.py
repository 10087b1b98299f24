"""Literals, lists and maps."""

from typing import Any

from fleet.cel import tree
from fleet.cel.fast import operands
from fleet.cel.fast.operands import Kind, Operand
from fleet.cel.fast.writing import Writer


def literal(writer: Writer, node: tree.Literal) -> Operand:
    return operands.literal(node.value, _text(writer, node.value))


def _text(writer: Writer, value: Any) -> str:
    """`ascii` writes any string so that Python reads the same one back, whoever chose its characters."""
    if type(value) is str:
        return ascii(value)
    if value is None or type(value) is bool:
        return repr(value)
    if type(value) is int and value >= 0:
        return repr(value)
    return writer.constant(value)


def list_of(writer: Writer, node: tree.ListOf) -> Operand:
    if not node.optional and all(isinstance(each, tree.Literal) for each in node.items):
        items = [each.value for each in node.items if isinstance(each, tree.Literal)]
        return Operand(text=writer.constant(items), kind=Kind.LIST, literal=items)
    if node.optional:
        return _with_optionals(writer, node)
    parts = [writer.value(each).text for each in node.items]
    return writer.assign(f"[{', '.join(parts)}]", Kind.LIST)


def _with_optionals(writer: Writer, node: tree.ListOf) -> Operand:
    made = writer.assign("[]", Kind.LIST)
    for n, each in enumerate(node.items):
        if n in node.optional:
            item = writer.optional(writer.emit(each))
            writer.line(f"if {item.text} is not ABSENT: {made.text}.append({item.text})")
        else:
            writer.line(f"{made.text}.append({writer.value(each).text})")
    return made


def map_of(writer: Writer, node: tree.MapOf) -> Operand:
    entries = []
    for each in node.entries:
        if each.optional:
            return _map_with_optionals(writer, node)
        entries.append((writer.value(each.key), writer.value(each.value)))
    keys = [key.literal for key, _ in entries]
    if all(type(each) is str for each in keys) and len(set(keys)) == len(keys):
        inner = ", ".join(f"{key.text}: {value.text}" for key, value in entries)
        return writer.assign(f"{{{inner}}}")
    inner = "".join(f"({key.text}, {value.text}), " for key, value in entries)
    return writer.assign(f"inserted([{inner}])")


def _map_with_optionals(writer: Writer, node: tree.MapOf) -> Operand:
    made = writer.assign("[]")
    for each in node.entries:
        key = writer.value(each.key)
        value = writer.emit(each.value)
        value = writer.optional(value) if each.optional else writer.plain(value)
        condition = f"if {value.text} is not ABSENT: " if each.optional else ""
        writer.line(f"{condition}{made.text}.append(({key.text}, {value.text}))")
    return writer.assign(f"inserted({made.text})")
