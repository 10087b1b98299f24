"""The agent's life: take up what is stored, then poll, watch, reconcile and report, each on its own, until stopped.

Started anew it goes on where it was, hub or no hub: everything it needs is in its cluster.
"""

import contextlib
import logging
from collections.abc import Awaitable, Callable

from fleet.agent import (
    keeping,
    lease,
    pauses,
    polling,
    reconcile,
    reporting,
    sight,
    state,
    together,
)
from fleet.model import errors, names
from fleet.protocol import trusted

_log = logging.getLogger("fleet.agent")


async def run(agent: state.Agent) -> None:
    """Until cancelled. Raises errors.RefusedError when another agent has taken over this cluster."""
    keeper = keeping.Keeper(agent.cluster)
    watches = sight.Watches(agent=agent)
    await _patiently(agent, lease.hold)
    try:
        await _patiently(agent, lambda each: take_up(each, keeper))
        await together.run(
            (
                polling.run(agent, keeper),
                reporting.run(agent),
                lease.keep(agent),
                work(agent, keeper, watches),
            )
        )
    finally:
        watches.end()
        with contextlib.suppress(errors.FleetError):
            await lease.release(agent)


async def take_up(agent: state.Agent, keeper: keeping.Keeper) -> None:
    """Go on from what is stored."""
    found = await agent.cluster.identity()
    if found.uid != agent.identity.uid:
        raise errors.InputError(
            f"this is not the cluster that was enrolled as {agent.identity.cluster}",
            hint="its kube-system namespace has another UID; enroll it under a name of its own",
        )
    agent.kubernetes = found.version
    agent.resources = await agent.cluster.discover()
    agent.inventory = await keeper.read_inventory()
    stored = await keeper.read_pointer(agent.identity)
    if stored is None:
        return
    if stored.applied is not None and stored.applied != stored.held.dispatch.slice:
        await _remember(agent, keeper, stored.applied, stored.applied_chunks)
    digest = stored.held.dispatch.slice
    try:
        data = await keeper.read_slice(digest, stored.chunks)
    except errors.BrokenError as error:
        _log.warning("%s: the hub is asked for it again", error)
        agent.held, agent.is_incomplete = stored.held, True
        return
    polling.adopt(agent, stored.held, trusted.open_slice(data, digest))


async def _remember(
    agent: state.Agent, keeper: keeping.Keeper, applied: names.SliceDigest, chunks: int
) -> None:
    """What was applied last tells which conflicts were ours; without it none was, and the rest goes on."""
    try:
        data = await keeper.read_slice(applied, chunks)
    except errors.BrokenError as error:
        _log.warning("%s", error)
        return
    polling.remember(agent, trusted.open_slice(data, applied))


async def work(agent: state.Agent, keeper: keeping.Keeper, watches: sight.Watches) -> None:
    """Reconcile whenever something calls for it; after a failure again, with growing pauses."""
    watches.follow()
    await watches.all_synced()
    pause = pauses.Pause(agent.settings.shortest_pause, agent.settings.longest_pause, agent.chance)
    agent.work.set()
    while True:
        await _called(agent, pause)
        agent.work.clear()
        release = agent.dispatch.release if agent.dispatch else 0
        try:
            await reconcile.reconcile(agent, keeper, watches)
        except errors.UnreachableError as error:
            _log.warning("the API server: %s", error)
            await agent.clock.sleep(pause.next())
            agent.work.set()
            continue
        agent.informed.set()
        agent.news.set()
        if not agent.troubles or (agent.dispatch and agent.dispatch.release != release):
            pause.reset()


async def _called(agent: state.Agent, pause: pauses.Pause) -> None:
    """Wait for work; where something failed, no longer than the pause before it is tried again."""
    if not agent.troubles:
        await agent.work.wait()
        return
    await pauses.until(agent.work, pause.next(), agent.clock)


async def _patiently(agent: state.Agent, step: Callable[[state.Agent], Awaitable[None]]) -> None:
    """Begin as often as it takes: an API server that is away comes back."""
    pause = pauses.Pause(agent.settings.shortest_pause, agent.settings.cluster_pause, agent.chance)
    while True:
        try:
            await step(agent)
        except errors.UnreachableError as error:
            _log.warning("starting: %s", error)
            await agent.clock.sleep(pause.next())
        else:
            return
