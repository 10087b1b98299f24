"""The agent's line to its hub: poll, admit, fetch, store. Whatever fails, what is held stays."""

import logging
from dataclasses import replace

from fleet.agent import keeping, pauses, sealing, state, witnessing
from fleet.model import errors, json_values, messages, names, slices
from fleet.protocol import trusted

_log = logging.getLogger("fleet.agent")
_LEAP = 3_600_000  # by which the counter grows after a refusal: our clock may have gone back


async def run(agent: state.Agent, keeper: keeping.Keeper) -> None:
    """Until cancelled: one standing question to the hub, which has shown its log first where it may be another one."""
    memory = witnessing.Memory()
    pause = pauses.Pause(agent.settings.shortest_pause, agent.settings.hub_pause, agent.chance)
    while True:
        try:
            await witnessing.look(agent, memory)
            await once(agent, keeper)
        except (errors.UnreachableError, errors.RefusedError, errors.BrokenError) as error:
            _note(agent, str(error))
            if isinstance(error, errors.RefusedError):
                agent.counter += _LEAP
            await agent.clock.sleep(pause.next())
        else:
            _note(agent, "")
            pause.reset()


async def once(agent: state.Agent, keeper: keeping.Keeper) -> None:
    """One poll, and the dispatch that came of it, stored."""
    if agent.held is not None and agent.is_incomplete:
        await _complete(agent, keeper, agent.held)
    envelope = await agent.link.poll(await sealing.sealed(agent, _poll(agent)))
    if envelope is None:
        return
    held = trusted.admit(envelope, agent.identity, agent.held, agent.clock.now())
    if held is agent.held:
        return
    if agent.dispatch is None or agent.dispatch.slice != held.dispatch.slice:
        await _take_slice(agent, keeper, held)
    else:
        await _take_renewal(agent, keeper, held)


def adopt(agent: state.Agent, held: trusted.Held, items: tuple[slices.Item, ...]) -> None:
    """From here on this is what the cluster shall be."""
    agent.held = held
    _keep_needed(agent)
    agent.wanted = {item.key: item for item in items}
    agent.digests = {item.key: json_values.digest(item.body) for item in items}
    remember(agent, items)
    agent.troubles = {}  # of the slice before
    agent.is_applied = agent.is_incomplete = agent.is_retired = False
    agent.work.set()


def _keep_needed(agent: state.Agent) -> None:
    """Of the bodies: those that were applied last, and those that are perhaps being applied."""
    needed = {(key, member.digest) for key, member in agent.inventory.items()}
    needed |= agent.digests.items()
    agent.bodies = {name: item for name, item in agent.bodies.items() if name in needed}


def remember(agent: state.Agent, items: tuple[slices.Item, ...]) -> None:
    """Keep the bodies by digest: a conflict is judged by what was applied last."""
    for item in items:
        agent.bodies[item.key, json_values.digest(item.body)] = item


async def _complete(agent: state.Agent, keeper: keeping.Keeper, held: trusted.Held) -> None:
    """The slice that was damaged here, once more; a hub that has moved on has a newer one, and no longer this."""
    try:
        await _take_slice(agent, keeper, held)
    except errors.UnreachableError as error:
        _log.debug("slice of release %d: %s", held.dispatch.release, error)


async def _take_slice(agent: state.Agent, keeper: keeping.Keeper, held: trusted.Held) -> None:
    digest = held.dispatch.slice
    data = await agent.link.fetch(await sealing.sealed(agent, _fetch(agent, digest)))
    if data is None:
        raise errors.UnreachableError("the hub does not have the slice that it dispatched")
    items = trusted.open_slice(data, digest)
    async with (
        keeper.turn
    ):  # which also keeps these chunks from being swept before the pointer names them
        chunks = await keeper.write_slice(digest, data)
        before = await keeper.read_pointer(agent.identity)
        _check_unmoved(agent, keeper, before)
        stored = keeping.Stored(
            held=held,
            chunks=chunks,
            applied=before.applied if before else None,
            applied_chunks=before.applied_chunks if before else 0,
        )
        await keeper.write_pointer(stored)
        _log.info("release %d is here: %d objects", held.dispatch.release, len(items))
        adopt(agent, held, items)


async def _take_renewal(agent: state.Agent, keeper: keeping.Keeper, held: trusted.Held) -> None:
    async with keeper.turn:
        before = await keeper.read_pointer(agent.identity)
        _check_unmoved(agent, keeper, before)
        if before is not None:
            await keeper.write_pointer(replace(before, held=held))
        agent.held = held
    agent.is_applied = agent.is_applied and not held.dispatch.retire
    agent.work.set()
    agent.news.set()


def _check_unmoved(
    agent: state.Agent, keeper: keeping.Keeper, before: keeping.Stored | None
) -> None:
    held = before.held.dispatch if before else None
    if held != agent.dispatch and not keeper.has_moved():
        raise errors.RefusedError("the stored pointer moved: a second agent is at work here")


def _poll(agent: state.Agent) -> messages.Poll:
    identity = agent.identity
    return messages.Poll(
        cluster=identity.cluster,
        environment=identity.environment,
        uid=identity.uid,
        echo=agent.held.envelope if agent.held else None,
        wait=agent.settings.poll_wait,
        reported=agent.confirmed,
    )


def _fetch(agent: state.Agent, digest: names.SliceDigest) -> messages.Fetch:
    identity = agent.identity
    return messages.Fetch(
        cluster=identity.cluster,
        environment=identity.environment,
        uid=identity.uid,
        slice=digest,
    )


def _note(agent: state.Agent, trouble: str) -> None:
    """Said once, not at each try; a session that the hub no longer knows is asked for anew."""
    if trouble:
        agent.session = ""
    if trouble != agent.trouble:
        agent.trouble = trouble
        _log.log(logging.WARNING if trouble else logging.INFO, "hub: %s", trouble or "reached")
