"""A standing watch: a list in pages, then changes line by line, from gap to gap.

It resumes where it was for as long as the API server remembers that place, and lists anew when it does not.
"""

import json
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from typing import Any

from fleet.adapters.kubernetes import answers, connection, requests
from fleet.model import errors, json_values
from fleet.ports import clock, cluster

_TRIES = 5  # in a row that bring nothing new
_SHORTEST, _LONGEST = 0.25, 10.0  # seconds between two of them
_PATIENCE = 60.0  # seconds, however long the API server would have us wait
_TYPES = {
    "ADDED": cluster.EventType.CHANGED,
    "MODIFIED": cluster.EventType.CHANGED,
    "DELETED": cluster.EventType.GONE,
}


class _Gap(Exception):  # noqa: N818 - no fault: what comes next is a list
    """What happened since the version that we know is no longer known."""


class _Later(Exception):  # noqa: N818 - ends in a pause
    def __init__(self, message: str, seconds: float = 0.0) -> None:
        super().__init__(message)
        self.seconds = seconds


class _Final(errors.UnreachableError):
    """Asking again would be answered the same."""


class Watch:
    def __init__(
        self,
        wire: connection.Connection,
        selection: requests.Selection,
        *,
        sleeps: clock.Clock,
        chance: Callable[[], float],
    ) -> None:
        self._wire, self._selection = wire, selection
        self._sleeps, self._chance = sleeps, chance
        self._version = ""
        self._failures = 0  # in a row

    async def events(self) -> AsyncGenerator[cluster.Event, None]:
        """Without end; raises errors.UnreachableError when trying again brings nothing."""
        while True:
            async with aclosing(self._listed()) as listed:
                async for event in listed:
                    yield event
            yield cluster.Event(type=cluster.EventType.SYNCED)
            async with aclosing(self._changes()) as changes:
                async for event in changes:
                    yield event

    async def _listed(self) -> AsyncGenerator[cluster.Event, None]:
        page = ""
        while True:
            found = await self._page(page)
            for item in found.get("items") or ():
                yield cluster.Event(type=cluster.EventType.LISTED, live=self._live(item))
            metadata = found.get("metadata") or {}
            self._version = str(metadata.get("resourceVersion") or "")
            page = str(metadata.get("continue") or "")
            if not page:
                return

    async def _page(self, page: str) -> Mapping[str, Any]:
        """A list torn between two pages is an error: what was told of it may be gone by now (threat 82)."""
        while True:
            reply = await self._wire.ask(requests.listing(self._selection, page=page))
            if reply.status == 200:
                return answers.decoded(reply)
            await self._pause(self._refusal(reply))

    async def _changes(self) -> AsyncGenerator[cluster.Event, None]:
        """Until a gap. A connection that ends is opened again from the newest version that was seen."""
        while True:
            ended: Exception = _Later("it ended")
            try:
                async with aclosing(self._stream()) as stream:
                    async for event in stream:
                        self._failures = 0
                        if event is not None:
                            yield event
            except (_Gap, _Later, errors.UnreachableError) as error:
                ended = error
            await self._pause(ended)
            if isinstance(ended, _Gap):
                return

    async def _stream(self) -> AsyncGenerator[cluster.Event | None, None]:
        """None for what only says that the watch is alive, and how far it is."""
        request = requests.watching(self._selection, version=self._version)
        async with self._wire.stream(request) as stream:
            if stream.status == 410:
                raise _Gap("the version is too old")
            if stream.status != 200:
                raise self._refusal(await stream.whole())
            async with aclosing(stream.lines()) as lines:
                async for line in lines:
                    yield self._event(line)

    def _event(self, line: bytes) -> cluster.Event | None:
        try:
            said = json.loads(line)
            kind, told = said["type"], said["object"]
            if kind == "ERROR":
                raise _error(told)
            self._version = told["metadata"]["resourceVersion"]
        except (ValueError, KeyError, TypeError, RecursionError):
            raise _Later("what it says is no event") from None
        if kind not in _TYPES:
            return None
        return cluster.Event(type=_TYPES[kind], live=self._live(told))

    def _live(self, told: Mapping[str, Any]) -> json_values.JsonObject:
        """Items of a list leave out their kind; metadata alone comes under a kind of its own, if at all."""
        resource = self._selection.resource
        version = f"{resource.group}/{resource.version}" if resource.group else resource.version
        head = {"apiVersion": version, "kind": resource.kind}
        if self._selection.metadata_only:
            return {**head, "metadata": told["metadata"]}
        return {**head, **told}

    def _refusal(self, reply: connection.Reply) -> Exception:
        answer = answers.of(reply, None)
        if answer.status is cluster.Status.LATER or reply.status == 401:  # a token may be renewed
            return _Later(answer.message, answer.retry_after)
        return self._end(answer.message)

    def _end(self, message: str) -> _Final:
        return _Final(f"{self._selection.resource.plural} cannot be watched: {message}")

    async def _pause(self, reason: Exception) -> None:
        """Before it is tried again; raises errors.UnreachableError instead when that is no use."""
        if isinstance(reason, _Final):
            raise reason
        self._failures += 1
        if self._failures > _TRIES:
            raise self._end(str(reason))
        pause = min(_LONGEST, _SHORTEST * 2**self._failures) * (0.5 + self._chance() / 2)
        asked = min(_PATIENCE, reason.seconds) if isinstance(reason, _Later) else 0.0
        await self._sleeps.sleep(max(asked, pause))


def _error(told: Mapping[str, Any]) -> Exception:
    message = str(told.get("message") or "")
    return _Gap(message) if told.get("code") == 410 else _Later(message)
