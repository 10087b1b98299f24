"""People on the hub's machine: one command a request, over a Unix socket that only the hub's own user may open.

File rights are the whole of its access control, so the socket has them before anyone can connect.
"""

import asyncio
import logging
import pwd
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, TypeAlias

import aiohttp
from aiohttp import web

from fleet.model import errors, json_values

_log = logging.getLogger("fleet.admin")
_URL = "http://hub/command"  # the host means nothing on a Unix socket

Arguments: TypeAlias = Mapping[str, Any]
Answer: TypeAlias = Callable[[str, Arguments, str], Awaitable[dict[str, Any]]]  # and who asks

_KINDS: Mapping[str, tuple[type[errors.FleetError], int]] = {
    "input": (errors.InputError, 400),
    "refused": (errors.RefusedError, 409),
    "unreachable": (errors.UnreachableError, 503),
    "broken": (errors.BrokenError, 500),
}


@asynccontextmanager
async def serve(path: Path, answer: Answer) -> AsyncIterator[None]:
    """Serves while the block runs; a command that was begun is carried through.

    Raises errors.RefusedError when another hub serves there, errors.InputError when the socket cannot be made.
    """
    await _check_free(path)
    inner = web.Server(lambda request: _respond(request, answer), access_log=None)
    with _bound(path) as bound:
        listening = await asyncio.get_running_loop().create_unix_server(inner, sock=bound)
        _publish(path)
        try:
            yield
        finally:
            _withdraw(path)
            listening.close()
            inner.pre_shutdown()
            await inner.shutdown(10.0)


async def ask(
    path: Path, command: str, arguments: Arguments, *, seconds: float = 600.0
) -> dict[str, Any]:
    """The hub's answer. Raises what the hub raised, or errors.UnreachableError when none runs there."""
    sent = json_values.encode({"command": command, "arguments": dict(arguments)})
    try:
        async with asyncio.timeout(seconds):
            value = json_values.decode(await _exchange(path, sent))
    except aiohttp.ClientConnectorError as error:
        raise _unopened(path, error.os_error) from None
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
        said = str(error) or "no answer in time"
        raise errors.UnreachableError(f"the hub broke off: {said}") from None
    return _answered(value)


async def _check_free(path: Path) -> None:
    try:
        _, writer = await asyncio.open_unix_connection(str(path))
    except OSError:
        return
    writer.close()
    raise errors.RefusedError(
        f"another hub serves at {path}", hint="give each hub a --state folder of its own"
    )


@contextmanager
def _bound(path: Path) -> Iterator[socket.socket]:
    """Bound under another name and not listening yet, so nobody can connect before its rights are set."""
    fresh = _fresh(path)
    fresh.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as bound:
        try:
            bound.bind(str(fresh))
            fresh.chmod(0o600)
        except OSError as error:
            raise errors.InputError(
                f"cannot make the socket {path}: {error.strerror or error}",
                hint="the --state folder must be writable, and its path shorter than 100 characters",
            ) from None
        yield bound


def _fresh(path: Path) -> Path:
    return path.with_name(path.name + "~")


def _publish(path: Path) -> None:
    """In one step, which also replaces the file that a dead hub left."""
    _fresh(path).replace(path)


def _withdraw(path: Path) -> None:
    path.unlink(missing_ok=True)


async def _exchange(path: Path, sent: bytes) -> bytes:
    connector = aiohttp.UnixConnector(str(path))
    unbounded = aiohttp.ClientTimeout(total=None)
    async with (
        aiohttp.ClientSession(connector=connector, timeout=unbounded) as session,
        session.post(_URL, data=sent) as response,
    ):
        return await response.read()


async def _respond(request: web.BaseRequest, answer: Answer) -> web.StreamResponse:
    try:
        command, arguments = await _question(request)
        body = json_values.encode({"answer": await answer(command, arguments, _peer(request))})
    except errors.FleetError as error:
        return _refused(error)
    except Exception:  # noqa: BLE001 - a fault of ours is logged, and is no reason to stop serving
        _log.exception("a command failed")
        return _refused(errors.BrokenError("the hub failed at this", hint="its log says more"))
    return web.Response(body=body, content_type="application/json")


def _peer(request: web.BaseRequest) -> str:
    """The user of the system who asks, by the kernel's word; where it gives none, nobody in particular."""
    transport = request.transport
    found = transport.get_extra_info("socket") if transport else None
    if found is None or not hasattr(socket, "SO_PEERCRED"):
        return "someone"
    told = found.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    _, user, _ = struct.unpack("3i", told)
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return f"user {user}"


async def _question(request: web.BaseRequest) -> tuple[str, Arguments]:
    if (request.method, request.path) != ("POST", "/command"):
        raise errors.InputError("only POST /command is answered here")
    try:
        value = json_values.decode(await request.read())
    except (ValueError, RecursionError, web.HTTPRequestEntityTooLarge):
        value = None
    match value:
        case {"command": str(command), "arguments": dict(arguments), **rest} if not rest:
            return command, arguments
    raise errors.InputError("a command is {command, arguments} in JSON")


def _refused(error: errors.FleetError) -> web.Response:
    kind = next((word for word, (of, _) in _KINDS.items() if isinstance(error, of)), "broken")
    body = json_values.encode({"error": str(error), "hint": error.hint, "kind": kind})
    return web.Response(status=_KINDS[kind][1], body=body, content_type="application/json")


def _answered(value: object) -> dict[str, Any]:
    match value:
        case {"answer": dict(answer)}:
            return answer
        case {"error": str(message), "hint": str(hint), "kind": str(kind)} if kind in _KINDS:
            raise _KINDS[kind][0](message, hint=hint)
    raise errors.UnreachableError("what answers there is no hub")


def _unopened(path: Path, error: OSError) -> errors.FleetError:
    if isinstance(error, PermissionError):
        return errors.RefusedError(
            f"{path} belongs to someone else", hint="run this as the user who runs the hub"
        )
    return errors.UnreachableError(
        f"no hub answers at {path}",
        hint="is the hub running? start it with: fleet hub --repo URL --state DIR",
    )
