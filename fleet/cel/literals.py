"""The last look before an expression is accepted: literals that could only fail when it runs.

Lists and maps of one type, durations, timestamps and patterns that can be read, format strings with their arguments.
"""

from collections.abc import Callable, Iterator, Mapping

from fleet.cel import budgets, checker, tree, types
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


_READERS: Mapping[str, Callable[[budgets.Budget, str], object]] = {
    "duration": lambda _, text: times.duration(text),
    "timestamp": lambda _, text: times.timestamp(text),
    "matches": regexes.compiled,
    "find": regexes.compiled,
    "findAll": regexes.compiled,
}


def _readable(node: tree.Call, budget: budgets.Budget) -> None:
    argument = _first_text(node)
    if argument is None or node.function not in _READERS:
        return
    try:
        _READERS[node.function](budget, argument.value)
    except EvaluationError:
        raise CompileError(f"invalid {node.function} argument", argument.at) from None
    except ExhaustedError:
        raise CompileError("the patterns of the expression are too large", argument.at) from None


def _first_text(node: tree.Call) -> tree.Literal | None:
    """The argument to be read: a function's pattern is its last argument, a member's its first."""
    n = -1 if node.target is None else 0
    first = node.arguments[n] if node.arguments else None
    is_text = isinstance(first, tree.Literal) and isinstance(first.value, str)
    return first if is_text and isinstance(first, tree.Literal) else None


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
