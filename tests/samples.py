"""Valid objects of Kubernetes' own kinds, drawn from menus by a seed."""

import random
from collections.abc import Iterator, Mapping
from typing import Any

from menus import (
    AMOUNTS,
    LABELS,
    LEFT_OUT,
    LIMITS,
    LITTLE,
    MEMORY,
    META,
    SELECTING,
    SELECTOR,
    Body,
    Choice,
    Draw,
    claim_spec,
    named,
    one,
    pod_spec,
    several,
    some,
    template,
)

NAMESPACE = "defaults"


def _amount() -> list[Any]:
    return [0, 1, "25%"]


def deployment(draw: Draw) -> Body:
    rolling = one({}, maxSurge=[1, "30%"], maxUnavailable=_amount())
    strategy = [{}, {"type": "Recreate"}, {"type": ""}, lambda d: {"rollingUpdate": rolling(d)},
                {"type": "RollingUpdate", "rollingUpdate": None}]  # fmt: skip
    return some(
        draw, {"selector": SELECTING, "template": template},
        replicas=[0, 3], strategy=strategy, minReadySeconds=[0, 5], paused=[False, True],
        revisionHistoryLimit=[0], progressDeadlineSeconds=[900],
    )  # fmt: skip


def stateful_set(draw: Draw) -> Body:
    claims = [[], lambda d: [{"metadata": {"name": "data"}, "spec": claim_spec(d)}]]
    strategy = [{}, {"type": "OnDelete"}, {"type": "RollingUpdate"}, {"rollingUpdate": {}},
                {"type": "RollingUpdate", "rollingUpdate": {"partition": 2}}]  # fmt: skip
    return some(
        draw, {"selector": SELECTING, "template": template, "serviceName": "s"},
        replicas=[0, 3], updateStrategy=strategy, volumeClaimTemplates=claims,
        podManagementPolicy=["", "Parallel"], minReadySeconds=[0], ordinals=[{"start": 0}],
        persistentVolumeClaimRetentionPolicy=[{}, {"whenDeleted": "Delete"}, {"whenScaled": ""}],
    )  # fmt: skip


def daemon_set(draw: Draw) -> Body:
    strategy = [{}, {"type": "OnDelete"}, {"rollingUpdate": {"maxUnavailable": "10%"}}]
    return some(
        draw, {"selector": SELECTING, "template": template}, updateStrategy=strategy,
        minReadySeconds=[0, 1], revisionHistoryLimit=[3],
    )  # fmt: skip


def replica_set(draw: Draw) -> Body:
    needed = {"selector": SELECTING, "template": template}
    return some(draw, needed, replicas=[0, 2], minReadySeconds=[0])


def replication_controller(draw: Draw) -> Body:
    return some(draw, {"template": template}, replicas=[0, 2], selector=[{}, LABELS])


def job_spec(draw: Draw) -> Body:
    condition = {"type": "DisruptionTarget", "status": "True"}
    policy = {"rules": [{"action": "Ignore", "onPodConditions": [condition]}]}
    made = some(
        draw, {"template": lambda d: template(d, "Never")},
        completions=[1, 3], parallelism=[0, 2], backoffLimit=[0], suspend=[False],
        activeDeadlineSeconds=[5], ttlSecondsAfterFinished=[0], podFailurePolicy=[policy],
        completionMode=["NonIndexed"], manualSelector=[False], backoffLimitPerIndex=[2],
    )  # fmt: skip
    made["template"]["spec"]["restartPolicy"] = "Never"
    if made.get("backoffLimitPerIndex") is not None:
        made |= {"completionMode": "Indexed", "completions": 2}
    return made


def cron_job(draw: Draw) -> Body:
    job = some(draw, {"spec": job_spec}, metadata=[{}, {"labels": {}}, {"labels": LABELS}])
    return some(
        draw, {"schedule": "* * * * *", "jobTemplate": job}, concurrencyPolicy=["", "Forbid"],
        suspend=[False, True], successfulJobsHistoryLimit=[0], timeZone=["Etc/UTC"],
    )  # fmt: skip


