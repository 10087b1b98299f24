"""Which rows judge which kind. A built-in kind that is not here is judged by its metadata, as custom resources are."""

from collections.abc import Mapping

from fleet.manifests.admission import (
    autoscaling,
    batch,
    classes,
    configuration,
    metadata,
    networking,
    quotas,
    rbac,
    services,
    storage,
    texts,
    webhooks,
    workloads,
)
from fleet.manifests.admission.tables import Row, row

Kind = tuple[str, str]  # group, kind
_ADMISSION = "admissionregistration.k8s.io"
_RBAC = "rbac.authorization.k8s.io"
_NETWORKING = "networking.k8s.io"

ROWS: Mapping[Kind, tuple[Row, ...]] = {
    ("", "ConfigMap"): configuration.CONFIG_MAP,
    ("", "LimitRange"): quotas.LIMITS,
    ("", "PersistentVolume"): storage.VOLUME,
    ("", "PersistentVolumeClaim"): storage.CLAIM,
    ("", "Pod"): workloads.POD,
    ("", "PodTemplate"): workloads.POD_TEMPLATE,
    ("", "ReplicationController"): workloads.CONTROLLER,
    ("", "ResourceQuota"): quotas.QUOTA,
    ("", "Secret"): configuration.SECRET,
    ("", "Service"): services.ROWS,
    (_ADMISSION, "MutatingWebhookConfiguration"): webhooks.CONFIGURATION,
    (_ADMISSION, "ValidatingWebhookConfiguration"): webhooks.CONFIGURATION,
    ("apps", "DaemonSet"): workloads.DAEMON_SET,
    ("apps", "Deployment"): workloads.DEPLOYMENT,
    ("apps", "ReplicaSet"): workloads.REPLICA_SET,
    ("apps", "StatefulSet"): workloads.STATEFUL_SET,
    ("autoscaling", "HorizontalPodAutoscaler"): autoscaling.HPA,
    ("batch", "CronJob"): batch.CRON_JOB,
    ("batch", "Job"): batch.JOB,
    ("coordination.k8s.io", "Lease"): classes.LEASE,
    (_NETWORKING, "Ingress"): networking.INGRESS,
    (_NETWORKING, "IngressClass"): networking.INGRESS_CLASS,
    (_NETWORKING, "NetworkPolicy"): networking.NETWORK_POLICY,
    ("node.k8s.io", "RuntimeClass"): classes.RUNTIME,
    ("policy", "PodDisruptionBudget"): autoscaling.BUDGET,
    (_RBAC, "ClusterRole"): rbac.CLUSTER_ROLE,
    (_RBAC, "ClusterRoleBinding"): rbac.CLUSTER_ROLE_BINDING,
    (_RBAC, "Role"): rbac.ROLE,
    (_RBAC, "RoleBinding"): rbac.ROLE_BINDING,
    ("scheduling.k8s.io", "PriorityClass"): classes.PRIORITY,
    ("storage.k8s.io", "StorageClass"): storage.CLASS,
}
Path = tuple[str, ...]
_SPEC: Path = ("spec",)
_TEMPLATE: tuple[Path, ...] = (_SPEC, ("spec", "template"), ("spec", "template", "spec"))
_JOBS: Path = ("spec", "jobTemplate", "spec", "template", "spec")
# Parts that an object has whether they are written or not; each after the one around it.
PARTS: Mapping[Kind, tuple[Path, ...]] = {
    ("", "PersistentVolume"): (_SPEC,),
    ("", "PersistentVolumeClaim"): (_SPEC,),
    ("", "Pod"): (_SPEC,),
    ("", "PodTemplate"): (("template",), ("template", "spec")),
    ("", "ReplicationController"): (_SPEC,),
    ("", "Service"): (_SPEC,),
    ("apps", "DaemonSet"): _TEMPLATE,
    ("apps", "Deployment"): _TEMPLATE,
    ("apps", "ReplicaSet"): _TEMPLATE,
    ("apps", "StatefulSet"): _TEMPLATE,
    ("autoscaling", "HorizontalPodAutoscaler"): (_SPEC, ("spec", "scaleTargetRef")),
    ("batch", "CronJob"): tuple(_JOBS[:end] for end in range(1, len(_JOBS) + 1)),
    ("batch", "Job"): _TEMPLATE,
    (_NETWORKING, "Ingress"): (_SPEC,),
    (_NETWORKING, "IngressClass"): (_SPEC,),
    (_RBAC, "ClusterRoleBinding"): (("roleRef",),),
    (_RBAC, "RoleBinding"): (("roleRef",),),
}
# Names are DNS subdomains, but for these.
_LABELS: frozenset[Kind] = frozenset({("", "Namespace")})
_SEGMENTS: frozenset[Kind] = frozenset(
    {(_RBAC, each) for each in ("ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding")}
)
# Kinds whose names only need to fit into an address, or have a form of their own that is not judged.
_UNJUDGED: frozenset[Kind] = frozenset(
    {
        ("", "ComponentStatus"),
        ("", "Event"),
        ("apiregistration.k8s.io", "APIService"),
        ("certificates.k8s.io", "ClusterTrustBundle"),
        ("coordination.k8s.io", "LeaseCandidate"),
        ("events.k8s.io", "Event"),
        ("networking.k8s.io", "IPAddress"),
        ("policy", "PodDisruptionBudget"),
        ("resource.k8s.io", "ResourceSlice"),
    }
)


def rows_of(kind: Kind) -> tuple[Row, ...]:
    """All rows of a kind, for every version of Kubernetes."""
    return (*_metadata(kind), *ROWS.get(kind, ()))


def _metadata(kind: Kind) -> tuple[Row, ...]:
    if kind == ("", "Service"):
        return _service()
    if kind in _LABELS:
        return metadata.rows(texts.label)
    if kind in _SEGMENTS:
        return metadata.rows(texts.path_segment)
    return metadata.rows(texts.path_segment if kind in _UNJUDGED else texts.subdomain)


def _service() -> tuple[Row, ...]:
    """From 1.36 on its name may begin with a digit."""
    before, *others = metadata.rows(texts.label_1035)
    after, *_ = metadata.rows(texts.label)
    source = "core: ValidateServiceCreate"
    return (
        row(before.at, before.check, source, until="1.35"),
        row(after.at, after.check, source, since="1.36"),
        *others,
    )
