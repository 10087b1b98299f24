"""What comes of one validation: the words of Kubernetes' own evaluator."""

from dataclasses import dataclass, field
from enum import Enum

from fleet.policy import expressions


class Evaluation(Enum):
    ADMIT = "admit"
    DENY = "deny"
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    evaluation: Evaluation
    message: str = ""
    is_quoting: bool = False  # the message may hold parts of the object
    reason: str = ""
    expression: expressions.Expression | None = field(default=None, repr=False)  # that denied
