"""A Lease against a second agent for the same cluster: renewed slowly, so that it costs a request a minute.

It elects, it does not fence: what is stored moves by compare-and-swap in any case (fleet.agent.keeping).
"""

import logging
from datetime import UTC, datetime, timedelta
from typing import Any

from fleet.agent import state
from fleet.converge import inventory
from fleet.model import errors, json_values, objects
from fleet.ports import cluster

_log = logging.getLogger("fleet.agent")
NAME = "agent"
LEASES = cluster.Resource(
    group="coordination.k8s.io",
    version="v1",
    kind="Lease",
    plural="leases",
    namespaced=True,
    versions=("v1",),
)
_KEY = objects.Key(
    group="coordination.k8s.io", kind="Lease", namespace=inventory.NAMESPACE, name=NAME
)
_FORM = "%Y-%m-%dT%H:%M:%S.%fZ"  # MicroTime


async def hold(agent: state.Agent) -> None:
    """Returns when the lease is ours; waits while another agent renews it."""
    while not await renew(agent):
        await agent.clock.sleep(min(5.0, agent.settings.lease_renewal))


async def keep(agent: state.Agent) -> None:
    """Until cancelled. Raises errors.RefusedError when another agent has taken it."""
    while True:
        await agent.clock.sleep(agent.settings.lease_renewal)
        try:
            if not await renew(agent):
                raise errors.RefusedError("another agent holds the lease of this cluster")
        except errors.UnreachableError:
            continue  # nobody else can take it either


async def renew(agent: state.Agent) -> bool:
    """Take or renew it; False while somebody else's is valid."""
    answer = await agent.cluster.read(LEASES, _KEY)
    now = agent.clock.now()
    if answer.status is cluster.Status.ABSENT:
        answer = await agent.cluster.create(LEASES, _lease(agent, now, None))
    elif answer.live is not None:
        if _is_held_by_another(answer.live, agent, now):
            return False
        answer = await agent.cluster.replace(LEASES, _lease(agent, now, answer.live))
    if answer.status is cluster.Status.CONFLICT:
        return False
    if answer.status is not cluster.Status.DONE:
        raise errors.UnreachableError(f"cannot renew the lease: {answer.message}")
    return True


async def release(agent: state.Agent) -> None:
    """So that the next agent need not wait."""
    answer = await agent.cluster.read(LEASES, _KEY)
    spec = (answer.live or {}).get("spec") or {}
    if answer.live is not None and spec.get("holderIdentity") == agent.name:
        freed = {**answer.live, "spec": {**spec, "holderIdentity": ""}}
        await agent.cluster.replace(LEASES, freed)


def _is_held_by_another(live: json_values.JsonObject, agent: state.Agent, now: datetime) -> bool:
    """By its own words, and never longer than it stays as it is: the other's clock may have been days ahead."""
    spec: dict[str, Any] = live.get("spec") or {}
    if spec.get("holderIdentity") in ("", None, agent.name):
        return False
    version = live["metadata"]["resourceVersion"]
    if agent.rival is None:
        _log.warning(
            "another agent holds the lease of this cluster: %s; waiting until it ends or is silent for %s s",
            spec.get("holderIdentity"), spec.get("leaseDurationSeconds"),
        )  # fmt: skip
    if agent.rival is None or agent.rival[0] != version:
        agent.rival = (version, now)
    lasts = timedelta(seconds=spec.get("leaseDurationSeconds") or 0)
    return now < min(_renewed(spec), agent.rival[1]) + lasts


def _renewed(spec: dict[str, Any]) -> datetime:
    try:
        return datetime.fromisoformat(spec["renewTime"])
    except (KeyError, TypeError, ValueError):
        return datetime.min.replace(tzinfo=UTC)


def _lease(
    agent: state.Agent, now: datetime, live: json_values.JsonObject | None
) -> json_values.JsonObject:
    metadata = {"name": NAME, "namespace": inventory.NAMESPACE}
    if live is not None:
        metadata["resourceVersion"] = live["metadata"]["resourceVersion"]
    return {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": metadata,
        "spec": {
            "holderIdentity": agent.name,
            "leaseDurationSeconds": int(agent.settings.lease_renewal * 3),
            "renewTime": now.strftime(_FORM),
        },
    }
