"""How a long-running command lives and ends."""

import asyncio
import contextlib
import os
import secrets
import signal
import socket
from collections.abc import Coroutine
from typing import Any, TypeVar

Result = TypeVar("Result")


def run(work: Coroutine[Any, Any, Result]) -> Result:
    return asyncio.run(work)


def host() -> str:
    return socket.gethostname()


def name() -> str:
    """Of this process, unlike any other's."""
    return f"{host()}-{os.getpid()}-{secrets.token_hex(3)}"


async def until_stopped(work: Coroutine[Any, Any, None]) -> None:
    """Until the work ends by itself or a signal asks for the end, which it is given time for."""
    task = asyncio.ensure_future(work)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, task.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await task
