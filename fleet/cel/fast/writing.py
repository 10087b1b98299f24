"""The lines of one function as they are written: every result in a local name of its own.

What was found once is not looked for again where the first finding is certain to have been reached: a fact made inside
a branch is forgotten with the branch.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeAlias

from fleet.cel import tree
from fleet.cel.fast import runtime
from fleet.cel.fast.definitions import Definition
from fleet.cel.fast.operands import Kind, Operand

Fact: TypeAlias = tuple[str, ...]


class Unwritable(Exception):  # noqa: N818 - no error: the expression stays with the exact evaluator
    pass


class Writer:
    """`emit` writes what a node needs and says where its value is."""

    def __init__(
        self, definition: Definition, emit: Callable[["Writer", tree.Node], Operand]
    ) -> None:
        self.checked = definition.checked
        self.nodes = 0
        self._definition = definition
        self._later: dict[str, str] = {}
        self.constants: dict[str, Any] = {}
        self.names: Mapping[str, Operand] = {}
        self.lines: list[str] = []
        self._emit = emit
        self._facts: dict[Fact, Operand] = {}
        self._depth = 1
        self._made = 0
        self._spends = False
        self._turns = False

    def emit(self, node: tree.Node) -> Operand:
        self.nodes += 1
        if self.nodes > runtime.MOST_NODES:
            raise Unwritable
        return self._emit(self, node)

    def text(self) -> str:
        heads = [" B = None"] * self._spends + [" n = TURNS"] * self._turns
        heads += [f" {each} = UNSET" for each in self._later.values()]
        return "\n".join(["def run(b):", *heads, *self.lines])

    # Lines

    def line(self, text: str) -> None:
        self.lines.append(" " * self._depth + text)

    def insert(self, at: int, text: str) -> None:
        """A line one block deeper than here, put in behind what was written there before."""
        self.lines.insert(at, " " * (self._depth + 1) + text)

    def bail_if(self, condition: str) -> None:
        self.line(f"if {condition}: return BAIL")

    @contextmanager
    def branch(self, header: str, *, keep: bool = False) -> Iterator[None]:
        """`keep` where what comes behind the branch runs only if the branch ran."""
        self.line(header)
        self._depth += 1
        before = dict(self._facts)
        yield
        self._depth -= 1
        if not keep:
            self._facts = before

    @contextmanager
    def scope(self) -> Iterator[None]:
        """Forgets afterwards what was found in it."""
        before = dict(self._facts)
        yield
        self._facts = before

    @contextmanager
    def bound(self, names: Mapping[str, Operand]) -> Iterator[None]:
        outer = self.names
        self.names = {**outer, **names}
        yield
        self.names = outer

    # Names

    def fresh(self) -> str:
        self._made += 1
        return f"v{self._made}"

    def assign(self, value: str, kind: Kind = Kind.UNKNOWN) -> Operand:
        name = self.fresh()
        self.line(f"{name} = {value}")
        return Operand(text=name, kind=kind)

    def constant(self, value: Any) -> str:
        name = f"k{len(self.constants)}"
        self.constants[name] = value
        return name

    def known(self, fact: Fact, make: Callable[[], Operand]) -> Operand:
        found = self._facts.get(fact)
        if found is None:
            found = self._facts[fact] = make()
        return found

    # Definitions

    def defined(self, name: str) -> Operand | None:
        """What a name with a dot stands for, evaluated where it is first asked for, and once."""
        definition = self._definition.inner.get(name)
        if definition is None or name.partition(".")[0] in self.names:
            return None
        if isinstance(definition.root, (tree.Literal, tree.ListOf)):
            return self._inside(definition)
        return self.known(("definition", name), lambda: self._once(name, definition))

    def _once(self, name: str, definition: Definition) -> Operand:
        if self._depth == 1 and name not in self._later:
            return self._inside(definition)
        local = self._later.setdefault(name, f"w{len(self._later)}")
        with self.branch(f"if {local} is UNSET:"):
            found = self._inside(definition)
            self.line(f"{local} = {found.text}")
        return Operand(text=local, kind=found.kind)

    def _inside(self, definition: Definition) -> Operand:
        outer, self._definition = self._definition, definition
        names, self.names, self.checked = self.names, {}, definition.checked
        found = self.value(definition.root)
        self._definition, self.names, self.checked = outer, names, outer.checked
        return found

    # Operands

    def value(self, node: tree.Node) -> Operand:
        return self.plain(self.emit(node))

    def plain(self, operand: Operand) -> Operand:
        """A value of CEL's own, whatever the code made of it."""
        if operand.kind is not Kind.OPTIONAL:
            return operand
        return self.assign(wrapped(operand))

    def held(self, operand: Operand) -> Operand:
        """In a local name: Python warns of literals in places where CEL has an error."""
        return self.assign(operand.text, operand.kind) if operand.is_literal else operand

    def optional(self, operand: Operand) -> Operand:
        if operand.kind is Kind.OPTIONAL:
            return operand
        return self.assign(f"opened({operand.text})", Kind.OPTIONAL)

    def truth(self, operand: Operand) -> Operand:
        """The same, certain to be a bool."""
        if operand.kind is Kind.BOOL:
            return operand
        if operand.kind is not Kind.UNKNOWN or operand.is_literal:
            raise Unwritable
        return self.known(("bool", operand.text), lambda: self._checked_bool(operand))

    def _checked_bool(self, operand: Operand) -> Operand:
        self.bail_if(f"{operand.text} is not True and {operand.text} is not False")
        return Operand(text=operand.text, kind=Kind.BOOL)

    # What it costs

    def count(self, units: str) -> None:
        self._turns = True
        self.line(f"n -= {units}")
        self.bail_if("n < 0")

    def allow(self) -> None:
        """From here on `B` is there for a function of the library."""
        self._spends = True
        self.line("if B is None: B = allowance()")


def wrapped(operand: Operand) -> str:
    return f"NONE if {operand.text} is ABSENT else Optional(True, {operand.text})"
