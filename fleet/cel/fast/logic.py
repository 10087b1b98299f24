"""`&&`, `||`, `!` and `?:`. What raises on the way may be absorbed, so that it ends the quick way and nothing else."""

from fleet.cel import tree
from fleet.cel.fast.operands import Kind, Operand
from fleet.cel.fast.writing import Writer, wrapped


def chain(writer: Writer, node: tree.Call) -> Operand:
    """One `if` behind the other, not in one another: Python limits how deep blocks are nested."""
    test = "if {}:" if node.function == "_&&_" else "if not {}:"
    first = writer.truth(writer.emit(node.arguments[0]))
    result = writer.assign(first.text, Kind.BOOL)
    with writer.scope():
        for each in node.arguments[1:]:
            with writer.branch(test.format(result.text), keep=True):
                side = writer.truth(writer.emit(each))
                writer.line(f"{result.text} = {side.text}")
    return result


def negation(writer: Writer, node: tree.Call) -> Operand:
    operand = writer.truth(writer.emit(node.arguments[0]))
    return writer.assign(f"not {operand.text}", Kind.BOOL)


def conditional(writer: Writer, node: tree.Call) -> Operand:
    condition, then, otherwise = node.arguments
    chosen, result = writer.truth(writer.emit(condition)), writer.fresh()
    with writer.branch(f"if {chosen.text}:"):
        one = writer.emit(then)
        end = len(writer.lines)
        writer.line("pass")
    with writer.branch("else:"):
        other = writer.emit(otherwise)
        kind = one.kind if one.kind is other.kind else Kind.UNKNOWN
        writer.line(f"{result} = {_as(kind, other)}")
    writer.insert(end, f"{result} = {_as(kind, one)}")
    return Operand(text=result, kind=kind)


def _as(kind: Kind, operand: Operand) -> str:
    if operand.kind is Kind.OPTIONAL and kind is not Kind.OPTIONAL:
        return wrapped(operand)
    return operand.text
