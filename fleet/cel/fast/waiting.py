"""A quick function is written once the expression was asked for so often that writing it pays."""

from fleet.cel.fast import runtime
from fleet.cel.fast.definitions import Definition

RUNS = 64  # what they save together is about what writing the function costs


class Waiting:
    """`function` is None before that, and for good where none can be written."""

    __slots__ = ("_left", "definition", "function")

    def __init__(self, definition: Definition) -> None:
        self.function: runtime.Function | None = None
        self.definition = definition
        self._left = RUNS

    def asked(self) -> None:
        """Once more."""
        self._left -= 1
        if self._left == 0:
            self.write()

    def write(self) -> runtime.Function | None:
        from fleet.cel.fast import (
            programs,
        )  # most expressions of a small check are asked less often

        self.function = programs.build(self.definition)
        return self.function
