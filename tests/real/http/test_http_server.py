"""What the hub's server lets through to the hub, and what it answers itself."""

import asyncio
import logging

import aiohttp
import pytest

import loopback
from fleet.adapters.http import limits, server
from fleet.model import errors
from fleet.ports import answers


async def ask(port: int, method: str, path: str, body: bytes | None = None, **headers: str):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    async with (
        aiohttp.ClientSession() as session,
        session.request(
            method, f"http://127.0.0.1:{port}{path}", data=body, headers=named
        ) as response,
    ):
        return response.status, await response.read(), response.headers


@pytest.mark.parametrize(
    ("method", "path", "name"),
    [
        ("GET", "/v1/session", "session"),
        ("POST", "/v1/poll", "poll"),
        ("POST", "/v1/fetch", "fetch"),
        ("POST", "/v1/report", "report"),
        ("POST", "/v1/approvals", "approve"),
        ("POST", "/hooks/git", "hook"),
        ("POST", "/v1/statuses", "status"),
        ("GET", "/livez", "live"),
        ("GET", "/readyz", "ready"),
        ("GET", "/metrics", "metrics"),
    ],
)
async def test_each_route_reaches_its_answer_with_the_body_as_it_is(
    serve: loopback.Serve, desk: loopback.Desk, method: str, path: str, name: str
):
    body = b"\x00 any bytes \xff" if method == "POST" else None
    status, answer, _ = await ask(await serve(), method, path, body)
    assert (status, answer) == (200, desk.reply.body)
    assert desk.asked == [(name, body or b"", "")]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", "/v1/poll"),
        ("POST", "/v1/session"),
        ("POST", "/v1/poll/"),
        ("PUT", "/v1/poll"),
        ("GET", "/v1%2Fsession"),
        ("GET", "/livez/../metrics%2e"),
        ("POST", "/command"),
    ],
)
async def test_everything_else_is_404_and_never_reaches_the_hub(
    serve: loopback.Serve, desk: loopback.Desk, method: str, path: str
):
    status, answer, _ = await ask(await serve(), method, path)
    assert status == 404
    assert b"error" in answer
    assert desk.asked == []


@pytest.mark.threat(58)
async def test_a_refusal_of_the_hub_comes_through_as_it_is(
    serve: loopback.Serve, desk: loopback.Desk
):
    desk.reply = answers.Reply(status=401, body=b'{"error":"unknown agent"}')
    status, answer, headers = await ask(await serve(), "POST", "/v1/poll", b"{}")
    assert (status, answer) == (401, b'{"error":"unknown agent"}')
    assert headers["Content-Type"] == "application/json"


async def test_nothing_new_is_a_304_without_a_body(serve: loopback.Serve, desk: loopback.Desk):
    desk.reply = answers.Reply(status=304)
    port = await serve()
    assert (await ask(port, "POST", "/v1/poll", b"{}"))[:2] == (304, b"")
    assert (await ask(port, "POST", "/v1/poll", b"{}"))[:2] == (304, b"")


@pytest.mark.threat(72)
async def test_a_hook_brings_its_signature_along_or_an_empty_one(
    serve: loopback.Serve, desk: loopback.Desk
):
    port = await serve()
    await ask(port, "POST", "/hooks/git", b"{}", X_Hub_Signature_256="sha256=00")
    await ask(port, "POST", "/hooks/git", b"{}")
    assert [signature for _, _, signature in desk.asked] == ["sha256=00", ""]


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        (errors.UnreachableError("canary: disk full"), 503),
        (RuntimeError("canary"), 500),
        (KeyError("canary"), 500),
        (TimeoutError("canary"), 500),
    ],
)
async def test_a_fault_of_ours_is_told_without_its_words_and_the_server_goes_on(
    serve: loopback.Serve,
    desk: loopback.Desk,
    caplog: pytest.LogCaptureFixture,
    fault: Exception,
    status: int,
):
    port = await serve()
    desk.fault = fault
    answered, body, headers = await ask(port, "POST", "/v1/report", b"{}")
    assert answered == status
    assert b"canary" not in body
    assert b"Traceback" not in body
    assert ("Retry-After" in headers) == (status == 503)
    assert "canary" in caplog.text
    desk.fault = None
    assert (await ask(port, "POST", "/v1/report", b"{}"))[0] == 200


