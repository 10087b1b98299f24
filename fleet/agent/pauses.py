"""Waiting: growing pauses with jitter, so that many agents that lost the same hub do not return at the same instant."""

import asyncio
from collections.abc import Callable

from fleet.ports import clock as clocks


class Pause:
    """Doubles from `shortest` to `longest` seconds; each pause is between half and the whole of it."""

    def __init__(self, shortest: float, longest: float, chance: Callable[[], float]) -> None:
        self._shortest, self._longest, self._chance = shortest, longest, chance
        self._next = shortest

    def next(self) -> float:
        seconds = self._next
        self._next = min(self._longest, seconds * 2)
        return seconds * (0.5 + self._chance() / 2)

    def reset(self) -> None:
        self._next = self._shortest


async def until(event: asyncio.Event, seconds: float, clock: clocks.Clock) -> None:
    """Wait for the event, but no longer than that."""
    waiting = asyncio.ensure_future(event.wait())
    timer = asyncio.ensure_future(clock.sleep(seconds))
    try:
        await asyncio.wait({waiting, timer}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        waiting.cancel()
        timer.cancel()
