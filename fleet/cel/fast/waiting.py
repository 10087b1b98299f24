"""A quick function is written once the expression was asked for so often that writing it pays."""

from fleet.cel import checker, tree
from fleet.cel.fast import programs, runtime

RUNS = 12  # exact ones cost about as much together as writing the function does


class Waiting:
    """`function` is None before that, and for good where none can be written."""

    __slots__ = ("_checked", "_left", "_root", "function")

    def __init__(self, root: tree.Node, checked: checker.Checked) -> None:
        self.function: runtime.Function | None = None
        self._root: tree.Node | None = root
        self._checked: checker.Checked | None = checked
        self._left = RUNS

    def asked(self) -> None:
        """Once more."""
        self._left -= 1
        if self._left <= 0:
            self.write()

    def write(self) -> runtime.Function | None:
        if self._root is not None and self._checked is not None:
            self.function = programs.build(self._root, self._checked)
            self._root = self._checked = None
        return self.function
