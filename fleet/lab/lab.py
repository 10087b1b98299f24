"""Several real clusters in one folder, started together and ended together.

A lab belongs to the process that starts it and ends with that process, however that ends. One that shall outlive the
command that starts it belongs to a supervisor (fleet.lab.supervisor). A folder holds one lab at a time.
"""

import asyncio
import os
import shutil
import signal
import socket
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from fleet.lab import (
    addresses,
    api,
    clusters,
    identities,
    locks,
    processes,
    programs,
    progress,
    records,
    store,
)
from fleet.model import errors

_SECONDS_TO_END = 30.0
_STORE = "etcd"


def _quiet(_: str) -> None:
    """For those who do not watch."""


class Lab:
    """Made by `up`. Use it from the thread that made it."""

    def __init__(
        self, ground: programs.Ground, lock: IO[bytes], say: progress.Say, *, detached: bool
    ) -> None:
        self._ground = ground
        self._lock = lock
        self._say = say
        self._detached = detached
        self._children = processes.Children(ground.folder / records.LEDGER)
        self._ports: dict[str, socket.socket] = {}
        self._running: dict[str, clusters.Cluster] = {}

    @property
    def running(self) -> tuple[clusters.Cluster, ...]:
        return tuple(self._running.values())

    @property
    def children(self) -> tuple[processes.Child, ...]:
        return tuple(self._children)

    async def add(
        self, names: Sequence[str], *, full: bool = False
    ) -> tuple[clusters.Cluster, ...]:
        """More clusters, all at once. After an error the lab is good for nothing but `down`."""
        for name in names:
            clusters.check_name(name)
            if name in self._ports or names.count(name) > 1 or name == _STORE:
                raise errors.InputError(f"the lab cannot have a second {name}")
        if _STORE not in self._ports:
            await store.start(self._ground, self._children, self._hold(_STORE))
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(self._start(name, full=full)) for name in names]
        except ExceptionGroup as several:
            raise several.exceptions[0] from None
        self.write_record(is_up=True)
        return tuple(task.result() for task in tasks)

    async def halt(self, name: str) -> None:
        """Ends a cluster's API server, as if its machine had failed. What it stored stays."""
        await self._children.kill(programs.api_server_name(self._running[name].name))

    async def resume(self, name: str) -> None:
        """Starts it again at the same address."""
        cluster = self._running[name]
        folder = self._ground.cluster(name)
        asked = api.Api(url=cluster.url, trust=api.trust(folder))
        await clusters.serve(self._server(name, full=cluster.full), self._children, asked)

    async def down(self) -> None:
        """Ends everything and removes it, but for the logs. A second call does nothing."""
        if self._lock.closed:
            return
        await self._children.stop(*(child.program.name for child in self._clients()))
        await self._children.stop()  # etcd, after all that would wait for it
        for held in self._ports.values():
            held.close()
        self._ports.clear()
        self._running.clear()
        _clear(self._ground)
        self._lock.close()
        _OWNED.discard(self)

    def write_record(self, *, is_up: bool) -> None:
        records.write(
            self._ground.folder, detached=self._detached, is_up=is_up, running=self.running
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.down()

    async def _start(self, name: str, *, full: bool) -> clusters.Cluster:
        began = time.monotonic()
        url = f"https://127.0.0.1:{self._hold(name)}"
        server = self._server(name, full=full)
        cluster = await clusters.start(
            self._ground, name, server, self._children, url=url, full=full
        )
        self._running[name] = cluster
        took = time.monotonic() - began
        self._say(f"{name} is ready at {cluster.url}, Kubernetes {cluster.version}, {took:.1f} s")
        return cluster

    def _clients(self) -> list[processes.Child]:
        return [child for child in self._children if child.program.name != _STORE]

    def _hold(self, name: str) -> int:
        self._ports[name] = addresses.hold()
        return addresses.port(self._ports[name])

    def _server(self, name: str, *, full: bool) -> processes.Program:
        return programs.api_server(
            self._ground,
            name,
            port=addresses.port(self._ports[name]),
            etcd_port=addresses.port(self._ports[_STORE]),
            full=full,
        )


# A lab is this process's until it goes down, also where nobody keeps what `up` returned: lock and ports stay held.
_OWNED: set[Lab] = set()


async def up(
    names: Sequence[str],
    folder: Path,
    binaries: Path,
    *,
    full: bool = False,
    detached: bool = False,
    say: progress.Say = _quiet,
) -> Lab:
    """A lab in this folder, after ending whatever an earlier one left there.

    Raises errors.RefusedError where one is running there, errors.UnreachableError where a program does not start.
    """
    ground = programs.Ground(binaries=binaries.absolute(), folder=folder.absolute())
    ground.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    lock = locks.take(ground.folder / records.LOCK)
    if lock is None:
        raise errors.RefusedError(f"a lab runs in {folder} already", hint="fleet lab down ends it")
    made = Lab(ground, lock, say, detached=detached)
    _OWNED.add(made)
    try:
        await _prepare(ground, say)
        made.write_record(is_up=False)
        await made.add(names, full=full)
    except BaseException:
        await made.down()
        raise
    return made


async def down(folder: Path) -> bool:
    """Ends the lab in this folder for whoever owns it; whether there was anything to end.

    Raises errors.RefusedError where it belongs to a running process that does more than to keep it.
    """
    folder = folder.absolute()
    record = records.read(folder)
    was_running = locks.is_held(folder / records.LOCK)
    if was_running:
        await _end_owner(folder, record)
    left = await processes.sweep(folder / records.LEDGER)
    _clear(programs.Ground(binaries=folder, folder=folder))
    return was_running or left > 0


def read(folder: Path) -> tuple[clusters.Cluster, ...]:
    """The clusters that run in this folder, also those of another process's lab."""
    record = records.read(folder.absolute())
    return record.running if record and identities.is_alive(record.owner) else ()


async def _prepare(ground: programs.Ground, say: progress.Say) -> None:
    left = await processes.sweep(ground.folder / records.LEDGER)
    if left:
        say(f"ended {left} programs that an earlier lab left behind")
    _clear(ground)
    shutil.rmtree(ground.logs, ignore_errors=True)
    ground.logs.mkdir()


def _clear(ground: programs.Ground) -> None:
    """Only what labs write: the folder is the user's choice."""
    records.forget(ground.folder)
    for folder in (ground.etcd, ground.cluster("any").parent):
        shutil.rmtree(folder, ignore_errors=True)


async def _end_owner(folder: Path, record: records.Record | None) -> None:
    if record is None or not record.detached:
        whose = f"process {record.owner.pid}" if record else "a process that is just starting it"
        raise errors.RefusedError(
            f"the lab in {folder} belongs to {whose}", hint="it ends with that process"
        )
    if identities.is_alive(record.owner):
        with suppress(ProcessLookupError):
            os.kill(record.owner.pid, signal.SIGTERM)
    try:
        await processes.wait_until(
            lambda: not locks.is_held(folder / records.LOCK), _SECONDS_TO_END
        )
    except TimeoutError:
        identities.kill_session(record.owner)
