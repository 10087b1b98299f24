"""What one policy says to one request, whatever its bindings would do about it."""

from collections.abc import Iterable
from dataclasses import dataclass

from fleet.manifests import scopes
from fleet.policy import decisions, documents, matching, parameters, policies
from fleet.policy.dialects import drafts
from fleet.policy.trials import cases


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    policy: documents.Policy
    result: cases.Result
    against: tuple[decisions.Decision, ...] = ()  # those that do not admit
    fault: str = ""  # what is missing
    unknown: str = ""  # why nobody knows: an expression that is not evaluated here

    @property
    def messages(self) -> tuple[str, ...]:
        said = tuple(each.message for each in self.against)
        return (self.fault, *said) if self.fault else said


def of(
    policy: documents.Policy,
    judging: policies.PolicySet,
    asked: matching.Request,
    known: scopes.Scopes,
) -> Verdict:
    if not _matches(policy, asked):
        return Verdict(policy=policy, result=cases.Result.NONE)
    faulty = next((each for each in policy.all_expressions() if each.fault), None)
    if faulty is not None:
        unknown = drafts.explained(faulty, policy.dialect)
        return Verdict(policy=policy, result=cases.Result.ERROR, unknown=unknown)
    bound = [each for each in judging.bindings if each.policy == policy.name]
    binding = next((e for e in bound if _selects(e, asked)), None)
    if bound and binding is None:
        return Verdict(policy=policy, result=cases.Result.NONE)
    if binding is None:
        return _decided(policy, (None,), asked)
    found = parameters.find(binding, asked, judging, known)
    if found.fault:
        return Verdict(policy=policy, result=cases.Result.ERROR, fault=found.fault)
    return _decided(policy, found.values, asked)


def _matches(policy: documents.Policy, asked: matching.Request) -> bool:
    return matching.matches(policy.form.spec.match_constraints, asked) and policy.criterion.holds(
        asked
    )


def _selects(binding: documents.Binding, asked: matching.Request) -> bool:
    return matching.matches(binding.form.spec.match_resources, asked) and binding.criterion.holds(
        asked
    )


def _decided(
    policy: documents.Policy,
    params: Iterable[documents.Document | None],
    asked: matching.Request,
) -> Verdict:
    decided: list[decisions.Decision] = []
    is_silent = True
    for value in params:
        scene = decisions.bindings(policy, asked, value)
        if decisions.is_exempt(policy, asked, scene):
            continue
        made = decisions.decide(policy, scene)
        is_silent = is_silent and not made and bool(policy.validations)
        decided += made
    return _summed(policy, decided, is_silent=is_silent)


def _summed(
    policy: documents.Policy, decided: list[decisions.Decision], *, is_silent: bool
) -> Verdict:
    """The first that does not admit decides."""
    against = [e for e in decided if e.evaluation is not decisions.Evaluation.ADMIT]
    if is_silent:
        return Verdict(policy=policy, result=cases.Result.SKIP)
    if not against:
        return Verdict(policy=policy, result=cases.Result.PASS)
    is_error = against[0].evaluation is decisions.Evaluation.ERROR
    result = cases.Result.ERROR if is_error else cases.Result.FAIL
    return Verdict(policy=policy, result=result, against=tuple(against))
