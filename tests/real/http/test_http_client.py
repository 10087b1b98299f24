"""The agent's line to its hub, against our own server and against ones that mean harm."""

import asyncio
import gzip
import re
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

import loopback
from fleet.adapters.http import client
from fleet.model import errors
from fleet.ports import answers

MIB = 1 << 20


@pytest.fixture
async def link(serve: loopback.Serve) -> AsyncIterator[client.Link]:
    async with client.Link(f"http://127.0.0.1:{await serve()}") as made:
        yield made


Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], object]


@asynccontextmanager
async def impostor(talk: Talk) -> AsyncIterator[str]:
    """A server that reads a request's head and then does as it likes."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            await talk(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    listening = await asyncio.start_server(answer, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    finally:
        listening.close()
        await asyncio.sleep(0.01)


def saying(*parts: bytes) -> Talk:
    async def talk(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for part in parts:
            writer.write(part)
            await writer.drain()

    return talk


async def test_each_question_takes_its_way_and_brings_its_answer(
    link: client.Link, desk: loopback.Desk
):
    assert await link.session() == "s"
    assert await link.report(b"report") == 7
    desk.reply = answers.Reply(status=200, body=b"bytes")
    assert await link.poll(b"poll") == b"bytes"
    assert await link.fetch(b"fetch") == b"bytes"
    assert [(name, body) for name, body, _ in desk.asked] == [
        ("session", b""),
        ("report", b"report"),
        ("poll", b"poll"),
        ("fetch", b"fetch"),
    ]


async def test_nothing_new_and_no_such_slice_are_none(link: client.Link, desk: loopback.Desk):
    desk.reply = answers.Reply(status=304)
    assert await link.poll(b"") is None
    desk.reply = answers.Reply(status=404, body=b'{"error":"no such slice"}')
    assert await link.fetch(b"") is None


async def test_an_empty_slice_is_not_none(link: client.Link, desk: loopback.Desk):
    desk.reply = answers.Reply(status=200, body=b"")
    assert await link.fetch(b"") == b""


@pytest.mark.threat(58)
async def test_an_unknown_agent_is_refused_with_a_hint(link: client.Link, desk: loopback.Desk):
    desk.reply = answers.Reply(status=401, body=b'{"error":"unknown"}')
    for asked in (link.poll, link.fetch, link.report):
        with pytest.raises(errors.RefusedError, match="unknown agent") as raised:
            await asked(b"{}")
        assert "session" in raised.value.hint


@pytest.mark.parametrize("status", [400, 403, 413])
async def test_a_no_of_the_hub_is_a_refusal(link: client.Link, desk: loopback.Desk, status: int):
    desk.reply = answers.Reply(status=status)
    with pytest.raises(errors.RefusedError, match=str(status)):
        await link.report(b"{}")


@pytest.mark.parametrize("status", [201, 204, 301, 302, 307, 404, 408, 429, 500, 502, 503, 504])
async def test_every_other_status_of_a_poll_is_no_answer(
    link: client.Link, desk: loopback.Desk, status: int
):
    desk.reply = answers.Reply(status=status)
    with pytest.raises(errors.UnreachableError, match=str(status)):
        await link.poll(b"{}")


@pytest.mark.parametrize("status", [404, 304])
async def test_absence_counts_only_where_it_is_an_answer(
    link: client.Link, desk: loopback.Desk, status: int
):
    desk.reply = answers.Reply(status=status)
    with pytest.raises(errors.UnreachableError):
        await link.report(b"{}")


async def test_no_hub_at_all_is_unreachable():
    async with client.Link("http://127.0.0.1:1") as link:
        with pytest.raises(errors.UnreachableError, match=re.escape("127.0.0.1:1")):
            await link.poll(b"{}")


async def test_a_connection_broken_off_is_unreachable():
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"
    for talk in (saying(), saying(head), saying(head, b"half"), saying(b"what is HTTP?\r\n\r\n")):
        async with impostor(talk) as url, client.Link(url) as link:
            with pytest.raises(errors.UnreachableError):
                await link.fetch(b"{}")


async def test_a_poll_waits_as_long_as_it_asked_for_and_a_little_longer(
    serve: loopback.Serve, desk: loopback.Desk, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(client, "_SLACK", 0.2)
    desk.held.clear()
    async with client.Link(f"http://127.0.0.1:{await serve()}", wait=0.3) as link:
        begun = time.monotonic()
        with pytest.raises(errors.UnreachableError, match="no answer in time"):
            await link.poll(b"{}")
        assert 0.4 < time.monotonic() - begun < 10
    desk.held.set()


@pytest.mark.parametrize(
    "body", [b"", b"nonsense", b"[]", b'{"reported":"7"}', b'{"reported":true}', b"[" * 2000]
)
async def test_a_malformed_answer_is_no_answer(
    link: client.Link, desk: loopback.Desk, body: bytes
):
    desk.reply = answers.Reply(status=200, body=body)
    with pytest.raises(errors.UnreachableError, match="reported"):
        await link.report(b"{}")


@pytest.mark.threat(77)
@pytest.mark.parametrize(
    ("question", "most"), [("session", 4096), ("report", 4096), ("poll", MIB), ("fetch", 64 * MIB)]
)
async def test_endless_answers_are_cut(question: str, most: int):
    sent = 0

    async def for_ever(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            writer.write(b"100000\r\n" + bytes(MIB) + b"\r\n")
            await writer.drain()
            sent += MIB

    async with impostor(for_ever) as url, client.Link(url) as link:
        asked = getattr(link, question)
        with pytest.raises(errors.UnreachableError, match=f"larger than {most} bytes"):
            await (asked() if question == "session" else asked(b"{}"))
    assert sent < most + 16 * MIB


@pytest.mark.threat(77)
async def test_an_answer_that_says_it_is_too_large_is_not_read():
    talk = saying(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n", b"x" * 1000)
    async with impostor(talk) as url, client.Link(url) as link:
        with pytest.raises(errors.UnreachableError, match="larger"):
            await link.poll(b"{}")


@pytest.mark.threat(77)
async def test_an_answer_that_dribbles_has_an_end(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(client, "_SLACK", 0.3)

    async def dribble(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.01)

    async with impostor(dribble) as url, client.Link(url, wait=0) as link:
        with pytest.raises(errors.UnreachableError, match="no answer in time"):
            await link.poll(b"{}")


@pytest.mark.threat(77)
async def test_endless_headers_are_cut():
    async def for_ever(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n")
        while True:
            writer.write(
                b"X-Header: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n" * 999
            )
            await writer.drain()

    async with impostor(for_ever) as url, client.Link(url) as link:
        with pytest.raises(errors.UnreachableError):
            await link.poll(b"{}")


@pytest.mark.threat(77)
async def test_packed_answers_are_not_opened():
    bomb = gzip.compress(bytes(8 * MIB))
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(bomb)
    async with impostor(saying(head, bomb)) as url, client.Link(url) as link:
        with pytest.raises(errors.UnreachableError, match="packed"):
            await link.fetch(b"{}")


@pytest.mark.threat(75)
async def test_redirects_are_not_followed(serve: loopback.Serve, desk: loopback.Desk):
    elsewhere = f"http://127.0.0.1:{await serve()}/v1/poll"
    for status in (b"301 Moved", b"302 Found", b"307 Again", b"308 Moved"):
        talk = saying(
            b"HTTP/1.1 %s\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n"
            % (status, elsewhere.encode())
        )
        async with impostor(talk) as url, client.Link(url) as link:
            with pytest.raises(errors.UnreachableError, match="status 30"):
                await link.poll(b"{}")
    assert desk.asked == []


async def test_proxies_of_the_environment_are_not_asked(
    serve: loopback.Serve, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    async with client.Link(f"http://127.0.0.1:{await serve()}") as link:
        assert await link.session() == "s"


async def test_a_hub_behind_a_path_is_found(serve: loopback.Serve, desk: loopback.Desk):
    async with client.Link(f"http://127.0.0.1:{await serve()}/behind/") as link:
        with pytest.raises(errors.UnreachableError, match="404") as raised:
            await link.session()
    assert "address" in raised.value.hint
    assert desk.asked == []


@pytest.mark.parametrize(
    "url",
    ["", "hub", "hub:80", "ftp://hub", "http://", "http://hub?x=1", "http://h:x", "file:///x"],
)
def test_no_addresses_of_a_hub(url: str):
    with pytest.raises(errors.InputError, match="no address"):
        client.Link(url)


def test_a_password_in_the_address_is_refused_and_not_repeated():
    with pytest.raises(errors.InputError, match="no address") as raised:
        client.Link("https://someone:canary@hub")
    assert "canary" not in str(raised.value) + raised.value.hint


@pytest.mark.threat(107)
async def test_a_hub_that_knows_of_no_witnesses_is_none_and_no_fault(
    link: client.Link, desk: loopback.Desk
):
    """One of an earlier version says 404, one that holds 304; both serve all the same."""
    desk.reply = answers.Reply(status=200, body=b"shown")
    assert await link.witness(b"witness") == b"shown"
    assert desk.asked[-1][:2] == ("witness", b"witness")
    for status in (404, 304):
        desk.reply = answers.Reply(status=status)
        assert await link.witness(b"witness") is None
    desk.reply = answers.Reply(status=401)
    with pytest.raises(errors.RefusedError):
        await link.witness(b"witness")


@pytest.mark.threat(77)
async def test_a_log_that_is_shown_without_end_is_cut():
    body = b"x" * (1 << 17)
    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body)
    async with impostor(saying(head, body)) as url, client.Link(url) as link:
        with pytest.raises(errors.UnreachableError, match="larger than"):
            await link.witness(b"witness")
