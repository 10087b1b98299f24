"""One object in another version of its kind, as an API server shows it to a policy that names that version.

Bodies are completed ones, and nothing that was written is ever changed. Source: the versions that Kubernetes 1.25 to
1.37 serve of each kind, and pkg/apis/*/v*/conversion.go of k8s.io/kubernetes.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

from fleet.manifests import defaults
from fleet.manifests.conversions import autoscaling, forms

Version: TypeAlias = tuple[str, str]  # group and version
Body: TypeAlias = dict[str, Any]
Step: TypeAlias = Callable[[Body], Body]


def _served(group: str, *versions: str) -> tuple[Version, ...]:
    return tuple((group, each) for each in versions)


_EVENT = (("", "v1"), ("events.k8s.io", "v1"))
_RESOURCE = _served("resource.k8s.io", "v1", "v1beta2", "v1beta1", "v1alpha3")
_FLOW = _served("flowcontrol.apiserver.k8s.io", "v1", "v1beta3", "v1beta2", "v1beta1")
_KINDS: Mapping[tuple[str, str], tuple[Version, ...]] = {
    ("", "Event"): _EVENT,
    ("autoscaling", "HorizontalPodAutoscaler"): _served("autoscaling", "v2", "v1", "v2beta2"),
    ("certificates.k8s.io", "ClusterTrustBundle"): _served("certificates.k8s.io", "v1", "v1beta1", "v1alpha1"),
    ("certificates.k8s.io", "PodCertificateRequest"): _served("certificates.k8s.io", "v1", "v1beta1"),
    ("coordination.k8s.io", "LeaseCandidate"): _served("coordination.k8s.io", "v1beta1", "v1alpha2"),
    ("events.k8s.io", "Event"): _EVENT,
    ("flowcontrol.apiserver.k8s.io", "FlowSchema"): _FLOW,
    ("flowcontrol.apiserver.k8s.io", "PriorityLevelConfiguration"): _FLOW,
    ("networking.k8s.io", "IPAddress"): _served("networking.k8s.io", "v1", "v1beta1"),
    ("networking.k8s.io", "ServiceCIDR"): _served("networking.k8s.io", "v1", "v1beta1"),
    ("resource.k8s.io", "DeviceClass"): _RESOURCE,
    ("resource.k8s.io", "DeviceTaintRule"): _served("resource.k8s.io", "v1", "v1beta2", "v1alpha3"),
    ("resource.k8s.io", "ResourceClaim"): _RESOURCE,
    ("resource.k8s.io", "ResourceClaimTemplate"): _RESOURCE,
    ("resource.k8s.io", "ResourceSlice"): _RESOURCE,
    ("scheduling.k8s.io", "PodGroup"): _served("scheduling.k8s.io", "v1beta1", "v1alpha3"),
    ("scheduling.k8s.io", "Workload"): _served("scheduling.k8s.io", "v1beta1", "v1alpha3"),
    ("storage.k8s.io", "CSIStorageCapacity"): _served("storage.k8s.io", "v1", "v1beta1"),
    ("storage.k8s.io", "VolumeAttributesClass"): _served("storage.k8s.io", "v1", "v1beta1", "v1alpha1"),
    ("storagemigration.k8s.io", "StorageVersionMigration"): _served(
        "storagemigration.k8s.io", "v1", "v1beta1"
    ),
}  # fmt: skip

# Of a kind's versions those that look alike; from one such form to another leads a step, or nothing known.
_FORMS: Mapping[str, tuple[frozenset[str], ...]] = {
    "Event": (frozenset({"v1"}), frozenset({"events.k8s.io/v1"})),
    "HorizontalPodAutoscaler": (frozenset({"v1"}), frozenset({"v2", "v2beta2"})),
    "PodCertificateRequest": (frozenset({"v1beta1"}), frozenset({"v1"})),
    "PriorityLevelConfiguration": (
        frozenset({"v1beta1", "v1beta2"}),
        frozenset({"v1beta3"}),
        frozenset({"v1"}),
    ),
    "ResourceClaim": (frozenset({"v1beta1", "v1alpha3"}), frozenset({"v1", "v1beta2"})),
    "ResourceClaimTemplate": (frozenset({"v1beta1", "v1alpha3"}), frozenset({"v1", "v1beta2"})),
    "ResourceSlice": (
        frozenset({"v1alpha3"}),
        frozenset({"v1beta1"}),
        frozenset({"v1", "v1beta2"}),
    ),
}
_STEPS: Mapping[tuple[str, int, int], Step] = {
    ("Event", 0, 1): forms.event_moved,
    ("Event", 1, 0): forms.event_moved_back,
    ("HorizontalPodAutoscaler", 0, 1): autoscaling.to_v2,
    ("HorizontalPodAutoscaler", 1, 0): autoscaling.to_v1,
    ("PriorityLevelConfiguration", 0, 1): forms.nominal,
    ("PriorityLevelConfiguration", 1, 0): forms.assured,
    ("PriorityLevelConfiguration", 1, 2): forms.zero_forgotten,
    ("PriorityLevelConfiguration", 2, 1): forms.zero_remembered,
    ("PriorityLevelConfiguration", 0, 2): forms.nominal,
    ("PriorityLevelConfiguration", 2, 0): forms.assured,
    ("ResourceClaim", 0, 1): forms.claim_exactly,
    ("ResourceClaim", 1, 0): forms.claim_flat,
    ("ResourceClaimTemplate", 0, 1): forms.template_exactly,
    ("ResourceClaimTemplate", 1, 0): forms.template_flat,
}


def kinds() -> Iterable[tuple[str, str]]:
    """Group and kind of all that is served in several versions."""
    return _KINDS


def versions(group: str, kind: str) -> tuple[Version, ...]:
    """All that one of the Kubernetes versions serves, if there are several."""
    return _KINDS.get((group, kind), ())


def converted(body: Body, to: Version) -> Body | None:
    """None where nobody here knows how. Defaults that only the wanted version's table has are set by that one."""
    group, _, version = str(body.get("apiVersion")).rpartition("/")
    kind = str(body.get("kind"))
    served = versions(group, kind)
    if (group, version) not in served or to not in served:
        return None
    made = _reshaped(body, kind, (group, version), to)
    if made is None:
        return None
    named = {**made, "apiVersion": f"{to[0]}/{to[1]}" if to[0] else to[1]}
    return named if defaults.is_known(body) else defaults.completed(named)


def _reshaped(body: Body, kind: str, written: Version, to: Version) -> Body | None:
    alike = _FORMS.get(kind)
    if alike is None:
        return body
    before, after = _form(alike, written), _form(alike, to)
    if before == after:
        return body
    step = _STEPS.get((kind, before, after))
    return None if step is None else step(body)


def _form(alike: tuple[frozenset[str], ...], version: Version) -> int:
    name = "events.k8s.io/v1" if version[0] == "events.k8s.io" else version[1]
    return next(place for place, each in enumerate(alike) if name in each)
