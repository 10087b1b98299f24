"""A hub's answers without a hub, and raw connections, for tests that talk real HTTP over loopback."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TypeAlias

from fleet.ports import answers

Serve: TypeAlias = Callable[..., Awaitable[int]]


@dataclass
class Desk:
    """Remembers what it was asked, and answers what the test says."""

    reply: answers.Reply = field(
        default_factory=lambda: answers.Reply(status=200, body=b'{"session":"s","reported":7}')
    )
    asked: list[tuple[str, bytes, str]] = field(default_factory=list)
    fault: Exception | None = None
    held: asyncio.Event = field(default_factory=asyncio.Event)  # a poll waits until it is set
    arrived: asyncio.Event = field(default_factory=asyncio.Event)  # a poll is here
    polling: int = 0
    fetching: int = 0
    most_fetching: int = 0

    def __post_init__(self) -> None:
        self.held.set()

    async def _answer(self, name: str, body: bytes = b"", signature: str = "") -> answers.Reply:
        self.asked.append((name, body, signature))
        if self.fault is not None:
            raise self.fault
        return self.reply

    async def session(self) -> answers.Reply:
        return await self._answer("session")

    async def poll(self, body: bytes) -> answers.Reply:
        self.polling += 1
        self.arrived.set()
        try:
            await self.held.wait()
        finally:
            self.polling -= 1
        return await self._answer("poll", body)

    async def fetch(self, body: bytes) -> answers.Reply:
        self.fetching += 1
        self.most_fetching = max(self.fetching, self.most_fetching)
        await asyncio.sleep(0.01)
        self.fetching -= 1
        return await self._answer("fetch", body)

    async def approve(self, body: bytes) -> answers.Reply:
        return await self._answer("approve", body)

    async def report(self, body: bytes) -> answers.Reply:
        return await self._answer("report", body)

    async def hook(self, body: bytes, signature: str) -> answers.Reply:
        return await self._answer("hook", body, signature)

    async def status(self, body: bytes, signature: str) -> answers.Reply:
        return await self._answer("status", body, signature)

    async def live(self) -> answers.Reply:
        return await self._answer("live")

    async def ready(self) -> answers.Reply:
        return await self._answer("ready")

    async def metrics(self) -> answers.Reply:
        return await self._answer("metrics")


@dataclass
class Wire:
    """One connection, bytes in the raw."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def rest(self, seconds: float = 5.0) -> bytes:
        """All that comes until the other side closes."""
        found = b""
        try:
            async with asyncio.timeout(seconds):
                while chunk := await self.reader.read(65536):
                    found += chunk
        except ConnectionError:
            pass
        return found

    async def status(self, seconds: float = 5.0) -> int:
        async with asyncio.timeout(seconds):
            line = await self.reader.readline()
        return int(line.split()[1])

    async def is_cut(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                return not await self.reader.read(1)
        except ConnectionError:
            return True
        except TimeoutError:
            return False


@asynccontextmanager
async def wire(port: int, source: str = "127.0.0.1") -> AsyncIterator[Wire]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(source, 0))
    try:
        yield Wire(reader, writer)
    finally:
        writer.transport.abort()
        await asyncio.sleep(0)


@dataclass
class Authority:
    certificate: str
    key: str
