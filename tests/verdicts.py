"""What an expression says in a dialect, in both ways of evaluating, or why it says nothing."""

from typing import Any

import pytest

import twins
from fleet import cel
from fleet.cel import admission, types

KUBERNETES = cel.Environment({**admission.ENVIRONMENT.variables, "x": types.DYN}, has_bind=True)
SPECIFICATION = cel.Environment({"x": types.DYN}, has_bind=True, dialect=cel.Dialect.SPECIFICATION)


def says(text: str, environment: cel.Environment = KUBERNETES, **bindings: Any) -> Any:
    """The exact way's value, held against the quick way's."""
    program = cel.compile(text, environment)
    found = program.exactly(bindings)
    quick = twins.quickly(program.quick.write(), bindings)
    assert not twins.difference(program, quick, bindings)
    return found


def check(text: str, value: Any, environment: cel.Environment = KUBERNETES) -> None:
    assert twins.shape(says(text, environment)) == twins.shape(value)


def failing(text: str, environment: cel.Environment = KUBERNETES, **bindings: Any) -> str:
    with pytest.raises(cel.EvaluationError) as caught:
        says(text, environment, **bindings)
    return str(caught.value)


def refused(text: str, environment: cel.Environment = KUBERNETES) -> str:
    with pytest.raises(cel.CompileError) as caught:
        cel.compile(text, environment)
    return str(caught.value)
