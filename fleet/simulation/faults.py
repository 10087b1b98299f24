"""Processes that can fail: every call to a port passes its counter, which may fail it, lose its answer, or end it.

A process that ended does nothing more: whatever of it still runs finds each port closed.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, TypeAlias, TypeVar

from fleet.model import errors

Result = TypeVar("Result")


class Fault(Enum):
    BEFORE = "fails before it has any effect"
    AFTER = "takes effect, and the answer is lost"
    CRASH = "takes effect, and the process ends there"
    DELAY = "takes effect late"


Plan: TypeAlias = Callable[[int, str], Fault | None]  # number and name of a call


class Crash(BaseException):
    """The process is dead. No `except Exception` of its code may survive it."""


def nothing(_number: int, _what: str) -> None:
    """The plan in which nothing fails."""


def crash_after(number: int) -> Plan:
    """Calls count from 1."""
    return lambda at, _: Fault.CRASH if at == number else None


def always(fault: Fault, *names: str) -> Plan:
    """Every call of these names fails so."""
    return lambda _, what: fault if what in names else None


@dataclass(slots=True, kw_only=True, eq=False)
class Process:
    """One life of a hub or an agent. `log` has the names of its calls, in order."""

    name: str
    plan: Plan = nothing
    delay: float = 5.0  # seconds of a call that is late
    log: list[str] = field(default_factory=list)
    tasks: set["asyncio.Task[Any]"] = field(default_factory=set)
    on_death: Callable[[], None] = lambda: None
    is_dead: bool = False

    @contextlib.asynccontextmanager
    async def call(self, what: str) -> AsyncIterator[None]:
        """Around the effect of one call."""
        self._check_alive()
        self.log.append(what)
        fault = self.plan(len(self.log), what)
        await asyncio.sleep(self.delay if fault is Fault.DELAY else 0)
        self._check_alive()
        if fault is Fault.BEFORE:
            raise errors.UnreachableError(f"{what}: no connection")
        try:
            yield
        finally:
            if fault is Fault.CRASH:
                self.die()
        self._check_alive()
        await asyncio.sleep(0)  # an answer is under way while others go on
        self._check_alive()
        if fault is Fault.AFTER:
            raise errors.UnreachableError(f"{what}: the answer was lost")

    def start(self, work: Coroutine[Any, Any, Result]) -> "asyncio.Task[Result]":
        """Part of this process: it ends with it."""
        task = asyncio.get_running_loop().create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return task

    def die(self) -> None:
        """Raises Crash when it is called from inside."""
        if self.is_dead:
            return
        self.is_dead = True
        self.on_death()
        here = _current()
        for task in self.tasks - {here}:
            task.cancel()

    def _check_alive(self) -> None:
        if self.is_dead:
            raise Crash(self.name)


def _current() -> "asyncio.Task[Any] | None":
    """None outside any loop."""
    try:
        return asyncio.current_task()
    except RuntimeError:
        return None
