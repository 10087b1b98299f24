"""The last look before an expression is accepted: literals that could only fail when it runs.

Lists and maps of one type, durations, timestamps and patterns that can be read, format strings with their arguments,
conversions of literals: an API server makes these once, when it takes the expression in.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from fleet.cel import budgets, checker, dispatch, tree, types, values
from fleet.cel.faults import CompileError, EvaluationError, ExhaustedError
from fleet.cel.library import formatting, regexes, times

PATTERN_BUDGET = 100_000  # of all patterns of one expression together


def check(root: tree.Node, checked: checker.Checked) -> None:
    """Raises CompileError."""
    budget = budgets.Budget(PATTERN_BUDGET)
    for node, in_format in _walk(root, in_format=False):
        match node:
            case tree.ListOf() if not in_format:
                _uniform(node.items, checked.literals[node.at])
            case tree.MapOf() if not in_format:
                kinds = checked.literals[node.at]
                _uniform([entry.key for entry in node.entries], kinds[::2])
                _uniform([entry.value for entry in node.entries], kinds[1::2])
            case tree.Call():
                _readable(node, budget)
                _converted(node, checked, budget)
                _formatted(node, checked)
            case _:
                pass


def _walk(node: tree.Node, *, in_format: bool) -> Iterator[tuple[tree.Node, bool]]:
    """Every node, and whether `format` stands above it: its arguments may be of any types."""
    waiting = [(node, in_format)]
    while waiting:
        node, inside = waiting.pop()
        yield node, inside
        inside = inside or (isinstance(node, tree.Call) and node.function == "format")
        waiting += [(each, inside) for each in tree.children(node)]


def _uniform(
    nodes: list[tree.Node] | tuple[tree.Node, ...], kinds: tuple[types.Type, ...]
) -> None:
    for node, kind in zip(nodes, kinds, strict=True):
        if kind != kinds[0]:
            raise CompileError(
                f"expected type '{types.spelled(kinds[0])}' but found '{types.spelled(kind)}'",
                node.at,
            )


_READERS: Mapping[str, Callable[[budgets.Budget, Any], object]] = {
    "duration": lambda _, text: times.duration(text),
    "timestamp": lambda _, given: times.timestamp_from(given),
    "matches": regexes.compiled,
    "find": regexes.compiled,
    "findAll": regexes.compiled,
}


_CONVERSIONS = frozenset(
    {"bool", "bytes", "double", "duration", "dyn", "int", "string", "timestamp", "type", "uint"}
)


def _converted(node: tree.Call, checked: checker.Checked, budget: budgets.Budget) -> None:
    if node.function not in _CONVERSIONS:
        return
    try:
        _constant(node, checked, budget)
    except EvaluationError as error:
        raise CompileError(str(error), node.at) from None
    except ExhaustedError:
        raise CompileError("the literals of the expression are too large", node.at) from None


def _constant(node: tree.Node, checked: checker.Checked, budget: budgets.Budget) -> Any:
    """The value of a literal, or of conversions of one; of anything else MISSING."""
    if isinstance(node, tree.Literal):
        return node.value
    if not isinstance(node, tree.Call) or node.target or node.function not in _CONVERSIONS:
        return values.MISSING
    given = _constant(node.arguments[0], checked, budget)
    if given is values.MISSING:
        return given
    return dispatch.runner(node.function, checked.calls[node.at].overloads)(budget, (given,))


def _readable(node: tree.Call, budget: budgets.Budget) -> None:
    argument = _first_literal(node)
    if argument is None or node.function not in _READERS:
        return
    try:
        _READERS[node.function](budget, argument.value)
    except EvaluationError:
        raise CompileError(f"invalid {node.function} argument", argument.at) from None
    except ExhaustedError:
        raise CompileError("the patterns of the expression are too large", argument.at) from None


def _first_literal(node: tree.Call) -> tree.Literal | None:
    """The argument to be read: a function's pattern is its last argument, a member's its first."""
    n = -1 if node.target is None else 0
    first = node.arguments[n] if node.arguments else None
    if not isinstance(first, tree.Literal):
        return None
    is_read = type(first.value) is str or (
        node.function == "timestamp" and type(first.value) is int
    )
    return first if is_read else None


def _formatted(node: tree.Call, checked: checker.Checked) -> None:
    template = node.target
    if node.function != "format" or not isinstance(template, tree.Literal):
        return
    arguments = node.arguments[0] if node.arguments else None
    if not isinstance(arguments, tree.ListOf) or arguments.optional:
        return
    kinds = checked.literals[arguments.at]
    try:
        clauses = [each for each in formatting.pieces(template.value) if not isinstance(each, str)]
    except EvaluationError as error:
        raise CompileError(str(error), node.at) from None
    if len(clauses) > len(kinds):
        raise CompileError(f"index {len(kinds)} out of range", node.at)
    if len(clauses) < len(kinds):
        raise CompileError(
            "too many arguments supplied to string.format "
            f"(expected {len(clauses)}, got {len(kinds)})",
            node.at,
        )
    for clause, kind, argument in zip(clauses, kinds, arguments.items, strict=True):
        if kind.name not in formatting.ACCEPTED[clause.letter] and kind != types.DYN:
            raise CompileError(formatting.refusal(clause.letter, kind.name), argument.at)
