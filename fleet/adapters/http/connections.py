"""Open connections, bound in number: the one that has been idle longest gives way to a new one (threat 70).

aiohttp puts no bound on them, so enough slow strangers would use up the process's files.
"""

import asyncio
import logging
import resource
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

from aiohttp import web

from fleet.adapters.http import limits

_wire = logging.getLogger("fleet.http.wire")
_OWN_FILES = 256  # that the rest of the process may have open
_LINE = 2 * limits.KIB  # the longest request line, and the longest header


class Connections(web.Server):
    def __init__(
        self,
        handler: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]],
        bounds: limits.Limits,
    ) -> None:
        super().__init__(
            handler,
            keepalive_timeout=bounds.header_seconds,
            lingering_time=1.0,
            max_line_size=_LINE,
            max_field_size=_LINE,
            max_headers=64,
            auto_decompress=False,
            access_log=None,
            logger=_wire,
        )
        self._most = room_for(bounds.connections)
        self._open: set[web.RequestHandler] = set()
        self._idle: dict[web.RequestHandler, asyncio.Transport] = {}  # longest first

    def connection_made(self, handler: web.RequestHandler, transport: asyncio.Transport) -> None:
        # A reply counts as written when the kernel has all of it, so that the time for writing covers all of it.
        transport.set_write_buffer_limits(high=0)
        super().connection_made(handler, transport)
        if len(self._open) >= self._most:
            self._make_room(transport)
        self._open.add(handler)
        self._idle[handler] = transport

    def connection_lost(
        self, handler: web.RequestHandler, exc: BaseException | None = None
    ) -> None:
        super().connection_lost(handler, exc)
        self._open.discard(handler)
        self._idle.pop(handler, None)

    @contextmanager
    def in_use(self, request: web.BaseRequest) -> Iterator[None]:
        """While a request of this connection is answered it does not give way."""
        handler, transport = request.protocol, request.transport
        self._idle.pop(handler, None)
        try:
            yield
        finally:
            if handler in self._open and transport is not None:
                self._idle[handler] = transport

    def _make_room(self, newcomer: asyncio.Transport) -> None:
        oldest = next(iter(self._idle), None)
        transport = newcomer if oldest is None else self._idle.pop(oldest)
        transport.abort()


def room_for(connections: int) -> int:
    """As many of them as this process may have files, after it has raised its own limit as far as it may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + _OWN_FILES
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return connections
    raised = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (raised, hard))
    except (OSError, ValueError):
        raised = soft
    return max(raised - _OWN_FILES, raised // 2)


def _only_for_debugging(record: logging.LogRecord) -> bool:
    """What strangers put on the wire is no error of ours, and may not fill the log with traces."""
    record.exc_info, record.levelno, record.levelname = None, logging.DEBUG, "DEBUG"
    return _wire.isEnabledFor(logging.DEBUG)


_wire.addFilter(_only_for_debugging)
