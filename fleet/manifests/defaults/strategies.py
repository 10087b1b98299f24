"""What an API server takes away again before admission looks: fields of features that are off, and of other ages.

Source: PrepareForCreate in k8s.io/kubernetes/pkg/registry/<group>/<resource>/strategy.go and
pkg/features/kube_features.go.
"""

from collections.abc import Mapping
from typing import Any

# By type, with the feature that is off in Kubernetes 1.36 where nobody turned it on.
OFF: Mapping[str, frozenset[str]] = {
    "apps.RollingUpdateStatefulSetStrategy": frozenset(
        {"maxUnavailable"}
    ),  # MaxUnavailableStatefulSet
    "coordination.LeaseSpec": frozenset(
        {"strategy", "preferredHolder"}
    ),  # CoordinatedLeaderElection
    "core.Lifecycle": frozenset({"stopSignal"}),  # ContainerStopSignals
    "core.PodSpec": frozenset({"schedulingGroup"}),  # GenericWorkload
    "discovery.Endpoint": frozenset({"deprecatedTopology"}),  # only ever of v1beta1
    "storage.CSIDriverSpec": frozenset({"preventPodSchedulingIfMissing"}),  # VolumeLimitScaling
}
_SNAPSHOT = "snapshot.storage.k8s.io"


def claim(found: dict[str, Any]) -> None:
    """Of claims themselves, not of templates; source: pkg/api/persistentvolumeclaim/util.go."""
    spec = dict(_mapping(found["spec"]))
    source, reference = spec.get("dataSource"), spec.get("dataSourceRef")
    if _mapping(reference).get("namespace"):  # CrossNamespaceVolumeDataSource is off
        reference = spec["dataSourceRef"] = None
    if reference is None and source is not None and not _is_source(source):
        source = spec["dataSource"] = None
    if source is not None and reference is None:
        spec["dataSourceRef"] = source
    elif reference is not None and source is None:
        spec["dataSource"] = reference
    found["spec"] = spec


def _is_source(source: Any) -> bool:
    named = (_mapping(source).get("apiGroup") or "", _mapping(source).get("kind"))
    return named in (("", "PersistentVolumeClaim"), (_SNAPSHOT, "VolumeSnapshot"))


def service_account(found: dict[str, Any]) -> None:
    secrets = found.get("secrets")
    if isinstance(secrets, list):
        found["secrets"] = [
            {"name": each["name"]} if each.get("name") else {}
            for each in secrets
            if isinstance(each, Mapping)
        ]


def conversion(found: dict[str, Any]) -> None:
    """A webhook that says nothing is none."""
    webhook = _mapping(found.get("webhook"))
    if not webhook.get("clientConfig") and not webhook.get("conversionReviewVersions"):
        found.pop("webhook", None)


def container(found: dict[str, Any]) -> None:
    lifecycle = found.get("lifecycle")
    if isinstance(lifecycle, Mapping) and lifecycle.get("stopSignal") is not None:
        others = lifecycle.keys() - {"stopSignal"}
        if not any(lifecycle[each] is not None for each in others):
            del found["lifecycle"]


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
