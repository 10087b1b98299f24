"""A standing watch: a list in pages, then changes line by line, from gap to gap."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from typing import Any, TypeAlias

import aiohttp

from fleet.model import errors, json_values
from fleet.ports import cluster

PAGE = 500
_LINE = 8 << 20  # bytes of the longest event
_TYPES = {
    "ADDED": cluster.EventType.CHANGED,
    "MODIFIED": cluster.EventType.CHANGED,
    "DELETED": cluster.EventType.GONE,
}
_METADATA = "application/json;as={};g=meta.k8s.io;v=v1"


HeadersOf: TypeAlias = Callable[[str], Awaitable[dict[str, str]]]  # by what is accepted


class Gap(Exception):  # noqa: N818 - no fault: the watch begins anew with a list
    """The version that was being watched from is too old."""


class Source:
    """One resource behind one selector."""

    def __init__(
        self,
        http: aiohttp.ClientSession,
        url: str,
        query: Mapping[str, str],
        headers: HeadersOf,
        *,
        metadata_only: bool,
    ) -> None:
        self._http, self._url, self._query, self._headers = http, url, query, headers
        self._metadata_only = metadata_only
        self._version = ""

    async def events(self) -> AsyncGenerator[cluster.Event, None]:
        """Without end; raises errors.UnreachableError when the API server cannot be asked."""
        while True:
            async for event in self._list():
                yield event
            yield cluster.Event(type=cluster.EventType.SYNCED)
            try:
                async for event in self._changes():
                    yield event
            except Gap:
                continue

    async def _list(self) -> AsyncIterator[cluster.Event]:
        page = ""
        while True:
            query = {**self._query, "limit": str(PAGE), **({"continue": page} if page else {})}
            document = await self._get(query)
            metadata = document.get("metadata") or {}
            head = {k: document.get(k, "") for k in ("apiVersion", "kind")}
            for item in document.get("items") or ():
                live = {**_named(head), **item}
                yield cluster.Event(type=cluster.EventType.LISTED, live=live)
            self._version = str(metadata.get("resourceVersion", ""))
            page = metadata.get("continue") or ""
            if not page:
                return

    async def _get(self, query: Mapping[str, str]) -> dict[str, Any]:
        headers = await self._headers(
            _METADATA.format("PartialObjectMetadataList") if self._metadata_only else ""
        )
        async with self._http.get(self._url, params=query, headers=headers) as response:
            body = await response.read()
            if response.status == 410:
                raise Gap
            if response.status != 200:
                raise errors.UnreachableError(f"list {self._url}: {response.status}")
            document: dict[str, Any] = json_values.decode(body)
            return document

    async def _changes(self) -> AsyncIterator[cluster.Event]:
        """Until a gap. A connection that ends is opened again from the newest version that was seen."""
        failures = 0
        while True:
            try:
                async for kind, live in self._stream():
                    failures = 0
                    metadata = live.get("metadata") or {}
                    self._version = str(metadata.get("resourceVersion", self._version))
                    if kind in _TYPES:
                        yield cluster.Event(type=_TYPES[kind], live=live)
            except (aiohttp.ClientError, TimeoutError) as error:
                failures += 1
                if failures > 5:
                    raise errors.UnreachableError(f"watch {self._url}: {error}") from error
                await asyncio.sleep(min(0.2 * 2**failures, 5.0))

    async def _stream(self) -> AsyncIterator[tuple[str, dict[str, Any]]]:
        query = {
            **self._query,
            "watch": "1",
            "allowWatchBookmarks": "true",
            "resourceVersion": self._version,
        }
        headers = await self._headers(
            _METADATA.format("PartialObjectMetadata") if self._metadata_only else ""
        )
        patience = aiohttp.ClientTimeout(total=None, sock_read=None, sock_connect=10)
        async with self._http.get(
            self._url, params=query, headers=headers, timeout=patience, read_bufsize=1 << 16
        ) as response:
            if response.status == 410:
                raise Gap
            if response.status != 200:
                raise errors.UnreachableError(f"watch {self._url}: {response.status}")
            async for line in _lines(response.content):
                event = json_values.decode(line)
                if event["type"] == "ERROR":
                    if event["object"].get("code") == 410:
                        raise Gap
                    raise errors.UnreachableError(f"watch: {event['object'].get('message')}")
                yield event["type"], event["object"]


async def _lines(stream: aiohttp.StreamReader) -> AsyncIterator[bytes]:
    held = bytearray()
    async for data in stream.iter_any():
        held += data
        if len(held) > _LINE:
            raise errors.UnreachableError("watch: an event without end")
        while (end := held.find(b"\n")) >= 0:
            line = bytes(held[:end])
            del held[: end + 1]
            if line:
                yield line


def _named(head: Mapping[str, str]) -> dict[str, str]:
    """Items of a list leave out what the list says once."""
    kind = str(head["kind"])
    if kind in ("PartialObjectMetadataList", ""):
        return {}
    return {"apiVersion": str(head["apiVersion"]), "kind": kind.removesuffix("List")}
