"""Which built-in kinds live outside namespaces, and what kinds are called in URLs.

Source: `kubectl api-resources` of Kubernetes 1.36; what is not in the table of a built-in group is namespaced.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from fleet.model import objects

_CLUSTER_SCOPED: Mapping[str, frozenset[str]] = {
    "": frozenset({"Namespace", "Node", "PersistentVolume", "ComponentStatus"}),
    "admissionregistration.k8s.io": frozenset(
        {
            "MutatingAdmissionPolicy",
            "MutatingAdmissionPolicyBinding",
            "MutatingWebhookConfiguration",
            "ValidatingAdmissionPolicy",
            "ValidatingAdmissionPolicyBinding",
            "ValidatingWebhookConfiguration",
        }
    ),
    "apiextensions.k8s.io": frozenset({"CustomResourceDefinition"}),
    "apiregistration.k8s.io": frozenset({"APIService"}),
    "certificates.k8s.io": frozenset({"CertificateSigningRequest", "ClusterTrustBundle"}),
    "flowcontrol.apiserver.k8s.io": frozenset({"FlowSchema", "PriorityLevelConfiguration"}),
    "networking.k8s.io": frozenset({"IngressClass", "IPAddress", "ServiceCIDR"}),
    "node.k8s.io": frozenset({"RuntimeClass"}),
    "rbac.authorization.k8s.io": frozenset({"ClusterRole", "ClusterRoleBinding"}),
    "resource.k8s.io": frozenset({"DeviceClass", "ResourceSlice", "DeviceTaintRule"}),
    "scheduling.k8s.io": frozenset({"PriorityClass"}),
    "storage.k8s.io": frozenset(
        {"CSIDriver", "CSINode", "StorageClass", "VolumeAttachment", "VolumeAttributesClass"}
    ),
    "storagemigration.k8s.io": frozenset({"StorageVersionMigration"}),
}
_BUILT_IN_GROUPS = frozenset(
    {
        *_CLUSTER_SCOPED,
        "apps",
        "autoscaling",
        "batch",
        "coordination.k8s.io",
        "discovery.k8s.io",
        "events.k8s.io",
        "policy",
    }
)
_PLURALS = {"Endpoints": "endpoints", "ComponentStatus": "componentstatuses"}
_VOWELS = "aeiou"


@dataclass(frozen=True, slots=True, kw_only=True)
class Custom:
    """What a CustomResourceDefinition says of its kind."""

    namespaced: bool
    plural: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Scopes:
    """Scope and plural of every kind that this repository can use."""

    custom: Mapping[tuple[str, str], Custom]

    def is_namespaced(self, group: str, kind: str) -> bool | None:
        """None for a kind that nobody has described."""
        if group in _BUILT_IN_GROUPS:  # first: no CRD may say otherwise of Kubernetes' own kinds
            return kind not in _CLUSTER_SCOPED.get(group, frozenset())
        known = self.custom.get((group, kind))
        return None if known is None else known.namespaced

    def plural(self, key: objects.Key) -> str:
        known = self.custom.get((key.group, key.kind))
        return known.plural if known else plural(key.kind)


def is_built_in(group: str) -> bool:
    return group in _BUILT_IN_GROUPS


def scopes(crds: Iterable[Mapping[str, Any]]) -> Scopes:
    """With the kinds of these CRDs; what is malformed in them is the schema's finding, not ours."""
    found = {}
    for crd in crds:
        spec = crd.get("spec")
        named = spec.get("names") if isinstance(spec, dict) else None
        if isinstance(spec, dict) and isinstance(named, dict):
            key = (str(spec.get("group")), str(named.get("kind")))
            found[key] = Custom(
                namespaced=spec.get("scope") != "Cluster",
                plural=str(named.get("plural") or plural(key[1])),
            )
    return Scopes(custom=found)


def plural(kind: str) -> str:
    """As Kubernetes' own kinds are pluralised."""
    if kind in _PLURALS:
        return _PLURALS[kind]
    word = kind.lower()
    if word.endswith("y") and word[-2:-1] not in _VOWELS:
        return word[:-1] + "ies"
    return word + ("es" if word.endswith(("s", "ss", "x", "ch", "sh")) else "s")
