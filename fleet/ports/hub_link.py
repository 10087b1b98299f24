"""The hub as an agent sees it. Every request is an envelope signed with the agent's key."""

from typing import Protocol


class HubLink(Protocol):
    """Raises errors.UnreachableError when there is no answer, errors.RefusedError when the hub says no."""

    async def poll(self, envelope: bytes) -> bytes | None:
        """The dispatch envelope, or None when nothing is new."""

    async def fetch(self, envelope: bytes) -> bytes | None:
        """The slice's bytes (not trusted until hashed), or None: no such slice for this agent."""

    async def report(self, envelope: bytes) -> int:
        """The number of the last report that the hub holds, this one included."""

    async def witness(self, envelope: bytes) -> bytes | None:
        """How the audit log goes on, as JSON (not trusted until proved), or None: it is not shown now, or never."""

    async def session(self) -> str:
        """The hub's present session id, which each request repeats beside a counter so that none can be replayed."""
