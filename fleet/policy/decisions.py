"""One policy on one object with one parameter: admit, deny or error for each validation, as Kubernetes decides.

An error is a decision of its own here; whether it refuses is for the binding to say, never for the expression.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from fleet import cel
from fleet.cel import admission, budgets
from fleet.policy import documents, expressions, matching
from fleet.policy.verdicts import Decision, Evaluation

__all__ = [
    "Decision",
    "Evaluation",
    "Variables",
    "about",
    "bindings",
    "decide",
    "is_exempt",
    "of_conditions",
    "scene",
    "seen",
    "speaks",
]

_SHOWN = 300  # characters of an expression in a message about it
_MAX_MESSAGE = 5 * 1024  # bytes; a longer one is not taken from a message expression
_ADMIT = Decision(evaluation=Evaluation.ADMIT)


class Variables(Mapping[str, Any]):
    """`variables` of a policy: each evaluated when it is first asked for, and once."""

    __slots__ = ("_faults", "_plain", "_values", "_written")

    def __init__(
        self, written: Mapping[str, expressions.Expression], plain: Mapping[str, Any]
    ) -> None:
        self._written = written
        self._plain = plain
        self._values: dict[str, Any] = {}
        self._faults: dict[str, str] | None = None

    def __getitem__(self, name: str) -> Any:
        found = self._values.get(name, self)
        if found is self:
            found = self._values[name] = self._evaluated(name)
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self._written)

    def __len__(self) -> int:
        return len(self._written)

    def _evaluated(self, name: str) -> Any:
        """Where it is seen, so that nothing here refers to itself: garbage is gone at once."""
        faults = self._faults
        if faults is None or name not in faults:
            try:
                return self._written[name].evaluate({**self._plain, "variables": self})
            except cel.EvaluationError as error:
                faults = self._faults = {**(faults or {}), name: str(error)}
        fault = faults[name]
        raise cel.EvaluationError(f'composited variable "{name}" fails to evaluate: {fault}')


_NO_VARIABLES = Variables({}, {})


def scene(asked: matching.Request) -> dict[str, Any]:
    """What expressions see of one object, whichever policy asks."""
    return {
        "object": None if asked.operation == matching.DELETE else asked.body,
        "oldObject": asked.old,
        "request": _request(asked),
        "namespaceObject": _namespace(asked),
        "authorizer": admission.NOBODY,
    }


def seen(
    policy: documents.Policy, known: Mapping[str, Any], params: documents.Document | None
) -> dict[str, Any]:
    """What the expressions of one policy see, of a scene that it leaves as it is."""
    plain = {**known, "params": params, budgets.PURSE: budgets.Budget(budgets.DEFAULT_PURSE)}
    if policy.dialect.is_kyverno:
        plain["exceptions"] = _allowed(policy, plain)
    variables = Variables(policy.variables, plain) if policy.variables else _NO_VARIABLES
    return {**plain, "variables": variables}


def _allowed(policy: documents.Policy, known: Mapping[str, Any]) -> dict[str, list[str]]:
    """What exceptions let pass, which a policy's expressions ask for."""
    granted = [e for e in policy.exemptions if not e.is_whole and _is_granted(e, known)]
    return {
        "allowedImages": [image for each in granted for image in each.images],
        "allowedValues": [value for each in granted for value in each.values],
    }


def bindings(
    policy: documents.Policy,
    asked: matching.Request,
    params: documents.Document | None,
) -> dict[str, Any]:
    """What its expressions see of one object."""
    return seen(policy, scene(asked), params)


def decide(policy: documents.Policy, scene: Mapping[str, Any]) -> tuple[Decision, ...]:
    """One decision for each validation; none where a match condition says that the policy does not speak.

    Once the budget is spent, nothing more is tried (threat 44).
    """
    try:
        fault = _condition(policy, scene) if policy.conditions else ""
        if fault is None:
            return ()
        if fault:
            return (_error(fault),)
        return tuple([_decision(each, scene) for each in policy.validations])
    except cel.ExhaustedError as error:
        return (_error(str(error) or "the budget of the expression is spent"),)