def service(draw: Draw) -> Body:
    port = one(
        {"port": 80}, protocol=["", "UDP"], targetPort=[0, "", 8080, "http"], appProtocol=["http"],
        nodePort=[0],
    )  # fmt: skip
    kind = draw.choice(["", "ClusterIP", "NodePort", "LoadBalancer", "ExternalName"])
    if kind == "ExternalName":
        named_host = {"type": kind, "externalName": "example.org"}
        return some(draw, named_host, ports=[named(port, "p")], sessionAffinity=["", "None"])
    open_ones: dict[str, Any] = {
        "selector": [LABELS, {}],
        "sessionAffinity": ["", "ClientIP", "None"],
        "publishNotReadyAddresses": [False, True],
        "externalIPs": [[], ["1.2.3.4"]],
        "ipFamilyPolicy": ["SingleStack", "PreferDualStack"],
        "internalTrafficPolicy": ["Local"],
        "loadBalancerSourceRanges": [[]],
        "externalName": [""],
        "clusterIP": ["None", ""] if kind in ("", "ClusterIP") else [""],
    }
    if kind in ("NodePort", "LoadBalancer"):
        open_ones["externalTrafficPolicy"] = ["", "Cluster"]
    if kind == "LoadBalancer":
        open_ones["allocateLoadBalancerNodePorts"] = [False]
    return some(draw, {"type": kind, "ports": named(port, "p", 1, 2)}, **open_ones)


