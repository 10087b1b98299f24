"""Gatekeeper's ConstraintTemplates with CEL, and their constraints: each constraint is a policy with its parameters.

A template's expressions see `variables.params` and `variables.anyObject`, as Gatekeeper binds them, and what any
policy sees. A template in Rego alone is named in a finding, and so is a constraint of a template that is not there.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import ValidationError

from fleet.model import findings, json_values
from fleet.policy import criteria, documents, writings
from fleet.policy.dialects import drafts, gatekeeper_match

_ENGINE = "K8sNativeValidation"
_TARGET = "admission.k8s.gatekeeper.sh"
_CONSTRAINTS = "constraints.gatekeeper.sh"
_BOUND = (
    {
        "name": "anyObject",
        "expression": "has(request.operation) && request.operation == 'DELETE' && object == null ? oldObject : object",
    },
    {
        "name": "params",
        "expression": "!has(params.spec) ? null : !has(params.spec.parameters) ? null : params.spec.parameters",
    },
)
_SOURCE = frozenset(
    {
        "validations",
        "variables",
        "failurePolicy",
        "matchCondition",
        "matchConditions",
        "generateVAP",
    }
)
_WORDS = {"deny": "Deny", "warn": "Warn", "dryrun": "Audit"}
_HARDEST = ("deny", "warn", "dryrun")
_AT_ADMISSION = frozenset({"*", "validation.gatekeeper.sh", "vap.k8s.io"})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Template:
    written: writings.Written
    policy: documents.Policy | None  # as none of its constraints has it yet; None = not evaluated
    findings: tuple[findings.Finding, ...]
    schema: Mapping[str, Any] = field(repr=False)  # of the parameters


def translate(
    templates: Iterable[writings.Written], constraints: Iterable[writings.Written]
) -> drafts.Translated:
    by_kind: dict[str, _Template] = {}
    found: list[findings.Finding] = []
    for each in templates:
        kind = str(_part(each.value, "spec", "crd", "spec", "names", "kind") or "")
        if kind in by_kind:
            message = f"the template of {kind} is already in {by_kind[kind].written.source.place}"
            found.append(each.unknown(message, ("metadata", "name"), "remove one of them"))
            continue
        by_kind[kind] = _template(each, kind)
        found += by_kind[kind].findings
    constraints = tuple(constraints)
    used = {each.kind for each in constraints}
    found += [
        each.written.warned(f"no constraint of kind {kind} uses it", ())
        for kind, each in by_kind.items()
        if kind not in used
    ]
    parts = [_constraint(each, by_kind.get(each.kind)) for each in constraints]
    return drafts.merged([drafts.Translated(findings=tuple(found)), *parts])


def _part(value: Any, *steps: str) -> Any:
    for step in steps:
        value = value.get(step) if isinstance(value, Mapping) else None
    return value


def _template(written: writings.Written, kind: str) -> _Template:
    schema = _part(written.value, "spec", "crd", "spec", "validation", "openAPIV3Schema")
    place, source = _source(written)
    if source is None:
        made = drafts.Translated(findings=(_in_rego(written),))
    else:
        made = drafts.translated([_draft(written, kind, place, source)])
    return _Template(
        written=written,
        policy=made.policies[0] if made.policies else None,
        findings=(*made.findings, *_unread(written, place, source or {})),
        schema=schema if isinstance(schema, Mapping) else {},
    )


def _source(written: writings.Written) -> tuple[writings.Path, Mapping[str, Any] | None]:
    """The CEL of its one target, and where that stands."""
    targets = _part(written.value, "spec", "targets")
    if not isinstance(targets, list) or len(targets) != 1:
        return (), None
    code = _part(targets[0], "code")
    for n, each in enumerate(code if isinstance(code, list) else ()):
        if _part(each, "engine") == _ENGINE and isinstance(_part(each, "source"), Mapping):
            return ("spec", "targets", "0", "code", str(n), "source"), each["source"]
    return (), None


def _in_rego(written: writings.Written) -> findings.Finding:
    message = f"not evaluated: template {written.name} has no code for {_ENGINE}, only another language such as Rego"
    return written.unknown(message, ("spec", "targets"), "write it in CEL beside the Rego")


def _unread(
    written: writings.Written, place: writings.Path, source: Mapping[str, Any]
) -> Iterator[findings.Finding]:
    for name in source:
        if name not in _SOURCE:
            yield written.unknown(f"{name} is no field of {_ENGINE}", (*place, name))
    if source and _part(written.value, "spec", "targets")[0].get("target") != _TARGET:
        yield written.unknown(f"its target is not {_TARGET}", ("spec", "targets", "0"))


def _draft(
    written: writings.Written, kind: str, place: writings.Path, source: Mapping[str, Any]
) -> drafts.Draft:
    variables = source.get("variables") or []
    conditions = "matchConditions" if "matchConditions" in source else "matchCondition"
    spec = {
        "matchConstraints": drafts.ANYTHING,
        "paramKind": {"apiVersion": f"{_CONSTRAINTS}/v1beta1", "kind": kind},
        "failurePolicy": source.get("failurePolicy") or "Fail",
        "variables": [*_BOUND, *variables] if isinstance(variables, list) else variables,
        "matchConditions": drafts.conditions(source.get(conditions)) or [],
        "validations": source.get("validations") or [],
    }
    paths = {part: (*place, part) for part in ("variables", "validations", "failurePolicy")}
    return drafts.Draft(
        key=kind,
        title=written.name,
        written=written,
        spec=spec,
        dialect=documents.Dialect(
            paths={**paths, "matchConditions": (*place, conditions)}, provided=len(_BOUND)
        ),
        actions=(),
    )


def _constraint(written: writings.Written, template: _Template | None) -> drafts.Translated:
    title = f"{written.kind}/{written.name}"
    if template is None:
        message = f"not evaluated: there is no ConstraintTemplate of {written.kind}"
        return drafts.Translated(findings=(written.unknown(message, ("kind",), rule=title),))
    if template.policy is None:
        message = f"not evaluated, as its template in {template.written.source.place} is not"
        return drafts.Translated(findings=(written.unknown(message, ("kind",), rule=title),))
    try:
        match = gatekeeper_match.Match.model_validate(_part(written.value, "spec", "match") or {})
    except ValidationError as error:
        wrong = tuple(
            written.unknown(why, ("spec", "match", *where), rule=title)
            for where, why in writings.faults(error)
        )
        return drafts.Translated(findings=wrong)
    word = _word(written)
    if word is None:
        return drafts.Translated(findings=(_unknown_action(written, title),))
    return _bound(written, template, template.policy, gatekeeper_match.Matching(match), word)


def _bound(
    written: writings.Written,
    template: _Template,
    policy: documents.Policy,
    criterion: criteria.Criterion,
    word: str,
) -> drafts.Translated:
    title = f"{written.kind}/{written.name}"
    given = _with_defaults(written.value, template.schema)
    draft = drafts.Draft(
        key=title,
        title=title,
        written=written,
        spec={},
        dialect=policy.dialect,
        criterion=criterion,
        actions=(drafts.Action(word),),
    )
    own = replace(
        policy,
        form=drafts.form(draft, policy.form.spec),
        source=written.source,
        title=title,
        criterion=criterion,
        digest=json_values.digest([policy.digest, title, repr(criterion)]),
    )
    (binding,) = drafts.bindings(draft)
    said = json_values.digest([binding.digest, written.value])
    return drafts.Translated(
        policies=(own,), bindings=(replace(binding, given=given, digest=said),)
    )


def _word(written: writings.Written) -> str | None:
    """The hardest that happens at admission; None = a word that nobody knows."""
    action = _part(written.value, "spec", "enforcementAction") or "deny"
    if action != "scoped":
        return _WORDS.get(action) if isinstance(action, str) else None
    scoped = _part(written.value, "spec", "scopedEnforcementActions")
    scoped = scoped if isinstance(scoped, list) else []
    words = {str(_part(each, "action")) for each in scoped if _is_at_admission(each)}
    if words - _WORDS.keys():
        return None
    return next((_WORDS[each] for each in _HARDEST if each in words), "Audit")


def _is_at_admission(scoped: Any) -> bool:
    points = _part(scoped, "enforcementPoints")
    return any(
        str(_part(each, "name")) in _AT_ADMISSION
        for each in (points if isinstance(points, list) else ())
    )


def _unknown_action(written: writings.Written, title: str) -> findings.Finding:
    message = f"its enforcementAction is none of {', '.join(_WORDS)} and scoped"
    return written.unknown(message, ("spec", "enforcementAction"), rule=title)


def _with_defaults(constraint: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """As the API server keeps it: parameters that are left out have the defaults of the template's schema."""
    spec = constraint.get("spec")
    spec = spec if isinstance(spec, Mapping) else {}
    parameters = _defaulted(spec.get("parameters"), schema)
    if parameters is None or parameters == spec.get("parameters"):
        return constraint
    return {**constraint, "spec": {**spec, "parameters": parameters}}


def _defaulted(value: Any, schema: Any) -> Any:
    if not isinstance(schema, Mapping):
        return value
    if isinstance(value, list):
        return [_defaulted(each, schema.get("items")) for each in value]
    properties = schema.get("properties")
    if not isinstance(value, Mapping) or not isinstance(properties, Mapping):
        return value
    absent = {
        name: each["default"]
        for name, each in properties.items()
        if isinstance(each, Mapping) and "default" in each and name not in value
    }
    whole = {**absent, **value}
    return {name: _defaulted(each, properties.get(name)) for name, each in whole.items()}
