"""Valid objects of Kubernetes' own kinds, drawn from menus by a seed: often with fields left open, null or zero."""

import random
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

Body: TypeAlias = dict[str, Any]
Draw: TypeAlias = random.Random
Choice: TypeAlias = Callable[[Draw], Any]

NAMESPACE = "defaults"
LEFT_OUT = object()


def some(draw: Draw, needed: Mapping[str, Any], **open_ones: Any) -> Body:
    """The needed fields and about a third of the others, each one of its list of values; some of them null."""
    found = {key: _made(draw, value) for key, value in needed.items()}
    for key, values in open_ones.items():
        chance = draw.random()
        if chance < 0.35:
            value = _made(draw, draw.choice(values))
            if value is not LEFT_OUT:
                found[key] = value
        elif chance < 0.40:
            found[key] = None
    return found


def _made(draw: Draw, value: Any) -> Any:
    return value(draw) if callable(value) else value


def several(make: Choice, least: int = 0, most: int = 2) -> Choice:
    return lambda draw: [make(draw) for _ in range(draw.randint(least, most))]


def named(make: Choice, prefix: str, least: int = 0, most: int = 2) -> Choice:
    """A list whose elements have names of their own."""

    def drawn(draw: Draw) -> Any:
        return [make(draw) | {"name": f"{prefix}{n}"} for n in range(draw.randint(least, most))]

    return drawn


def one(needed: Mapping[str, Any], **open_ones: Any) -> Choice:
    return lambda draw: some(draw, needed, **open_ones)


LABELS = {"app": "shop"}
_OBJECT = {"matchLabels": LABELS}
SELECTOR = one({}, matchLabels=[LABELS, {}], matchExpressions=[
    [], [{"key": "a", "operator": "Exists", "values": []}], [{"key": "a", "operator": "In", "values": ["b"]}],
])  # fmt: skip
META = {"labels": [LABELS, {}], "annotations": [{"a": "b"}, {}, {"a": ""}]}
CPU = ["1", "1000m", "0.5", 2, 1.5, "0.0001", "1e3", "1500m", "0"]
MEMORY = ["1Gi", "1024Mi", "128974848", "1.5Gi", "500M", "0.5Gi", "1e9", 1000, "100Ki", "1000000"]
AMOUNTS = one({}, cpu=CPU, memory=MEMORY, **{"ephemeral-storage": ["1Gi", "1G"]})
LIMITS = one({}, cpu=["4", "4000m", 5], memory=["4Gi", "4096Mi"])
LITTLE = one({}, cpu=["0.1", "100m", 1], memory=["128Mi", "131072Ki"])
RESOURCES = one({}, limits=[LIMITS, {}], requests=[LITTLE, {}], claims=[[]])
SECURITY = one(
    {},
    privileged=[False], runAsUser=[0, 1000], runAsNonRoot=[False], readOnlyRootFilesystem=[True, False],
    allowPrivilegeEscalation=[True, False],
    capabilities=[{}, {"add": [], "drop": ["ALL"]}, {"add": ["NET_ADMIN"]}],
    seccompProfile=[{"type": "RuntimeDefault"}], seLinuxOptions=[{}, {"level": "", "user": "u"}],
    procMount=["Default"],
)  # fmt: skip
PORT = one(
    {"port": lambda draw: draw.choice([80, "http"])},
    host=["", "h"], path=["", "/live"], scheme=["", "HTTPS"],
    httpHeaders=[[], [{"name": "A", "value": ""}]],
)  # fmt: skip
ACTIONS: list[Choice] = [
    lambda draw: {"httpGet": PORT(draw)},
    one({"exec": {"command": ["true"]}}),
    one({"tcpSocket": {"port": 80, "host": ""}}),
]
GRPC = one({"grpc": one({"port": 90}, service=["", "s"])})
NUMBERS = {
    "initialDelaySeconds": [0, 5], "timeoutSeconds": [0, 3], "periodSeconds": [0, 4],
    "failureThreshold": [0, 2], "successThreshold": [0, 1], "terminationGracePeriodSeconds": [7],
}  # fmt: skip


def probe(draw: Draw) -> Body:
    return some(draw, draw.choice([*ACTIONS, GRPC])(draw), **NUMBERS)


def startup(draw: Draw) -> Body:
    return {key: each for key, each in probe(draw).items() if key != "successThreshold"}


def readiness(draw: Draw) -> Body:
    return {k: v for k, v in probe(draw).items() if k != "terminationGracePeriodSeconds"}


def hook(draw: Draw) -> Body:
    return draw.choice([*ACTIONS, lambda _: {"sleep": {"seconds": 3}}])(draw)


FIELD = one({"fieldPath": "metadata.name"}, apiVersion=["", "v1"])
RESOURCE_FIELD = one(
    {"resource": "limits.cpu", "containerName": "c0"}, divisor=["0", "1m", "1000m"]
)
SOURCES: list[Choice] = [
    lambda draw: {"fieldRef": FIELD(draw)},
    lambda draw: {"resourceFieldRef": RESOURCE_FIELD(draw)},
    one({"secretKeyRef": one({"name": "s", "key": "k"}, optional=[False, True])}),
    one({"configMapKeyRef": one({"name": "s", "key": "k"}, optional=[False, True])}),
]
ENV_FROM = one({"configMapRef": one({"name": "c"}, optional=[False])}, prefix=["", "P_"])


