"""A line for each test; its clusters are used by one test after the other."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

import labs
import lines


@pytest.fixture
async def line(tmp_path: Path, _ground: labs.Ground) -> AsyncIterator[lines.Line]:
    """Not open yet: a test says which environments it has."""
    made = lines.Line(
        folder=tmp_path,
        ground=lambda count: _ground.started([f"line-{number + 1}" for number in range(count)]),
        namespace=f"n-{secrets.token_hex(4)}",
    )
    yield made
    await made.close()


@pytest.fixture
async def halt(_ground: labs.Ground) -> AsyncIterator[Callable[[lines.Station], Awaitable[None]]]:
    """Ends the API server of a cluster; it is back at the latest when the test ends."""
    halted: list[str] = []

    async def end(station: lines.Station) -> None:
        halted.append(station.ground)
        await asyncio.to_thread(_ground.halt, station.ground)

    yield end
    for name in halted:
        await asyncio.to_thread(_ground.resume, name)


@pytest.fixture
def resume(_ground: labs.Ground) -> Callable[[lines.Station], Awaitable[None]]:
    async def begin(station: lines.Station) -> None:
        await asyncio.to_thread(_ground.resume, station.ground)

    return begin
