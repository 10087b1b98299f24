"""The whole function: every kind of node has its writer, what none can write stays with the exact evaluator."""

from collections.abc import Callable, Mapping
from typing import Any

from fleet.cel import checker, lookup, tree
from fleet.cel.fast import calls, fields, literals, logic, optionals, relations, runtime, turns
from fleet.cel.fast.operands import Operand
from fleet.cel.fast.writing import Writer

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


def build(root: tree.Node, checked: checker.Checked) -> runtime.Function | None:
    """None where the expression is too large or too deep to be written."""
    try:
        return _built(root, checked)
    except Exception:  # noqa: BLE001  whatever it was, the exact evaluator remains
        return None


def _built(root: tree.Node, checked: checker.Checked) -> runtime.Function | None:
    if _nodes(root) > runtime.MOST_NODES:
        return None
    written = source(root, checked)
    ways = lookup.STRICT if checked.is_strict else lookup.LENIENT
    names = {**runtime.names(ways), **written.constants}
    # Python's own literals and numbered names are all that an expression's text became.
    exec(compile(written.text(), "<cel>", "exec", dont_inherit=True), names)  # noqa: S102
    function: runtime.Function = names["run"]
    return function


def source(root: tree.Node, checked: checker.Checked) -> Writer:
    """What is compiled, to be looked at."""
    writer = Writer(checked, _emit)
    writer.line(f"return {writer.value(root).text}")
    return writer


def _nodes(root: tree.Node) -> int:
    count, waiting = 0, [root]
    while waiting:
        count += 1
        waiting += tree.children(waiting.pop())
    return count


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
