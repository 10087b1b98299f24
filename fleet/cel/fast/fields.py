"""Names, fields, keys and indices.

Python's own subscript and `get` say the same as CEL's lookup for a string key: only mappings take one. What they raise
is the exact evaluator's to name.
"""

from fleet.cel import tree
from fleet.cel.fast.operands import Kind, Operand
from fleet.cel.fast.writing import Writer


def name(writer: Writer, node: tree.Name) -> Operand:
    if node.name in writer.names and not node.is_rooted:
        return writer.names[node.name]
    if node.at in writer.checked.constants:
        return Operand(text=writer.constant(writer.checked.constants[node.at]))
    return _variable(writer, writer.checked.references.get(node.at, node.name))


def _variable(writer: Writer, name: str) -> Operand:
    return writer.known(("name", name), lambda: writer.assign(f"b[{name!a}]"))


def select(writer: Writer, node: tree.Select) -> Operand:
    if node.at in writer.checked.constants:
        return Operand(text=writer.constant(writer.checked.constants[node.at]))
    if node.at in writer.checked.references:
        return _variable(writer, writer.checked.references[node.at])
    if isinstance(node.operand, tree.Name) and not (node.test or node.optional):
        found = writer.defined(f"{node.operand.name}.{node.field}")
        if found is not None:
            return found
    operand = writer.held(writer.emit(node.operand))
    if node.test:
        return _has(writer, operand, node.field)
    return _field(writer, operand, ascii(node.field), is_optional=node.optional)


def _has(writer: Writer, operand: Operand, field: str) -> Operand:
    key, text = ascii(field), operand.text
    return writer.known(
        ("has", text, key),
        lambda: writer.assign(
            f"{key} in {text} if type({text}) is dict else holds({text}, {key})", Kind.BOOL
        ),
    )


def _field(writer: Writer, operand: Operand, key: str, *, is_optional: bool) -> Operand:
    text = operand.text
    if is_optional or operand.kind is Kind.OPTIONAL:
        return writer.known(
            ("optional", text, key),
            lambda: writer.assign(f"{text}.get({key}, ABSENT)", Kind.OPTIONAL),
        )
    return writer.known(("field", text, key), lambda: writer.assign(f"{text}[{key}]"))


def index(writer: Writer, node: tree.Call) -> Operand:
    operand, key = writer.held(writer.emit(node.arguments[0])), writer.value(node.arguments[1])
    is_optional = node.function == "_[?_]"
    if type(key.literal) is str:
        return _field(writer, operand, key.text, is_optional=is_optional)
    if operand.kind is Kind.OPTIONAL:
        found = f"opened(optional_at({operand.text}, {key.text}))"
        text = f"ABSENT if {operand.text} is ABSENT else {found}"
        return writer.assign(text, Kind.OPTIONAL)
    if is_optional:
        return writer.assign(f"opened(optional_at({operand.text}, {key.text}))", Kind.OPTIONAL)
    return writer.assign(_at(operand.text, key))


def _at(text: str, key: Operand) -> str:
    """A list's index counts from its beginning only, and a bool is no index."""
    exact = f"value_at({text}, {key.text})"
    if type(key.literal) is int and key.literal >= 0:
        return f"{text}[{key.text}] if type({text}) is list else {exact}"
    return f"{text}[{key.text}] if type({key.text}) is str else {exact}"
