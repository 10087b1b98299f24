"""What can go wrong with an expression: while it is compiled, while it runs, when its budget is spent."""


class CompileError(ValueError):
    """The text is no expression of this environment; `offset` counts characters from 0."""

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message)
        self.offset = offset


class EvaluationError(Exception):
    """An error of CEL's own: `&&`, `||`, `all` and `exists` absorb it where the other side settles the result."""


class ExhaustedError(Exception):
    """The budget is spent: nothing absorbs that, and it is never a pass."""
