"""What an expression may name besides functions and types, and in which dialect it is read."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum

from fleet.cel import types


class Dialect(Enum):
    """Kubernetes refuses literals of mixed types and literals that could only fail, the specification allows them."""

    KUBERNETES = "kubernetes"
    KYVERNO = "kyverno"  # as Kubernetes, with functions about images; `orValue` of what is no optional is that value
    SPECIFICATION = "specification"


@dataclass(frozen=True, slots=True)
class Environment:
    """Variables by name, which may have dots in it, with their types.

    `has_bind`: whether there is `cel.bind`, which Kubernetes leaves out and Kyverno has. `container` is the namespace
    in which names are looked for first. What is not `is_checked` may name anything and call anything: it fails when it
    runs, if it comes to that. `definitions` are what programs have of that name, by the dotted name under which the
    bindings will hold exactly that program's value: the quick way evaluates it in place.
    """

    variables: Mapping[str, types.Type]
    has_bind: bool = False
    container: str = ""
    dialect: Dialect = Dialect.KUBERNETES
    is_checked: bool = True
    definitions: Mapping[str, object] = field(default_factory=dict, compare=False, repr=False)

    def extended(self, name: str, kind: types.Type) -> "Environment":
        """The environment with one variable more, or with one of another type."""
        return replace(self, variables={**self.variables, name: kind})

    def variable(self, name: str) -> str | None:
        """The variable that a name stands for: the container's own before that of any namespace around it."""
        return next((each for each in self._candidates(name) if each in self.variables), None)

    def _candidates(self, name: str) -> Iterator[str]:
        if name.startswith("."):
            yield name[1:]
            return
        inside = self.container
        while inside:
            yield f"{inside}.{name}"
            inside = inside.rpartition(".")[0]
        yield name
