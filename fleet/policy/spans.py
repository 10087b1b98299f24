"""From a piece of an expression's tree back to the characters that it was written in."""

from fleet.cel import CompileError, parser, tree

_TRIES = 400  # ends that are tried
_LONGEST = 4000  # characters of an expression in which pieces are looked for

Span = tuple[int, int]


def span(text: str, node: tree.Node) -> Span | None:
    """Where the piece begins and ends; None where that cannot be told."""
    begin = _begin(text, node)
    if begin < 0 or len(text) > _LONGEST:
        return None
    ends = range(begin + 1, min(len(text), begin + _TRIES) + 1)
    fitting = [end for end in ends if _is_whole(text, end) and _reads_as(text, begin, end, node)]
    return (begin, begin + len(text[begin : fitting[-1]].rstrip())) if fitting else None


def _is_whole(text: str, end: int) -> bool:
    """Whether no word and no space is cut in two there."""
    return end == len(text) or not (text[end - 1].isalnum() and text[end].isalnum())


def _reads_as(text: str, begin: int, end: int, node: tree.Node) -> bool:
    """With spaces before it, so that places count from the same beginning."""
    try:
        return parser.parse(" " * begin + text[begin:end]) == node
    except (CompileError, RecursionError):
        return False


def _begin(text: str, node: tree.Node) -> int:
    """Trees know where the operator, the dot or the parenthesis is; it begins with what stands before that."""
    match node:
        case tree.Select(test=True):
            return text.rfind("has", 0, node.at)
        case tree.Select():
            return _begin(text, node.operand)
        case tree.Comprehension():
            return _begin(text, node.over)
        case tree.Call(target=target) if target is not None:
            return _begin(text, target)
        case tree.Call(function=name) if name.startswith(("_", "@")):
            return _begin(text, node.arguments[0])
        case tree.Call(function=name) if not name.endswith("_"):
            return text.rfind(name, 0, node.at + 1)
    return node.at
