"""Defaults that depend on other fields, by type.

A rule is given a fresh mapping that it may change, but never what lies inside it: that is still the written text.
Source: SetDefaults_<Type> in k8s.io/kubernetes/pkg/apis/<group>/<version>/defaults.go, v1.36, where no other is named.
"""

import base64
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from fleet.manifests.defaults import images, pods, strategies

Fields: TypeAlias = dict[str, Any]
Rule: TypeAlias = Callable[[Fields], None]

_NAME_LABEL = "kubernetes.io/metadata.name"
_AFFINITY_SECONDS = 10800
_EXPOSED = ("NodePort", "LoadBalancer")
_MOST = 2**31 - 1
_GENERATION = "deprecated.daemonset.template.generation"
_CLAIM = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "status": {"phase": "Pending"}}
_RBAC = "rbac.authorization.k8s.io"


def mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


# core/v1


def _container(found: Fields) -> None:
    strategies.container(found)
    if "imagePullPolicy" not in found:
        found["imagePullPolicy"] = images.pull_policy(_text(found.get("image")))


def _image_volume(found: Fields) -> None:
    if "pullPolicy" not in found:
        found["pullPolicy"] = images.pull_policy(_text(found.get("reference")))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _volume(found: Fields) -> None:
    if not found.keys() - {"name"}:
        found["emptyDir"] = {}


def _service(found: Fields) -> None:
    _session(found)
    kind = found["type"]
    is_exposed = kind in _EXPOSED or (kind == "ClusterIP" and bool(found.get("externalIPs")))
    if is_exposed:
        found.setdefault("externalTrafficPolicy", "Cluster")
    if kind in ("ClusterIP", *_EXPOSED):
        found.setdefault("internalTrafficPolicy", "Cluster")
        _families(found)
    if kind == "LoadBalancer":
        found.setdefault("allocateLoadBalancerNodePorts", True)


def _session(found: Fields) -> None:
    if found["sessionAffinity"] == "None":
        found.pop("sessionAffinityConfig", None)
    elif found["sessionAffinity"] == "ClientIP":
        client = mapping(mapping(found.get("sessionAffinityConfig")).get("clientIP"))
        if client.get("timeoutSeconds") is None:
            found["sessionAffinityConfig"] = {"clientIP": {"timeoutSeconds": _AFFINITY_SECONDS}}


def _families(found: Fields) -> None:
    """What allocation adds whatever the cluster; source: registry/core/service/storage/alloc.go."""
    address, addresses = found.get("clusterIP"), found.get("clusterIPs")
    if address and not addresses:
        found["clusterIPs"] = [address]
    if "ipFamilyPolicy" not in found:
        is_bare = address == "None" and not found.get("selector")
        found["ipFamilyPolicy"] = "RequireDualStack" if is_bare else "SingleStack"


def _service_port(found: Fields) -> None:
    if found.get("targetPort") in (None, 0, "") and "port" in found:
        found["targetPort"] = found["port"]


def _secret(found: Fields) -> None:
    """`stringData` is only ever written; source: core/v1/conversion.go."""
    texts = found.pop("stringData", None)
    if isinstance(texts, Mapping):
        found["data"] = {**mapping(found.get("data")), **{k: _base64(v) for k, v in texts.items()}}


def _base64(text: Any) -> str:
    plain = text if isinstance(text, str) else ""
    return base64.b64encode(plain.encode("utf-8", "surrogatepass")).decode()


def _namespace(found: Fields) -> None:
    metadata = mapping(found["metadata"])
    if isinstance(metadata.get("name"), str):
        labels = {**mapping(metadata.get("labels")), _NAME_LABEL: metadata["name"]}
        found["metadata"] = {**metadata, "labels": labels}


def _limits(found: Fields) -> None:
    if found.get("type") != "Container":
        return
    most, least = mapping(found.get("max")), mapping(found.get("min"))
    default = {**most, **mapping(found.get("default"))}
    request = {**least, **default, **mapping(found.get("defaultRequest"))}
    found.update({k: v for k, v in (("default", default), ("defaultRequest", request)) if v})


def _replication_controller(found: Fields) -> None:
    spec = mapping(found["spec"])
    labels = mapping(mapping(spec.get("template")).get("metadata")).get("labels")
    if labels:
        if not spec.get("selector"):
            found["spec"] = {**spec, "selector": labels}
        _labels(found, labels)


def _labels(found: Fields, labels: Any) -> None:
    """The template's, where the object has none of its own."""
    metadata = mapping(found["metadata"])
    if labels and not metadata.get("labels"):
        found["metadata"] = {**metadata, "labels": labels}


# apps/v1


def _rolling(found: Fields) -> None:
    if found["type"] == "RollingUpdate":
        found.setdefault("rollingUpdate", {})


