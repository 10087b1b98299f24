"""The constant defaults of Kubernetes' types: what stands where nothing was written.

Source: SetDefaults_<Type> in k8s.io/kubernetes/pkg/apis/<group>/<version>/defaults.go, or the `+default` marks that
zz_generated.defaults.go is made from; v1.36. What depends on other fields is in `rules`.
"""

from collections.abc import Mapping
from typing import Any

_FILE_MODE = {"defaultMode": 0o644}
_CONTAINER = {"terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File"}
_CLUSTER_SERVICE = {"port": 443}
_RBD = {"pool": "rbd", "user": "admin", "keyring": "/etc/ceph/keyring"}
_SCALE_IO = {"storageMode": "ThinProvisioned", "fsType": "xfs"}
_WEBHOOK = {
    "failurePolicy": "Fail",
    "matchPolicy": "Equivalent",
    "namespaceSelector": {},
    "objectSelector": {},
    "timeoutSeconds": 10,
}
_RULE = {"scope": "*"}
_ROLE_REF = {"apiGroup": "rbac.authorization.k8s.io"}
_CPU = {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}}
_DEVICES = {"allocationMode": "ExactCount"}

BY_TYPE: Mapping[str, Mapping[str, Any]] = {
    # core/v1
    "core.PodSpec": {
        "dnsPolicy": "ClusterFirst",
        "restartPolicy": "Always",
        "securityContext": {},
        "terminationGracePeriodSeconds": 30,
        "schedulerName": "default-scheduler",
    },
    "core.Container": _CONTAINER,
    "core.EphemeralContainer": _CONTAINER,
    "core.ContainerPort": {"protocol": "TCP"},
    "core.Probe": {
        "timeoutSeconds": 1,
        "periodSeconds": 10,
        "successThreshold": 1,
        "failureThreshold": 3,
    },
    "core.HTTPGetAction": {"path": "/", "scheme": "HTTP"},
    "core.GRPCAction": {"service": ""},
    "core.ObjectFieldSelector": {"apiVersion": "v1"},
    "core.ResourceFieldSelector": {"divisor": "0"},
    "core.SleepAction": {"seconds": 0},
    "core.Sysctl": {"value": ""},
    "core.FileKeySelector": {"optional": False},
    "core.SecretVolumeSource": _FILE_MODE,
    "core.ConfigMapVolumeSource": _FILE_MODE,
    "core.DownwardAPIVolumeSource": _FILE_MODE,
    "core.ProjectedVolumeSource": _FILE_MODE,
    "core.ServiceAccountTokenProjection": {"expirationSeconds": 3600},
    "core.HostPathVolumeSource": {"type": ""},
    "core.ISCSIVolumeSource": {"iscsiInterface": "default"},
    "core.ISCSIPersistentVolumeSource": {"iscsiInterface": "default"},
    "core.RBDVolumeSource": _RBD,
    "core.RBDPersistentVolumeSource": _RBD,
    "core.ScaleIOVolumeSource": _SCALE_IO,
    "core.ScaleIOPersistentVolumeSource": _SCALE_IO,
    "core.AzureDiskVolumeSource": {
        "cachingMode": "ReadWrite",
        "fsType": "ext4",
        "readOnly": False,
        "kind": "Shared",
    },
    "core.ServiceSpec": {"sessionAffinity": "None", "type": "ClusterIP"},
    "core.ServicePort": {"protocol": "TCP"},
    "core.Secret": {"type": "Opaque"},
    "core.NamespaceSpec": {"finalizers": ["kubernetes"]},  # by the registry's strategy
    "core.PersistentVolumeSpec": {
        "persistentVolumeReclaimPolicy": "Retain",
        "volumeMode": "Filesystem",
    },
    "core.PersistentVolumeClaimSpec": {"volumeMode": "Filesystem"},
    "core.ReplicationControllerSpec": {"replicas": 1},
    # apps/v1
    "apps.DeploymentSpec": {
        "replicas": 1,
        "revisionHistoryLimit": 10,
        "progressDeadlineSeconds": 600,
    },
    "apps.DeploymentStrategy": {"type": "RollingUpdate"},
    "apps.RollingUpdateDeployment": {"maxUnavailable": "25%", "maxSurge": "25%"},
    "apps.DaemonSetSpec": {"revisionHistoryLimit": 10},
    "apps.DaemonSetUpdateStrategy": {"type": "RollingUpdate"},
    "apps.RollingUpdateDaemonSet": {"maxUnavailable": 1, "maxSurge": 0},
    "apps.StatefulSetOrdinals": {"start": 0},
    "apps.StatefulSetSpec": {
        "serviceName": "",
        "podManagementPolicy": "OrderedReady",
        "persistentVolumeClaimRetentionPolicy": {},
        "replicas": 1,
        "revisionHistoryLimit": 10,
    },
    "apps.RollingUpdateStatefulSetStrategy": {"partition": 0},
    "apps.StatefulSetPersistentVolumeClaimRetentionPolicy": {
        "whenDeleted": "Retain",
        "whenScaled": "Retain",
    },
    "apps.ReplicaSetSpec": {"replicas": 1},
    # batch/v1
    "batch.CronJobSpec": {
        "concurrencyPolicy": "Allow",
        "suspend": False,
        "successfulJobsHistoryLimit": 3,
        "failedJobsHistoryLimit": 1,
    },
    "batch.PodFailurePolicyOnPodConditionsPattern": {"status": "True"},
    # autoscaling/v1 and v2
    "autoscaling1.HorizontalPodAutoscalerSpec": {
        "minReplicas": 1,
        "targetCPUUtilizationPercentage": 80,  # as v2 has it, through which it goes
    },
    "autoscaling.HorizontalPodAutoscalerSpec": {
        "minReplicas": 1,
        "metrics": [{"type": "Resource", "resource": _CPU}],
    },
    # networking/v1
    "networking.NetworkPolicyPort": {"protocol": "TCP"},
    "networking.IngressClassParametersReference": {"scope": "Cluster"},
    # rbac/v1
    "rbac.RoleRef": _ROLE_REF,
    # storage/v1
    "storage.StorageClass": {"reclaimPolicy": "Delete", "volumeBindingMode": "Immediate"},
    "storage.CSIDriverSpec": {
        "attachRequired": True,
        "podInfoOnMount": False,
        "storageCapacity": False,
        "fsGroupPolicy": "ReadWriteOnceWithFSType",
        "volumeLifecycleModes": ["Persistent"],
        "requiresRepublish": False,
        "seLinuxMount": False,
    },
    "storage.TokenRequest": {"audience": ""},
    # scheduling/v1
    "scheduling.PriorityClass": {"value": 0, "preemptionPolicy": "PreemptLowerPriority"},
    # flowcontrol/v1
    "flowcontrol.FlowSchemaSpec": {"matchingPrecedence": 1000},
    "flowcontrol.ExemptPriorityLevelConfiguration": {
        "nominalConcurrencyShares": 0,
        "lendablePercent": 0,
    },
    "flowcontrol.LimitedPriorityLevelConfiguration": {
        "nominalConcurrencyShares": 30,
        "lendablePercent": 0,
    },
    "flowcontrol.QueuingConfiguration": {"handSize": 8, "queues": 64, "queueLengthLimit": 50},
    # admissionregistration/v1
    "admissionregistration.ValidatingWebhook": _WEBHOOK,
    "admissionregistration.MutatingWebhook": {**_WEBHOOK, "reinvocationPolicy": "Never"},
    "admissionregistration.RuleWithOperations": _RULE,
    "admissionregistration.NamedRuleWithOperations": _RULE,
    "admissionregistration.ServiceReference": _CLUSTER_SERVICE,
    "admissionregistration.ValidatingAdmissionPolicySpec": {"failurePolicy": "Fail"},
    "admissionregistration.MutatingAdmissionPolicySpec": {"failurePolicy": "Fail"},
    "admissionregistration.MatchResources": {
        "matchPolicy": "Equivalent",
        "namespaceSelector": {},
        "objectSelector": {},
    },
    # apiextensions.k8s.io/v1 and apiregistration.k8s.io/v1
    "apiextensions.CustomResourceDefinitionSpec": {"conversion": {"strategy": "None"}},
    "apiextensions.CustomResourceDefinitionVersion": {"served": False, "storage": False},
    "apiextensions.ServiceReference": _CLUSTER_SERVICE,
    "apiregistration.ServiceReference": _CLUSTER_SERVICE,
    # discovery.k8s.io/v1
    "discovery.EndpointPort": {"name": "", "protocol": "TCP"},
    # resource.k8s.io/v1
    "resource.ExactDeviceRequest": _DEVICES,
    "resource.DeviceSubRequest": _DEVICES,
    "resource.DeviceToleration": {"operator": "Equal"},
}
