"""Parts of objects that nobody has judged yet: what has another form than expected is as if it were not there.

That its form is wrong is the schema's finding.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from fleet.model import objects

Path = tuple[str, ...]
Part = Mapping[str, Any]
_NOTHING: Part = {}
# Where kinds of Kubernetes keep the Pod that they make.
_PODS: Mapping[tuple[str, str], Path] = {
    ("", "Pod"): (),
    ("", "ReplicationController"): ("spec", "template"),
    ("apps", "DaemonSet"): ("spec", "template"),
    ("apps", "Deployment"): ("spec", "template"),
    ("apps", "ReplicaSet"): ("spec", "template"),
    ("apps", "StatefulSet"): ("spec", "template"),
    ("batch", "CronJob"): ("spec", "jobTemplate", "spec", "template"),
    ("batch", "Job"): ("spec", "template"),
}


def part(value: Any, *steps: str) -> Part:
    for step in steps:
        value = value.get(step) if isinstance(value, Mapping) else None
    return value if isinstance(value, Mapping) else _NOTHING


def text(value: Any, *steps: str) -> str:
    found = part(value, *steps[:-1]).get(steps[-1])
    return found if isinstance(found, str) else ""


def each(value: Any, *steps: str) -> Iterator[tuple[Path, Part]]:
    """The mappings of a list, with the path to each."""
    listed = part(value, *steps[:-1]).get(steps[-1])
    if isinstance(listed, list):
        for place, one in enumerate(listed):
            if isinstance(one, Mapping):
                yield (*steps, str(place)), one


def labels(value: Any) -> Mapping[str, str]:
    found = part(value, "metadata", "labels")
    return {k: v for k, v in found.items() if isinstance(v, str)} if found else {}


def kind_of(manifest: objects.Manifest) -> tuple[str, str]:
    return manifest.key.group, manifest.key.kind


def body(manifest: objects.Manifest) -> Part:
    """As far as relations go."""
    return manifest.body if manifest.sketch is None else manifest.sketch


def is_pod(kind: tuple[str, str]) -> bool:
    """Whether objects of that group and kind are Pods, or make them."""
    return kind in _PODS


def pod(manifest: objects.Manifest) -> tuple[Path, Part] | None:
    """The Pod that an object is or makes, with the path to it."""
    where = _PODS.get(kind_of(manifest))
    return None if where is None else (where, part(body(manifest), *where))
