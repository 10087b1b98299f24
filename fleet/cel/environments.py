"""What an expression may name besides functions and types."""

from collections.abc import Mapping
from dataclasses import dataclass

from fleet.cel import types


@dataclass(frozen=True, slots=True)
class Environment:
    variables: Mapping[str, types.Type]

    def extended(self, name: str, kind: types.Type) -> "Environment":
        """The environment with one variable more, or with one of another type."""
        return Environment({**self.variables, name: kind})
