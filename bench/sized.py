"""Manifests of 4 KB each by the number, no two alike: what the peers are measured on."""

import hashlib
from collections.abc import Iterator
from typing import Any

from bench import apps

PER_BUNDLE = 100
_ACCOUNT, _SETTINGS = "service-without-rights", "settings-of-namespace"


def files(count: int, *, per_bundle: int = PER_BUNDLE) -> dict[str, str]:
    """A repository's files: bundles of workloads, a YAML file an object."""
    found = {"apps/ground/bundle.yaml": apps.bundle("ground")}
    for each in apps.namespaces():
        found[f"apps/ground/{each['metadata']['name']}.yaml"] = apps.text(each)
    for each in _shared():
        place = f"{each['metadata']['namespace']}-{each['metadata']['name']}"
        found[f"apps/ground/{place}.yaml"] = apps.text(each)
    for number in range(count):
        folder = f"apps/part-{number // per_bundle}"
        if number % per_bundle == 0:
            found[f"{folder}/bundle.yaml"] = apps.bundle(f"part-{number // per_bundle}")
        found[f"{folder}/service-{number}.yaml"] = apps.text(workload(number))
    return found


def _shared() -> Iterator[dict[str, Any]]:
    """What all workloads of a namespace refer to."""
    for each in apps.namespaces():
        namespace = each["metadata"]["name"]
        for kind, name in (("ServiceAccount", _ACCOUNT), ("ConfigMap", _SETTINGS)):
            metadata = {"name": name, "namespace": namespace}
            yield {"apiVersion": "v1", "kind": kind, "metadata": metadata}


def workload(number: int, version: str = "1.0.0") -> dict[str, Any]:
    name = f"service-{number}"
    labels = {
        "app.kubernetes.io/name": name,
        "app.kubernetes.io/part-of": f"product-{number % 37}",
        "app.kubernetes.io/version": version,
        "team": f"team-{number % 23}",
    }
    spec = {
        "replicas": 2 + number % 5,
        "revisionHistoryLimit": 3,
        "strategy": {
            "type": "RollingUpdate",
            "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": 0},
        },
        "selector": {"matchLabels": {"app.kubernetes.io/name": name}},
        "template": {"metadata": {"labels": labels}, "spec": _pod(name, number, version)},
    }
    metadata = {
        "name": name,
        "namespace": f"bench-{number % apps.NAMESPACES}",
        "labels": labels,
        "annotations": {"example.com/owner": f"owner-{number}@example.com"},
    }
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec}


def _pod(name: str, number: int, version: str) -> dict[str, Any]:
    return {
        "serviceAccountName": _ACCOUNT,
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": 30,
        "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
        "topologySpreadConstraints": [
            {
                "maxSkew": 1,
                "topologyKey": "topology.kubernetes.io/zone",
                "whenUnsatisfiable": "ScheduleAnyway",
                "labelSelector": {"matchLabels": {"app.kubernetes.io/name": name}},
            }
        ],
        "containers": [
            _container("web", name, 8000 + number % 1000, version),
            _container("proxy", name, 9000 + number % 1000, version),
        ],
        "volumes": [
            {"name": "settings", "configMap": {"name": _SETTINGS}},
            {"name": "scratch", "emptyDir": {"sizeLimit": "100Mi"}},
        ],
    }


def _container(word: str, name: str, port: int, version: str) -> dict[str, Any]:
    digest = hashlib.sha256(f"{word} {name} {version}".encode()).hexdigest()
    probe = {"httpGet": {"path": f"/{name}/healthy", "port": port}, "periodSeconds": 10}
    return {
        "name": word,
        "image": f"registry.example.com/{word}/{name}:{version}@sha256:{digest}",
        "args": [f"--listen=:{port}", f"--name={name}"],
        "ports": [{"name": word, "containerPort": port}],
        "env": [
            {"name": "SERVICE_NAME", "value": name},
            {"name": "POD_IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
        ],
        "readinessProbe": probe,
        "livenessProbe": {**probe, "periodSeconds": 30},
        "resources": {
            "requests": {"cpu": "50m", "memory": "64Mi"},
            "limits": {"cpu": "500m", "memory": "256Mi"},
        },
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [{"name": "scratch", "mountPath": "/tmp/scratch"}],  # noqa: S108 - in no file system here
    }
