"""Range queries to Prometheus' HTTP API. Nothing that comes back is believed, only bounded (threats 75, 77).

No redirects, no proxies of the environment, no packed bodies, no cookies: an address answers by itself or not at all.
"""

import asyncio
import json
from typing import Any

import aiohttp
import yarl

from fleet.adapters.http import limits
from fleet.model import errors
from fleet.ports import metrics

_SECONDS = 10.0  # for a whole answer
_MOST = 4 * limits.MIB
_ASKED = {"Accept-Encoding": "identity", "Accept": "application/json", "User-Agent": "fleet"}


def checked(url: str) -> str:
    """As settings compare it. Raises errors.InputError for what is no address of a server."""
    try:
        found = yarl.URL(url)
    except ValueError:
        found = yarl.URL()
    if found.scheme not in ("http", "https") or not found.host or found.query_string or found.user:
        raise errors.InputError(f"--metrics-url {url} is no http:// or https:// address")
    return url.rstrip("/")


class Prometheus:
    """Implements ports.metrics.Metrics."""

    def __init__(self, *, seconds: float = _SECONDS) -> None:
        self._seconds = seconds
        self._open: aiohttp.ClientSession | None = None

    async def values(self, asked: metrics.Range) -> tuple[float, ...]:
        body = await self._fetched(asked)
        try:
            return _values(json.loads(body))
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise errors.UnreachableError("its answer is not Prometheus'") from error

    async def close(self) -> None:
        if self._open is not None:
            await self._open.close()
            self._open = None

    async def _fetched(self, asked: metrics.Range) -> bytes:
        question = {
            "query": asked.query,
            "start": asked.start.isoformat(),
            "end": asked.end.isoformat(),
            "step": f"{asked.step.total_seconds():.0f}",
        }
        url = yarl.URL(checked(asked.url) + "/api/v1/query_range")
        try:
            async with asyncio.timeout(self._seconds):
                response = await self._session().get(url, params=question, allow_redirects=False)
                async with response:
                    return await _bounded(response)
        except (aiohttp.ClientError, TimeoutError, OSError):
            raise errors.UnreachableError("it does not answer, or not in time") from None

    def _session(self) -> aiohttp.ClientSession:
        """Made at the first request, because it belongs to a running loop."""
        if self._open is None:
            self._open = aiohttp.ClientSession(
                headers=_ASKED,
                cookie_jar=aiohttp.DummyCookieJar(),
                trust_env=False,
                auto_decompress=False,
            )
        return self._open


async def _bounded(response: aiohttp.ClientResponse) -> bytes:
    if response.status != 200:
        raise errors.UnreachableError(f"it answers {response.status}")
    found = bytearray()
    async for chunk in response.content.iter_any():
        found += chunk
        if len(found) > _MOST:
            raise errors.UnreachableError("its answer is too large")
    return bytes(found)


def _values(document: Any) -> tuple[float, ...]:
    data = document["data"]
    if document["status"] != "success" or data["resultType"] != "matrix":
        raise ValueError("no range of values")
    return tuple(float(text) for series in data["result"] for _, text in series["values"])
