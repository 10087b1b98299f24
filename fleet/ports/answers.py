"""The hub as its HTTP server sees it: bodies in, replies out; nothing here knows of HTTP but the numbers."""

from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    status: int
    body: bytes = field(default=b"", repr=False)
    type: str = "application/json"


class Answers(Protocol):
    async def session(self) -> Reply: ...

    async def poll(self, body: bytes) -> Reply:
        """200 with a dispatch's envelope, 304, or 401. May take as long as the agent is willing to wait."""

    async def fetch(self, body: bytes) -> Reply:
        """200 with a slice's bytes; 404 for any slice but the agent's own, as if it were absent."""

    async def report(self, body: bytes) -> Reply:
        """200 with the number of the last report that is held."""

    async def approve(self, body: bytes) -> Reply:
        """200 for what somebody signed whose key a trust file names; whoever sends it means nothing."""

    async def hook(self, body: bytes, signature: str) -> Reply: ...

    async def status(self, body: bytes, signature: str) -> Reply:
        """200 with what counts now; 401 where no secret fits, 400 or 409 in words where it is not taken."""

    async def live(self) -> Reply: ...

    async def ready(self) -> Reply: ...

    async def metrics(self) -> Reply: ...