def variable(draw: Draw) -> Body:
    if draw.random() < 0.5:
        return some(draw, {}, value=["", "x"])
    return {"valueFrom": draw.choice(SOURCES)(draw)}


IMAGES = [
    "nginx", "nginx:latest", "nginx:1.27", "ghcr.io/a/b", "localhost:5000/a", "localhost:5000/a:1", "A/b",
    f"nginx@sha256:{'a' * 64}", f"nginx:latest@sha256:{'a' * 64}", "a..b/c", "Nginx", "x:y:z",
]  # fmt: skip


def container(draw: Draw, **more: Any) -> Body:
    return some(
        draw,
        {"image": draw.choice(IMAGES)},
        command=[[], ["a"]], args=[[], ["b"]], workingDir=["", "/w"], env=[named(variable, "V")],
        envFrom=[several(ENV_FROM)], resources=[RESOURCES, {}], securityContext=[SECURITY, {}],
        imagePullPolicy=["", "Never"], terminationMessagePath=["", "/dev/x"],
        terminationMessagePolicy=["", "FallbackToLogsOnError"], stdin=[True, False], tty=[False],
        stdinOnce=[False], volumeMounts=[[], MOUNTS], resizePolicy=[[]], **more,
    )  # fmt: skip


def MOUNTS(draw: Draw) -> list[Body]:  # noqa: N802  a menu like the others
    return [
        some(draw, {"name": "v0", "mountPath": "/m"}, readOnly=[False, True], subPath=["", "s"])
    ]


def main_container(draw: Draw) -> Body:
    ports = one({"containerPort": 80}, protocol=["", "UDP"], hostIP=["", "1.2.3.4"], hostPort=[0])
    return container(
        draw, ports=[several(ports, 1, 1), []], livenessProbe=[startup], readinessProbe=[readiness],
        startupProbe=[startup], lifecycle=[{}, lambda d: {"preStop": hook(d)}],
    )  # fmt: skip


ITEMS = [[], [{"key": "k", "path": "p"}], [{"key": "k", "path": "p", "mode": 0}]]
PROJECTED: list[Choice] = [
    one({"serviceAccountToken": one({"path": "t"}, audience=["", "a"], expirationSeconds=[900])}),
    one({"configMap": one({"name": "c"}, items=ITEMS, optional=[False])}),
    one({"downwardAPI": {"items": [{"path": "l", "fieldRef": {"fieldPath": "metadata.labels"}}]}}),
    one({"secret": one({"name": "c"}, items=ITEMS)}),
]
VOLUMES: list[Choice] = [
    one({}),
    one({"emptyDir": one({}, medium=["", "Memory"], sizeLimit=["1024Mi", 0])}),
    one({"secret": one({"secretName": "s"}, items=ITEMS, optional=[False], defaultMode=[0, 256])}),
    one({"configMap": one({"name": "s"}, items=ITEMS, defaultMode=[292])}),
    one({"hostPath": one({"path": "/h"}, type=["", "Directory"])}),
    lambda draw: {"projected": some(
        draw, {"sources": [draw.choice(PROJECTED)(draw)]}, defaultMode=[256])},
    one({"persistentVolumeClaim": one({"claimName": "c"}, readOnly=[False, True])}),
    one({"nfs": one({"server": "s", "path": "/p"}, readOnly=[False])}),
    one({"iscsi": one({"targetPortal": "1.2.3.4:3260", "iqn": "iqn.2001-04.com.x:y", "lun": 0})}),
    one({"rbd": one({"monitors": ["m"], "image": "i"}, pool=["", "p"], user=["u"])}),
    one({"azureDisk": one({"diskName": "d", "diskURI": "https://d"}, readOnly=[True])}),
    one({"csi": one({"driver": "d"}, readOnly=[False], volumeAttributes=[{}, {"a": "b"}])}),
    one({"image": one({"reference": "nginx"}, pullPolicy=["", "Never"])}),
    lambda draw: {"downwardAPI": some(draw, {}, defaultMode=[256], items=[[]])},
    lambda draw: {"ephemeral": {"volumeClaimTemplate": {"spec": claim_spec(draw)}}},
]  # fmt: skip
TERM = one(
    {"topologyKey": "zone"}, labelSelector=[SELECTOR], namespaces=[[], ["a"]],
    namespaceSelector=[{}], matchLabelKeys=[[]],
)  # fmt: skip
AFFINITY = one(
    {},
    podAffinity=[{}, lambda d: {"requiredDuringSchedulingIgnoredDuringExecution": [TERM(d)]}],
    podAntiAffinity=[lambda d: {
        "preferredDuringSchedulingIgnoredDuringExecution": [
            {"weight": 1, "podAffinityTerm": TERM(d)}]}],
    nodeAffinity=[{}, {"requiredDuringSchedulingIgnoredDuringExecution": {
        "nodeSelectorTerms": [{"matchExpressions": [{"key": "a", "operator": "Exists"}]}]}}],
)  # fmt: skip
SPREAD = one(
    {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "ScheduleAnyway"},
    labelSelector=[SELECTOR], nodeTaintsPolicy=["Honor"], minDomains=[LEFT_OUT],
)  # fmt: skip