def _condition(policy: documents.Policy, scene: Mapping[str, Any]) -> str | None:
    """None = the policy does not speak; else what was wrong with its conditions, "" = nothing."""
    return _unmet(policy.conditions, of_conditions(policy, scene))


def of_conditions(policy: documents.Policy, scene: Mapping[str, Any]) -> Mapping[str, Any]:
    """As in Kubernetes, conditions are not told the namespace."""
    return scene if policy.dialect.sees_namespace else {**scene, "namespaceObject": None}


def speaks(policy: documents.Policy, scene: Mapping[str, Any]) -> bool:
    """Whether all of its conditions hold; an error is no yes."""
    try:
        return _condition(policy, scene) == ""
    except cel.ExhaustedError:
        return False


def is_exempt(policy: documents.Policy, asked: matching.Request, scene: Mapping[str, Any]) -> bool:
    return any(
        each.is_whole and each.criterion.holds(asked) and _is_granted(each, scene)
        for each in policy.exemptions
    )


def _is_granted(exemption: documents.Exemption, known: Mapping[str, Any]) -> bool:
    """One that cannot be evaluated exempts from nothing."""
    try:
        return _unmet(exemption.conditions, known) == ""
    except cel.ExhaustedError:
        return False


def _unmet(conditions: Iterable[expressions.Expression], known: Mapping[str, Any]) -> str | None:
    faults = []
    for each in conditions:
        try:
            if each.evaluate(known) is not True:
                return None
        except cel.EvaluationError as error:
            faults.append(about(each, error))
    return "; ".join(faults)


def _decision(validation: documents.Validation, scene: Mapping[str, Any]) -> Decision:
    expression = validation.expression
    try:
        if expression.evaluate(scene) is True:
            return _ADMIT
    except cel.EvaluationError as error:
        return _error(about(expression, error))
    expressed = _expressed(validation.message_expression, scene)
    if not expressed:
        return validation.denial
    return replace(validation.denial, message=expressed, is_quoting=True)


def _error(message: str) -> Decision:
    return Decision(evaluation=Evaluation.ERROR, message=message, is_quoting=True)


def about(expression: expressions.Expression, error: Exception) -> str:
    """What went wrong, as an API server tells it."""
    if expression.program is None:
        return str(error)
    text = expression.text.strip()
    shown = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
    return f"expression '{shown}' resulted in error: {error}"


def _expressed(expression: expressions.Expression | None, scene: Mapping[str, Any]) -> str:
    """What a message expression says, if that is one line."""
    if expression is None:
        return ""
    try:
        text = expression.evaluate(scene)
    except cel.EvaluationError:
        return ""
    text = text.strip() if isinstance(text, str) else ""
    return "" if "\n" in text or len(text.encode()) > _MAX_MESSAGE else text


def _request(asked: matching.Request) -> dict[str, Any]:
    """Of an AdmissionRequest what a repository can know: who asks is seldom among it: then `userInfo` is an error."""
    key = asked.key
    meant, written = _versioned(asked.meant or asked.written), _versioned(asked.written)
    known = {
        "kind": {**meant, "kind": key.kind},
        "resource": {**meant, "resource": asked.resource},
        "requestKind": {**written, "kind": key.kind},
        "requestResource": {**written, "resource": asked.resource},
        "name": key.name,
        "operation": asked.operation,
        "dryRun": False,
        **({} if asked.user is None else {"userInfo": asked.user}),
    }
    namespace = key.name if asked.is_namespace else key.namespace
    if namespace:
        known["namespace"] = namespace
    return known


def _versioned(version: matching.Version) -> dict[str, str]:
    return {"group": version[0], "version": version[1]}


def _namespace(asked: matching.Request) -> dict[str, Any] | None:
    if asked.namespace_labels is None:
        return None
    metadata = {"name": asked.key.namespace, "labels": dict(asked.namespace_labels)}
    if asked.namespace_annotations:
        metadata["annotations"] = dict(asked.namespace_annotations)
    return {"metadata": metadata, "spec": {}, "status": {"phase": "Active"}}
