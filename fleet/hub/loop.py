"""The hub's heartbeat: fetch, find the road, decide each environment in its order, open waves; then wait for news.

Level-triggered (rule 13): each turn looks at everything as it stands, so a turn that was lost is made up by the next.
"""

import asyncio
import contextlib
import logging
from dataclasses import replace
from datetime import timedelta

from fleet.audit import drafts
from fleet.hub import edges, fallback, measuring, release, rollouts, soaks, state
from fleet.hub.desk import figures
from fleet.judge import judging
from fleet.model import errors, ledger
from fleet.ports import repository, store

_log = logging.getLogger("fleet.hub")


async def run(hub: state.Hub) -> None:
    """Until cancelled. Trouble with the outside world is said and tried again; the rest goes on meanwhile.

    Raises errors.RefusedError when another hub has taken the book over.
    """
    if not hub.is_loaded:
        await start(hub)
    async with measuring.asking(hub):
        while True:
            hub.wake.clear()
            await turn(hub)
            hub.ready = hub.tips is not None
            figures.show(hub)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(hub.wake.wait(), _pause(hub))


async def start(hub: state.Hub) -> None:
    """Read the book. Agents may be answered only after: to an empty ledger each of them would prove it lost."""
    await hub.book.take_over()
    hub.ledger = await hub.book.load()
    hub.is_loaded = True
    hub.started = hub.clock.now()


async def turn(hub: state.Hub) -> None:
    """One look at everything."""
    try:
        async with hub.deciding:
            async with state.writing(hub):
                pass  # what is decided on is what the book says
            await _fetch(hub)
            if hub.tips is not None and await _has_road(hub.tips, hub):
                await _decide_all(hub.tips, hub)
    except errors.UnreachableError as error:
        _log.warning("this turn broke off: %s", error)


async def _fetch(hub: state.Hub) -> None:
    if not _is_due(hub):
        return
    hub.fetch_now = False
    await hub.book.confirm()
    try:
        hub.tips = await hub.repository.fetch()
        hub.trouble = ""
    except errors.FleetError as error:
        hub.trouble = str(error)
        _log.warning("fetch failed: %s", error)
    hub.fetched = hub.clock.now()


def _is_due(hub: state.Hub) -> bool:
    settings = hub.settings
    seconds = settings.shortest_interval if hub.fetch_now else settings.poll_interval
    interval = timedelta(seconds=seconds)
    # A clock that went back says that the last fetch is still to come.
    return hub.fetched is None or abs(hub.clock.now() - hub.fetched) >= interval


def _pause(hub: state.Hub) -> float:
    """Seconds until the clock alone is a reason to look again."""
    pause = hub.settings.shortest_interval if hub.fetch_now else hub.settings.poll_interval
    return max(0.0, min(pause, 5.0, edges.seconds(hub)))


async def _has_road(tips: repository.Tips, hub: state.Hub) -> bool:
    """At the very first start the road is what the default branch says (rule 12)."""
    if hub.ledger.seal.road is not None:
        return True
    tip = tips.branches.get(tips.default) if tips.default else None
    if tip is None:
        hub.trouble = "the repository's default branch cannot be read, so there is no road yet"
        return False
    road = await judging.road_of(tip, hub.tools)
    if not isinstance(road, ledger.Road):
        hub.trouble = "; ".join(f"{each.place}: {each.message}" for each in road)
        return False
    async with state.writing(hub):
        draft = drafts.road(road, at=hub.clock.now())
        seal = replace(hub.ledger.seal, road=road)
        await state.write(hub, store.Write(records=(draft,), rows=(seal,)))
    return True


async def _decide_all(tips: repository.Tips, hub: state.Hub) -> None:
    """In the road's order, so that one push that moves two environments is decided upstream first."""
    road, jumped = hub.ledger.seal.road, soaks.has_jumped(hub)
    if jumped:
        hub.started = hub.clock.now()  # as after a start, nobody can be told from who is away
    for step in road.steps if road else ():
        await _decide(step, tips, hub, jumped=jumped)
        while await rollouts.advance(step.environment, hub):
            pass


async def _decide(
    step: ledger.Step, tips: repository.Tips, hub: state.Hub, *, jumped: bool
) -> None:
    """Whatever is wrong here stays here; only a book that fails is everyone's trouble."""
    tip = tips.branches.get(step.branch)
    if tip is None:
        await _hold(step, f"branch {step.branch} is not there", hub)
        return
    reason = ""
    try:
        await soaks.observe(step.environment, hub, jumped=jumped)
        await release.release(step.environment, tip, hub)
        await fallback.back(step.environment, hub)
    except Exception as error:
        if isinstance(error, errors.FleetError) and not hub.is_loaded:
            raise
        reason = _words(error, step)
    await _hold(step, reason, hub)


def _words(error: Exception, step: ledger.Step) -> str:
    if isinstance(error, errors.FleetError):
        return str(error)
    _log.error("%s cannot be judged: a fault of fleet", step.environment, exc_info=error)
    return f"a fault of fleet, told in the hub's log: {error!r}"


async def _hold(step: ledger.Step, reason: str, hub: state.Hub) -> None:
    """What cannot even be judged holds its environment, says why, and hurts nobody else."""
    blank = ledger.EnvironmentState(environment=step.environment)
    here = hub.ledger.environments.get(step.environment, blank)
    if here.hold == reason:
        return
    if reason:
        _log.warning("%s holds: %s", step.environment, reason)
    async with state.writing(hub):
        now = replace(hub.ledger.environments.get(step.environment, blank), hold=reason)
        records = (
            (drafts.hold(subject=step.environment, reason=reason, at=hub.clock.now()),)
            if reason
            else ()
        )
        await state.write(hub, store.Write(records=records, rows=(now,)))
