"""Kyverno's ValidatingPolicy and NamespacedValidatingPolicy: Kubernetes' policy with bindings inside, and autogen."""

from collections.abc import Iterator, Mapping
from typing import Any

from fleet.model import findings
from fleet.policy import criteria, documents, writings
from fleet.policy.dialects import autogen, drafts

# Fields of its spec that are Kubernetes' own, and those that only Kyverno has.
_SHARED = frozenset(
    {
        "failurePolicy",
        "matchConstraints",
        "matchConditions",
        "variables",
        "validations",
        "auditAnnotations",
    }
)
_OWN = frozenset({"validationActions", "autogen", "evaluation", "webhookConfiguration"})
_DIALECT = documents.Dialect(is_kyverno=True, sees_namespace=True, annotates_denials=True)
_ACTIONS = ("Deny", "Warn", "Audit")
_SELECTORS = ("namespaceSelector", "objectSelector")
_PODS = {"apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"]}


def translate(written: writings.Written) -> drafts.Translated:
    spec = written.value.get("spec")
    if not isinstance(spec, Mapping):
        return drafts.Translated(findings=(written.unknown("it has no spec", ("spec",)),))
    if _part(spec, "evaluation", "mode") == "JSON":
        message = "not evaluated: it judges JSON of any kind, not Kubernetes objects"
        found = written.warned(message, ("spec", "evaluation", "mode"))
        return drafts.Translated(findings=(found,))
    wrong = tuple(_misread(spec, written))
    if wrong:
        return drafts.Translated(findings=wrong)
    made = drafts.translated([_draft(spec, written, ""), *_generated(spec, written)])
    custom = tuple(_custom(spec, written))
    return drafts.merged([made, drafts.Translated(findings=custom)])


def _custom(spec: Mapping[str, Any], written: writings.Written) -> Iterator[findings.Finding]:
    known = {each.resource for each in autogen.CONTROLLERS if each.group}
    path = ("spec", "autogen", "podControllers", "controllers")
    for n, each in enumerate(_asked(spec) or ()):
        if str(each) not in known:
            message = f"not evaluated: autogen for {each}, whose template nobody knows"
            yield written.warned(message, (*path, str(n)))


def _asked(spec: Mapping[str, Any]) -> list[Any] | None:
    """The controllers that autogen is wanted for; None = all."""
    asked = _part(spec, "autogen", "podControllers", "controllers")
    return asked if isinstance(asked, list) else None


def _part(value: Any, *steps: str) -> Any:
    for step in steps:
        value = value.get(step) if isinstance(value, Mapping) else None
    return value


def _misread(spec: Mapping[str, Any], written: writings.Written) -> Iterator[findings.Finding]:
    for name in spec:
        if name not in _SHARED | _OWN:
            yield written.unknown(f"spec.{name} is no field of {written.kind}", ("spec", name))
    actions = spec.get("validationActions")
    if actions is not None and (
        not isinstance(actions, list) or any(each not in _ACTIONS for each in actions)
    ):
        message = f"validationActions is not made of {', '.join(_ACTIONS)}"
        yield written.unknown(message, ("spec", "validationActions"))


def _draft(spec: Mapping[str, Any], written: writings.Written, generated: str) -> drafts.Draft:
    namespace = ""
    criterion: criteria.Criterion = criteria.ALWAYS
    if written.kind == "NamespacedValidatingPolicy":
        namespace = str(written.metadata.get("namespace") or "default")
        criterion = criteria.Inside(namespace)
    return drafts.Draft(
        key=f"{written.kind}/{namespace}/{written.name}/{generated}",
        title=written.name,
        written=written,
        spec=_shared(spec),
        dialect=_DIALECT,
        criterion=criterion,
        actions=(drafts.Action(_word(spec)),),
        is_generated=bool(generated),
    )


def _shared(spec: Mapping[str, Any]) -> dict[str, Any]:
    found = {key: value for key, value in spec.items() if key in _SHARED}
    return {**found, "matchConditions": drafts.conditions(spec.get("matchConditions"))}


def _word(spec: Mapping[str, Any]) -> str:
    """The hardest; at most noted where it has no say at admission."""
    if _part(spec, "evaluation", "admission", "enabled") is False:
        return "Audit"
    words = spec.get("validationActions") or ["Deny"]
    return next(each for each in _ACTIONS if each in words)


def _generated(spec: Mapping[str, Any], written: writings.Written) -> Iterator[drafts.Draft]:
    """The policy for what makes Pods, where it is one for Pods alone."""
    constraints = spec.get("matchConstraints")
    if not isinstance(constraints, Mapping) or not _is_of_pods(constraints):
        return
    asked = _asked(spec)
    wanted = [
        each
        for each in autogen.CONTROLLERS
        if each.group and (asked is None or each.resource in asked)
    ]
    operations = constraints["resourceRules"][0].get("operations")
    for template, group in autogen.by_template(wanted).items():
        moved = autogen.moved(
            {key: value for key, value in spec.items() if key != "matchConstraints"},
            template,
            keeps_names=True,
        )
        rules = [_rule(each, operations) for each in group]
        generated = {**moved, "matchConstraints": {"resourceRules": rules}}
        yield _draft(generated, written, autogen.NAMES[template])


def _rule(controller: autogen.Controller, operations: Any) -> dict[str, Any]:
    return {
        "apiGroups": [controller.group],
        "apiVersions": ["v1"],
        "resources": [controller.resource],
        "operations": operations,
    }


def _is_of_pods(constraints: Mapping[str, Any]) -> bool:
    rules = constraints.get("resourceRules")
    if not isinstance(rules, list) or len(rules) != 1 or not isinstance(rules[0], Mapping):
        return False
    is_narrowed = constraints.get("excludeResourceRules") or rules[0].get("resourceNames")
    is_selecting = any(
        _part(constraints, name, each)
        for name in _SELECTORS
        for each in ("matchLabels", "matchExpressions")
    )
    is_pods = all(rules[0].get(key) == value for key, value in _PODS.items())
    return is_pods and not is_narrowed and not is_selecting
