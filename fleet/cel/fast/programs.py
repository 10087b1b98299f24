"""The whole function: every kind of node has its writer, what none can write stays with the exact evaluator."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from fleet.cel import lookup, tree
from fleet.cel.fast import calls, fields, literals, logic, optionals, relations, runtime, turns
from fleet.cel.fast.definitions import Definition
from fleet.cel.fast.operands import Operand
from fleet.cel.fast.writing import Unwritable, Writer

_CALLS: Mapping[str, calls.Emitter] = {
    "_&&_": logic.chain,
    "_||_": logic.chain,
    "!_": logic.negation,
    "_?_:_": logic.conditional,
    "_[_]": fields.index,
    "_[?_]": fields.index,
    "or": optionals.or_other,
    "orValue": optionals.or_value,
    "hasValue": optionals.has_value,
    "value": optionals.value,
    "optional.of": optionals.of,
    "optional.none": optionals.none,
    **calls.QUICK,
    **relations.QUICK,
}


def build(definition: Definition) -> runtime.Function | None:
    """None where the expression is too large or too deep to be written."""
    try:
        return _built(definition)
    except Exception:  # noqa: BLE001  whatever it was, the exact evaluator remains
        return None


def _built(definition: Definition) -> runtime.Function:
    try:
        return _compiled(definition)
    except (Unwritable, SyntaxError, RecursionError):
        if not definition.inner:
            raise
        return _compiled(replace(definition, inner={}))  # in place they were too much


def _compiled(definition: Definition) -> runtime.Function:
    written = source(definition)
    ways = lookup.STRICT if definition.checked.is_strict else lookup.LENIENT
    names = {**runtime.names(ways), **written.constants}
    # Python's own literals and numbered names are all that an expression's text became.
    exec(compile(written.text(), "<cel>", "exec", dont_inherit=True), names)  # noqa: S102
    function: runtime.Function = names["run"]
    return function


def source(definition: Definition) -> Writer:
    """What is compiled, to be looked at."""
    writer = Writer(definition, _emit)
    writer.line(f"return {writer.value(definition.root).text}")
    return writer


def _emit(writer: Writer, node: tree.Node) -> Operand:
    return _NODES[type(node)](writer, node)


def _call(writer: Writer, node: tree.Call) -> Operand:
    if node.function in ("_&&_", "_||_"):
        return logic.chain(writer, node)
    overloads = writer.checked.calls[node.at].overloads
    name = overloads[0].name if overloads else ""
    return _CALLS.get(name, calls.generic)(writer, node)


_NODES: Mapping[type, Callable[[Writer, Any], Operand]] = {
    tree.Literal: literals.literal,
    tree.Name: fields.name,
    tree.Select: fields.select,
    tree.Call: _call,
    tree.ListOf: literals.list_of,
    tree.MapOf: literals.map_of,
    tree.Comprehension: turns.comprehension,
    tree.Binding: optionals.binding,
}
