"""Makes policies of other engines for tests: sensible where the test is silent."""

from typing import Any

import builders

PODS = {"apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"], "operations": ["CREATE"]}


def validating_policy(
    *expressions: str, rule: dict[str, Any] | None = None, **spec: Any
) -> dict[str, Any]:
    kind, version = spec.pop("kind", "ValidatingPolicy"), spec.pop("version", "v1")
    metadata = {"name": "named", **spec.pop("metadata", {})}
    return {
        "apiVersion": f"policies.kyverno.io/{version}",
        "kind": kind,
        "metadata": metadata,
        "spec": {
            "matchConstraints": {"resourceRules": [rule or PODS]},
            "validations": [{"expression": each} for each in expressions],
            **spec,
        },
    }


def pod(name: str = "web", container: str = "web", **metadata: Any) -> dict[str, Any]:
    body = builders.body(name, kind="Pod", spec={"containers": [{"name": container}]})
    return {**body, "metadata": {**body["metadata"], **metadata}}


def controller(kind: str, container: str, **metadata: Any) -> dict[str, Any]:
    template = {"spec": {"containers": [{"name": container}]}}
    group = "batch" if kind in ("Job", "CronJob") else "apps"
    spec = {"jobTemplate": {"spec": {"template": template}}}
    body = builders.body(kind="CronJob", spec=spec)
    if kind != "CronJob":
        body = builders.body(kind=kind, spec={"template": template})
    return {
        **body,
        "apiVersion": f"{group}/v1",
        "metadata": {**body["metadata"], **metadata},
    }


def cluster_rule(
    *expressions: str, kinds: list[str] | None = None, **parts: Any
) -> dict[str, Any]:
    resources = {"kinds": kinds or ["Pod"], **parts.pop("resources", {})}
    cel = {"expressions": [{"expression": each} for each in expressions], **parts.pop("cel", {})}
    return {
        "name": "check",
        "match": {"any": [{"resources": resources}]},
        "validate": {"cel": cel, **parts.pop("validate", {})},
        **parts,
    }


def cluster_policy(*rules: dict[str, Any], **spec: Any) -> dict[str, Any]:
    kind, metadata = spec.pop("kind", "ClusterPolicy"), spec.pop("metadata", {})
    return {
        "apiVersion": "kyverno.io/v1",
        "kind": kind,
        "metadata": {"name": "named", **metadata},
        "spec": {"validationFailureAction": "Enforce", "rules": list(rules), **spec},
    }


def template(
    *expressions: str, code: list[Any] | None = None, schema: Any = None, **source: Any
) -> dict[str, Any]:
    written = {"validations": [{"expression": each} for each in expressions], **source}
    cel = [{"engine": "K8sNativeValidation", "source": written}]
    crd: dict[str, Any] = {"spec": {"names": {"kind": "Named"}}}
    if schema:
        crd["spec"]["validation"] = {"openAPIV3Schema": schema}
    return {
        "apiVersion": "templates.gatekeeper.sh/v1",
        "kind": "ConstraintTemplate",
        "metadata": {"name": "named"},
        "spec": {
            "crd": crd,
            "targets": [
                {
                    "target": "admission.k8s.gatekeeper.sh",
                    "code": cel if code is None else code,
                }
            ],
        },
    }


def constraint(
    name: str = "web-only", match: dict[str, Any] | None = None, **spec: Any
) -> dict[str, Any]:
    return {
        "apiVersion": "constraints.gatekeeper.sh/v1beta1",
        "kind": "Named",
        "metadata": {"name": name},
        "spec": {"match": match or {}, "parameters": {"names": ["web"]}, **spec},
    }


def exception(*names: str, **spec: Any) -> dict[str, Any]:
    """From ValidatingPolicies of these names."""
    references = [{"name": each, "kind": "ValidatingPolicy"} for each in names]
    return {
        "apiVersion": "policies.kyverno.io/v1",
        "kind": "PolicyException",
        "metadata": {"name": "leave", "namespace": "shop"},
        "spec": {"policyRefs": references, **spec},
    }
