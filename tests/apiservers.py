"""An API server that says what the test tells it to say, over real HTTP on loopback."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeAlias

from aiohttp import test_utils, web

from fleet.adapters.kubernetes import cluster, credentials

Turn: TypeAlias = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any = None


@dataclass(slots=True)
class Script:
    """Its turns come one after the other; the last is repeated."""

    turns: list[Turn]
    asked: list[Asked] = field(default_factory=list)

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        body = await request.read()
        self.asked.append(
            Asked(
                method=request.method,
                path=request.raw_path.partition("?")[0],
                query=dict(request.query),
                headers=dict(request.headers),
                body=json.loads(body) if body else None,
            )
        )
        turn = self.turns.pop(0) if len(self.turns) > 1 else self.turns[0]
        return await turn(request)


@dataclass(slots=True)
class Pauses:
    """A clock that never waits, and remembers how long it should have."""

    slept: list[float] = field(default_factory=list)

    def now(self) -> datetime:
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await asyncio.sleep(0)


@dataclass(slots=True, kw_only=True)
class Scene:
    port: cluster.ApiServer
    script: Script
    pauses: Pauses
    url: str


@asynccontextmanager
async def playing(*turns: Turn, bearer: credentials.Bearer | None = None) -> AsyncIterator[Scene]:
    script, pauses = Script(list(turns)), Pauses()
    server = test_utils.RawTestServer(script, host="127.0.0.1")
    await server.start_server()
    url = str(server.make_url("")).rstrip("/")
    access = credentials.Access(server=url, tls=None, bearer=bearer or credentials.Fixed())
    try:
        async with cluster.ApiServer(access, sleeps=pauses, chance=lambda: 1.0) as port:
            yield Scene(port=port, script=script, pauses=pauses, url=url)
    finally:
        await server.close()


def says(status: int, body: Any, **headers: str) -> Turn:
    """A document, or a text as it is."""
    text = body if isinstance(body, str) else json.dumps(body)
    named = {name.replace("_", "-"): value for name, value in headers.items()}

    async def turn(_: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=status, text=text, headers=named)

    return turn


def fails(status: int, message: str, reason: str = "", **details: Any) -> Turn:
    return says(status, failure(status, message, reason, **details))


def failure(status: int, message: str, reason: str = "", **details: Any) -> dict[str, Any]:
    return {"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": message,
            "reason": reason, "details": details, "code": status}  # fmt: skip


def lists(version: str, *names: str, page: str = "") -> Turn:
    """Of ConfigMaps, whose kind the items leave out as real ones do."""
    items = [{"metadata": {"name": name, "resourceVersion": version}} for name in names]
    metadata = {"resourceVersion": version, **({"continue": page} if page else {})}
    return says(
        200, {"kind": "ConfigMapList", "apiVersion": "v1", "metadata": metadata, "items": items}
    )


def streams(*events: dict[str, Any] | str, stays: bool = False) -> Turn:
    """Lines of a watch, cut in the middle on their way; then its end, or silence."""

    async def turn(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for event in events:
            line = event if isinstance(event, str) else json.dumps(event) + "\n"
            for part in (line[: len(line) // 2], line[len(line) // 2 :]):
                await response.write(part.encode())
                await asyncio.sleep(0)
        if stays:
            await asyncio.sleep(60)
        return response

    return turn


async def hangs_up(request: web.BaseRequest) -> web.StreamResponse:
    """No answer at all."""
    assert request.transport is not None
    request.transport.close()
    return web.Response()


async def breaks_off(request: web.BaseRequest) -> web.StreamResponse:
    """The beginning of an answer."""
    response = web.StreamResponse()
    await response.prepare(request)
    await response.write(b'{"type":')
    assert request.transport is not None
    request.transport.abort()
    return response


def event(kind: str, name: str, version: str) -> dict[str, Any]:
    live = {"kind": "ConfigMap", "apiVersion": "v1",
            "metadata": {"name": name, "resourceVersion": version}}  # fmt: skip
    return {"type": kind, "object": live}


def bookmark(version: str) -> dict[str, Any]:
    return {
        "type": "BOOKMARK",
        "object": {"kind": "ConfigMap", "metadata": {"resourceVersion": version}},
    }


def error(status: int, message: str) -> dict[str, Any]:
    return {"type": "ERROR", "object": failure(status, message)}
