"""What Pods and claims may be made of, drawn by a seed: often with fields left open, null or zero."""

import random
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

Body: TypeAlias = dict[str, Any]
Draw: TypeAlias = random.Random
Choice: TypeAlias = Callable[[Draw], Any]

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
SELECTING = {"matchLabels": LABELS}
SELECTOR = one({}, matchLabels=[LABELS, {}], matchExpressions=[
    [], [{"key": "a", "operator": "Exists", "values": []}], [{"key": "a", "operator": "In", "values": ["b"]}],
])  # fmt: skip
META = {"labels": [LABELS, {}], "annotations": [{"a": "b"}, {}, {"a": ""}]}
CPU = ["1", "1000m", "0.5", 2, 1.5, "0.0001", "1e3", "1500m", "0"]
MEMORY = ["1Gi", "1024Mi", "128974848", "1.5Gi", "500M", "0.5Gi", "1e9", 1000, "100Ki", "1000000"]
AMOUNTS = one({}, cpu=CPU, memory=MEMORY, **{"ephemeral-storage": ["1Gi", "1G"]})
LIMITS = one({}, cpu=["4", "4000m", 5], memory=["4Gi", "4096Mi"])
LITTLE = one({}, cpu=["0.1", "100m", 1], memory=["128Mi", "131072Ki"])
WHOLE = one({}, limits=[{"cpu": "100", "memory": "100Gi"}, {"memory": "99Gi"}],
            requests=[{}, {"cpu": "90"}])  # fmt: skip
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


def first_container(draw: Draw) -> Body:
    return container(draw, restartPolicy=["Always"])


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
        initContainers=[named(first_container, "i"), []], restartPolicy=list(restarts or ("", "Always")),
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
        resources=[WHOLE], enableServiceLinks=[False, True], terminationGracePeriodSeconds=[0, 5],
        topologySpreadConstraints=[several(SPREAD, 0, 1)], setHostnameAsFQDN=[False],
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
