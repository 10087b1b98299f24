"""`make demo` as a newcomer runs it: every chapter is told, and whatever way it ends, nothing of it stays."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from fleet.cli.demo import story

ROOT = Path(__file__).resolve().parents[3]
pytestmark = [pytest.mark.lab, pytest.mark.timeout(300, func_only=True)]


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory, lab_binaries: Path) -> Path:
    """Where a demo puts what it writes; what is needed to run it is there already."""
    del lab_binaries
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(autouse=True)
def _listening() -> Iterator[None]:
    """A shell starts what runs in the background deaf to ctrl-C; that would be inherited by the demo."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


# A newcomer's git, which does not know who commits.
NOBODY = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_COUNT": "1",
    "GIT_CONFIG_KEY_0": "user.useConfigOnly",
    "GIT_CONFIG_VALUE_0": "true",
}


@asynccontextmanager
async def demo(folder: Path, *words: str) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "fleet.cli.demo", *words,
        cwd=ROOT,
        env={**os.environ, **NOBODY, "TMPDIR": str(folder), "PYTHONUNBUFFERED": "1", "NO_COLOR": "1"},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def read(process: asyncio.subprocess.Process, is_last: Callable[[str], bool]) -> list[str]:
    """What it says, up to that line or its end."""
    assert process.stdout is not None
    said = []
    async for data in process.stdout:
        said.append(data.decode().rstrip())
        if is_last(said[-1]):
            break
    return said


def left(folder: Path) -> list[str]:
    """Programs whose words or folder still name the demo's folder."""
    listed = subprocess.run(
        ["ps", "-A", "-ww", "-o", "pid=,args="],  # noqa: S607
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return [line for line in listed.stdout.splitlines() if str(folder) in line]


def chapters(said: list[str]) -> list[int]:
    heads = [line.partition(". ") for line in said if line[:1].isdigit()]
    return [int(number) for number, dot, _ in heads if dot and number.isdigit()]


async def test_the_demo_tells_every_chapter_and_leaves_nothing(folder: Path):
    async with demo(folder) as process:
        said = await read(process, lambda _: False)
        assert await process.wait() == 0, "\n".join(said)
    assert chapters(said) == list(range(1, len(story.CHAPTERS) + 1))
    assert said[-1].startswith("everything held")
    assert left(folder) == []
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_demo_that_is_stopped_midway_leaves_nothing(folder: Path, number: signal.Signals):
    async with demo(folder) as process:
        await read(process, lambda line: line.startswith("2. "))
        assert left(folder)  # so that the question below means something
        process.send_signal(number)
        said = await read(process, lambda _: False)
        assert await process.wait() == 130, "\n".join(said)
    assert "Traceback" not in "\n".join(said)
    assert left(folder) == []
    assert list(folder.iterdir()) == []


async def test_the_simulated_demo_tells_the_same_chapters_and_says_what_it_is(folder: Path):
    async with demo(folder, "--simulated") as process:
        said = await read(process, lambda _: False)
        assert await process.wait() == 0, "\n".join(said)
    assert chapters(said) == list(range(1, len(story.CHAPTERS) + 1))
    assert "SIMULATED" in said[0]
    assert list(folder.iterdir()) == []