def _stateful_strategy(found: Fields) -> None:
    """An empty `rollingUpdate` comes only where the type is left open too."""
    if "type" not in found:
        found["type"] = "RollingUpdate"
        found.setdefault("rollingUpdate", {})


def _stateful_set(found: Fields) -> None:
    """Claims without words of their own; source: apps/v1/conversion.go."""
    claims = found.get("volumeClaimTemplates")
    if isinstance(claims, list):
        found["volumeClaimTemplates"] = [
            {**_CLAIM, **each} if isinstance(each, Mapping) else each for each in claims
        ]


def _daemon_set(found: Fields) -> None:
    """The generation that older versions kept in the spec; source: apps/v1/conversion.go."""
    metadata = mapping(found["metadata"])
    annotations = {**mapping(metadata.get("annotations")), _GENERATION: "1"}
    found["metadata"] = {**metadata, "annotations": annotations}


# batch/v1


def _job(found: Fields) -> None:
    spec = dict(mapping(found["spec"]))
    unset = {key for key, value in spec.items() if value is None}
    spec = {key: value for key, value in spec.items() if key not in unset}
    if "parallelism" not in spec:
        spec.setdefault("completions", 1)
        spec["parallelism"] = 1
    spec.setdefault("backoffLimit", _MOST if "backoffLimitPerIndex" in spec else 6)
    spec.setdefault("completionMode", "NonIndexed")
    spec.setdefault("suspend", False)
    spec.setdefault("manualSelector", False)
    has_policy = "podFailurePolicy" in spec
    spec.setdefault("podReplacementPolicy", "Failed" if has_policy else "TerminatingOrFailed")
    found["spec"] = spec
    _labels(found, mapping(mapping(spec.get("template")).get("metadata")).get("labels"))


# autoscaling/v2


def _behavior(found: Fields) -> None:
    up = [
        {"type": "Pods", "value": 4, "periodSeconds": 15},
        {"type": "Percent", "value": 100, "periodSeconds": 15},
    ]
    down = [{"type": "Percent", "value": 100, "periodSeconds": 15}]
    found["scaleUp"] = _scaling(found.get("scaleUp"), up, {"stabilizationWindowSeconds": 0})
    found["scaleDown"] = _scaling(found.get("scaleDown"), down, {})


def _scaling(written: Any, policies: list[Fields], more: Mapping[str, Any]) -> Fields:
    set_ones = {key: value for key, value in mapping(written).items() if value is not None}
    return {"selectPolicy": "Max", "policies": policies, **more, **set_ones}


# networking/v1, rbac/v1, apiextensions.k8s.io/v1, resource.k8s.io/v1


def _network_policy(found: Fields) -> None:
    if "policyTypes" not in found:
        found["policyTypes"] = ["Ingress", "Egress"] if found.get("egress") else ["Ingress"]


def _subject(found: Fields) -> None:
    if found.get("kind") in ("User", "Group"):
        found.setdefault("apiGroup", _RBAC)


def _crd_names(found: Fields) -> None:
    kind = found.get("kind")
    if isinstance(kind, str) and kind:
        found.setdefault("singular", kind.lower())
        found.setdefault("listKind", f"{kind}List")


def _device_request(found: Fields) -> None:
    if found["allocationMode"] == "ExactCount":
        found.setdefault("count", 1)


BY_TYPE: Mapping[str, Rule] = {
    "core.Pod": pods.pod,
    "core.PodSpec": pods.pod_spec,
    "core.Container": _container,
    "core.EphemeralContainer": _container,
    "core.ImageVolumeSource": _image_volume,
    "core.Volume": _volume,
    "core.ServiceSpec": _service,
    "core.ServicePort": _service_port,
    "core.Secret": _secret,
    "core.Namespace": _namespace,
    "core.LimitRangeItem": _limits,
    "core.ReplicationController": _replication_controller,
    "core.PersistentVolumeClaim": strategies.claim,
    "core.ServiceAccount": strategies.service_account,
    "apps.DeploymentStrategy": _rolling,
    "apps.DaemonSetUpdateStrategy": _rolling,
    "apps.StatefulSetUpdateStrategy": _stateful_strategy,
    "apps.StatefulSetSpec": _stateful_set,
    "apps.DaemonSet": _daemon_set,
    "batch.Job": _job,
    "autoscaling.HorizontalPodAutoscalerBehavior": _behavior,
    "networking.NetworkPolicySpec": _network_policy,
    "rbac.Subject": _subject,
    "apiextensions.CustomResourceConversion": strategies.conversion,
    "apiextensions.CustomResourceDefinitionNames": _crd_names,
    "resource.ExactDeviceRequest": _device_request,
    "resource.DeviceSubRequest": _device_request,
}
