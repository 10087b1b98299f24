"""Deletion: only what the inventory names, only when everything of the slice is applied, only past the guard."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import TypeAlias

from fleet.agent import sight, state, together
from fleet.converge import differences, fields, inventory, stages
from fleet.gate import guard
from fleet.model import changes, json_values, objects, slices
from fleet.ports import cluster

Deed: TypeAlias = Callable[[state.Agent, inventory.Member], Awaitable[cluster.Answer]]
Wanted: TypeAlias = Mapping[objects.Key, slices.Item]
_REMOVED = (cluster.Status.DONE, cluster.Status.ABSENT, cluster.Status.UNSERVED)


async def prune(agent: state.Agent, going: Iterable[inventory.Member]) -> None:
    """Take members out that the slice no longer has: delete what was made here, let go of what was taken over."""
    members = {member.key: member for member in going}
    dispatch = agent.dispatch
    if dispatch is None or not members:
        return
    before = len(agent.inventory)
    refused = differences.refusals(members.values(), before, dispatch, agent.clock.now())
    if refused:
        _refuse(agent, members, "; ".join(refused))
        return
    await _carry_out(agent, members, agent.wanted)


async def leave(agent: state.Agent, *, delete: bool) -> None:
    """Leave the cluster for good (rule 10). Guarded kinds without a Permit stay even when the rest is deleted."""
    dispatch = agent.dispatch
    members, wanted = dict(agent.inventory), agent.wanted
    if dispatch is None:
        return
    if delete:
        kept = {key for key in members if _is_guarded(agent, key)}
        going = {key: m for key, m in members.items() if key not in kept}
        await _carry_out(agent, going, wanted)
        members = {key: m for key, m in agent.inventory.items() if key in kept}
    await _together(agent, members, _release, wanted)


async def _carry_out(
    agent: state.Agent, members: dict[objects.Key, inventory.Member], wanted: Wanted
) -> None:
    for keys in stages.reverse(members):
        await _together(agent, {key: members[key] for key in keys}, _remove, wanted)


async def _together(
    agent: state.Agent,
    members: dict[objects.Key, inventory.Member],
    deed: Deed,
    wanted: Wanted,
) -> None:
    gate = asyncio.Semaphore(agent.settings.in_flight)

    async def one(member: inventory.Member) -> None:
        async with gate:
            if agent.wanted is not wanted:
                return  # a newer dispatch came: what may go is to be asked anew
            answer = await deed(agent, member)
        _note(agent, member, answer)

    await together.run(one(member) for member in members.values())


async def _remove(agent: state.Agent, member: inventory.Member) -> cluster.Answer:
    if member.adopted:
        return await _release(agent, member)
    resource = state.resource_of(agent, member.key)
    if resource is None:
        return _unserved(agent, member.key)
    uid = member.uid
    if not uid:
        found = await agent.cluster.read(resource, member.key)
        if found.live is None:
            return _told(found)
        uid = _uid_of_half_made(found.live)
    answer = await agent.cluster.delete(resource, member.key, uid=uid)
    if answer.status is cluster.Status.CONFLICT:
        return cluster.Answer(status=cluster.Status.ABSENT)  # another object by now: not ours
    return _told(answer)


def _told(answer: cluster.Answer) -> cluster.Answer:
    """A kind that discovery names and that is not served as it says: discovery is to be asked again first."""
    if answer.status is not cluster.Status.UNSERVED:
        return answer
    return cluster.Answer(status=cluster.Status.LATER, message=answer.message)


def _unserved(agent: state.Agent, key: objects.Key) -> cluster.Answer:
    """A kind that is not served has no objects; one whose group could not be asked may have some (threat 82)."""
    if agent.resources is None or key.group in agent.resources.unknown:
        message = f"the API group {key.group} cannot be asked"
        return cluster.Answer(status=cluster.Status.LATER, message=message)
    return cluster.Answer(status=cluster.Status.UNSERVED)


def _uid_of_half_made(live: json_values.JsonObject) -> str:
    """Of an object whose UID was lost in a crash: ours only if it carries our label and our fields; "" = not ours."""
    metadata = live["metadata"]
    is_marked = (metadata.get("labels") or {}).get(inventory.PART_OF) == inventory.ID
    is_ours = is_marked and fields.owned(live) and not fields.has_others(live)
    return str(metadata["uid"]) if is_ours else ""


async def _release(agent: state.Agent, member: inventory.Member) -> cluster.Answer:
    """Leave the object as it is and take our marks off."""
    resource = state.resource_of(agent, member.key)
    if resource is None:
        return _unserved(agent, member.key)
    answer = await agent.cluster.read(resource, member.key)
    if answer.live is None:
        return _told(answer)
    if member.uid not in ("", answer.live["metadata"]["uid"]):
        return cluster.Answer(status=cluster.Status.ABSENT)  # another object by now: not ours
    return await agent.cluster.replace(resource, fields.without_ours(answer.live))


def _note(agent: state.Agent, member: inventory.Member, answer: cluster.Answer) -> None:
    if answer.status in _REMOVED:
        agent.inventory.pop(member.key, None)
        agent.troubles.pop(member.key, None)
        sight.lose(agent, member.key)
        return
    agent.troubles[member.key] = changes.Outcome(
        key=member.key,
        result=changes.Result.FAILED,
        message=f"cannot be removed: {answer.message or answer.status.value}",
    )


def _refuse(agent: state.Agent, members: dict[objects.Key, inventory.Member], reason: str) -> None:
    for key in members:
        agent.troubles[key] = changes.Outcome(
            key=key, result=changes.Result.SKIPPED, message=f"not deleted: {reason}"
        )


def _is_guarded(agent: state.Agent, key: objects.Key) -> bool:
    dispatch = agent.dispatch
    if dispatch is None or (key.group, key.kind) not in guard.GUARDED:
        return False
    return bool(
        guard.refusals(
            cluster=dispatch.cluster,
            going=[key],
            before=0,
            max_deleted_share=1.0,
            permits=dispatch.permits,
            now=agent.clock.now(),
        )
    )
