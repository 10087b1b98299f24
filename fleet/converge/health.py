"""Health of one live object, after every watch event: kstatus' rules as a table by kind.

What no rule speaks of is judged by what every object has: generation, conditions, deletion. Reasons are for people.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

from fleet.model import health, json_values

Judged: TypeAlias = health.Assessment | None
Rule: TypeAlias = Callable[[json_values.JsonObject], Judged]

_NO_DEADLINE = 2**31 - 1
_LONGEST = 1000  # characters of a reason: whoever writes a status may write much
_ODD = (AttributeError, KeyError, TypeError, ValueError)


def assess(live: json_values.JsonObject) -> health.Assessment:
    """How a live object is. One that is gone is not asked about: that is NotFound.

    What others wrote into it may have any form: that makes its health unknown, and is nobody else's trouble.
    """
    rule = RULES.get((_group(live), live.get("kind", "")), _ready)
    try:
        found = _deletion(live) or _generation(live) or _flags(live) or rule(live)
    except _ODD as error:
        reason = f"its status cannot be understood: {type(error).__name__}"
        return health.Assessment(health=health.Health.UNKNOWN, reason=reason)
    return found or _current()


def needs_status(group: str, kind: str) -> bool:
    """Whether the metadata alone do not tell the health of this kind."""
    return (group, kind) not in METADATA_TELLS


def _deletion(live: json_values.JsonObject) -> Judged:
    metadata = live.get("metadata") or {}
    if not metadata.get("deletionTimestamp"):
        return None
    held = ", ".join(metadata.get("finalizers") or ())
    reason = f"being deleted, held by finalizers {held}" if held else "being deleted"
    return health.Assessment(health=health.Health.TERMINATING, reason=reason)


def _generation(live: json_values.JsonObject) -> Judged:
    observed = _status(live).get("observedGeneration")
    wanted = (live.get("metadata") or {}).get("generation")
    if observed is None or wanted is None or observed == wanted:
        return None
    return _waits(f"its controller has seen generation {observed}, not yet {wanted}")


def _flags(live: json_values.JsonObject) -> Judged:
    for condition in _conditions(live):
        if condition.get("status") == "True" and condition.get("type") == "Reconciling":
            return _waits(_told(condition))
        if condition.get("status") == "True" and condition.get("type") == "Stalled":
            return _failed(_told(condition))
    return None


def _ready(live: json_values.JsonObject) -> Judged:
    condition = _condition(live, "Ready")
    if condition and condition.get("status") in ("False", "Unknown"):
        return _waits(_told(condition))
    return None


def _available(live: json_values.JsonObject) -> Judged:
    condition = _condition(live, "Available")
    if condition and condition.get("status") == "True":
        return None
    return _waits(_told(condition) if condition else "not yet available")


def _always(_live: json_values.JsonObject) -> Judged:
    return None


def _service(live: json_values.JsonObject) -> Judged:
    spec = _spec(live)
    if spec.get("type") == "LoadBalancer" and not spec.get("clusterIP"):
        return _waits("the load balancer has no cluster IP yet")
    return None


def _claim(live: json_values.JsonObject) -> Judged:
    phase = _status(live).get("phase", "unknown")
    return None if phase == "Bound" else _waits(f"the claim is not bound: phase {phase}")


def _pod(live: json_values.JsonObject) -> Judged:
    phase = _status(live).get("phase", "")
    if phase in ("Succeeded", "Failed"):
        return None
    if crashing := _crashing(live):
        return _failed(f"containers crash again and again: {', '.join(crashing)}; read their logs")
    scheduled = _condition(live, "PodScheduled")
    if phase == "Pending" and scheduled and scheduled.get("reason") == "Unschedulable":
        return _failed(f"no node takes it: {_told(scheduled)}")
    if phase == "Running" and _is_true(live, "Ready"):
        return None
    return _waits(f"not ready: phase {phase or 'unknown'}")


def _crashing(live: json_values.JsonObject) -> list[str]:
    status = _status(live)
    containers = [
        *(status.get("initContainerStatuses") or ()),
        *(status.get("containerStatuses") or ()),
    ]
    return [
        each.get("name", "")
        for each in containers
        if ((each.get("state") or {}).get("waiting") or {}).get("reason") == "CrashLoopBackOff"
    ]


def _job(live: json_values.JsonObject) -> Judged:
    failed = _condition(live, "Failed")
    if failed and failed.get("status") == "True":
        return _failed(f"the job failed: {_told(failed)}")
    if _is_true(live, "Complete") or _status(live).get("startTime"):
        return None
    return _waits("the job has not started")


def _definition(live: json_values.JsonObject) -> Judged:
    accepted = _condition(live, "NamesAccepted")
    if accepted and accepted.get("status") == "False":
        return _failed(f"its names are not accepted: {_told(accepted)}")
    established = _condition(live, "Established")
    if not established:
        return _waits("not yet established")
    if established.get("status") == "True":
        return None
    if established.get("reason") == "Installing":
        return _waits("being installed")
    return _failed(f"cannot be established: {_told(established)}")


def _deployment(live: json_values.JsonObject) -> Judged:
    spec, status = _spec(live), _status(live)
    progressing = _condition(live, "Progressing") or {}
    if progressing.get("reason") == "ProgressDeadlineExceeded":
        return _failed(f"no progress within its deadline: {_told(progressing)}")
    wanted = spec.get("replicas", 1)
    replicas = status.get("replicas", 0)
    updated = status.get("updatedReplicas", 0)
    return _first(
        live,
        (wanted > replicas, f"{replicas} of {wanted} replicas exist"),
        (wanted > updated, f"{updated} of {wanted} replicas are updated"),
        (replicas > wanted, f"{replicas - wanted} old replicas are still to go"),
        _short(live, "availableReplicas", updated, "available"),
        _short(live, "readyReplicas", wanted, "ready"),
        (not _has_progressed(spec, progressing), "its new replica set is not complete"),
        (not _is_true(live, "Available"), "it is not available yet"),
    )


def _has_progressed(spec: Mapping[str, Any], progressing: Mapping[str, Any]) -> bool:
    if spec.get("progressDeadlineSeconds", _NO_DEADLINE) == _NO_DEADLINE:
        return True
    return (
        progressing.get("status") == "True"
        and progressing.get("reason") == "NewReplicaSetAvailable"
    )


def _replica_set(live: json_values.JsonObject) -> Judged:
    wanted = _spec(live).get("replicas", 1)
    replicas = _status(live).get("replicas", 0)
    return _first(
        live,
        (_is_true(live, "ReplicaFailure"), "replicas cannot be made"),
        _short(live, "fullyLabeledReplicas", wanted, "labelled"),
        _short(live, "availableReplicas", wanted, "available"),
        _short(live, "readyReplicas", wanted, "ready"),
        (replicas > wanted, f"{replicas - wanted} replicas are still to go"),
    )


def _stateful_set(live: json_values.JsonObject) -> Judged:
    spec, status = _spec(live), _status(live)
    strategy = spec.get("updateStrategy") or {}
    if strategy.get("type") == "OnDelete":
        return None
    wanted = spec.get("replicas", 1)
    replicas = status.get("replicas", 0)
    partition = (strategy.get("rollingUpdate") or {}).get("partition")
    rolled = (
        _short(live, "updatedReplicas", wanted - partition, "updated")
        if partition is not None
        else _short(live, "currentReplicas", wanted, "current")
    )
    moving = partition is None and status.get("currentRevision") != status.get("updateRevision")
    return _first(
        live,
        (wanted > replicas, f"{replicas} of {wanted} replicas exist"),
        _short(live, "readyReplicas", wanted, "ready"),
        (replicas > wanted, f"{replicas - wanted} replicas are still to go"),
        rolled,
        (moving, "it is moving to a new revision"),
    )


def _daemon_set(live: json_values.JsonObject) -> Judged:
    status = _status(live)
    wanted = status.get("desiredNumberScheduled")
    if wanted is None or "observedGeneration" not in status:
        return _waits("its controller has not seen it yet")
    return _first(
        live,
        _short(live, "currentNumberScheduled", wanted, "scheduled"),
        _short(live, "updatedNumberScheduled", wanted, "updated"),
        _short(live, "numberAvailable", wanted, "available"),
        _short(live, "numberReady", wanted, "ready"),
    )


def _short(live: json_values.JsonObject, field: str, wanted: int, word: str) -> tuple[bool, str]:
    have = _status(live).get(field, 0)
    return have < wanted, f"{have} of {wanted} are {word}"


def _first(live: json_values.JsonObject, *checks: tuple[bool, str]) -> Judged:
    reason = next((text for holds, text in checks if holds), None)
    if reason is None:
        return None
    failure = _condition(live, "ReplicaFailure")
    if failure and failure.get("status") == "True":
        reason += f"; {_told(failure)}"
    return _waits(reason)


def _group(live: json_values.JsonObject) -> str:
    return str(live.get("apiVersion", "")).rpartition("/")[0]


def _spec(live: json_values.JsonObject) -> Mapping[str, Any]:
    return live.get("spec") or {}


def _status(live: json_values.JsonObject) -> Mapping[str, Any]:
    found = live.get("status")
    return found if isinstance(found, dict) else {}


def _conditions(live: json_values.JsonObject) -> Iterable[Mapping[str, Any]]:
    found = _status(live).get("conditions")
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else ()


def _condition(live: json_values.JsonObject, kind: str) -> Mapping[str, Any] | None:
    return next((each for each in _conditions(live) if each.get("type") == kind), None)


def _is_true(live: json_values.JsonObject, kind: str) -> bool:
    return (_condition(live, kind) or {}).get("status") == "True"


def _told(condition: Mapping[str, Any]) -> str:
    reason, message = condition.get("reason", ""), condition.get("message", "")
    told = ": ".join(str(part) for part in (reason, message) if part)
    return (told or str(condition.get("type")))[:_LONGEST]


def _current() -> health.Assessment:
    return CURRENT


def _waits(reason: str) -> health.Assessment:
    return health.Assessment(health=health.Health.IN_PROGRESS, reason=reason)


def _failed(reason: str) -> health.Assessment:
    return health.Assessment(health=health.Health.FAILED, reason=reason)


CURRENT = health.Assessment(health=health.Health.CURRENT)
GONE = health.Assessment(health=health.Health.NOT_FOUND, reason="it is not in the cluster")

RULES: Mapping[tuple[str, str], Rule] = {
    ("", "Pod"): _pod,
    ("", "Service"): _service,
    ("", "PersistentVolumeClaim"): _claim,
    ("apps", "Deployment"): _deployment,
    ("apps", "ReplicaSet"): _replica_set,
    ("apps", "StatefulSet"): _stateful_set,
    ("apps", "DaemonSet"): _daemon_set,
    ("batch", "Job"): _job,
    ("batch", "CronJob"): _always,
    ("policy", "PodDisruptionBudget"): _always,
    ("apiextensions.k8s.io", "CustomResourceDefinition"): _definition,
    ("apiregistration.k8s.io", "APIService"): _available,
}

# Of these nothing but existence and deletion counts, so nothing but their metadata is watched.
METADATA_TELLS = frozenset(
    {
        ("", "ConfigMap"),
        ("", "Secret"),
        ("", "ServiceAccount"),
        ("", "Namespace"),
        ("", "LimitRange"),
        ("", "ResourceQuota"),
        ("", "Endpoints"),
        ("batch", "CronJob"),
        ("discovery.k8s.io", "EndpointSlice"),
        ("rbac.authorization.k8s.io", "Role"),
        ("rbac.authorization.k8s.io", "RoleBinding"),
        ("rbac.authorization.k8s.io", "ClusterRole"),
        ("rbac.authorization.k8s.io", "ClusterRoleBinding"),
        ("networking.k8s.io", "NetworkPolicy"),
        ("networking.k8s.io", "IngressClass"),
        ("scheduling.k8s.io", "PriorityClass"),
        ("storage.k8s.io", "StorageClass"),
        ("node.k8s.io", "RuntimeClass"),
        ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration"),
        ("admissionregistration.k8s.io", "MutatingWebhookConfiguration"),
        ("admissionregistration.k8s.io", "ValidatingAdmissionPolicyBinding"),
    }
)