def pod_spec(draw: Draw, *restarts: str) -> Body:
    volumes = named(lambda d: d.choice(VOLUMES)(d), "v", 1, 3)
    return some(
        draw,
        {"containers": named(main_container, "c", 1, 2), "volumes": volumes},
        initContainers=[named(container, "i"), []], restartPolicy=list(restarts or ("", "Always")),
        dnsPolicy=["", "Default"], nodeSelector=[{}, {"a": "b"}], nodeName=[""],
        serviceAccountName=["", "robot"], serviceAccount=["", "robot"],
        automountServiceAccountToken=[False], hostNetwork=[False, True], hostPID=[False, True],
        hostIPC=[False], shareProcessNamespace=[False], securityContext=[
            {}, {"runAsUser": 0, "supplementalGroups": []}, {"sysctls": [], "fsGroup": 3}],
        imagePullSecrets=[[], [{"name": "s"}]], hostname=["", "h"], subdomain=[""],
        affinity=[AFFINITY, {}], schedulerName=["", "mine"], tolerations=[
            [], [{"key": "", "operator": "Exists"}], [{"key": "a", "value": "", "effect": ""}]],
        hostAliases=[[], [{"ip": "1.2.3.4", "hostnames": ["h"]}]], priorityClassName=[""],
        dnsConfig=[{}, {"nameservers": [], "options": [{"name": "a"}]}], readinessGates=[[]],
        enableServiceLinks=[False, True], terminationGracePeriodSeconds=[0, 5],
        topologySpreadConstraints=[several(SPREAD, 0, 1)], setHostnameAsFQDN=[False], overhead=[{}],
    )  # fmt: skip


def template(draw: Draw, *restarts: str) -> Body:
    metadata = some(draw, {"labels": LABELS}, annotations=META["annotations"], name=["", "n"])
    return {"metadata": metadata, "spec": pod_spec(draw, *restarts)}


def claim_spec(draw: Draw) -> Body:
    requests = {"requests": {"storage": draw.choice(MEMORY[:4])}}
    return some(
        draw, {"accessModes": ["ReadWriteOnce"], "resources": requests},
        volumeMode=["Block"], storageClassName=["", "fast"], selector=[SELECTOR], volumeName=[""],
        dataSource=[LEFT_OUT], dataSourceRef=[
            {"kind": "PersistentVolumeClaim", "name": "other"},
            {"apiGroup": "snapshot.storage.k8s.io", "kind": "VolumeSnapshot", "name": "s"}],
    )  # fmt: skip


def _amount() -> list[Any]:
    return [0, 1, "25%"]


def deployment(draw: Draw) -> Body:
    rolling = one({}, maxSurge=[1, "30%"], maxUnavailable=_amount())
    strategy = [{}, {"type": "Recreate"}, {"type": ""}, lambda d: {"rollingUpdate": rolling(d)},
                {"type": "RollingUpdate", "rollingUpdate": None}]  # fmt: skip
    return some(
        draw, {"selector": _OBJECT, "template": template},
        replicas=[0, 3], strategy=strategy, minReadySeconds=[0, 5], paused=[False, True],
        revisionHistoryLimit=[0], progressDeadlineSeconds=[900],
    )  # fmt: skip


def stateful_set(draw: Draw) -> Body:
    claims = [[], lambda d: [{"metadata": {"name": "data"}, "spec": claim_spec(d)}]]
    strategy = [{}, {"type": "OnDelete"}, {"type": "RollingUpdate"}, {"rollingUpdate": {}},
                {"type": "RollingUpdate", "rollingUpdate": {"partition": 2}}]  # fmt: skip
    return some(
        draw, {"selector": _OBJECT, "template": template, "serviceName": "s"},
        replicas=[0, 3], updateStrategy=strategy, volumeClaimTemplates=claims,
        podManagementPolicy=["", "Parallel"], minReadySeconds=[0], ordinals=[{"start": 0}],
        persistentVolumeClaimRetentionPolicy=[{}, {"whenDeleted": "Delete"}, {"whenScaled": ""}],
    )  # fmt: skip


def daemon_set(draw: Draw) -> Body:
    strategy = [{}, {"type": "OnDelete"}, {"rollingUpdate": {"maxUnavailable": "10%"}}]
    return some(
        draw, {"selector": _OBJECT, "template": template}, updateStrategy=strategy,
        minReadySeconds=[0, 1], revisionHistoryLimit=[3],
    )  # fmt: skip


def replica_set(draw: Draw) -> Body:
    needed = {"selector": _OBJECT, "template": template}
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
    "v1 ServiceAccount": one({}, secrets=[[], [{"name": "s"}]], imagePullSecrets=[[]]),
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
