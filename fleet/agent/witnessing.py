"""The agent as a witness: it keeps the newest checkpoint of the hub's audit log that goes on from all it saw before.

Two histories, or one that went back, are an alarm: no cosignature, both checkpoints kept in Secret `witness`, said to
the hub and in the log until a person deletes that Secret. Dispatches are still taken: what may run is settled by their
own proofs and by people's approvals, and an alarm that stopped them would stop the repair too.
"""

import base64
import logging
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from fleet.agent import keeping, sealing, state
from fleet.audit import witness
from fleet.converge import inventory
from fleet.model import errors, json_values, messages, objects
from fleet.ports import cluster
from fleet.protocol import checkpoints

_log = logging.getLogger("fleet.agent")
_KEPT_AFTER = timedelta(minutes=10)  # between two checkpoints that are stored
_MOST = 20  # pieces of evidence; the first ones are kept, which show where it began
_KEY = objects.Key(group="", kind="Secret", namespace=inventory.NAMESPACE, name="witness")


@dataclass(slots=True, kw_only=True)
class Memory:
    """What this agent saw of the log. `evidence` are pairs of signed notes that do not belong together, and why."""

    checkpoint: str = ""
    evidence: list[dict[str, Any]] = field(default_factory=list)
    is_read: bool = False
    asked: datetime | None = None
    session: str = ""  # of the hub that was asked last
    stored: tuple[str, datetime] | None = None

    @property
    def alarm(self) -> str:
        found = [each["reason"] for each in self.evidence if each["alarm"]]
        return found[0] if found else ""


async def look(agent: state.Agent, memory: Memory) -> None:
    """Ask how the log goes on: of a hub that may have begun anew at once, else from time to time."""
    now = agent.clock.now()
    pause = timedelta(seconds=agent.settings.log_pause)
    is_early = memory.asked is not None and memory.asked <= now < memory.asked + pause
    if is_early and agent.session and agent.session == memory.session:
        return
    told = memory.alarm
    try:
        await _read(agent, memory)
        answer = await agent.link.witness(await sealing.sealed(agent, _question(agent, memory)))
        if answer is not None:
            await _weigh(answer, agent, memory)
    except (errors.UnreachableError, errors.RefusedError) as error:
        _log.debug(
            "the audit log: %s", error
        )  # the poll that follows says what is wrong with the hub
    else:
        memory.asked = now if memory.alarm == told else None  # an alarm is told with the next poll
        memory.session = agent.session


async def _weigh(answer: bytes, agent: state.Agent, memory: Memory) -> None:
    try:
        shown = witness.decode(json_values.decode(answer))
        found = witness.weigh(memory.checkpoint, shown, agent.identity.hub_key)
    except (errors.InputError, errors.RefusedError, ValueError, RecursionError) as error:
        _log.warning("the hub's audit log is not shown as it should be: %s", error)
        return
    if found.outcome is not witness.Outcome.GOES_ON:
        _note(found, shown.checkpoint, agent, memory)
    if not found.is_alarming:
        memory.checkpoint = shown.checkpoint
    await _store(agent, memory, is_news=found.outcome is not witness.Outcome.GOES_ON)


def _note(found: witness.Found, shown: str, agent: state.Agent, memory: Memory) -> None:
    """Kept once for each pair of histories, and said each time."""
    if found.is_alarming:
        _log.error("ALARM: %s; see Secret %s/%s", found.reason, _KEY.namespace, _KEY.name)
        agent.telemetry.count("fleet_log_alarms", {"outcome": found.outcome.value})
    else:
        _log.warning("%s", found.reason)
    piece = {
        "outcome": found.outcome.value,
        "alarm": found.is_alarming,
        "reason": found.reason,
        "at": agent.clock.now().isoformat(),
        "seen": memory.checkpoint,
        "shown": shown,
    }
    known = [each["reason"] for each in memory.evidence]
    if len(known) < _MOST and found.reason not in known:
        memory.evidence.append(piece)


def _question(agent: state.Agent, memory: Memory) -> messages.Witness:
    identity, note = agent.identity, memory.checkpoint
    signed = note and checkpoints.cosign(
        note,
        environment=identity.environment,
        cluster=identity.cluster,
        key=agent.key,
        now=agent.clock.now(),
    )
    return messages.Witness(
        cluster=identity.cluster,
        environment=identity.environment,
        uid=identity.uid,
        checkpoint=note,
        cosignature=signed,
        alarm=memory.alarm,
    )


async def _read(agent: state.Agent, memory: Memory) -> None:
    """What an earlier life of this agent saw. A Secret that is gone, or damaged by hand, clears the evidence."""
    if memory.is_read and not memory.evidence:
        return
    checkpoint, memory.evidence = await read(agent.cluster)
    if not memory.is_read:
        memory.checkpoint, memory.is_read = checkpoint, True


async def read(port: cluster.Cluster) -> tuple[str, list[dict[str, Any]]]:
    """Checkpoint and evidence as they are stored."""
    answer = await port.read(keeping.SECRETS, _KEY)
    if answer.status not in (cluster.Status.DONE, cluster.Status.ABSENT):
        raise errors.UnreachableError(f"cannot read the agent's own Secrets: {answer.message}")
    return decoded(answer.live)


async def _store(agent: state.Agent, memory: Memory, *, is_news: bool) -> None:
    """News at once; how the log goes on from time to time. Whoever deletes the Secret meanwhile is not overruled."""
    now, kept = agent.clock.now(), memory.stored
    is_due = kept is None or (kept[0] != memory.checkpoint and abs(now - kept[1]) >= _KEPT_AFTER)
    if not is_due and not is_news:
        return
    there = (await agent.cluster.read(keeping.SECRETS, _KEY)).live
    body = _secret(memory, there)
    if there is None:
        answer = await agent.cluster.create(keeping.SECRETS, body)
    else:
        answer = await agent.cluster.replace(keeping.SECRETS, body)
    if answer.status is cluster.Status.DONE:
        memory.stored = memory.checkpoint, now
    else:
        _log.warning("the checkpoint of the audit log could not be kept: %s", answer.message)


def _secret(memory: Memory, there: json_values.JsonObject | None) -> json_values.JsonObject:
    data = {
        "checkpoint": memory.checkpoint.encode(),
        "evidence": json_values.encode(memory.evidence),
    }
    version = {"resourceVersion": there["metadata"]["resourceVersion"]} if there else {}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": _KEY.name, "namespace": _KEY.namespace, **version},
        "type": "fleetgate.dev/agent",
        "data": {name: base64.b64encode(value).decode() for name, value in data.items()},
    }


def decoded(secret: json_values.JsonObject | None) -> tuple[str, list[dict[str, Any]]]:
    """Checkpoint and evidence; nothing of a Secret that somebody has damaged."""
    try:
        data = (secret or {}).get("data") or {}
        note = base64.b64decode(data.get("checkpoint", "")).decode()
        found = json_values.decode(base64.b64decode(data.get("evidence", "")) or b"[]")
    except (ValueError, TypeError, AttributeError, RecursionError):
        return "", []
    return note, [each for each in found if _is_evidence(each)] if isinstance(found, list) else []


def _is_evidence(piece: object) -> bool:
    match piece:
        case {"alarm": bool(), "reason": str(), "seen": str(), "shown": str(), "at": str()}:
            return True
        case _:
            return False
