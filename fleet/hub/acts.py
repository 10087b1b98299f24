"""What people do by hand beside the gates: each act is a row of the book and a record, with its reason."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from fleet.audit import drafts
from fleet.hub import asking, contents, state
from fleet.model import errors, findings, names, observed
from fleet.ports import store

Arguments = Mapping[str, Any]
_PERSON = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._+@/-]{0,127}")


async def quarantine(hub: state.Hub, arguments: Arguments) -> dict[str, Any]:
    environment, reason, by = _said(arguments, hub)
    content = await contents.resolve(environment, str(arguments.get("what", "")), hub)
    async with state.writing(hub):
        now = hub.clock.now()
        row = observed.Quarantine(
            environment=environment, content=content, reason=reason, by=by, since=now
        )
        record = drafts.quarantine(row, by=by, at=now)
        await state.write(hub, store.Write(records=(record,), rows=(row,)))
    hub.wake.set()
    return {"environment": environment, "content": content}


async def lift(hub: state.Hub, arguments: Arguments) -> dict[str, Any]:
    environment, reason, by = _said(arguments, hub)
    content = await contents.resolve(environment, str(arguments.get("what", "")), hub)
    async with state.writing(hub):
        row = hub.ledger.quarantines.get((environment, content))
        if row is None or row.lifted is not None:
            raise errors.RefusedError(f"{content} is not quarantined in {environment}")
        now = hub.clock.now()
        lifted = replace(row, lifted=now)
        record = drafts.quarantine(replace(lifted, reason=reason), by=by, at=now)
        await state.write(hub, store.Write(records=(record,), rows=(lifted,)))
    hub.wake.set()
    return {"environment": environment, "content": content}


def _said(arguments: Arguments, hub: state.Hub) -> tuple[names.Environment, str, str]:
    """Where, why and by whom."""
    environment = asking.environment(str(arguments.get("environment", "")), hub)
    reason, by = asking.reason(str(arguments.get("reason", ""))), str(arguments.get("by", ""))
    if not _PERSON.fullmatch(by):
        raise errors.InputError(f"{findings.escaped(by)!r} names nobody: --by NAME")
    return environment, reason, by
