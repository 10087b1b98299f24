"""One turn of the agent: from what is wanted, what is ours and what was seen, to a cluster that is as it shall be.

The order is the law: membership is durable before an object is written, nothing is deleted before everything is
applied, and an unknown answer ends the turn without any conclusion.
"""

import logging
from collections.abc import Collection, Iterable
from dataclasses import replace

from fleet.agent import applying, keeping, pruning, sight, state, strangers
from fleet.converge import differences, inventory
from fleet.model import errors, objects, slices

_log = logging.getLogger("fleet.agent")


async def reconcile(agent: state.Agent, keeper: keeping.Keeper, watches: sight.Watches) -> None:
    """Raises errors.UnreachableError when the API server cannot be asked."""
    dispatch = agent.dispatch
    if dispatch is None or agent.is_retired or agent.is_incomplete:
        return
    if dispatch.retire is not None:
        await _retire(agent, keeper, watches)
        return
    wanted = agent.wanted  # another one as soon as a newer slice is taken up
    difference = differences.between(wanted, agent.digests, agent.inventory, agent.seen)
    _forget_troubles(agent, difference)
    if not difference.is_none:
        trace = {"cluster": agent.identity.cluster, "release": str(dispatch.release)}
        with agent.telemetry.span("reconcile", trace, dispatch.trace):
            await _carry_out(difference, agent, keeper, watches)
    await keeper.write_inventory(agent.inventory)
    is_whole = not agent.troubles
    if is_whole and not agent.is_applied and agent.wanted is wanted:
        await _note_applied(agent, keeper)
    if agent.wanted is not wanted:
        return  # nothing that was done says anything of the newer slice
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
    wanted, keys = agent.wanted, [item.key for item in difference.apply]
    await _look_again(agent, keys, [member.key for member in difference.going])
    found = await strangers.look(agent, difference.apply)
    members = inventory.with_new(agent.inventory, keys, found.taken)
    await keeper.write_inventory(members)
    agent.inventory = members
    try:
        await applying.apply(agent, difference.apply, found)
        watches.follow()
        if agent.wanted is wanted and not any(key in agent.troubles for key in wanted):
            await pruning.prune(agent, difference.going)
    finally:
        await keeper.write_inventory(agent.inventory)
        watches.follow()


def _forget_troubles(agent: state.Agent, difference: differences.Difference) -> None:
    """Of what need not be done any more: what could not be deleted may be wanted again."""
    left = {item.key for item in difference.apply} | {each.key for each in difference.going}
    for key in agent.troubles.keys() - left:
        del agent.troubles[key]
        agent.news.set()


async def _look_again(
    agent: state.Agent, keys: Iterable[objects.Key], going: Collection[objects.Key]
) -> None:
    """Kinds may be served by now, or no longer, or otherwise: what is new or goes for good is judged by fresh words."""
    is_new = any(key not in agent.inventory for key in keys)
    if is_new or going or any(state.resource_of(agent, key) is None for key in keys):
        agent.resources = await agent.cluster.discover()


async def _note_applied(agent: state.Agent, keeper: keeping.Keeper) -> None:
    """The slice is applied whole: what it replaced is needed no longer."""
    wanted = agent.wanted
    async with keeper.turn:
        if agent.wanted is not wanted:
            return
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
    wanted: dict[objects.Key, slices.Item] = {}
    agent.wanted, agent.digests = wanted, {}
    await _look_again(agent, (), agent.inventory)
    try:
        await pruning.leave(agent, delete=dispatch.retire.value == "prune")
    finally:
        await keeper.write_inventory(agent.inventory)
    if not agent.inventory and agent.wanted is wanted:
        watches.follow()
        agent.is_retired = agent.is_applied = True
        agent.news.set()
