"""Range queries over real HTTP: what is good is read, everything else is no answer."""

import asyncio
import math
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta

import pytest
from aiohttp import web

import builders
from fleet.adapters.http import prometheus
from fleet.model import errors
from fleet.ports import metrics

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Serving = Callable[[Handler], Awaitable[str]]
GOOD = (
    '{"status":"success","data":{"resultType":"matrix","result":['
    '{"metric":{},"values":[[1,"0.5"],[2,"NaN"]]},{"metric":{},"values":[[1,"7"]]}]}}'
)


@pytest.fixture
async def serving() -> AsyncIterator[Serving]:
    """Serves a handler on a loopback port; gives its address."""
    runners: list[web.AppRunner] = []

    async def start(handler: Handler) -> str:
        app = web.Application()
        app.router.add_get("/{path:.*}", handler)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        runners.append(runner)
        return f"http://127.0.0.1:{runner.addresses[0][1]}/prometheus"

    yield start
    for runner in runners:
        await runner.cleanup()


@pytest.fixture
async def source() -> AsyncIterator[prometheus.Prometheus]:
    made = prometheus.Prometheus(seconds=0.5)
    yield made
    await made.close()


def asked(url: str) -> metrics.Range:
    return metrics.Range(
        url=url,
        query='sum(rate(errors{app="web"}[1m])) & more',
        start=builders.later(-300),
        end=builders.NOW,
        step=timedelta(seconds=15),
    )


async def test_all_values_of_all_series(serving: Serving, source: prometheus.Prometheus):
    seen: list[web.Request] = []

    async def answer(request: web.Request) -> web.Response:
        seen.append(request)
        return web.Response(text=GOOD)

    found = await source.values(asked(await serving(answer)))
    assert (found[0], found[2]) == (0.5, 7.0)
    assert math.isnan(found[1])
    (request,) = seen
    assert request.path == "/prometheus/api/v1/query_range"
    assert dict(request.query) == {
        "query": 'sum(rate(errors{app="web"}[1m])) & more',
        "start": "2026-03-01T11:55:00+00:00",
        "end": "2026-03-01T12:00:00+00:00",
        "step": "15",
    }
    assert "Authorization" not in request.headers


async def test_no_series_are_no_values(serving: Serving, source: prometheus.Prometheus):
    empty = '{"status":"success","data":{"resultType":"matrix","result":[]}}'

    async def answer(_: web.Request) -> web.Response:
        return web.Response(text=empty)

    assert await source.values(asked(await serving(answer))) == ()


BAD = {
    "no JSON": "<html>",
    "an error": '{"status":"error","errorType":"bad_data","error":"x"}',
    "another type": '{"status":"success","data":{"resultType":"vector","result":[]}}',
    "a list": "[]",
    "null": "null",
    "no number": GOOD.replace('"0.5"', '"half"'),
    "a number as it is": GOOD.replace('[1,"0.5"]', "[1]"),
    "deep": "[" * 100_000,
}


@pytest.mark.threat(57)
@pytest.mark.parametrize("text", BAD.values(), ids=BAD.keys())
async def test_any_other_answer_is_none(
    serving: Serving, source: prometheus.Prometheus, text: str
):
    async def answer(_: web.Request) -> web.Response:
        return web.Response(text=text)

    with pytest.raises(errors.UnreachableError, match="not Prometheus"):
        await source.values(asked(await serving(answer)))


@pytest.mark.threat(75)
async def test_no_redirect_is_followed(serving: Serving, source: prometheus.Prometheus):
    reached: list[str] = []

    async def inside(request: web.Request) -> web.Response:
        reached.append(request.path)
        return web.Response(text=GOOD)

    target = await serving(inside)

    async def answer(_: web.Request) -> web.Response:
        raise web.HTTPFound(f"{target}/latest/meta-data")

    with pytest.raises(errors.UnreachableError, match="answers 302"):
        await source.values(asked(await serving(answer)))
    assert reached == []


@pytest.mark.threat(77)
async def test_an_endless_answer_is_cut(serving: Serving):
    source = prometheus.Prometheus(seconds=10)

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b"x" * 65536)

    try:
        with pytest.raises(errors.UnreachableError, match="too large"):
            await source.values(asked(await serving(answer)))
    finally:
        await source.close()


@pytest.mark.threat(77)
async def test_a_slow_answer_is_none(serving: Serving, source: prometheus.Prometheus):
    async def answer(_: web.Request) -> web.Response:
        await asyncio.sleep(5)
        return web.Response(text=GOOD)

    with pytest.raises(errors.UnreachableError, match="in time"):
        await source.values(asked(await serving(answer)))


async def test_nobody_there_is_none(source: prometheus.Prometheus):
    with pytest.raises(errors.UnreachableError):
        await source.values(asked("http://127.0.0.1:9"))


@pytest.mark.threat(75)
@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "gopher://x",
        "http://",
        "//x",
        "http://u:p@x",
        "http://x/?a=b",
        "http://[::1",
    ],
)
def test_only_addresses_of_servers_are_taken(url: str):
    with pytest.raises(errors.InputError):
        prometheus.checked(url)
