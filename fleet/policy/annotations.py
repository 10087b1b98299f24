"""The audit annotations of a policy on one object: what Kubernetes would add to its audit log."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fleet import cel
from fleet.policy import decisions, documents

_MAX_VALUE = 10 * 1024  # characters; what is longer is cut off, as Kubernetes does


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    message: str
    is_fault: bool = False


def noted(
    policy: documents.Policy, decided: tuple[decisions.Decision, ...], scene: Mapping[str, Any]
) -> Iterator[Note]:
    """Nothing where its conditions say that the policy does not speak."""
    denies = any(each.evaluation is decisions.Evaluation.DENY for each in decided)
    is_silent = bool(policy.validations) and not decided
    if is_silent or (policy.dialect.annotates_denials and not denies):
        return
    if not policy.validations and not decisions.speaks(policy, scene):
        return
    for each in policy.annotations:
        try:
            value = each.expression.evaluate(scene)
        except (cel.EvaluationError, cel.ExhaustedError) as error:
            yield Note(message=decisions.about(each.expression, error), is_fault=True)
            continue
        text = value.strip()[:_MAX_VALUE] if isinstance(value, str) else ""
        if text:
            yield Note(message=f"{each.key}: {text}")
