"""The hub on the network: agents' requests, the git host's hook and probes come in here, as rows of one table.

Decides nothing: bodies go to ports.answers as they are, replies come back as they are. A request that was begun is
carried through even when its connection is lost, because cutting it could cut a write of the hub in two.
"""

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeAlias

from aiohttp import web

from fleet.adapters.http import connections, intake, limits, tls
from fleet.model import errors
from fleet.ports import answers

_log = logging.getLogger("fleet.http")
_HANDSHAKE = 10.0  # seconds
_FIXED = {"Server": "fleet", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
_BUSY = frozenset({429, 503})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    body: bytes
    signature: str  # of a hook; "" elsewhere


_Answer: TypeAlias = Callable[[answers.Answers, _Asked], Awaitable[answers.Reply]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Route:
    answer: _Answer
    most: int = 0  # bytes of a body


_POLL, _FETCH = "/v1/poll", "/v1/fetch"
_ROUTES: Mapping[tuple[str, str], _Route] = {
    ("GET", "/v1/session"): _Route(answer=lambda hub, _: hub.session()),
    # An echo in a poll is up to 1 MiB, and base64 twice.
    ("POST", _POLL): _Route(answer=lambda hub, it: hub.poll(it.body), most=2 * limits.MIB),
    ("POST", _FETCH): _Route(answer=lambda hub, it: hub.fetch(it.body), most=16 * limits.KIB),
    ("POST", "/v1/report"): _Route(
        answer=lambda hub, it: hub.report(it.body), most=4 * limits.MIB
    ),
    ("POST", "/v1/approvals"): _Route(
        answer=lambda hub, it: hub.approve(it.body), most=32 * limits.KIB
    ),
    ("POST", "/hooks/git"): _Route(
        answer=lambda hub, it: hub.hook(it.body, it.signature), most=limits.MIB
    ),
    ("POST", "/v1/statuses"): _Route(
        answer=lambda hub, it: hub.status(it.body, it.signature), most=16 * limits.KIB
    ),
    ("GET", "/livez"): _Route(answer=lambda hub, _: hub.live()),
    ("GET", "/readyz"): _Route(answer=lambda hub, _: hub.ready()),
    ("GET", "/metrics"): _Route(answer=lambda hub, _: hub.metrics()),
}


class Server:
    """`listen` is "host:port"; no host means every address, port 0 a free one."""

    def __init__(
        self,
        answering: answers.Answers,
        listen: str,
        certified: tls.Tls | None = None,
        *,
        bounds: limits.Limits | None = None,
    ) -> None:
        self._answers = answering
        self._host, self._port = address(listen)
        self._tls = certified
        self._bounds = bounds or limits.Limits()
        self._intake = intake.Intake(self._bounds)
        self._polls = 0
        self._fetches = asyncio.Semaphore(self._bounds.fetches)
        self._running: set[asyncio.Task[object]] = set()
        self._connections: connections.Connections | None = None
        self._listening: asyncio.Server | None = None

    async def start(self) -> int:
        """The port. Raises errors.InputError when it cannot be had."""
        context = tls.serving(self._tls) if self._tls else None
        self._connections = connections.Connections(self._serve, self._bounds)
        try:
            self._listening = await self._listen(self._connections, context)
        except OSError as error:
            raise errors.InputError(
                f"cannot listen on {self._host or '*'}:{self._port}: {error.strerror or error}",
                hint="is the port taken? choose another with --listen",
            ) from None
        port: int = self._listening.sockets[0].getsockname()[1]
        return port

    async def stop(self) -> None:
        """New connections are refused at once, running requests get a moment."""
        if self._listening is None or self._connections is None:
            return
        self._listening.close()
        self._connections.pre_shutdown()
        await self._connections.shutdown(self._bounds.stop_seconds)
        for task in self._running:  # aiohttp forgets requests whose connection was lost
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        await self._listening.wait_closed()
        self._listening = self._connections = None

    async def _listen(
        self, made: connections.Connections, context: ssl.SSLContext | None
    ) -> asyncio.Server:
        return await asyncio.get_running_loop().create_server(
            made,
            self._host or None,
            self._port,
            ssl=context,
            ssl_handshake_timeout=_HANDSHAKE if context else None,
            ssl_shutdown_timeout=_HANDSHAKE if context else None,
            backlog=512,
        )

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        assert self._connections is not None  # noqa: S101 - it is what calls us
        task = asyncio.current_task()
        if task is not None:
            self._running.add(task)
            task.add_done_callback(self._running.discard)
        with self._connections.in_use(request):
            return await self._respond(request)

    async def _respond(self, request: web.BaseRequest) -> web.StreamResponse:
        try:
            route = _route(request)
            asked = await self._read(request, route)
            async with self._turn(request):
                return await self._send(request, await self._ask(route, asked))
        except limits.Refusal as refusal:
            return await self._send(request, refusal.reply(), closing=True)

    async def _read(self, request: web.BaseRequest, route: _Route) -> _Asked:
        body = await self._intake.body(request, route.most)
        return _Asked(body=body, signature=request.headers.get("X-Hub-Signature-256", ""))

    async def _ask(self, route: _Route, asked: _Asked) -> answers.Reply:
        try:
            return await route.answer(self._answers, asked)
        except errors.UnreachableError as error:
            _log.warning("cannot answer for now: %s", error)
            return limits.worded(503, "not now")
        except Exception:  # noqa: BLE001 - a fault of ours is logged, and is no reason to stop serving
            _log.exception("an answer failed")
            return limits.worded(500, "the hub failed at this; its log says more")

    @asynccontextmanager
    async def _turn(self, request: web.BaseRequest) -> AsyncIterator[None]:
        """Long polls are held apart from the rest, and slices leave a few at a time."""
        path = request.rel_url.raw_path
        if path == _FETCH:
            async with self._fetches:
                _check_connected(request)  # its turn may have come too late
                yield
        elif path == _POLL:
            with_room = self._polls < self._bounds.polls
            if not with_room:
                raise limits.Refusal(503, "too many polls are held open")
            self._polls += 1
            try:
                yield
            finally:
                self._polls -= 1
        else:
            yield

    async def _send(
        self, request: web.BaseRequest, reply: answers.Reply, *, closing: bool = False
    ) -> web.StreamResponse:
        """Written here, not by aiohttp, which would wait for ever for a reader that does not read."""
        response = _response(reply)
        if closing:
            response.force_close()
        _note(request, reply)
        patience = self._bounds.write_seconds + len(reply.body) / self._bounds.slowest_reader
        try:
            async with asyncio.timeout(patience):
                await response.prepare(request)
                await response.write_eof()
        except TimeoutError:
            if request.transport is not None:
                request.transport.abort()
            raise ConnectionResetError("the reader is too slow") from None
        return response


def address(listen: str) -> tuple[str, int]:
    """Host and port of "host:port", "[::1]:8443" or ":8443"."""
    host, colon, port = listen.rpartition(":")
    if not colon or not port.isdecimal() or int(port) > 65535:
        raise errors.InputError(
            f"{listen!r} is no address to listen on", hint="write host:port, as 0.0.0.0:8080"
        )
    return host.removeprefix("[").removesuffix("]"), int(port)


def _route(request: web.BaseRequest) -> _Route:
    route = _ROUTES.get((request.method, request.rel_url.raw_path))
    if route is None:
        raise limits.Refusal(404, "there is nothing here")
    return route


def _check_connected(request: web.BaseRequest) -> None:
    if request.transport is None or request.transport.is_closing():
        raise ConnectionResetError("gone while it waited")


def _response(reply: answers.Reply) -> web.Response:
    headers = dict(_FIXED)
    if reply.body:
        headers["Content-Type"] = reply.type
    if reply.status in _BUSY:
        headers["Retry-After"] = "5"
    return web.Response(status=reply.status, body=reply.body or None, headers=headers)


def _note(request: web.BaseRequest, reply: answers.Reply) -> None:
    if _log.isEnabledFor(logging.DEBUG):
        fields = {
            "method": request.method,
            "path": request.rel_url.raw_path,
            "status": reply.status,
            "bytes": len(reply.body),
            "address": request.remote,
        }
        _log.debug("answered", extra=fields)
