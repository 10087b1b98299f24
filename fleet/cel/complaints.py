"""What the checker says of an expression, in cel-go's words."""

from collections.abc import Iterable

from fleet.cel import tree, types
from fleet.cel.faults import CompileError


def undeclared(name: str, at: int, container: str = "") -> CompileError:
    return CompileError(f"undeclared reference to '{name}' (in container '{container}')", at)


def mismatch(wanted: types.Type, found: types.Type, at: int) -> CompileError:
    return CompileError(
        f"expected type '{types.spelled(wanted)}' but found '{types.spelled(found)}'", at
    )


def no_overload(
    name: str, target: types.Type | None, arguments: Iterable[types.Type], at: int
) -> CompileError:
    receiver = "" if target is None else f"{types.spelled(target)}."
    shown = ", ".join(map(types.spelled, arguments))
    return CompileError(
        f"found no matching overload for '{name}' applied to '{receiver}({shown})'", at
    )


def undefined(node: tree.Select, known: Iterable[str]) -> CompileError:
    return CompileError(f"undefined field '{node.field}'", node.at, node.field, known)


def no_fields(operand: types.Type, at: int) -> CompileError:
    return CompileError(f"type '{types.spelled(operand)}' does not support field selection", at)


def no_range(over: types.Type, at: int) -> CompileError:
    message = f"expression of type '{types.spelled(over)}' cannot be range of a comprehension"
    return CompileError(f"{message} (must be list, map, or dynamic)", at)


def not_sortable(key: types.Type, at: int) -> CompileError:
    shown = types.spelled(key)
    return CompileError(f"found no matching overload for 'sortBy' by keys of type '{shown}'", at)
