"""Defaults: the object as an API server completes it before any admission looks at it.

Policies judge what `completed` answers, findings point at the written text: a path inside the one is a path inside
the other as far as the text goes. Nothing that was written is ever changed. Allocation and admission's own additions
(addresses, account tokens, tolerations, anything by the name of `metadata.uid`) are no defaults, and not here.
"""

from typing import Any

from fleet.manifests.defaults import shapes

_SECTIONS = {
    "v1": "core",
    "apps/v1": "apps",
    "batch/v1": "batch",
    "autoscaling/v1": "autoscaling1",
    "autoscaling/v2": "autoscaling",
    "networking.k8s.io/v1": "networking",
    "policy/v1": "policy",
    "rbac.authorization.k8s.io/v1": "rbac",
    "storage.k8s.io/v1": "storage",
    "scheduling.k8s.io/v1": "scheduling",
    "node.k8s.io/v1": "node",
    "flowcontrol.apiserver.k8s.io/v1": "flowcontrol",
    "admissionregistration.k8s.io/v1": "admissionregistration",
    "coordination.k8s.io/v1": "coordination",
    "discovery.k8s.io/v1": "discovery",
    "certificates.k8s.io/v1": "certificates",
    "resource.k8s.io/v1": "resource",
    "apiextensions.k8s.io/v1": "apiextensions",
    "apiregistration.k8s.io/v1": "apiregistration",
}


def completed(body: Any) -> Any:
    """An object of a built-in kind with its defaults, as it is created: without a status. Any other is as it was."""
    step = _step(body)
    if step is None:
        return body
    return step({key: each for key, each in body.items() if key != "status"})


def is_known(body: Any) -> bool:
    """Whether its kind is one of Kubernetes' own that the tables have."""
    return _step(body) is not None


def _step(body: Any) -> shapes.Step | None:
    if type(body) is not dict:
        return None
    section = _SECTIONS.get(str(body.get("apiVersion")))
    name = f"{section}.{body.get('kind')}"
    return shapes.step(name) if section is not None and shapes.is_type(name) else None
