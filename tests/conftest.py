"""What every test may ask for."""

import asyncio
import os
from pathlib import Path

import pytest
from hypothesis import settings

pytest_plugins = ["labs", "threats"]

# A slow machine is no failing law; pytest's own timeout ends what hangs.
settings.register_profile("fleet", deadline=None, max_examples=60)
settings.load_profile("fleet")

# pytest-asyncio leaves the first loop of the main thread unclosed, which warnings-as-errors turns into random failures.
asyncio.set_event_loop(None)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The data that is not ours and is read in place: a `shared` folder beside the checkout."""
    beside = Path(__file__).resolve().parents[2] / "shared"
    folder = Path(os.environ.get("FLEET_SHARED", beside))
    if not folder.is_dir():
        pytest.skip(f"no shared data at {folder}; name its folder with FLEET_SHARED")
    return folder
