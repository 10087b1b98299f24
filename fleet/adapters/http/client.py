"""The agent's line to its hub: envelopes out, bytes in. Nothing that comes in is believed here, only bounded (77).

No redirects, no proxies of the environment, no packed bodies, no cookies: whoever answers in the hub's place can
waste a bounded amount of time and memory, and nothing else.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self, TypeVar

import aiohttp
import yarl

from fleet.adapters.http import limits, tls
from fleet.model import errors, json_values
from fleet.protocol import trusted

_ASKED = {"Accept-Encoding": "identity", "User-Agent": "fleet"}
_CONNECT = 10.0  # seconds
_SLACK = 15.0  # seconds that a poll may take longer than the hub may hold it
_NO = frozenset({400, 401, 403, 413})

_Word = TypeVar("_Word", str, int)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Question:
    path: str
    most: int  # bytes of an answer
    seconds: float  # in total
    nothing: int = 0  # the status that stands for None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Got:
    status: int
    body: bytes


class Link:
    """Implements ports.hub_link.HubLink; `wait` is the longest that a poll asks the hub to hold it."""

    def __init__(self, url: str, *, authorities: str = "", wait: float = 50.0) -> None:
        self._url = _url(url)
        self._authorities = authorities
        self._wait = wait
        self._open: aiohttp.ClientSession | None = None

    async def session(self) -> str:
        question = _Question(path="v1/session", most=4 * limits.KIB, seconds=30.0)
        return _word(await self._ask(question, None), "session", str)

    async def poll(self, envelope: bytes) -> bytes | None:
        question = _Question(
            path="v1/poll",
            most=trusted.MAX_ENVELOPE,
            seconds=self._wait + _SLACK,
            nothing=304,
        )
        return await self._ask(question, envelope)

    async def fetch(self, envelope: bytes) -> bytes | None:
        question = _Question(path="v1/fetch", most=64 * limits.MIB, seconds=600.0, nothing=404)
        return await self._ask(question, envelope)

    async def report(self, envelope: bytes) -> int:
        question = _Question(path="v1/report", most=4 * limits.KIB, seconds=60.0)
        return _word(await self._ask(question, envelope), "reported", int)

    async def approve(self, signed: bytes) -> None:
        """Hand in what a person signed. Raises errors.RefusedError with the hub's words where it says no."""
        question = _Question(path="v1/approvals", most=4 * limits.KIB, seconds=60.0)
        got = await self._got(question, signed)
        if got.status in _NO:
            raise errors.RefusedError(f"the hub says: {_word(got.body, 'error', str)}")
        if got.status != 200:
            raise _refusal(got, self._url)

    async def close(self) -> None:
        if self._open is not None:
            await self._open.close()
            self._open = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def _ask(self, question: _Question, envelope: bytes | None) -> bytes | None:
        got = await self._got(question, envelope)
        if got.status == 200:
            return got.body
        if got.status == question.nothing:
            return None
        raise _refusal(got, self._url)

    async def _got(self, question: _Question, envelope: bytes | None) -> _Got:
        try:
            async with asyncio.timeout(question.seconds):
                return await self._exchange(question, envelope)
        except aiohttp.ClientConnectorCertificateError as error:
            raise errors.UnreachableError(
                f"{self._url} shows a certificate that is not trusted: {error.certificate_error}",
                hint="name the file with the hub's authority",
            ) from None
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            said = str(error) or "no answer in time"
            raise errors.UnreachableError(f"the hub at {self._url}: {said}") from None

    async def _exchange(self, question: _Question, envelope: bytes | None) -> _Got:
        method = "GET" if envelope is None else "POST"
        asked = self._session().request(
            method, self._url / question.path, data=envelope, allow_redirects=False
        )
        async with asked as response:
            return _Got(status=response.status, body=await _bounded(response, question.most))

    def _session(self) -> aiohttp.ClientSession:
        """Made at the first request, because it belongs to a running loop."""
        if self._open is None:
            context = tls.trusting(self._authorities) if self._url.scheme == "https" else True
            # Shorter than the hub keeps an idle connection, so that none is used which is just being closed.
            connector = aiohttp.TCPConnector(limit=4, keepalive_timeout=15.0, ssl=context)
            self._open = aiohttp.ClientSession(
                connector=connector,
                headers=_ASKED,
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                trust_env=False,
            )
        return self._open


async def _bounded(response: aiohttp.ClientResponse, most: int) -> bytes:
    if aiohttp.hdrs.CONTENT_ENCODING in response.headers:
        raise errors.UnreachableError("the hub's answer is packed, which nobody asked for")
    found = bytearray()
    too_large = (response.content_length or 0) > most
    while not too_large and (chunk := await response.content.readany()):
        found += chunk
        too_large = len(found) > most
    if too_large:
        response.close()  # not kept: the rest of it may have no end
        raise errors.UnreachableError(f"the hub's answer is larger than {most} bytes")
    return bytes(found)


def _url(url: str) -> yarl.URL:
    try:
        read = yarl.URL(url)
    except ValueError:
        read = yarl.URL()
    if read.scheme not in {"http", "https"} or not read.host or read.user or read.query_string:
        raise errors.InputError(
            f"{read.with_user(None) if read.host else url!r} is no address of a hub",
            hint="write it as https://hub.example.com:8443",
        )
    return read.with_fragment(None)


def _refusal(got: _Got, url: yarl.URL) -> errors.FleetError:
    if got.status == 401:
        return errors.RefusedError(
            "the hub says: unknown agent, or a replayed request",
            hint="a hub that was started again has a new session; is this Cluster document accepted?",
        )
    if got.status in _NO:
        return errors.RefusedError(f"the hub refused this request ({got.status})")
    hint = "" if got.status >= 429 else "is this the address of a hub?"
    return errors.UnreachableError(f"{url} answered with status {got.status}", hint=hint)


def _word(body: bytes | None, name: str, kind: type[_Word]) -> _Word:
    try:
        value = json_values.decode(body or b"")
    except (ValueError, RecursionError):
        value = None
    word = value.get(name) if isinstance(value, Mapping) else None
    if type(word) is not kind:
        raise errors.UnreachableError(f"the hub's answer does not say {name!r}")
    return word
