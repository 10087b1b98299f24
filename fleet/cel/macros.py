"""Macros: calls that are written like functions but bind names or do not evaluate their argument."""

from collections.abc import Mapping

from fleet.cel import tree
from fleet.cel.faults import CompileError

# Member macros by (name, number of arguments): which loop, how many names, whether a condition comes before the body.
_LOOPS: Mapping[tuple[str, int], tuple[tree.Loop, int, bool]] = {
    ("all", 2): (tree.Loop.ALL, 1, False),
    ("all", 3): (tree.Loop.ALL, 2, False),
    ("exists", 2): (tree.Loop.EXISTS, 1, False),
    ("exists", 3): (tree.Loop.EXISTS, 2, False),
    ("exists_one", 2): (tree.Loop.EXISTS_ONE, 1, False),
    ("exists_one", 3): (tree.Loop.EXISTS_ONE, 2, False),
    ("existsOne", 3): (tree.Loop.EXISTS_ONE, 2, False),
    ("map", 2): (tree.Loop.MAP, 1, False),
    ("map", 3): (tree.Loop.MAP, 1, True),
    ("filter", 2): (tree.Loop.FILTER, 1, False),
    ("transformList", 3): (tree.Loop.TRANSFORM_LIST, 2, False),
    ("transformList", 4): (tree.Loop.TRANSFORM_LIST, 2, True),
    ("transformMap", 3): (tree.Loop.TRANSFORM_MAP, 2, False),
    ("transformMap", 4): (tree.Loop.TRANSFORM_MAP, 2, True),
    ("transformMapEntry", 3): (tree.Loop.TRANSFORM_MAP_ENTRY, 2, False),
    ("transformMapEntry", 4): (tree.Loop.TRANSFORM_MAP_ENTRY, 2, True),
    ("sortBy", 2): (tree.Loop.SORT_BY, 1, False),
}
_OPTIONAL = ("optMap", "optFlatMap")
_ACCUMULATOR = "__result__"  # what cel-go's own loops collect in


def member(target: tree.Node, name: str, arguments: tuple[tree.Node, ...], at: int) -> tree.Node:
    """`target.name(arguments)`, expanded if it is a macro."""
    if (name, len(arguments)) in _LOOPS:
        return _loop(target, name, arguments, at)
    if name in _OPTIONAL and len(arguments) == 2:
        variable = _variable(arguments[0])
        return tree.Binding(name=variable, value=target, body=arguments[1], optional=name, at=at)
    if name == "bind" and len(arguments) == 3 and target == tree.Name(name="cel", at=target.at):
        return tree.Binding(
            name=_variable(arguments[0]), value=arguments[1], body=arguments[2], at=target.at
        )
    return tree.Call(function=name, target=target, arguments=arguments, at=at)


def plain(name: str, arguments: tuple[tree.Node, ...], at: int) -> tree.Node:
    """`name(arguments)`."""
    if name != "has":
        return tree.Call(function=name, arguments=arguments, at=at)
    tested = arguments[0] if len(arguments) == 1 else None
    if not isinstance(tested, tree.Select) or tested.optional:
        raise CompileError("invalid argument to has() macro", tested.at if tested else at)
    return tree.Select(operand=tested.operand, field=tested.field, test=True, at=at)


def _loop(over: tree.Node, name: str, arguments: tuple[tree.Node, ...], at: int) -> tree.Node:
    loop, names, is_conditional = _LOOPS[name, len(arguments)]
    variables = tuple(_turning(each) for each in arguments[:names])
    if len(set(variables)) != names:
        raise CompileError(f"overlapping variable names in {name}()", at)
    condition = arguments[names] if is_conditional else None
    return tree.Comprehension(
        loop=loop, over=over, variables=variables, condition=condition, body=arguments[-1], at=at
    )


def _turning(node: tree.Node) -> str:
    """The name of what changes with each turn."""
    name = _variable(node)
    if name == _ACCUMULATOR:
        raise CompileError("iteration variable overwrites accumulator variable", node.at)
    return name


def _variable(node: tree.Node) -> str:
    if not isinstance(node, tree.Name):
        raise CompileError("argument must be a simple name", node.at)
    return node.name
