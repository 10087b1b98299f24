"""The wire to one API server: requests out, whole answers or lines in. What does not arrive is UnreachableError.

No redirects, no proxies of the environment, no packed bodies. How many requests are in flight is the caller's choice:
each standing watch has a connection of its own, and none may wait for another.
"""

import asyncio
import socket
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import yarl

from fleet.adapters.kubernetes import credentials, requests
from fleet.model import errors, json_values

_WHOLE = aiohttp.ClientTimeout(total=70.0, sock_connect=10.0)  # the API server's own limit is 60
# Bookmarks come about once a minute, so a watch that is silent for so long is opened again.
_STREAM = aiohttp.ClientTimeout(total=None, sock_connect=10.0, sock_read=300.0)
_IDLE = 75.0  # seconds that a connection is kept; the API server itself waits 90
_LINE = 32 << 20  # bytes of the longest event
_ALIVE = {"TCP_KEEPIDLE": 30, "TCP_KEEPINTVL": 10, "TCP_KEEPCNT": 3}  # seconds, seconds, times


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


class Connection:
    def __init__(self, access: credentials.Access) -> None:
        self._access = access
        self._open: aiohttp.ClientSession | None = None

    async def ask(self, request: requests.Request) -> Reply:
        """A token that the API server does not know is read again once: it may have been renewed."""
        reply = await self._exchange(request)
        if reply.status == 401 and self._access.bearer.forget():
            reply = await self._exchange(request)
        if reply.status < 200 or 300 <= reply.status < 400:
            raise errors.UnreachableError(
                f"{self._access.server} answers with status {reply.status}",
                hint="is this the address of an API server?",
            )
        return reply

    @asynccontextmanager
    async def stream(self, request: requests.Request) -> AsyncIterator["Stream"]:
        with self._translated():
            async with await self._sent(request, _STREAM) as response:
                if response.status == 401:
                    self._access.bearer.forget()
                try:
                    yield Stream(response, request.most)
                finally:
                    await _hang_up(response)

    async def close(self) -> None:
        if self._open is not None:
            await self._open.close()
            self._open = None

    async def _exchange(self, request: requests.Request) -> Reply:
        with self._translated():
            try:
                return await self._whole(request)
            except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError, ConnectionResetError):
                # A kept connection that was just being closed. aiohttp itself sends again what HTTP calls idempotent;
                # applying the same twice is the same as once.
                if request.method != "PATCH":
                    raise
                return await self._whole(request)

    async def _whole(self, request: requests.Request) -> Reply:
        async with await self._sent(request, _WHOLE) as response:
            body = await _bounded(response, request.most)
            return Reply(status=response.status, headers=response.headers, body=body)

    async def _sent(
        self, request: requests.Request, patience: aiohttp.ClientTimeout
    ) -> aiohttp.ClientResponse:
        headers = {"Accept": request.accept}
        authorization = await self._access.bearer.authorization()
        if authorization:
            headers["Authorization"] = authorization
        if request.body is not None:
            headers["Content-Type"] = request.type
        return await self._session().request(
            request.method,
            yarl.URL(self._access.server + request.path, encoded=True),
            data=None if request.body is None else json_values.encode(request.body),
            headers=headers,
            timeout=patience,
            allow_redirects=False,
            server_hostname=self._access.server_name or None,
        )

    def _session(self) -> aiohttp.ClientSession:
        """Made at the first request, because it belongs to a running loop."""
        if self._open is None:
            connector = aiohttp.TCPConnector(
                limit=0,
                keepalive_timeout=_IDLE,
                ssl=self._access.tls or True,
                socket_factory=_socket,
            )
            self._open = aiohttp.ClientSession(
                connector=connector,
                headers={"User-Agent": "fleet", "Accept-Encoding": "identity"},
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                trust_env=False,
            )
        return self._open

    @contextmanager
    def _translated(self) -> Iterator[None]:
        server = self._access.server
        try:
            yield
        except aiohttp.ClientConnectorCertificateError as error:
            raise errors.UnreachableError(
                f"{server} shows a certificate that is not trusted: {error.certificate_error}",
                hint="name its authority in the kubeconfig",
            ) from None
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            said = str(error) or "no answer in time"
            raise errors.UnreachableError(f"the API server at {server}: {said}") from None


class Stream:
    """An answer that comes line by line."""

    def __init__(self, response: aiohttp.ClientResponse, most: int) -> None:
        self._response, self._most = response, most

    @property
    def status(self) -> int:
        return self._response.status

    async def whole(self) -> Reply:
        """An answer that turned out to be no stream."""
        body = await _bounded(self._response, self._most)
        return Reply(status=self.status, headers=self._response.headers, body=body)

    async def lines(self) -> AsyncGenerator[bytes, None]:
        """Ends where the answer ends; a line that was cut off is left out."""
        held: list[bytes] = []  # parts of a line whose end is still to come
        size = 0
        async for data in self._response.content.iter_any():
            first, *others = data.split(b"\n")
            held.append(first)
            size += len(first)
            if size > _LINE:
                raise errors.UnreachableError("the API server sends a line without end")
            if others:
                *whole, last = (b"".join(held), *others)
                for line in filter(None, whole):
                    yield line
                held, size = [last], len(last)


async def _bounded(response: aiohttp.ClientResponse, most: int) -> bytes:
    found = bytearray()
    too_large = (response.content_length or 0) > most
    while not too_large and (chunk := await response.content.readany()):
        found += chunk
        too_large = len(found) > most
    if too_large:
        await _hang_up(response)  # the rest of it may have no end
        raise errors.UnreachableError(f"the API server's answer is larger than {most} bytes")
    return bytes(found)


async def _hang_up(response: aiohttp.ClientResponse) -> None:
    """At once: a polite end of TLS waits for the other side, and the connection would outlive its session."""
    transport = response.connection.transport if response.connection else None
    if transport is not None:
        transport.abort()
        await asyncio.sleep(0)  # in which the loop closes the socket


def _socket(address: tuple[Any, ...]) -> socket.socket:
    """Watches may be silent for long, so the system asks whether the other side still lives."""
    family, kind, protocol, *_ = address
    made = socket.socket(family=family, type=kind, proto=protocol)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in _ALIVE.items():
        if hasattr(socket, option):  # not every system has all of them
            made.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)
    return made
