"""Asking for metrics: beside the turns, and only for candidates that nothing else holds.

A slow source delays nobody but who waits for it, and an address that the hub's owner did not allow is never asked,
whatever a repository says (threat 75).
"""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from math import isfinite

from fleet.gate import candidates
from fleet.gate import metrics as gate
from fleet.hub import state
from fleet.model import errors, gating, kinds, ledger, names
from fleet.ports import metrics

_POINTS = 100
_FINEST = timedelta(seconds=15)
_KEPT = 1000  # answers


@asynccontextmanager
async def asking(hub: state.Hub) -> AsyncIterator[None]:
    """Whatever is still being asked at the end is given up."""
    try:
        yield
    finally:
        for each in [*hub.asking]:
            each.cancel()
        await asyncio.gather(*hub.asking, return_exceptions=True)


def ask(decision: ledger.Decision, specs: Iterable[kinds.EnvironmentSpec], hub: state.Hub) -> None:
    """Begin to ask what this decision waits for, where that is all; the answers wake the hub."""
    if not _waits_for_them_alone(decision):
        return
    wanted = {gate.key(each): each for spec in specs for each in spec.gates.metrics}
    due = {key: each for key, each in wanted.items() if _is_due(hub.measured.get(key), hub)}
    if not due or hub.asking:
        return
    task = asyncio.get_running_loop().create_task(_answer(due, hub))
    hub.asking.add(task)
    task.add_done_callback(hub.asking.discard)


def _waits_for_them_alone(decision: ledger.Decision) -> bool:
    held = [each.gate for each in decision.gates if each.state is not ledger.GateState.OPEN]
    return held == [gate.GATE]


def _is_due(known: candidates.Measurement | None, hub: state.Hub) -> bool:
    return known is None or abs(hub.clock.now() - known.at) >= gate.EVERY


async def _answer(due: dict[names.Digest, gating.Metric], hub: state.Hub) -> None:
    answers = await asyncio.gather(*(measure(each, hub) for each in due.values()))
    while len(hub.measured) > _KEPT:
        hub.measured.pop(next(iter(hub.measured)))
    hub.measured.update({gate.key(m): a for m, a in zip(due.values(), answers, strict=True)})
    hub.wake.set()


async def measure(asked: gating.Metric, hub: state.Hub) -> candidates.Measurement:
    """Never raises: what went wrong is what was measured."""
    now = hub.clock.now()
    if asked.url.rstrip("/") not in hub.settings.metric_urls or hub.metrics is None:
        return candidates.Measurement(at=now, trouble="this hub may not ask there (--metrics-url)")
    step = max(_FINEST, asked.window / _POINTS)
    question = metrics.Range(
        url=asked.url.rstrip("/"),
        query=asked.query,
        start=now - asked.window,
        end=now,
        step=step,
    )
    try:
        values = await hub.metrics.values(question)
    except errors.FleetError as error:
        return candidates.Measurement(at=now, trouble=str(error))
    return summed_up(values, now)


def summed_up(values: tuple[float, ...], at: datetime) -> candidates.Measurement:
    if not values:
        return candidates.Measurement(at=at)
    if not all(map(isfinite, values)):
        return candidates.Measurement(at=at, odd=True)
    return candidates.Measurement(at=at, lowest=min(values), highest=max(values))
