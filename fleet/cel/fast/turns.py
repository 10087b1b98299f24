"""The macros that go over lists and maps, as Python's own loops, each turn paid for before the first."""

from collections.abc import Callable, Mapping
from typing import TypeAlias

from fleet.cel import tree
from fleet.cel.fast.operands import Kind, Operand
from fleet.cel.fast.writing import Writer
from fleet.cel.library import lists
from fleet.cel.tree import Loop

_Emitter: TypeAlias = Callable[[Writer, tree.Comprehension, str], Operand]


def comprehension(writer: Writer, node: tree.Comprehension) -> Operand:
    over = writer.held(writer.value(node.over))
    if over.kind is not Kind.LIST:
        writer.known(("iterable", over.text), lambda: _iterable(writer, over))
    parts = [each for each in (node.condition, node.body) if each is not None]
    writer.count(f"len({over.text}) * {2 + sum(map(tree.weight, parts))}")
    names = [writer.fresh() for _ in node.variables]
    header = f"for {', '.join(names)} in {_range(over, names)}:"
    bound = {name: Operand(text=text) for name, text in zip(node.variables, names, strict=True)}
    with writer.bound(bound):
        return _LOOPS[node.loop](writer, node, header)


def _iterable(writer: Writer, over: Operand) -> Operand:
    writer.bail_if(f"type({over.text}) is not list and type({over.text}) is not dict")
    return over


def _range(over: Operand, names: list[str]) -> str:
    if len(names) == 1:
        return over.text
    if over.kind is Kind.LIST:
        return f"enumerate({over.text})"
    return f"(enumerate({over.text}) if type({over.text}) is list else {over.text}.items())"


def _decided(writer: Writer, node: tree.Comprehension, header: str) -> Operand:
    """`all` and `exists`."""
    is_all = node.loop is Loop.ALL
    result = writer.assign(str(is_all), Kind.BOOL)
    with writer.branch(header):
        body = writer.truth(writer.emit(node.body))
        with writer.branch(f"if {'not ' if is_all else ''}{body.text}:"):
            writer.line(f"{result.text} = {not is_all}")
            writer.line("break")
    return result


def _exists_one(writer: Writer, node: tree.Comprehension, header: str) -> Operand:
    count = writer.assign("0")
    with writer.branch(header):
        body = writer.truth(writer.emit(node.body))
        writer.line(f"if {body.text}: {count.text} += 1")
    return writer.assign(f"{count.text} == 1", Kind.BOOL)


def _filter(writer: Writer, node: tree.Comprehension, header: str) -> Operand:
    made = writer.assign("[]", Kind.LIST)
    with writer.branch(header):
        body = writer.truth(writer.emit(node.body))
        element = writer.names[node.variables[0]]
        writer.line(f"if {body.text}: {made.text}.append({element.text})")
    return made


def _made(writer: Writer, node: tree.Comprehension, header: str, empty: str, step: str) -> str:
    """The collection's name; `step` has places for it, for the first name's value and for the body's."""
    made = writer.assign(empty).text
    first = writer.names[node.variables[0]].text
    with writer.branch(header):
        if node.condition is None:
            writer.line(step.format(made, first, writer.value(node.body).text))
        else:
            condition = writer.truth(writer.emit(node.condition))
            with writer.branch(f"if {condition.text}:"):
                writer.line(step.format(made, first, writer.value(node.body).text))
    return made


def _map(writer: Writer, node: tree.Comprehension, header: str) -> Operand:
    return Operand(text=_made(writer, node, header, "[]", "{0}.append({2})"), kind=Kind.LIST)


def _transform_map(writer: Writer, node: tree.Comprehension, header: str) -> Operand:
    return Operand(text=_made(writer, node, header, "{}", "{0}[{1}] = {2}"))


def _transform_entries(writer: Writer, node: tree.Comprehension, header: str) -> Operand:
    return Operand(text=_made(writer, node, header, "{}", "insert_all({0}, {2})"))


def _sort_by(writer: Writer, node: tree.Comprehension, header: str) -> Operand:
    items = writer.assign("[]").text
    keys = _made(writer, node, header, "[]", f"{items}.append({{1}}); {{0}}.append({{2}})")
    writer.allow()
    return writer.assign(f"{writer.constant(lists.sorted_by)}(B, {items}, {keys})", Kind.LIST)


_LOOPS: Mapping[Loop, _Emitter] = {
    Loop.ALL: _decided,
    Loop.EXISTS: _decided,
    Loop.EXISTS_ONE: _exists_one,
    Loop.FILTER: _filter,
    Loop.MAP: _map,
    Loop.TRANSFORM_LIST: _map,
    Loop.TRANSFORM_MAP: _transform_map,
    Loop.TRANSFORM_MAP_ENTRY: _transform_entries,
    Loop.SORT_BY: _sort_by,
}
