"""Why a policy says what it says of one object: each criterion, condition, variable and validation with its result.

The decision is that of `decisions`; what is here asks the parts of it again, for people to read.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any

from fleet import cel
from fleet.manifests import scopes
from fleet.model import findings, objects
from fleet.policy import (
    applying,
    blame,
    criteria,
    decisions,
    documents,
    equivalents,
    evaluate,
    excerpts,
    expressions,
    forms,
    masking,
    matching,
    parameters,
    policies,
    wordings,
)

_Scopes = scopes.Scopes  # inside _Case the module's name is a field's


class Outcome(Enum):
    UNMATCHED = "does not match"
    UNBOUND = "no binding selects it"
    WITHOUT = "no parameters"
    EXEMPT = "exempt"
    SILENT = "its conditions do not hold"
    ADMITS = "admits"
    DENIES = "denies"
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Criterion:
    words: str
    holds: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One expression: `result` is true, false, error, value or "not asked"."""

    name: str
    expression: expressions.Expression
    result: str
    value: str = ""
    message: str = ""
    guilt: blame.Guilt = field(default=blame.Guilt())


@dataclass(frozen=True, slots=True, kw_only=True)
class Hearing:
    """What one binding makes of it, with one of its parameters."""

    binding: documents.Binding
    outcome: Outcome
    criteria: tuple[Criterion, ...] = ()
    params: str = ""
    fault: str = ""  # of its parameters
    conditions: tuple[Step, ...] = ()
    variables: tuple[Step, ...] = ()
    validations: tuple[Step, ...] = ()

    @property
    def severity(self) -> findings.Severity | None:
        """As the binding has it; None where nothing is found."""
        if self.outcome not in (Outcome.DENIES, Outcome.ERROR):
            return None
        return self.binding.severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """One policy and one object. Without hearings it does not match, or nothing binds the policy."""

    policy: documents.Policy
    manifest: objects.Manifest
    outcome: Outcome
    criteria: tuple[Criterion, ...]
    hearings: tuple[Hearing, ...] = ()


def explained(
    policy: documents.Policy,
    bound: policies.PolicySet,
    manifest: objects.Manifest,
    scene: evaluate.Scene,
) -> Explained:
    """`bound` is what counts in the environment."""
    asked = evaluate.request(manifest, scene)
    case = _Case(
        policy=policy,
        bound=bound,
        manifest=manifest,
        asked=asked,
        shown=equivalents.request(policy, asked, scene.kinds),
        scopes=scene.scopes,
    )
    met = case.criteria(policy.form.spec.match_constraints, policy.criterion)
    is_matched = all(each.holds for each in met)
    found = tuple(case.hearings()) if is_matched else ()
    return Explained(
        policy=policy,
        manifest=manifest,
        outcome=_hardest(found) if is_matched else Outcome.UNMATCHED,
        criteria=met,
        hearings=found,
    )


def _hardest(found: Iterable[Hearing]) -> Outcome:
    """Whatever one binding finds is found."""
    order = list(Outcome)
    return max((each.outcome for each in found), key=order.index, default=Outcome.UNBOUND)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """One policy and one object, whichever binding is asked."""

    policy: documents.Policy
    bound: policies.PolicySet
    manifest: objects.Manifest
    asked: matching.Request
    shown: matching.Request | str  # as the policy sees it, or why nobody can tell
    scopes: _Scopes

    def criteria(
        self, written: forms.MatchResources, criterion: criteria.Criterion
    ) -> tuple[Criterion, ...]:
        return tuple(
            Criterion(words=each.words, holds=each.holds(self.asked))
            for each in wordings.parts(written, criterion)
        )

    def hearings(self) -> Iterator[Hearing]:
        for each in self.bound.bindings:
            if each.policy == self.policy.name:
                yield from self._of_binding(each)

    def _of_binding(self, binding: documents.Binding) -> Iterator[Hearing]:
        met = self.criteria(binding.form.spec.match_resources, binding.criterion)
        heard = Hearing(binding=binding, outcome=Outcome.UNBOUND, criteria=met)
        if not applying.matches(self.policy, binding, self.asked):
            yield heard
            return
        if isinstance(self.shown, str):
            yield replace(heard, outcome=Outcome.ERROR, fault=self.shown)
            return
        found = parameters.find(binding, self.asked, self.bound, self.scopes)
        if not found.values:
            outcome = Outcome.ERROR if found.fault else Outcome.WITHOUT
            yield replace(heard, outcome=outcome, fault=found.fault)
        for params in found.values:
            yield self._decided(heard, params, self.shown)

    def _decided(
        self, heard: Hearing, params: documents.Document | None, shown: matching.Request
    ) -> Hearing:
        policy = self.policy
        seen = decisions.seen(policy, decisions.scene(shown), params)
        is_exempt = decisions.is_exempt(policy, self.asked, seen)
        decided = () if is_exempt else decisions.decide(policy, seen)
        bench = _Bench(policy, self.manifest, seen)
        return replace(
            heard,
            outcome=Outcome.EXEMPT if is_exempt else _outcome(policy, decided, seen),
            params=_named(params, self.manifest),
            conditions=tuple(bench.conditions()),
            variables=tuple(bench.variables()),
            validations=tuple(bench.validations(decided)),
        )


