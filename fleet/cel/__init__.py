"""CEL in Kubernetes' dialect: an expression is compiled once against an environment and evaluated often.

    environment = cel.Environment({"object": types.DYN})
    program = cel.compile("object.spec.replicas > 1", environment)
    program.type                                                  # bool
    program.evaluate({"object": {"spec": {"replicas": 3}}})       # True

Values are JSON's own in Python; what JSON lacks is in `fleet.cel.values`, static types are in `fleet.cel.types`, and
what Kubernetes declares for admission policies is `fleet.cel.admission.ENVIRONMENT`. The language as the CEL
specification has it, with lists of mixed types for example, is another dialect of the environment:

    cel.Environment({"x.y": types.INT}, container="x", dialect=cel.Dialect.SPECIFICATION, has_bind=True)

and with `is_checked=False` an expression is compiled without regard to its types.

`compile` raises CompileError with the offset of what is wrong, `evaluate` raises EvaluationError or, where the run
costs more than it may, ExhaustedError. No fault of any kind becomes a value.
"""

from fleet.cel.budgets import DEFAULT_BUDGET
from fleet.cel.environments import Dialect, Environment
from fleet.cel.faults import CompileError, EvaluationError, ExhaustedError
from fleet.cel.history import Need
from fleet.cel.programs import Program, compile  # noqa: A004  the word for it
from fleet.cel.texts import text_of

__all__ = [
    "DEFAULT_BUDGET",
    "CompileError",
    "Dialect",
    "Environment",
    "EvaluationError",
    "ExhaustedError",
    "Need",
    "Program",
    "compile",
    "text_of",
]
