"""What is in the cluster already under keys that this agent has never applied: looked at before anything is written."""

import asyncio
from collections.abc import Iterable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field

from fleet.agent import state, together
from fleet.converge import differences, fields, inventory
from fleet.model import errors, json_values, objects, slices
from fleet.ports import cluster

_FEW = 3  # of one kind and namespace are read one by one


@dataclass(frozen=True, slots=True, kw_only=True)
class Strangers:
    """Keys of live objects that are not ours. `taken` may be taken over; of `untold` nobody can tell, and why."""

    taken: set[objects.Key] = field(default_factory=set)
    foreign: set[objects.Key] = field(default_factory=set)
    untold: dict[objects.Key, str] = field(default_factory=dict)


async def look(agent: state.Agent, items: Iterable[slices.Item]) -> Strangers:
    """What cannot be asked holds its own objects and no others."""
    new = {item.key: item for item in items if not _is_known(agent, item.key)}
    groups: dict[tuple[str, str, str], list[objects.Key]] = {}
    for key in new:
        groups.setdefault((key.group, key.kind, key.namespace), []).append(key)
    found = Strangers()
    gate = asyncio.Semaphore(agent.settings.in_flight)
    await together.run(_look(agent, keys, new, found, gate) for keys in groups.values())
    return found


def _is_known(agent: state.Agent, key: objects.Key) -> bool:
    member = agent.inventory.get(key)
    return member is not None and bool(member.uid)


async def _look(
    agent: state.Agent,
    keys: list[objects.Key],
    new: Mapping[objects.Key, slices.Item],
    found: Strangers,
    gate: asyncio.Semaphore,
) -> None:
    """A few are read one by one; many of one kind and namespace are listed, as metadata."""
    resource = state.resource_of(agent, keys[0])
    if resource is None:
        return
    async with gate:
        try:
            live = await (_listed if len(keys) > _FEW else _read)(agent, resource, keys)
        except errors.UnreachableError as error:
            found.untold.update(dict.fromkeys(keys, f"cannot tell whether it is there: {error}"))
            return
    for key, each in live.items():
        if not _is_half_made(agent, key, each):
            (found.taken if _may_take_over(agent, new[key]) else found.foreign).add(key)


def _may_take_over(agent: state.Agent, item: slices.Item) -> bool:
    dispatch = agent.dispatch
    return dispatch is not None and differences.may_take_over(item, dispatch, agent.clock.now())


async def _read(
    agent: state.Agent, resource: cluster.Resource, keys: list[objects.Key]
) -> dict[objects.Key, json_values.JsonObject]:
    found = {}
    for key in keys:
        answer = await agent.cluster.read(resource, key)
        if answer.live is not None:
            found[key] = answer.live
        elif answer.status is not cluster.Status.ABSENT:
            raise errors.UnreachableError(answer.message or answer.status.value)
    return found


async def _listed(
    agent: state.Agent, resource: cluster.Resource, keys: list[objects.Key]
) -> dict[objects.Key, json_values.JsonObject]:
    wanted = {key.name: key for key in keys}
    found = {}
    space = keys[0].namespace
    watch = agent.cluster.watch(resource, selector="", namespace=space, metadata_only=True)
    async with aclosing(watch) as events:
        async for event in events:
            if event.type is cluster.EventType.SYNCED:
                break
            name = event.live["metadata"]["name"] if event.live else ""
            if event.live is not None and name in wanted:
                found[wanted[name]] = event.live
    return found


def _is_half_made(agent: state.Agent, key: objects.Key, live: json_values.JsonObject) -> bool:
    """Ours, made just before a crash: the inventory names it without a UID, and it carries our label and fields."""
    labels = live["metadata"].get("labels") or {}
    is_marked = labels.get(inventory.PART_OF) == inventory.ID
    return key in agent.inventory and is_marked and bool(fields.owned(live))