def _outcome(
    policy: documents.Policy, decided: tuple[decisions.Decision, ...], seen: Mapping[str, Any]
) -> Outcome:
    made = {each.evaluation for each in decided}
    if decisions.Evaluation.ERROR in made:
        return Outcome.ERROR
    if decisions.Evaluation.DENY in made:
        return Outcome.DENIES
    return Outcome.ADMITS if made or decisions.speaks(policy, seen) else Outcome.SILENT


def _named(params: documents.Document | None, manifest: objects.Manifest) -> str:
    """A Secret among the rules is named and no more."""
    if params is None:
        return ""
    metadata = params.get("metadata")
    name = str(metadata.get("name", "")) if isinstance(metadata, Mapping) else ""
    kind = str(params.get("kind", ""))
    said = findings.escaped(f"{kind} {name}".strip())
    return said if kind == "Secret" or said else excerpts.excerpt(params, manifest)


class _Bench:
    """The expressions of one policy on one object."""

    def __init__(
        self, policy: documents.Policy, manifest: objects.Manifest, seen: Mapping[str, Any]
    ) -> None:
        self._policy, self._manifest, self._seen = policy, manifest, seen

    def conditions(self) -> Iterator[Step]:
        known = decisions.of_conditions(self._policy, self._seen)
        named = zip(self._policy.form.spec.match_conditions, self._policy.conditions, strict=True)
        for written, expression in named:
            yield self._step(written.name, expression, known)

    def variables(self) -> Iterator[Step]:
        for name, expression in self._policy.variables.items():
            yield self._step(name, expression, self._seen)

    def validations(self, decided: tuple[decisions.Decision, ...]) -> Iterator[Step]:
        """Where a condition failed or the budget was spent there is one decision, and nothing was asked."""
        written = self._policy.validations
        is_each = len(decided) == len(written) and decisions.speaks(self._policy, self._seen)
        for n, each in enumerate(written):
            if is_each:
                yield self._decided(str(n), each, decided[n])
            else:
                said = decided[0].message if decided else ""
                message = excerpts.message(said, self._manifest)
                yield _unasked(str(n), each.expression, message)

    def _step(
        self, name: str, expression: expressions.Expression, known: Mapping[str, Any]
    ) -> Step:
        try:
            value = expression.evaluate(known)
        except (cel.EvaluationError, cel.ExhaustedError) as error:
            message = excerpts.message(str(error), self._manifest)
            return Step(name=name, expression=expression, result="error", message=message)
        result = {True: "true", False: "false"}[value] if isinstance(value, bool) else "value"
        shown = excerpts.excerpt(value, self._manifest)
        return Step(name=name, expression=expression, result=result, value=shown)

    def _decided(
        self, name: str, validation: documents.Validation, decision: decisions.Decision
    ) -> Step:
        expression = validation.expression
        if decision.evaluation is decisions.Evaluation.ADMIT:
            return Step(name=name, expression=expression, result="true")
        message = excerpts.message(decision.message, self._manifest)
        if decision.evaluation is decisions.Evaluation.ERROR:
            return Step(name=name, expression=expression, result="error", message=message)
        found = blame.guilt(expression, self._policy, self._seen)
        path = tuple(masking.masked(each, self._manifest) for each in found.path)
        return Step(
            name=name,
            expression=expression,
            result="false",
            message=message,
            guilt=blame.Guilt(path=path, text=found.text, at=found.at, variable=found.variable),
        )


def _unasked(name: str, expression: expressions.Expression, message: str) -> Step:
    return Step(name=name, expression=expression, result="not asked", message=message)