def hpa(draw: Draw) -> Body:
    target = {"kind": "Deployment", "name": "d", "apiVersion": "apps/v1"}
    cpu = {"type": "Resource", "resource": {
        "name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50}}}  # fmt: skip
    pods = {"type": "Pods", "pods": {
        "metric": {"name": "m"}, "target": {"type": "AverageValue", "averageValue": "1000m"}}}  # fmt: skip
    rule = one({}, stabilizationWindowSeconds=[0, 60], selectPolicy=["Min"],
               policies=[[{"type": "Pods", "value": 1, "periodSeconds": 5}]])  # fmt: skip
    return some(
        draw, {"scaleTargetRef": target, "maxReplicas": 5}, minReplicas=[2],
        metrics=[[], [cpu], [pods]],
        behavior=[{}, lambda d: {"scaleUp": rule(d)}, lambda d: {"scaleDown": rule(d)}],
    )  # fmt: skip


def network_policy(draw: Draw) -> Body:
    port = one({}, protocol=["UDP"], port=[80, "http"])
    peers = [[], [{"podSelector": {}}], [{"ipBlock": {"cidr": "10.0.0.0/8", "except": []}}]]
    inward = one({}, ports=[several(port)], **{"from": peers})
    outward = one({}, ports=[several(port)], to=peers)
    return some(
        draw, {"podSelector": SELECTOR}, ingress=[several(inward)], egress=[several(outward)],
        policyTypes=[[], ["Egress"], ["Ingress", "Egress"]],
    )  # fmt: skip


def ingress(draw: Draw) -> Body:
    backend = {"service": {"name": "s", "port": {"number": 80}}}
    path = one({"pathType": "Prefix", "path": "/", "backend": backend})

    def rules(d: Draw) -> list[Body]:
        return [{"host": "a.org", "http": {"paths": [path(d)]}}, some(d, {}, host=["", "b.org"])]

    return some(
        draw, {"defaultBackend": backend}, rules=[rules, []],
        tls=[[], [{"hosts": [], "secretName": ""}]], ingressClassName=["nginx"],
    )  # fmt: skip


def volume_spec(draw: Draw) -> Body:
    source = draw.choice([
        {"nfs": {"server": "s", "path": "/p", "readOnly": False}},
        {"hostPath": {"path": "/p"}},
        {"csi": {"driver": "d", "volumeHandle": "h", "readOnly": False, "volumeAttributes": {}}},
    ])  # fmt: skip
    return some(
        draw, {"capacity": {"storage": draw.choice(MEMORY[:4])}, "accessModes": ["ReadWriteOnce"],
               **source},
        persistentVolumeReclaimPolicy=["", "Retain"], volumeMode=["Filesystem"],
        storageClassName=["", "fast"], mountOptions=[[], ["ro"]],
        nodeAffinity=[{"required": {"nodeSelectorTerms": [{"matchExpressions": [
            {"key": "a", "operator": "Exists"}]}]}}],
    )  # fmt: skip


def limit_range(draw: Draw) -> Body:
    item = one(
        {"type": "Container"}, max=[LIMITS], min=[one({}, cpu=["10m"])], default=[{}, LITTLE]
    )
    pod = one({"type": "Pod"}, max=[LIMITS, {}])
    return {"limits": [draw.choice([item, pod])(draw)]}


def webhook(draw: Draw, **more: Any) -> Body:
    client = draw.choice([
        {"url": "https://example.org/x"}, {"service": {"name": "s", "namespace": "n"}},
    ])  # fmt: skip
    rule = one(
        {"operations": ["CREATE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"]},
        scope=["Namespaced"],
    )  # fmt: skip
    return some(
        draw, {"name": "a.example.org", "clientConfig": client, "sideEffects": "None",
               "admissionReviewVersions": ["v1"]},
        rules=[several(rule), []], failurePolicy=["Ignore"], matchPolicy=["Exact"],
        namespaceSelector=[SELECTOR], objectSelector=[SELECTOR], timeoutSeconds=[5],
        matchConditions=[[], [{"name": "c", "expression": "true"}]], **more,
    )  # fmt: skip


def _matched(draw: Draw) -> Body:
    rule = one(
        {"operations": ["CREATE"], "apiGroups": [""], "apiVersions": ["v1"],
         "resources": ["configmaps"]},
        scope=["Namespaced"], resourceNames=[[], ["a"]],
    )  # fmt: skip
    return some(
        draw, {"resourceRules": [rule(draw)]}, matchPolicy=["Exact"], namespaceSelector=[SELECTOR],
        objectSelector=[{}], excludeResourceRules=[[]],
    )  # fmt: skip


def admission_policy(draw: Draw) -> Body:
    validation = one(
        {"expression": "has(object.metadata)"}, message=["", "no"], reason=["Forbidden"],
        messageExpression=["", "'x'"],
    )  # fmt: skip
    return some(
        draw, {"matchConstraints": _matched, "validations": several(validation, 1)},
        failurePolicy=["Ignore"], variables=[[], [{"name": "a", "expression": "1"}]],
        matchConditions=[[]], auditAnnotations=[[], [{"key": "k", "valueExpression": "'v'"}]],
    )  # fmt: skip


def admission_binding(draw: Draw) -> Body:
    return some(
        draw, {"policyName": "p.example.org", "validationActions": ["Deny"]},
        matchResources=[_matched, {}], paramRef=[
            {"name": "x", "namespace": "", "parameterNotFoundAction": "Deny"}, LEFT_OUT],
    )  # fmt: skip


def flow_schema(draw: Draw) -> Body:
    subject = {"kind": "User", "user": {"name": "u"}}
    rule = {"subjects": [subject], "nonResourceRules": [{"verbs": ["*"], "nonResourceURLs": ["*"]}],
            "resourceRules": []}  # fmt: skip
    return some(
        draw, {"priorityLevelConfiguration": {"name": "global-default"}}, matchingPrecedence=[0, 7],
        rules=[[], [rule]], distinguisherMethod=[{"type": "ByUser"}],
    )  # fmt: skip


def priority_level(draw: Draw) -> Body:
    queuing = one({}, queues=[0, 32], handSize=[0, 4], queueLengthLimit=[0, 9])
    answer = draw.choice([{"type": "Reject"}, {"type": "Queue", "queuing": queuing(draw)}])
    limited = some(
        draw, {"limitResponse": answer}, nominalConcurrencyShares=[0, 5], lendablePercent=[0, 9]
    )
    return {"type": "Limited", "limited": limited}


def csi_driver(draw: Draw) -> Body:
    return some(
        draw, {}, attachRequired=[False], podInfoOnMount=[True], fsGroupPolicy=["File"],
        volumeLifecycleModes=[[], ["Ephemeral"]], tokenRequests=[[], [{"audience": "a"}]],
        storageCapacity=[True], requiresRepublish=[False], seLinuxMount=[True],
    )  # fmt: skip


def crd(draw: Draw) -> Body:
    version = some(
        draw, {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": {
            "type": "object", "properties": {"spec": {"type": "object"}}}}},
        deprecated=[False, True], subresources=[{}, {"status": {}}],
        additionalPrinterColumns=[[], [{
            "name": "A", "type": "string", "jsonPath": ".spec.a", "priority": 0}]],
        selectableFields=[[]],
    )  # fmt: skip
    kinds = some(
        draw, {"plural": "shops", "kind": "Shop"}, singular=["", "shop"], shortNames=[[], ["sh"]],
        listKind=["", "ShopList"], categories=[[]],
    )  # fmt: skip
    return some(
        draw, {"group": "example.org", "scope": "Namespaced", "names": kinds, "versions": [version]},
        conversion=[{"strategy": "None"}], preserveUnknownFields=[False],
    )  # fmt: skip


