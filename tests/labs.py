"""Real clusters for tests, started once a session and only when a test asks for one."""

import asyncio
import os
import threading
from collections.abc import Callable, Coroutine, Iterator, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any, TypeVar

import pytest

from fleet.lab import binaries, clusters, lab

Result = TypeVar("Result")

_FIXTURES = {"lab_clusters", "full_cluster", "own_cluster", "lab_binaries"}
_SECONDS = 120  # for a test's own work; what fixtures build and start before is not counted


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Of several processes one has the lab to itself; the files of all others are shared out."""
    for item in items:
        if _FIXTURES.intersection(getattr(item, "fixturenames", ())):
            item.add_marker("lab")
            item.add_marker(pytest.mark.xdist_group("lab"))
            if item.get_closest_marker("timeout") is None:
                item.add_marker(pytest.mark.timeout(_SECONDS, func_only=True))
        else:
            item.add_marker(pytest.mark.xdist_group(item.path.stem))


def pytest_sessionstart(session: pytest.Session) -> None:
    """What takes minutes the first time is seen by whoever watches: other processes have no terminal."""
    if getattr(session.config.option, "numprocesses", None):
        terminal = session.config.pluginmanager.getplugin("terminalreporter")
        _built(terminal.write_line)


def _built(say: Callable[[str], None]) -> Path:
    cache = Path(os.environ.get("FLEETGATE_CACHE", Path.home() / ".cache" / "fleetgate"))
    return binaries.ensure(cache, say, environment=os.environ)


class Ground:
    """One lab, on a thread with a loop of its own.

    The loops of tests are short, and the system ends a lab's programs with the thread that started them.
    """

    def __init__(self, folder: Path, programs: Path, say: Callable[[str], None]) -> None:
        self._place = (folder, programs)
        self._say = say
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._lab: lab.Lab | None = None
        self._known: dict[str, clusters.Cluster] = {}

    def started(self, names: Sequence[str], *, full: bool = False) -> list[clusters.Cluster]:
        missing = [name for name in names if name not in self._known]
        if missing:
            self._say(f"starting {', '.join(missing)}")
            added = self._run(self._add(missing, full=full))
            self._known |= {cluster.name: cluster for cluster in added}
        return [self._known[name] for name in names]

    def halt(self, name: str) -> None:
        """Ends a cluster's API server; `resume` starts it again at the same address."""
        self._run(self._present().halt(name))

    def resume(self, name: str) -> None:
        self._run(self._present().resume(name))

    def _present(self) -> lab.Lab:
        assert self._lab is not None
        return self._lab

    async def _add(self, names: Sequence[str], *, full: bool) -> tuple[clusters.Cluster, ...]:
        if self._lab is None:
            self._lab = await lab.up([], *self._place, say=self._say)
        return await self._lab.add(names, full=full)

    def end(self) -> None:
        if self._lab is not None:
            self._run(self._lab.down())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, work: Coroutine[Any, Any, Result]) -> Result:
        future: Future[Result] = asyncio.run_coroutine_threadsafe(work, self._loop)
        return future.result()


@pytest.fixture(scope="session")
def say(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """A line for whoever watches the tests run."""
    terminal = request.config.pluginmanager.getplugin("terminalreporter")
    return terminal.write_line if terminal else print


@pytest.fixture(scope="session")
def lab_binaries(say: Callable[[str], None]) -> Path:
    return _built(say)


@pytest.fixture(scope="session")
def _ground(
    tmp_path_factory: pytest.TempPathFactory, lab_binaries: Path, say: Callable[[str], None]
) -> Iterator[Ground]:
    ground = Ground(tmp_path_factory.mktemp("lab"), lab_binaries, say)
    yield ground
    ground.end()


@pytest.fixture(scope="session")
def lab_clusters(_ground: Ground) -> Callable[[int], list[clusters.Cluster]]:
    """The first so many light clusters, the same for all tests: use namespaces of your own.

    They have no controllers, so a namespace that is deleted there stays Terminating.
    """
    return lambda count: _ground.started([f"light-{number + 1}" for number in range(count)])


@pytest.fixture(scope="module")
def own_cluster(_ground: Ground, request: pytest.FixtureRequest) -> Iterator[clusters.Cluster]:
    """A light one for the tests of one file: policies judge everything that anybody creates there."""
    name = request.path.stem.replace("_", "-")
    yield _ground.started([name])[0]
    _ground.halt(name)


@pytest.fixture(scope="session")
def full_cluster(_ground: Ground) -> clusters.Cluster:
    """With controllers and a node whose Pods run at once."""
    return _ground.started(["full-1"], full=True)[0]
