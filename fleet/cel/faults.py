"""What can go wrong with an expression: while it is compiled, while it runs, when its budget is spent."""

from collections.abc import Iterable


class CompileError(ValueError):
    """The text is no expression of this environment; `offset` counts characters from 0.

    Where one `word` is not among those that are `known`, both are given.
    """

    def __init__(
        self, message: str, offset: int, word: str = "", known: Iterable[str] = ()
    ) -> None:
        super().__init__(message)
        self.offset = offset
        self.word = word
        self.known = tuple(known)


class EvaluationError(Exception):
    """An error of CEL's own: `&&`, `||`, `all` and `exists` absorb it where the other side settles the result."""


class ExhaustedError(Exception):
    """The budget is spent: nothing absorbs that, and it is never a pass."""