def resource_claim(draw: Draw) -> Body:
    exactly = one(
        {"deviceClassName": "gpu"}, allocationMode=["", "All"], selectors=[[]],
        tolerations=[[], [{"key": "a", "value": ""}]],
    )  # fmt: skip
    return {"devices": some(draw, {"requests": [{"name": "r", "exactly": exactly(draw)}]},
                            constraints=[[]], config=[[]])}  # fmt: skip


def rules(draw: Draw) -> Body:
    rule = one(
        {"verbs": ["get"], "apiGroups": [""], "resources": ["pods"]}, resourceNames=[[], ["a"]]
    )
    return some(draw, {}, rules=[several(rule), []])


def binding(kind: str) -> Choice:
    subject: list[Choice] = [
        one({"kind": "User", "name": "u"}, apiGroup=["", "rbac.authorization.k8s.io"]),
        one({"kind": "Group", "name": "g"}),
        one({"kind": "ServiceAccount", "name": "s", "namespace": "n"}, apiGroup=[""]),
    ]
    role = one({"kind": kind, "name": "r"}, apiGroup=["", "rbac.authorization.k8s.io"])
    return lambda draw: some(
        draw, {"roleRef": role}, subjects=[several(lambda d: d.choice(subject)(d)), []]
    )


def secret(draw: Draw) -> Body:
    return some(
        draw, {}, data=[{}, {"a": "eA==", "b": ""}], stringData=[{}, {"a": "ü", "c": ""}],
        type=["", "Opaque", "mine/own"], immutable=[False],
    )  # fmt: skip


def endpoint_slice(draw: Draw) -> Body:
    endpoint = one(
        {"addresses": ["10.0.0.1"]}, conditions=[{}, {"ready": False}], hostname=["h"],
        targetRef=[{"kind": "Pod", "name": ""}],
    )  # fmt: skip
    return some(
        draw, {"addressType": "IPv4", "endpoints": several(endpoint)},
        ports=[[], [{}], [{"port": 80, "name": "a"}]],
    )  # fmt: skip


def api_service(draw: Draw) -> Body:
    target = one({"namespace": "n", "name": "s"}, port=[8443])
    return some(
        draw, {"group": "metrics.example.org", "version": "v1", "groupPriorityMinimum": 100,
               "versionPriority": 100, "service": target, "insecureSkipTLSVerify": True},
    )  # fmt: skip


def _spec(make: Choice) -> Choice:
    return lambda draw: {"spec": make(draw)}


