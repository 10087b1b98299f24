"""CEL in Kubernetes' dialect: an expression is compiled once against an environment and evaluated often.

What cannot be compiled or evaluated is an error; no fault of any kind becomes a value.
"""

from fleet.cel.budgets import DEFAULT_BUDGET
from fleet.cel.environments import Environment
from fleet.cel.faults import CompileError, EvaluationError, ExhaustedError
from fleet.cel.history import Need
from fleet.cel.programs import Program, compile  # noqa: A004  the word for it
from fleet.cel.texts import text_of

__all__ = [
    "DEFAULT_BUDGET",
    "CompileError",
    "Environment",
    "EvaluationError",
    "ExhaustedError",
    "Need",
    "Program",
    "compile",
    "text_of",
]
