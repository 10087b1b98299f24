"""From a piece of an expression's tree back to a text that compiles to the same, so that it can be asked alone."""

import re
from typing import Any

from fleet.cel import tree, values

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


def spelled(node: tree.Node) -> str:
    """Everything in parentheses; the text is for the compiler, not for people."""
    match node:
        case tree.Literal():
            return f"({_literal(node.value)})"
        case tree.Name():
            return node.name
        case tree.Select():
            return _select(node)
        case tree.Call():
            return _call(node)
        case tree.ListOf() | tree.MapOf():
            return _collection(node)
        case tree.Comprehension():
            return _loop(node)
        case tree.Binding():
            return _binding(node)


def _literal(value: Any) -> str:
    if isinstance(value, str):
        return '"' + "".join(f"\\U{ord(each):08x}" for each in value) + '"'
    if isinstance(value, bytes):
        return 'b"' + "".join(f"\\x{each:02x}" for each in value) + '"'
    if isinstance(value, values.UInt):
        return f"{int(value)}u"
    if isinstance(value, float):
        return repr(value)
    return {True: "true", False: "false", None: "null"}[value] if _is_word(value) else str(value)


def _is_word(value: Any) -> bool:
    return value is None or isinstance(value, bool)


def _select(node: tree.Select) -> str:
    field = node.field if _NAME.match(node.field) else f"`{node.field}`"
    path = f"{spelled(node.operand)}{'.?' if node.optional else '.'}{field}"
    return f"has({path})" if node.test else path


def _call(node: tree.Call) -> str:
    arguments = [spelled(each) for each in node.arguments]
    if node.target is not None:
        return f"{spelled(node.target)}.{node.function}({', '.join(arguments)})"
    if node.function in ("_[_]", "_[?_]"):
        return f"{arguments[0]}[{'?' if '?' in node.function else ''}{arguments[1]}]"
    if node.function == "_?_:_":
        return f"({arguments[0]} ? {arguments[1]} : {arguments[2]})"
    operator = node.function.strip("_@")
    if node.function.startswith(("_", "@")):
        return f"({f' {operator} '.join(arguments)})"
    if node.function.endswith("_"):
        return f"({operator}{arguments[0]})"
    return f"{node.function}({', '.join(arguments)})"


def _collection(node: tree.ListOf | tree.MapOf) -> str:
    if isinstance(node, tree.MapOf):
        return f"{{{', '.join(map(_entry, node.entries))}}}"
    items = (
        f"{'?' if n in node.optional else ''}{spelled(each)}" for n, each in enumerate(node.items)
    )
    return f"[{', '.join(items)}]"


def _loop(node: tree.Comprehension) -> str:
    condition = (node.condition,) if node.condition else ()
    arguments = (*node.variables, *map(spelled, (*condition, node.body)))
    return f"{spelled(node.over)}.{node.loop.value}({', '.join(arguments)})"


def _entry(entry: tree.Entry) -> str:
    return f"{'?' if entry.optional else ''}{spelled(entry.key)}: {spelled(entry.value)}"


def _binding(node: tree.Binding) -> str:
    value, body = spelled(node.value), spelled(node.body)
    if node.optional:
        return f"{value}.{node.optional}({node.name}, {body})"
    return f"cel.bind({node.name}, {value}, {body})"
