"""The line between an agent and its hub: straight onto ports.answers; statuses mean what they mean over HTTP."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

from fleet.model import errors, json_values
from fleet.ports import answers
from fleet.simulation import faults

Question: TypeAlias = Callable[[answers.Answers], Awaitable[answers.Reply]]
_NO = frozenset({400, 401, 403, 413})


class Hub(Protocol):
    """Whoever serves the hub's address."""

    async def serve(self, question: Question) -> answers.Reply:
        """Raises errors.UnreachableError when nobody serves there, or who served ended meanwhile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One request with its answer, as anyone on the wire has seen them."""

    what: str
    sent: bytes = field(repr=False)
    reply: answers.Reply


@dataclass(slots=True, kw_only=True)
class Wire:
    """One agent's way to the hub. `hub` may be exchanged for one that lies; `on_exchange` listens."""

    hub: Hub
    is_cut: bool = False
    on_exchange: Callable[[Exchange], None] = lambda _: None

    async def ask(self, what: str, sent: bytes) -> answers.Reply:
        self._check()
        reply = await self.hub.serve(_QUESTIONS[what](sent))
        self._check()
        self.on_exchange(Exchange(what=what, sent=sent, reply=reply))
        return reply

    def _check(self) -> None:
        if self.is_cut:
            raise errors.UnreachableError("the hub does not answer")


class Link:
    """Implements ports.hub_link.HubLink for one life of an agent."""

    def __init__(self, wire: Wire, process: faults.Process) -> None:
        self._wire, self._process = wire, process

    async def session(self) -> str:
        body = await self._ask("session", b"", nothing=0)
        return str(json_values.decode(body or b"")["session"])

    async def poll(self, envelope: bytes) -> bytes | None:
        return await self._ask("poll", envelope, nothing=304)

    async def fetch(self, envelope: bytes) -> bytes | None:
        return await self._ask("fetch", envelope, nothing=404)

    async def report(self, envelope: bytes) -> int:
        body = await self._ask("report", envelope, nothing=0)
        return int(json_values.decode(body or b"")["reported"])

    async def witness(self, envelope: bytes) -> bytes | None:
        return await self._ask("witness", envelope, nothing=304)

    async def _ask(self, what: str, sent: bytes, *, nothing: int) -> bytes | None:
        async with self._process.call(f"link.{what}"):
            reply = await self._wire.ask(what, sent)
        if reply.status == 200:
            return reply.body
        if reply.status == nothing:
            return None
        if reply.status in _NO:
            raise errors.RefusedError(f"the hub refused this request ({reply.status})")
        raise errors.UnreachableError(f"the hub answered with status {reply.status}")


_QUESTIONS: dict[str, Callable[[bytes], Question]] = {
    "session": lambda _: lambda hub: hub.session(),
    "poll": lambda sent: lambda hub: hub.poll(sent),
    "fetch": lambda sent: lambda hub: hub.fetch(sent),
    "witness": lambda sent: lambda hub: hub.witness(sent),
    "report": lambda sent: lambda hub: hub.report(sent),
}
