"""One turn of the agent: from what is wanted, what is ours and what was seen, to a cluster that is as it shall be.

The order is the law: membership is durable before an object is written, nothing is deleted before everything is
applied, and an unknown answer ends the turn without any conclusion.
"""

import logging
from collections.abc import Iterable
from dataclasses import replace

from fleet.agent import applying, keeping, pruning, sight, state
from fleet.converge import differences, inventory
from fleet.model import errors, objects

_log = logging.getLogger("fleet.agent")


async def reconcile(agent: state.Agent, keeper: keeping.Keeper, watches: sight.Watches) -> None:
    """Raises errors.UnreachableError when the API server cannot be asked."""
    dispatch = agent.dispatch
    if dispatch is None or agent.is_retired or agent.is_incomplete:
        return
    if dispatch.retire is not None:
        await _retire(agent, keeper, watches)
        return
    difference = differences.between(agent.wanted, agent.digests, agent.inventory, agent.seen)
    if not difference.is_none:
        trace = {"cluster": agent.identity.cluster, "release": str(dispatch.release)}
        with agent.telemetry.span("reconcile", trace, dispatch.trace):
            await _carry_out(difference, agent, keeper, watches)
    is_whole = not any(key in agent.troubles for key in {*agent.wanted, *agent.inventory})
    if is_whole and not agent.is_applied:
        await _note_applied(agent, keeper)
    if is_whole != agent.is_applied:
        agent.is_applied = is_whole
        agent.news.set()
        if is_whole:
            _log.info("release %d is applied: %d objects", dispatch.release, len(agent.wanted))


async def _carry_out(
    difference: differences.Difference,
    agent: state.Agent,
    keeper: keeping.Keeper,
    watches: sight.Watches,
) -> None:
    before = dict(agent.inventory)
    going = [member.key for member in difference.going]
    await _look_again(agent, [*(item.key for item in difference.apply), *going])
    members = inventory.with_new(agent.inventory, [item.key for item in difference.apply])
    if members != before:
        await keeper.write_inventory(members)
    agent.inventory = members
    stored = dict(members)
    try:
        await applying.apply(agent, difference.apply)
        watches.follow()
        if not any(key in agent.troubles for key in agent.wanted):
            await pruning.prune(agent, difference.going)
    finally:
        if agent.inventory != stored:
            await keeper.write_inventory(agent.inventory)
        watches.follow()


async def _look_again(agent: state.Agent, keys: Iterable[objects.Key]) -> None:
    """Kinds that were not served when they were last asked for may be by now."""
    if any(state.resource_of(agent, key) is None for key in keys):
        agent.resources = await agent.cluster.discover()


async def _note_applied(agent: state.Agent, keeper: keeping.Keeper) -> None:
    """The slice is applied whole: what it replaced is needed no longer."""
    async with keeper.turn:
        stored = await keeper.read_pointer(agent.identity)
        if stored is None or agent.dispatch is None or stored.held.dispatch != agent.dispatch:
            if keeper.has_moved():
                raise errors.UnreachableError("a newer dispatch is stored and not yet taken up")
            raise errors.RefusedError("the stored pointer moved: a second agent is at work here")
        if stored.applied != agent.dispatch.slice:
            now = replace(stored, applied=agent.dispatch.slice, applied_chunks=stored.chunks)
            await keeper.write_pointer(now)
            await keeper.sweep(now)
        agent.bodies = {(key, agent.digests[key]): item for key, item in agent.wanted.items()}


async def _retire(agent: state.Agent, keeper: keeping.Keeper, watches: sight.Watches) -> None:
    """Leave as the last accepted document said; what cannot be left yet is tried again."""
    dispatch = agent.dispatch
    if dispatch is None or dispatch.retire is None:
        return
    agent.wanted, agent.digests = {}, {}
    await _look_again(agent, agent.inventory)
    try:
        await pruning.leave(agent, delete=dispatch.retire.value == "prune")
    finally:
        await keeper.write_inventory(agent.inventory)
    if not agent.inventory:
        watches.follow()
        agent.is_retired = agent.is_applied = True
        agent.news.set()