@pytest.mark.parametrize(
    "junk",
    [
        b"\x16\x03\x01 not http at all\r\n\r\n",
        b"GET /livez HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    ],
)
async def test_what_is_not_http_is_a_400_and_no_error_of_ours(
    serve: loopback.Serve, desk: loopback.Desk, caplog: pytest.LogCaptureFixture, junk: bytes
):
    async with loopback.wire(await serve()) as wire:
        await wire.send(junk)
        answer = await wire.rest()
    assert answer.startswith(b"HTTP/1.0 400")
    assert b"Traceback" not in answer
    assert [r for r in caplog.records if r.levelno > logging.DEBUG] == []
    assert desk.asked == []


async def test_a_connection_serves_many_requests(serve: loopback.Serve):
    async with loopback.wire(await serve()) as wire:
        for _ in range(3):
            await wire.send(b"GET /livez HTTP/1.1\r\nHost: hub\r\n\r\n")
            head = await wire.reader.readuntil(b"\r\n\r\n")
            await wire.reader.readexactly(28)
            assert head.startswith(b"HTTP/1.1 200")
            assert b"aiohttp" not in head


async def test_each_request_is_one_line_for_debugging(
    serve: loopback.Serve, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.DEBUG, logger="fleet.http")
    await ask(await serve(), "POST", "/v1/poll?x=%0Ay", b"{}")
    (line,) = [r for r in caplog.records if r.name == "fleet.http"]
    assert (line.method, line.path, line.status) == ("POST", "/v1/poll", 200)


async def test_stopping_ends_what_is_held_open(desk: loopback.Desk):
    made = server.Server(desk, "127.0.0.1:0")
    port = await made.start()
    desk.held.clear()
    async with loopback.wire(port) as wire:
        await wire.send(b"POST /v1/poll HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n{}")
        await desk.arrived.wait()
        await made.stop()
        assert await wire.is_cut(1)
    assert desk.polling == 0
    with pytest.raises(ConnectionRefusedError):
        async with loopback.wire(port):
            pass


async def test_stopping_gives_running_requests_a_moment(desk: loopback.Desk):
    made = server.Server(desk, "127.0.0.1:0")
    port = await made.start()
    desk.held.clear()
    async with loopback.wire(port) as wire:
        await wire.send(b"POST /v1/poll HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n{}")
        await desk.arrived.wait()
        asyncio.get_running_loop().call_later(0.1, desk.held.set)
        await made.stop()
        assert await wire.status() == 200


async def test_stopping_ends_what_nobody_waits_for_any_more(desk: loopback.Desk):
    made = server.Server(desk, "127.0.0.1:0", bounds=limits.Limits(stop_seconds=0.1))
    port = await made.start()
    desk.held.clear()
    async with loopback.wire(port) as wire:
        await wire.send(b"POST /v1/poll HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n{}")
        await desk.arrived.wait()
    async with asyncio.timeout(3):
        await made.stop()
    assert desk.polling == 0


async def test_a_request_is_carried_through_when_its_sender_has_gone(
    serve: loopback.Serve, desk: loopback.Desk
):
    desk.held.clear()
    async with loopback.wire(await serve()) as wire:
        await wire.send(b"POST /v1/poll HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n{}")
        await desk.arrived.wait()
    await asyncio.sleep(0.05)
    desk.held.set()
    await asyncio.sleep(0.05)
    assert desk.asked == [("poll", b"{}", "")]


async def test_a_taken_port_is_told_in_words(serve: loopback.Serve, desk: loopback.Desk):
    port = await serve()
    with pytest.raises(errors.InputError, match=f"cannot listen on 127.0.0.1:{port}") as raised:
        await server.Server(desk, f"127.0.0.1:{port}").start()
    assert "--listen" in raised.value.hint


@pytest.mark.parametrize(
    ("listen", "address"),
    [
        ("192.0.2.1:8080", ("192.0.2.1", 8080)),
        (":8080", ("", 8080)),
        ("[::1]:8443", ("::1", 8443)),
        ("hub.example.com:0", ("hub.example.com", 0)),
    ],
)
def test_addresses_are_read(listen: str, address: tuple[str, int]):
    assert server.address(listen) == address


@pytest.mark.parametrize("listen", ["", "8080", "host:", "host:http", "host:65536", "host:-1"])
def test_no_addresses(listen: str):
    with pytest.raises(errors.InputError, match="no address"):
        server.address(listen)
