"""From a rule that a translator has taken apart to a policy and its bindings, with everything that is unsound in it.

The form is Kubernetes' own, so what an API server demands of a ValidatingAdmissionPolicy's parts is demanded here too;
findings point at where the part was written in the document of the other engine.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import ValidationError

from fleet.model import findings, json_values
from fleet.policy import criteria, documents, expressions, forms, writings
from fleet.policy.dialects import libraries

ANYTHING: Mapping[str, Any] = {
    "resourceRules": [
        {"apiGroups": ["*"], "apiVersions": ["*"], "operations": ["*"], "resources": ["*"]}
    ]
}


_Findings = tuple[findings.Finding, ...]  # inside Translated the module's name is a field's


@dataclass(frozen=True, slots=True, kw_only=True)
class Translated:
    policies: tuple[documents.Policy, ...] = ()
    bindings: tuple[documents.Binding, ...] = ()
    findings: _Findings = ()


@dataclass(frozen=True, slots=True)
class Action:
    """What happens where a rule denies, and to which objects that applies."""

    word: str  # Deny, Warn or Audit
    criterion: criteria.Criterion = criteria.ALWAYS


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """One rule in the words of a ValidatingAdmissionPolicy, before anyone has looked whether they make sense."""

    key: str  # its name among all policies
    title: str  # its name for people
    written: writings.Written
    spec: Mapping[str, Any] = field(repr=False)
    dialect: documents.Dialect
    criterion: criteria.Criterion = criteria.ALWAYS
    actions: tuple[Action, ...]
    param_ref: Mapping[str, Any] | None = None
    is_generated: bool = False  # from another draft, which has told what is wrong already


def conditions(written: Any) -> Any:
    """With names that Kubernetes accepts: the other engines take any, or none."""
    if not isinstance(written, list):
        return written
    return [
        {**each, "name": f"condition-{n}"} if isinstance(each, Mapping) else each
        for n, each in enumerate(written)
    ]


def translated(drafts: Iterable[Draft]) -> Translated:
    whole = [_translated(each) for each in drafts]
    return merged(whole)


def merged(parts: Iterable[Translated]) -> Translated:
    parts = tuple(parts)
    return Translated(
        policies=tuple(each for part in parts for each in part.policies),
        bindings=tuple(each for part in parts for each in part.bindings),
        findings=tuple(each for part in parts for each in part.findings),
    )


def _translated(draft: Draft) -> Translated:
    try:
        spec = forms.PolicySpec.model_validate(draft.spec)
        reference = forms.ParamRef.model_validate(draft.param_ref) if draft.param_ref else None
    except ValidationError as error:
        return Translated(findings=() if draft.is_generated else _refused(draft, error))
    policy = documents.policy(
        form(draft, spec), draft.written.value, draft.written.source, draft.dialect
    )
    policy = replace(
        policy,
        title=draft.title,
        criterion=draft.criterion,
        digest=_digest(draft, policy),
        is_generated=draft.is_generated,
    )
    found = (
        () if draft.is_generated else (*_faults(policy, draft.written), *_unplaced(draft, policy))
    )
    return Translated(policies=(policy,), bindings=bindings(draft, reference), findings=found)


def _digest(draft: Draft, policy: documents.Policy) -> Any:
    return json_values.digest([policy.digest, draft.key, repr(draft.criterion)])


def _refused(draft: Draft, error: ValidationError) -> tuple[findings.Finding, ...]:
    return tuple(
        draft.written.unknown(why, _place(draft, where), rule=draft.title)
        for where, why in writings.faults(error)
    )


def _place(draft: Draft, where: writings.Path) -> writings.Path:
    if not where:
        return ("spec",)
    part, *rest = where
    if part == "variables" and rest:
        rest[0] = str(int(rest[0]) - draft.dialect.provided)
    return (*draft.dialect.path(part), *rest)


def form(draft: Draft, spec: forms.PolicySpec) -> forms.Policy:
    """Its name is made of names that the other engine has accepted, so it is not held to Kubernetes' rules."""
    metadata = forms.Metadata.model_construct(
        name=draft.key, labels={}, annotations=draft.written.annotations
    )
    return forms.Policy.model_construct(
        api_version=forms.API_VERSION, kind=forms.POLICY, metadata=metadata, spec=spec, status=None
    )


def bindings(
    draft: Draft, reference: forms.ParamRef | None = None
) -> tuple[documents.Binding, ...]:
    return tuple(_binding(draft, n, each, reference) for n, each in enumerate(draft.actions))


def _binding(
    draft: Draft, n: int, action: Action, reference: forms.ParamRef | None
) -> documents.Binding:
    metadata = forms.Metadata.model_construct(
        name=f"{draft.key}#{n}", labels={}, annotations=draft.written.annotations
    )
    spec = forms.BindingSpec.model_construct(
        policy_name=draft.key,
        param_ref=reference,
        match_resources=forms.MatchResources(),
        validation_actions=[action.word],
    )
    said = [
        draft.key,
        n,
        action.word,
        repr(action.criterion),
        draft.param_ref,
        draft.written.annotations,
    ]
    return documents.Binding(
        form=forms.Binding.model_construct(
            api_version=forms.API_VERSION, kind=forms.BINDING, metadata=metadata, spec=spec
        ),
        source=draft.written.source,
        digest=json_values.digest(said),
        criterion=action.criterion,
    )


def _faults(policy: documents.Policy, written: writings.Written) -> Iterable[findings.Finding]:
    for each in policy.all_expressions():
        if each.fault:
            message = explained(each, policy.dialect)
            yield written.unknown(message, each.path, rule=policy.title)


def explained(expression: expressions.Expression, dialect: documents.Dialect) -> str:
    """Why it is not evaluated."""
    return libraries.explained(expression) if dialect.is_kyverno else expression.fault


def _unplaced(draft: Draft, policy: documents.Policy) -> Iterable[findings.Finding]:
    if policy.level and policy.level not in findings.LEVELS:
        hint = f"it is one of {', '.join(findings.LEVELS)}"
        message = f"severity {policy.level!r} is none"
        yield draft.written.warned(message, ("metadata",), hint, rule=draft.title)
    named = draft.written.annotations.get(documents.ENVIRONMENTS)
    if named is not None and not any(each.strip() for each in named.split(",")):
        path = ("metadata", "annotations", documents.ENVIRONMENTS)
        yield draft.written.unknown(f"{documents.ENVIRONMENTS} names none", path, rule=draft.title)
