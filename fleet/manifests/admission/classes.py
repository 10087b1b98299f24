"""PriorityClasses, RuntimeClasses, Namespaces, Leases. Source: scheduling, node, core and coordination validation."""

from collections.abc import Mapping
from typing import Any

from fleet.manifests.admission import faults, labels, resources, rules, scheduling, texts
from fleet.manifests.admission.tables import Found, Row, below, row

_HIGHEST = 1_000_000_000
_SYSTEM = {"system-cluster-critical": 2_000_000_000, "system-node-critical": 2_000_001_000}


def _priority(written: Mapping[str, Any]) -> Found:
    name, value = written["metadata"].get("name") or "", written.get("value") or 0
    if name.startswith("system-"):
        return _reserved(name, value, is_default=bool(written.get("globalDefault")))
    if value > _HIGHEST:
        said = f"maximum allowed value of a user defined priority is {_HIGHEST}"
        return (faults.forbidden(said, "value"),)
    return ()


def _reserved(name: str, value: int, *, is_default: bool) -> Found:
    if _SYSTEM.get(name) == value and not is_default:
        return ()
    why = f"{name} is not a known system priority class"
    if name in _SYSTEM:
        why = f"value of {name} PriorityClass must be {_SYSTEM[name]}"
        why = why if _SYSTEM[name] != value else f"globalDefault of {name} must be false"
    said = "priority class names with 'system-' prefix are reserved for system use only. error: "
    return (faults.forbidden(said + why, "metadata", "name"),)


def _handler(written: Mapping[str, Any]) -> Found:
    name = written.get("handler") or ""
    return (
        faults.each_invalid(name, texts.label(name), "handler")
        if name
        else rules.needs("handler")(written)
    )


def _lease(spec: Mapping[str, Any]) -> Found:
    seconds, moves = spec.get("leaseDurationSeconds"), spec.get("leaseTransitions")
    found = []
    if seconds is not None and seconds <= 0:
        found.append(faults.invalid(seconds, "must be greater than 0", "leaseDurationSeconds"))
    if moves is not None and moves < 0:
        found.append(faults.invalid(moves, rules.NOT_NEGATIVE, "leaseTransitions"))
    return found


PRIORITY: tuple[Row, ...] = (
    row("", _priority, "scheduling: ValidatePriorityClass"),
    row(
        "preemptionPolicy",
        rules.among("PreemptLowerPriority", "Never"),
        "core: ValidatePreemptionPolicy",
    ),
)
RUNTIME: tuple[Row, ...] = (
    row("", _handler, "node: ValidateRuntimeClass"),
    *below("overhead.podFixed", resources.OVERHEAD),
    row("scheduling.nodeSelector", labels.labels, "node: validateScheduling"),
    *below("scheduling", scheduling.TOLERATIONS),
)
LEASE: tuple[Row, ...] = (row("spec", _lease, "coordination: ValidateLeaseSpec"),)
