"""Where kinds live and what they are called in URLs."""

import pytest

import builders
from fleet.manifests import scopes


def crd(group: str, kind: str, scope: str, **named: str) -> dict[str, object]:
    return {"spec": {"group": group, "scope": scope, "names": {"kind": kind, **named}}}


KNOWN = scopes.scopes(
    [
        crd("example.com", "Gadget", "Cluster", plural="gadgetries"),
        crd("example.com", "Policy", "Namespaced"),
        crd("apps", "Deployment", "Cluster"),
        {"spec": 5},
        {"spec": {"names": []}},
        {},
    ]
)


@pytest.mark.parametrize(
    ("group", "kind", "is_namespaced"),
    [
        ("", "Pod", True),
        ("", "Namespace", False),
        ("", "PersistentVolume", False),
        ("", "PersistentVolumeClaim", True),
        ("apps", "Deployment", True),
        ("rbac.authorization.k8s.io", "ClusterRole", False),
        ("rbac.authorization.k8s.io", "Role", True),
        ("apiextensions.k8s.io", "CustomResourceDefinition", False),
        ("apiregistration.k8s.io", "APIService", False),
        ("admissionregistration.k8s.io", "ValidatingAdmissionPolicy", False),
        ("networking.k8s.io", "Ingress", True),
        ("networking.k8s.io", "IngressClass", False),
        ("batch", "CronJob", True),
        ("policy", "PodDisruptionBudget", True),
        ("example.com", "Gadget", False),
        ("example.com", "Policy", True),
        ("example.com", "Other", None),
        ("apps.example.com", "Deployment", None),
    ],
)
def test_scope(group: str, kind: str, is_namespaced: bool | None):
    assert KNOWN.is_namespaced(group, kind) is is_namespaced


@pytest.mark.parametrize(
    ("kind", "plural"),
    [
        ("Pod", "pods"), ("Ingress", "ingresses"), ("NetworkPolicy", "networkpolicies"),
        ("Gateway", "gateways"), ("Endpoints", "endpoints"), ("EndpointSlice", "endpointslices"),
        ("StorageClass", "storageclasses"), ("ComponentStatus", "componentstatuses"),
        ("CustomResourceDefinition", "customresourcedefinitions"),
        ("PodDisruptionBudget", "poddisruptionbudgets"), ("PriorityClass", "priorityclasses"),
    ],
)  # fmt: skip
def test_plurals_as_kubernetes_writes_them(kind: str, plural: str):
    assert scopes.plural(kind) == plural
    assert KNOWN.plural(builders.key(kind=kind)) == plural


def test_a_crd_says_its_plural():
    assert KNOWN.plural(builders.key(kind="Gadget", group="example.com")) == "gadgetries"
    assert KNOWN.plural(builders.key(kind="Policy", group="example.com")) == "policies"
