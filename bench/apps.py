"""Small apps by the number: what a fleet repository would hold, every file different."""

import json
from collections.abc import Iterator
from typing import Any

NAMESPACES = 10


def namespaces() -> list[dict[str, Any]]:
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": f"bench-{n}"}}
        for n in range(NAMESPACES)
    ]


def app(number: int, version: str = "1.0.0") -> list[dict[str, Any]]:
    """Deployment, Service, ConfigMap, ServiceAccount."""
    name, labels = f"app-{number}", {"app.kubernetes.io/name": f"app-{number}"}
    metadata = {"name": name, "namespace": f"bench-{number % NAMESPACES}", "labels": labels}
    container = {
        "name": "web",
        "image": f"registry.example.com/bench/app-{number}:{version}",
        "ports": [{"name": "http", "containerPort": 8080}],
        "envFrom": [{"configMapRef": {"name": name}}],
        "resources": {
            "requests": {"cpu": "10m", "memory": "32Mi"},
            "limits": {"cpu": "100m", "memory": "64Mi"},
        },
        "securityContext": {"runAsNonRoot": True, "allowPrivilegeEscalation": False},
    }
    template = {
        "metadata": {"labels": labels},
        "spec": {"serviceAccountName": name, "containers": [container]},
    }
    spec = {"replicas": 2, "selector": {"matchLabels": labels}, "template": template}
    port = {"name": "http", "port": 80, "targetPort": "http"}
    return [
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec},
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": metadata,
            "spec": {"selector": labels, "ports": [port]},
        },
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": metadata,
            "data": {"name": name, "text": f"number {number} at {version}"},
        },
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata},
    ]


def files(apps: int, version: str = "1.0.0", *, per_bundle: int = 25) -> dict[str, str]:
    """A repository's files: bundles of some apps each, a YAML file an object."""
    found = {"apps/ground/bundle.yaml": bundle("ground")}
    found |= {f"apps/ground/{each['metadata']['name']}.yaml": text(each) for each in namespaces()}
    for number in range(apps):
        folder = f"apps/group-{number // per_bundle}"
        found[f"{folder}/bundle.yaml"] = bundle(f"group-{number // per_bundle}")
        for each in app(number, version):
            found[f"{folder}/app-{number}-{each['kind'].lower()}.yaml"] = text(each)
    return found


def text(value: dict[str, Any]) -> str:
    """As people write it: YAML in blocks."""
    return "\n".join(_lines(value, 0)) + "\n"


def _lines(value: Any, depth: int) -> Iterator[str]:
    pad = "  " * depth
    if isinstance(value, dict):
        for key, inner in value.items():
            if isinstance(inner, (dict, list)):
                yield f"{pad}{key}:"
                yield from _lines(inner, depth + 1)
            else:
                yield f"{pad}{key}: {json.dumps(inner)}"
    elif isinstance(value, list):
        for item in value:
            first, *rest = _lines(item, depth + 1)
            yield f"{pad}- {first.lstrip()}"
            yield from rest
    else:
        yield f"{pad}{json.dumps(value)}"


def bundle(name: str) -> str:
    return text(
        {
            "apiVersion": "fleetgate.dev/v1alpha1",
            "kind": "Bundle",
            "metadata": {"name": name},
        }
    )
