"""Commands over the Unix socket: only its owner may, and errors arrive as what they were."""

import asyncio
import contextlib
import os
import pwd
import socket
import stat
from pathlib import Path
from typing import Any, Never

import pytest

from fleet.adapters.http import admin
from fleet.model import errors


@pytest.fixture
def path(tmp_path_factory: pytest.TempPathFactory):
    return tmp_path_factory.mktemp("s") / "hub.sock"


async def echo(command: str, arguments: admin.Arguments, _: str):
    return {"command": command, "arguments": dict(arguments)}


async def test_a_command_brings_its_answer(path: Path):
    async with admin.serve(path, echo):
        answer = await admin.ask(path, "audit show", {"id": "7", "deep": {"list": [1, None]}})
    assert answer == {
        "command": "audit show",
        "arguments": {"id": "7", "deep": {"list": [1, None]}},
    }


async def test_the_hub_is_told_who_asks_by_the_system_not_by_the_caller(path: Path):
    async def who(_: str, __: admin.Arguments, by: str) -> dict[str, Any]:
        return {"by": by}

    async with admin.serve(path, who):
        answer = await admin.ask(path, "rollout pause", {"by": "somebody-else"})
    assert answer == {"by": pwd.getpwuid(os.getuid()).pw_name}


async def test_only_the_owner_may_open_it_and_it_goes_with_the_hub(path: Path):
    async with admin.serve(path, echo):
        mode = path.stat().st_mode
        assert stat.S_ISSOCK(mode)
        assert stat.S_IMODE(mode) == 0o600
        assert [each.name for each in path.parent.iterdir()] == ["hub.sock"]
    assert list(path.parent.iterdir()) == []


@pytest.mark.parametrize(
    "kind",
    [errors.InputError, errors.RefusedError, errors.UnreachableError, errors.BrokenError],
)
async def test_errors_arrive_as_what_they_were(path: Path, kind: type[errors.FleetError]):
    async def fail(_: str, __: admin.Arguments, ___: str) -> Never:
        raise kind("what is wrong", hint="what to do")

    async with admin.serve(path, fail):
        with pytest.raises(kind, match="what is wrong") as raised:
            await admin.ask(path, "status", {})
    assert type(raised.value) is kind
    assert raised.value.hint == "what to do"


@pytest.mark.parametrize("fault", [KeyError("canary"), TypeError("canary")])
async def test_a_fault_of_the_hub_is_logged_not_told(
    path: Path, caplog: pytest.LogCaptureFixture, fault: Exception
):
    async def fail(_: str, __: admin.Arguments, ___: str) -> Never:
        raise fault

    async with admin.serve(path, fail):
        with pytest.raises(errors.BrokenError, match="the hub failed") as raised:
            await admin.ask(path, "status", {})
    assert "canary" not in str(raised.value)
    assert "canary" in caplog.text


async def test_an_answer_that_is_no_json_is_a_fault(path: Path):
    async def answer(_: str, __: admin.Arguments, ___: str) -> dict[str, Any]:
        return {"set": {1, 2}}

    async with admin.serve(path, answer):
        with pytest.raises(errors.BrokenError):
            await admin.ask(path, "status", {})


def post(body: bytes) -> bytes:
    return b"POST /command HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n%s" % (
        len(body),
        body,
    )


@pytest.mark.parametrize(
    "request_",
    [
        b"GET /command HTTP/1.1\r\nHost: h\r\n\r\n",
        b"POST /other HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n{}",
        post(b"{}"),
        post(b"{"),
        post(b'{"command":"x","arguments":[]}'),
        post(b'{"command":"x","arguments":{},"other":{}}'),
    ],
    ids=["GET", "elsewhere", "empty", "no JSON", "a list", "more"],
)
async def test_malformed_commands_are_400(path: Path, request_: bytes):
    asked = []

    async def answer(command: str, _: admin.Arguments, __: str) -> dict[str, Any]:
        asked.append(command)
        return {}

    async with admin.serve(path, answer):
        reader, writer = await asyncio.open_unix_connection(str(path))
        writer.write(request_)
        line = await reader.readline()
        writer.close()
        await writer.wait_closed()
    assert line.split()[1] == b"400"
    assert asked == []


async def test_a_stale_file_is_replaced(path: Path):
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    async with admin.serve(path, echo):
        assert (await admin.ask(path, "status", {}))["command"] == "status"


async def test_a_second_hub_is_refused_and_the_first_goes_on(path: Path):
    async with admin.serve(path, echo):
        with pytest.raises(errors.RefusedError, match="another hub"):
            async with admin.serve(path, echo):
                pass
        assert await admin.ask(path, "status", {})


@pytest.mark.parametrize("stale", [False, True])
async def test_no_hub_is_told_with_what_to_do(path: Path, stale: bool):
    if stale:
        with socket.socket(socket.AF_UNIX) as dead:
            dead.bind(str(path))
    with pytest.raises(errors.UnreachableError, match="no hub answers") as raised:
        await admin.ask(path, "status", {})
    assert "fleet hub --repo" in raised.value.hint


async def test_a_hub_that_does_not_answer_in_time_is_unreachable(path: Path):
    forever = asyncio.Event()

    async def wait(_: str, __: admin.Arguments, ___: str) -> dict[str, Any]:
        await forever.wait()
        return {}

    async with admin.serve(path, wait):
        with pytest.raises(errors.UnreachableError, match="in time"):
            await admin.ask(path, "status", {}, seconds=0.1)
        forever.set()


async def test_a_command_is_carried_through_when_whoever_asked_has_gone(path: Path):
    begun, done = asyncio.Event(), asyncio.Event()

    async def slow(_: str, __: admin.Arguments, ___: str) -> dict[str, Any]:
        begun.set()
        await asyncio.sleep(0.2)
        done.set()
        return {}

    async with admin.serve(path, slow):
        asking = asyncio.create_task(admin.ask(path, "baseline", {}))
        await begun.wait()
        asking.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asking
        async with asyncio.timeout(2):
            await done.wait()


async def test_a_socket_that_cannot_be_made_is_told_in_words(path: Path):
    for unusable in (path.parent / "absent" / "hub.sock", path.parent / ("x" * 120)):
        with pytest.raises(errors.InputError, match="cannot make the socket") as raised:
            async with admin.serve(unusable, echo):
                pass
        assert "--state" in raised.value.hint
