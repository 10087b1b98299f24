"""A line for each test; its clusters are used by one test after the other."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
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


@dataclass
class Switch:
    """Ends and starts a cluster's API server."""

    ground: labs.Ground
    off: set[str] = field(default_factory=set)

    async def halt(self, station: lines.Station) -> None:
        self.off.add(station.ground)
        await asyncio.to_thread(self.ground.halt, station.ground)

    async def resume(self, station: lines.Station) -> None:
        await asyncio.to_thread(self.ground.resume, station.ground)
        self.off.discard(station.ground)

    async def all_on(self) -> None:
        for name in self.off:
            await asyncio.to_thread(self.ground.resume, name)


@pytest.fixture
async def switch(_ground: labs.Ground) -> AsyncIterator[Switch]:
    """What it ended is back when the test ends."""
    made = Switch(_ground)
    yield made
    await made.all_on()
