"""What an expression may name besides functions and types."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from fleet.cel import types


@dataclass(frozen=True, slots=True)
class Environment:
    """`has_bind`: whether there is `cel.bind`, which Kubernetes leaves out and Kyverno has."""

    variables: Mapping[str, types.Type]
    has_bind: bool = False

    def extended(self, name: str, kind: types.Type) -> "Environment":
        """The environment with one variable more, or with one of another type."""
        return replace(self, variables={**self.variables, name: kind})
