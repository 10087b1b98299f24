"""Statuses on their way into the book: exactly one (issuer, context, content) each, and never an older one again."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from fleet.audit import drafts
from fleet.hub import asking, state
from fleet.hub.desk import contents
from fleet.model import errors, findings, names, observed
from fleet.ports import store
from fleet.protocol import statements

_AHEAD = timedelta(minutes=5)  # that an issuer's clock may be
_MOST = 200  # issuers and contexts that speak of one content


async def hear(said: statements.Said, hub: state.Hub) -> observed.Status:
    """The row that counts from now on. Raises errors.RefusedError for what was said earlier than that."""
    environment = asking.environment(said.environment, hub) if said.environment else None
    content = await contents.resolve(environment or names.Environment(""), said.what, hub)
    async with state.writing(hub):
        now = hub.clock.now()
        if said.at > now + _AHEAD:
            raise errors.InputError("at lies in the future: set the clock that wrote it")
        known = hub.ledger.statuses.get(content, {})
        last = known.get((said.issuer, said.context))
        row = observed.Status(
            issuer=said.issuer,
            context=said.context,
            content=content,
            outcome=said.outcome,
            said=said.at,
            at=now,
        )
        if last is not None and said.at <= last.said:
            if (said.at, said.outcome) == (last.said, last.outcome):
                return last
            raise errors.RefusedError("a later status of this context is known already")
        if last is None and len(known) >= _MOST:
            raise errors.RefusedError(f"{_MOST} statuses of this content are known already")
        await state.write(hub, store.Write(records=(drafts.status(row, at=now),), rows=(row,)))
    hub.wake.set()
    return row


async def status_set(hub: state.Hub, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """By a person on the hub's machine, whose file rights stand for the signature."""
    written = {str(key): value for key, value in arguments.items() if value}
    written.setdefault("at", hub.clock.now().isoformat())
    row = await hear(statements.parse(written), hub)
    return {
        "issuer": findings.escaped(row.issuer),
        "context": findings.escaped(row.context),
        "content": row.content,
        "state": row.outcome.value,
    }
