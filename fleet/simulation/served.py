"""What a Kubernetes API server knows of its own kinds: how they are served, how lists merge, what never changes."""

from collections.abc import Mapping
from typing import Any

from fleet.model import objects
from fleet.ports.cluster import Resource

_TABLE = """
- v1 ConfigMap configmaps ns
- v1 Endpoints endpoints ns
- v1 Event events ns
- v1 LimitRange limitranges ns
- v1 Namespace namespaces all
- v1 Node nodes all
- v1 PersistentVolume persistentvolumes all
- v1 PersistentVolumeClaim persistentvolumeclaims ns
- v1 Pod pods ns
- v1 ReplicationController replicationcontrollers ns
- v1 ResourceQuota resourcequotas ns
- v1 Secret secrets ns
- v1 Service services ns
- v1 ServiceAccount serviceaccounts ns
admissionregistration.k8s.io v1 MutatingWebhookConfiguration mutatingwebhookconfigurations all
admissionregistration.k8s.io v1 ValidatingAdmissionPolicy validatingadmissionpolicies all
admissionregistration.k8s.io v1 ValidatingAdmissionPolicyBinding validatingadmissionpolicybindings all
admissionregistration.k8s.io v1 ValidatingWebhookConfiguration validatingwebhookconfigurations all
apiextensions.k8s.io v1 CustomResourceDefinition customresourcedefinitions all
apiregistration.k8s.io v1 APIService apiservices all
apps v1 DaemonSet daemonsets ns
apps v1 Deployment deployments ns
apps v1 ReplicaSet replicasets ns
apps v1 StatefulSet statefulsets ns
autoscaling v2 HorizontalPodAutoscaler horizontalpodautoscalers ns
batch v1 CronJob cronjobs ns
batch v1 Job jobs ns
coordination.k8s.io v1 Lease leases ns
networking.k8s.io v1 Ingress ingresses ns
networking.k8s.io v1 IngressClass ingressclasses all
networking.k8s.io v1 NetworkPolicy networkpolicies ns
policy v1 PodDisruptionBudget poddisruptionbudgets ns
rbac.authorization.k8s.io v1 ClusterRole clusterroles all
rbac.authorization.k8s.io v1 ClusterRoleBinding clusterrolebindings all
rbac.authorization.k8s.io v1 Role roles ns
rbac.authorization.k8s.io v1 RoleBinding rolebindings ns
scheduling.k8s.io v1 PriorityClass priorityclasses all
storage.k8s.io v1 StorageClass storageclasses all
"""


def _resource(line: str) -> Resource:
    group, version, kind, plural, scope = line.split()
    return Resource(
        group="" if group == "-" else group,
        version=version,
        kind=kind,
        plural=plural,
        namespaced=scope == "ns",
        versions=(version,),
    )


BUILT_IN: Mapping[tuple[str, str], Resource] = {
    (each.group, each.kind): each for each in map(_resource, _TABLE.strip().splitlines())
}

CRD = ("apiextensions.k8s.io", "CustomResourceDefinition")


def of_definition(body: Mapping[str, Any]) -> Resource:
    """How the kind of a CustomResourceDefinition is served."""
    spec = body["spec"]
    versions = [each["name"] for each in spec["versions"] if each.get("served", True)]
    stored = next((e["name"] for e in spec["versions"] if e.get("storage")), versions[0])
    return Resource(
        group=spec["group"],
        version=stored,
        kind=spec["names"]["kind"],
        plural=spec["names"]["plural"],
        namespaced=spec["scope"] == "Namespaced",
        versions=tuple(versions),
    )


# The keys of associative lists by the field's name. All other lists are atomic.
_KEYS: Mapping[str, tuple[str, ...]] = {
    "containers": ("name",),
    "initContainers": ("name",),
    "ephemeralContainers": ("name",),
    "volumes": ("name",),
    "env": ("name",),
    "volumeMounts": ("mountPath",),
    "volumeDevices": ("devicePath",),
    "imagePullSecrets": ("name",),
    "hostAliases": ("ip",),
    "topologySpreadConstraints": ("topologyKey", "whenUnsatisfiable"),
    "conditions": ("type",),
    "webhooks": ("name",),
    "secrets": ("name",),
}
_METADATA_KEYS: Mapping[str, tuple[str, ...]] = {"ownerReferences": ("uid",)}
KEY_DEFAULTS: Mapping[str, str] = {"protocol": "TCP"}
_ATOMIC_MAPS = frozenset(
    {"selector", "nodeSelector", "podSelector", "namespaceSelector", "objectSelector",
     "labelSelector", "secretKeyRef", "configMapKeyRef", "fieldRef", "resourceFieldRef", "roleRef"}
)  # fmt: skip


def keys_of(group: str, names: tuple[str, ...]) -> tuple[str, ...] | None:
    """The keys of the associative list at these field names; None for an atomic one."""
    last = names[-1]
    if names[0] == "metadata":
        return _METADATA_KEYS.get(last)
    if not _is_built_in(group):
        return None
    if last == "ports":
        is_container = any(each.lower().endswith("containers") for each in names)
        return ("containerPort", "protocol") if is_container else ("port", "protocol")
    return _KEYS.get(last)


def is_set(names: tuple[str, ...]) -> bool:
    return names == ("metadata", "finalizers")


def is_atomic_map(group: str, names: tuple[str, ...]) -> bool:
    return _is_built_in(group) and names[-1] in _ATOMIC_MAPS


def _is_built_in(group: str) -> bool:
    return any(group == known for known, _ in BUILT_IN)


IMMUTABLE: Mapping[tuple[str, str], tuple[tuple[str, ...], ...]] = {
    ("apps", "Deployment"): (("spec", "selector"),),
    ("apps", "StatefulSet"): (("spec", "selector"), ("spec", "serviceName")),
    ("apps", "DaemonSet"): (("spec", "selector"),),
    ("batch", "Job"): (("spec", "selector"), ("spec", "template")),
    ("", "PersistentVolumeClaim"): (("spec", "storageClassName"), ("spec", "accessModes")),
    ("rbac.authorization.k8s.io", "RoleBinding"): (("roleRef",),),
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"): (("roleRef",),),
}


def default(key: objects.Key, body: dict[str, Any]) -> None:
    """The few defaults that others here rely on. Nobody owns a field that was defaulted."""
    spec = body.get("spec")
    if (key.group, key.kind) in {("apps", "Deployment"), ("apps", "StatefulSet")} and spec:
        spec.setdefault("replicas", 1)
    if (key.group, key.kind) == ("", "Service") and isinstance(spec, dict):
        spec.setdefault("type", "ClusterIP")
        for port in spec.get("ports") or ():
            port.setdefault("protocol", "TCP")
            port.setdefault("targetPort", port.get("port"))
    if (key.group, key.kind) == ("", "Namespace"):
        body["metadata"].setdefault("labels", {})["kubernetes.io/metadata.name"] = key.name
        body.setdefault("status", {"phase": "Active"})
    template = spec.get("template") if isinstance(spec, dict) else None
    pod = template.get("spec") if isinstance(template, dict) else None
    for container in (pod or {}).get("containers") or ():
        for port in container.get("ports") or ():
            port.setdefault("protocol", "TCP")
