"""Makes policies, bindings and what they judge for tests: sensible where the test is silent."""

from collections.abc import Mapping
from typing import Any

import builders
from fleet.manifests import declared, scopes
from fleet.model import findings, names, objects
from fleet.policy import evaluate, forms, policies

EVERYTHING = {
    "apiGroups": ["*"],
    "apiVersions": ["*"],
    "resources": ["*"],
    "operations": ["CREATE", "UPDATE"],
}
DENY, WARN, AUDIT = findings.Severity.DENY, findings.Severity.WARN, findings.Severity.AUDIT
UNKNOWN = findings.Severity.UNKNOWN


def policy(*expressions: str | dict[str, Any], name: str = "rule", **spec: Any) -> dict[str, Any]:
    """With a validation for each expression, on every kind unless `matchConstraints` says otherwise."""
    validations = [{"expression": e} if isinstance(e, str) else e for e in expressions]
    annotations = spec.pop("annotations", {})
    return {
        "apiVersion": forms.API_VERSION,
        "kind": forms.POLICY,
        "metadata": {"name": name, "annotations": annotations},
        "spec": {
            "matchConstraints": {"resourceRules": [EVERYTHING]},
            **({"validations": validations} if validations else {}),
            **spec,
        },
    }


def matching(**rule: Any) -> dict[str, Any]:
    """matchConstraints with one rule, which says something else about some fields."""
    return {"resourceRules": [{**EVERYTHING, **rule}]}


def binding(
    name: str = "rule", *actions: str, environments: str | None = None, **spec: Any
) -> dict[str, Any]:
    """Named as its policy unless `policyName` says otherwise; it denies unless there are actions."""
    annotations = {} if environments is None else {"fleetgate.dev/environments": environments}
    return {
        "apiVersion": forms.API_VERSION,
        "kind": forms.BINDING,
        "metadata": {"name": name, "annotations": annotations},
        "spec": {"policyName": name, "validationActions": list(actions) or ["Deny"], **spec},
    }


def rule(document: Mapping[str, Any], path: str = "policies/rule.yaml") -> declared.Rule:
    source = objects.Source(path=path, line=1, blob=names.BlobId("0" * 40))
    return declared.Rule(value=document, source=source)


def parsed(*documents: Mapping[str, Any]) -> policies.PolicySet:
    return policies.parse(map(rule, documents))


def judge(
    body: Mapping[str, Any],
    *documents: Mapping[str, Any],
    environment: str = "dev",
    namespaces: Mapping[str, Mapping[str, str]] | None = None,
    crds: tuple[Mapping[str, Any], ...] = (),
    judged: evaluate.Judged = evaluate.as_written,
) -> tuple[findings.Finding, ...]:
    """What these documents say to one object."""
    scene = evaluate.Scene(namespaces=namespaces or {}, scopes=scopes.scopes(crds), judged=judged)
    bound = policies.for_environment(parsed(*documents), names.Environment(environment))
    return evaluate.evaluate(bound, builders.manifest(document=body), scene)


def pod(name: str = "web", **spec: Any) -> dict[str, Any]:
    container = {"name": "web", "image": "ghcr.io/example/web:1"}
    return builders.body(name, kind="Pod", spec={"containers": [container], **spec})