# apiVersion, kind, the fields besides metadata; cluster-scoped ones are marked with "-".
KINDS: Mapping[str, Choice] = {
    "v1 Pod": _spec(pod_spec),
    "v1 PodTemplate": lambda draw: {"template": template(draw)},
    "v1 ReplicationController": _spec(replication_controller),
    "v1 Service": _spec(service),
    "v1 ConfigMap": one({}, data=[{}, {"a": ""}], binaryData=[{}], immutable=[False]),
    "v1 Secret": secret,
    "v1 ServiceAccount": one(
        {}, secrets=[[], [{"name": "s"}], [{"name": "s", "kind": "Secret"}]],
        imagePullSecrets=[[]]),
    "v1 PersistentVolumeClaim": _spec(claim_spec),
    "v1 LimitRange": _spec(limit_range),
    "v1 ResourceQuota": _spec(one({}, hard=[AMOUNTS, {}], scopes=[[]])),
    "v1 Namespace-": one({}, spec=[{}, {"finalizers": []}]),
    "v1 PersistentVolume-": _spec(volume_spec),
    "apps/v1 Deployment": _spec(deployment),
    "apps/v1 StatefulSet": _spec(stateful_set),
    "apps/v1 DaemonSet": _spec(daemon_set),
    "apps/v1 ReplicaSet": _spec(replica_set),
    "batch/v1 Job": _spec(job_spec),
    "batch/v1 CronJob": _spec(cron_job),
    "autoscaling/v2 HorizontalPodAutoscaler": _spec(hpa),
    "autoscaling/v1 HorizontalPodAutoscaler": _spec(one(
        {"scaleTargetRef": {"kind": "Deployment", "name": "d", "apiVersion": "apps/v1"},
         "maxReplicas": 3}, minReplicas=[2], targetCPUUtilizationPercentage=[50])),
    "networking.k8s.io/v1 NetworkPolicy": _spec(network_policy),
    "networking.k8s.io/v1 Ingress": _spec(ingress),
    "networking.k8s.io/v1 IngressClass-": _spec(one(
        {"controller": "example.org/c"}, parameters=[{"kind": "A", "name": "b"}])),
    "policy/v1 PodDisruptionBudget": _spec(one(
        {}, selector=[SELECTOR], minAvailable=[0, "50%"], unhealthyPodEvictionPolicy=["AlwaysAllow"])),
    "rbac.authorization.k8s.io/v1 Role": rules,
    "rbac.authorization.k8s.io/v1 ClusterRole-": rules,
    "rbac.authorization.k8s.io/v1 RoleBinding": binding("Role"),
    "rbac.authorization.k8s.io/v1 ClusterRoleBinding-": binding("ClusterRole"),
    "storage.k8s.io/v1 StorageClass-": one(
        {"provisioner": "p"}, parameters=[{}, {"a": "b"}], reclaimPolicy=["Retain"],
        mountOptions=[[]], volumeBindingMode=["WaitForFirstConsumer"], allowedTopologies=[[]],
        allowVolumeExpansion=[False]),
    "storage.k8s.io/v1 CSIDriver-": _spec(csi_driver),
    "scheduling.k8s.io/v1 PriorityClass-": one(
        {"value": 5}, globalDefault=[False], description=["", "d"], preemptionPolicy=["Never"]),
    "node.k8s.io/v1 RuntimeClass-": one(
        {"handler": "runc"}, overhead=[{}, {"podFixed": {"cpu": "1000m"}}],
        scheduling=[{}, {"nodeSelector": {}, "tolerations": []}]),
    "flowcontrol.apiserver.k8s.io/v1 FlowSchema-": _spec(flow_schema),
    "flowcontrol.apiserver.k8s.io/v1 PriorityLevelConfiguration-": _spec(priority_level),
    "admissionregistration.k8s.io/v1 ValidatingWebhookConfiguration-":
        lambda draw: {"webhooks": [webhook(draw)]},
    "admissionregistration.k8s.io/v1 MutatingWebhookConfiguration-":
        lambda draw: {"webhooks": [webhook(draw, reinvocationPolicy=["IfNeeded"])]},
    "admissionregistration.k8s.io/v1 ValidatingAdmissionPolicy-": _spec(admission_policy),
    "admissionregistration.k8s.io/v1 ValidatingAdmissionPolicyBinding-": _spec(admission_binding),
    "coordination.k8s.io/v1 Lease": _spec(one({}, leaseDurationSeconds=[5], holderIdentity=["h"])),
    "discovery.k8s.io/v1 EndpointSlice": endpoint_slice,
    "resource.k8s.io/v1 ResourceClaim": _spec(resource_claim),
    "resource.k8s.io/v1 ResourceClaimTemplate":
        lambda draw: {"spec": {"spec": resource_claim(draw)}},
    "resource.k8s.io/v1 DeviceClass-": _spec(one({}, selectors=[[]], config=[[]])),
    "apiextensions.k8s.io/v1 CustomResourceDefinition-": _spec(crd),
    "apiregistration.k8s.io/v1 APIService-": _spec(api_service),
}  # fmt: skip
NAMES = {
    "CustomResourceDefinition": "shops.example.org",
    "APIService": "v1.metrics.example.org",
}


def objects(kind: str, count: int, seed: int = 1) -> Iterator[Body]:
    """Of one of KINDS; the same for the same seed."""
    draw = random.Random(f"{kind} {seed}")  # noqa: S311  the same objects each time
    version, _, name = kind.partition(" ")
    for number in range(count):
        word = name.rstrip("-")
        metadata = some(draw, {"name": NAMES.get(word, f"sample-{number}")}, **META)
        if not name.endswith("-"):
            metadata["namespace"] = NAMESPACE
        body = {"apiVersion": version, "kind": word, "metadata": metadata}
        yield {**body, **KINDS[kind](draw)}
