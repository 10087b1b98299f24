"""One fleet on one real API server: a repository, a hub and an agent, run by the commands that a person types."""

import asyncio
import contextlib
import json
import tempfile
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from bench import apps
from fleet.cli import settings
from fleet.cli.demo import real
from fleet.cli.demo.stage import Player
from fleet.converge import inventory
from fleet.lab import binaries, clusters, lab, processes

APPS = 250  # of four objects each
OBJECTS = APPS * 4 + apps.NAMESPACES
_SETTLED = 15.0  # seconds that an API server needs after its start until it is quiet
_PATIENCE = 120.0
_WHO = "Bench <bench@example.com>"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """A lab with its programs."""

    lab: lab.Lab
    built: Path
    folder: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    stage: real.Real
    cluster: clusters.Cluster
    player: Player

    @property
    def agent(self) -> processes.Child:
        return self.stage.children[f"agent-{self.player.name}"]

    async def push(self, files: dict[str, str | None]) -> tuple[str, float]:
        """The commit, and when the repository had it, in seconds since 1970."""
        commit = await self.stage.commit("dev", files, "bench", _WHO)
        return commit, (self.stage.origin / "refs" / "heads" / "dev").stat().st_mtime

    async def standing(self) -> dict[str, Any]:
        """The cluster as the hub's status tells of it; {} before it is known."""
        said = await self.stage.ask("status", {})
        found = [c for each in said["environments"] for c in each["clusters"]]
        return next((each for each in found if each["name"] == self.player.name), {})

    async def reported(self, objects: int) -> None:
        """Until the hub has the report that everything is applied. Asks seldom, to be no load."""
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline:
            now = await self.standing()
            is_there = now.get("applied") and now["release"] == now["reported"]
            if is_there and now["objects"] == objects:
                return
            await asyncio.sleep(1.0)
        logs = sorted((self.stage.folder / "logs").iterdir())
        last = "\n".join(f"{each.name}: {each.read_text()[-2000:]}" for each in logs)
        raise SystemExit(f"not applied in {_PATIENCE:.0f} s\n{last}")

    async def recorded(self, since: float) -> float:
        """When the hub recorded the first report after that time that says that everything is applied."""
        found = 0.0
        last = (await self.stage.ask("audit verify", {}))["records"] - 1
        for index in range(last, -1, -1):
            record = await self.stage.ask("audit show", {"id": str(index)})
            at = datetime.fromisoformat(record["at"]).timestamp()
            if at < since - 0.1:
                break
            if record["kind"] == "report" and record["body"]["applied"]:
                found = at
        return found

    def said(self, program: str, words: str, since: float) -> float:
        """When the log of a program first said so after that time, in seconds since 1970."""
        log = self.stage.folder / "logs" / f"{program}.log"
        for line in log.read_text().splitlines():
            at, _, text = line.partition(" ")
            if words in text and (found := datetime.fromisoformat(at).timestamp()) >= since - 0.1:
                return found
        raise SystemExit(f"{log} does not say {words!r}")


@contextlib.asynccontextmanager
async def ground() -> AsyncIterator[Ground]:
    found = settings.read()
    built = await asyncio.to_thread(
        binaries.ensure, found.cache, print, environment=found.environment
    )
    with tempfile.TemporaryDirectory(prefix="fleet-bench-", ignore_cleanup_errors=True) as where:
        folder = Path(where)
        async with await lab.up([], folder / "lab", built) as running:
            yield Ground(lab=running, built=built, folder=folder)


@contextlib.asynccontextmanager
async def cluster(on: Ground, name: str) -> AsyncIterator[clusters.Cluster]:
    """A light one, quiet by now; its API server ends with the block."""
    (made,) = await on.lab.add([name])
    await asyncio.sleep(_SETTLED)
    try:
        yield made
    finally:
        await on.lab.halt(name)


@contextlib.asynccontextmanager
async def laid(on: Ground, name: str) -> AsyncIterator[Line]:
    """Registered with an empty repository: hub and agent wait for a first object."""
    async with cluster(on, name) as made:
        player = Player(name=name, environment="dev", labels={})
        environment = settings.read().environment
        staged = real.staged(
            on.folder / f"line-{name}", {name: made.kubeconfig}, on.built / "kubectl", environment
        )
        async with staged as stage:
            line = Line(stage=stage, cluster=made, player=player)
            await line.push(await _registration(line))
            await stage.start_agent(player)
            await line.reported(0)
            yield line


async def _registration(line: Line) -> dict[str, str | None]:
    clone = line.stage.clone
    example = [each for each in (clone / "apps").rglob("*") if each.is_file()]
    gone: dict[str, str | None] = {each.relative_to(clone).as_posix(): None for each in example}
    return {**gone, f"clusters/dev/{line.player.name}.yaml": await line.stage.enroll(line.player)}


def files() -> dict[str, str | None]:
    return {**apps.files(APPS)}


def write_bodies(file: Path) -> None:
    """The very objects that an agent sends, one a line."""
    bodies = apps.namespaces() + [each for n in range(APPS) for each in apps.app(n)]
    file.write_text("\n".join(json.dumps(inventory.marked(each)) for each in bodies) + "\n")
