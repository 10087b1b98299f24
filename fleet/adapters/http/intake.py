"""Request bodies on their way in: nobody holds the hub by being slow, large, packed or many (threat 70).

A newcomer is never turned away. When all places are taken, whoever has been sending longest gives way: an honest
body is here within moments, so under attack that one is most likely not honest.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from aiohttp import hdrs, web

from fleet.adapters.http import limits


class Intake:
    def __init__(self, bounds: limits.Limits) -> None:
        self._bounds = bounds
        self._senders: dict[asyncio.Timeout, str] = {}  # with their address, oldest first

    async def body(self, request: web.BaseRequest, most: int) -> bytes:
        """All of it. Raises limits.Refusal when it is too large, too slow, packed or broken off."""
        _check_head(request, most, self._bounds.header_bytes)
        try:
            async with asyncio.timeout(self._bounds.body_seconds) as patience:
                with self._place(patience, request.remote or ""):
                    return await _collected(request, most)
        except TimeoutError:
            raise limits.Refusal(408, "the body took too long") from None
        except web.RequestPayloadError:
            raise limits.Refusal(400, "the body is malformed") from None

    @contextmanager
    def _place(self, patience: asyncio.Timeout, address: str) -> Iterator[None]:
        same = [each for each, sender in self._senders.items() if sender == address]
        if len(same) >= self._bounds.receiving_per_address:
            self._end(same[0])
        elif len(self._senders) >= self._bounds.receiving:
            self._end(next(iter(self._senders)))
        self._senders[patience] = address
        try:
            yield
        finally:
            self._senders.pop(patience, None)

    def _end(self, patience: asyncio.Timeout) -> None:
        del self._senders[patience]
        if not patience.expired():
            patience.reschedule(asyncio.get_running_loop().time())


def _check_head(request: web.BaseRequest, most: int, header_bytes: int) -> None:
    if sum(len(name) + len(value) for name, value in request.raw_headers) > header_bytes:
        raise limits.Refusal(431, "the headers are too large")
    if hdrs.CONTENT_ENCODING in request.headers:
        raise limits.Refusal(415, "bodies are sent as they are, without Content-Encoding")
    if (request.content_length or 0) > most:
        raise limits.Refusal(413, "the body is too large")


async def _collected(request: web.BaseRequest, most: int) -> bytes:
    found = bytearray()
    async for chunk in request.content.iter_any():
        found += chunk
        if len(found) > most:
            raise limits.Refusal(413, "the body is too large")
    return bytes(found)
