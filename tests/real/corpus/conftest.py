"""Full clusters for real applications: each test has a fleet of its own, on clusters that others used before."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

import corpora


@pytest.fixture
async def line(tmp_path: Path, shared: Path, _ground: Any) -> AsyncIterator[corpora.Fleet]:
    """Not open yet: a test says which environments it has."""
    assert shared
    made = corpora.Fleet(
        folder=tmp_path,
        ground=lambda count: _ground.started(
            [f"corpus-{number + 1}" for number in range(count)], full=True
        ),
        namespace="",
    )
    yield made
    await made.close()
