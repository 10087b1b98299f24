"""Kubernetes' own controllers, as far as health depends on them: workloads become available a moment after a change."""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from fleet.model import objects

Body: TypeAlias = dict[str, Any]
Status: TypeAlias = dict[str, Any]


def status_of(body: Body, broken: frozenset[str]) -> Status | None:
    """What the controller of this kind writes; None for kinds without one. `broken` images never start."""
    group = str(body["apiVersion"]).rpartition("/")[0]
    rule = RULES.get((group, body["kind"]))
    return rule(body, _is_well(body, broken)) if rule else None


def kind_has_status(key: objects.Key) -> bool:
    return (key.group, key.kind) in RULES


def _is_well(body: Body, broken: frozenset[str]) -> bool:
    spec = body.get("spec") or {}
    pod = (spec.get("template") or {}).get("spec") or spec
    return not any(each.get("image") in broken for each in pod.get("containers") or ())


def _deployment(body: Body, is_well: bool) -> Status:  # noqa: FBT001 - a row of the table
    wanted = (body.get("spec") or {}).get("replicas", 1)
    ready = wanted if is_well else 0
    return {
        "observedGeneration": body["metadata"].get("generation", 1),
        "replicas": wanted,
        "updatedReplicas": wanted,
        "readyReplicas": ready,
        "availableReplicas": ready,
        "conditions": [
            _condition("Available", holds=is_well, reason="MinimumReplicas"),
            _condition("Progressing", holds=True, reason="NewReplicaSetAvailable")
            if is_well
            else _condition("Progressing", holds=True, reason="ReplicaSetUpdated"),
        ],
    }


def _stateful_set(body: Body, is_well: bool) -> Status:  # noqa: FBT001
    wanted = (body.get("spec") or {}).get("replicas", 1)
    revision = f"{body['metadata']['name']}-{body['metadata'].get('generation', 1)}"
    return {
        "observedGeneration": body["metadata"].get("generation", 1),
        "replicas": wanted,
        "readyReplicas": wanted if is_well else 0,
        "currentReplicas": wanted,
        "updatedReplicas": wanted,
        "currentRevision": revision,
        "updateRevision": revision,
    }


def _daemon_set(body: Body, is_well: bool) -> Status:  # noqa: FBT001
    ready = 1 if is_well else 0
    return {
        "observedGeneration": body["metadata"].get("generation", 1),
        "desiredNumberScheduled": 1,
        "currentNumberScheduled": 1,
        "updatedNumberScheduled": 1,
        "numberAvailable": ready,
        "numberReady": ready,
        "numberMisscheduled": 0,
    }


def _job(_: Body, is_well: bool) -> Status:  # noqa: FBT001
    status: Status = {"startTime": "2026-01-05T08:00:00Z"}
    if is_well:
        status["conditions"] = [_condition("Complete", holds=True, reason="CompletionsReached")]
    return status


def _pod(_: Body, is_well: bool) -> Status:  # noqa: FBT001
    ready = _condition("Ready", holds=is_well, reason="")
    return {"phase": "Running" if is_well else "Pending", "conditions": [ready]}


def _claim(_: Body, _is_well: bool) -> Status:  # noqa: FBT001
    return {"phase": "Bound"}


def _definition(body: Body, _is_well: bool) -> Status:  # noqa: FBT001
    return {
        "acceptedNames": dict(body["spec"]["names"]),
        "conditions": [
            _condition("NamesAccepted", holds=True, reason="NoConflicts"),
            _condition("Established", holds=True, reason="InitialNamesAccepted"),
        ],
    }


def _condition(kind: str, *, holds: bool, reason: str) -> Status:
    return {"type": kind, "status": "True" if holds else "False", "reason": reason}


RULES: Mapping[tuple[str, str], Callable[[Body, bool], Status]] = {
    ("apps", "Deployment"): _deployment,
    ("apps", "StatefulSet"): _stateful_set,
    ("apps", "DaemonSet"): _daemon_set,
    ("batch", "Job"): _job,
    ("", "Pod"): _pod,
    ("", "PersistentVolumeClaim"): _claim,
    ("apiextensions.k8s.io", "CustomResourceDefinition"): _definition,
}
