"""What people do by hand beside the gates: each act is a row of the book and a record, with its reason."""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from fleet.audit import drafts
from fleet.hub import contents, inforce, state
from fleet.model import errors, findings, names, observed
from fleet.ports import store

Arguments = Mapping[str, Any]
_LONGEST_REASON = 1000
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


async def break_glass(hub: state.Hub, arguments: Arguments) -> dict[str, Any]:
    """Only where what is in force allows it, and for no longer than that says."""
    environment, reason, by = _said(arguments, hub)
    until = _moment(arguments.get("until"))
    spec = await inforce.spec(environment, hub)
    allowed = spec.gates.break_glass if spec else None
    if allowed is None:
        raise errors.RefusedError(
            f"{environment} declares no breakGlass, so its windows hold for everybody",
            hint="it is declared under gates in fleet.yaml, and counts once that is accepted",
        )
    async with state.writing(hub):
        now = hub.clock.now()
        if not now < until <= now + allowed.longest:
            raise errors.RefusedError(
                f"the end lies within {allowed.longest} from now; {until.isoformat()} does not"
            )
        row = observed.BreakGlass(
            environment=environment, reason=reason, by=by, since=now, until=until
        )
        record = drafts.break_glass(row, at=now)
        await state.write(hub, store.Write(records=(record,), rows=(row,)))
    hub.wake.set()
    return {"environment": environment, "until": until.isoformat()}


def _said(arguments: Arguments, hub: state.Hub) -> tuple[names.Environment, str, str]:
    """Where, why and by whom."""
    environment = known(str(arguments.get("environment", "")), hub)
    reason, by = str(arguments.get("reason", "")).strip(), str(arguments.get("by", ""))
    if not reason or len(reason) > _LONGEST_REASON:
        raise errors.InputError(f"say why, in at most {_LONGEST_REASON} letters: --reason WHY")
    if not _PERSON.fullmatch(by):
        raise errors.InputError(f"{findings.escaped(by)!r} names nobody: --by NAME")
    return environment, findings.escaped(reason), by


def known(environment: str, hub: state.Hub) -> names.Environment:
    road = hub.ledger.seal.road
    listed = [step.environment for step in road.steps] if road else []
    if environment not in listed:
        raise errors.InputError(
            f"the hub knows no environment {findings.escaped(environment)!r}: "
            f"{', '.join(listed) or 'none yet'}"
        )
    return names.Environment(environment)


def _moment(text: object) -> datetime:
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError:
        found = datetime.min  # noqa: DTZ901 - refused just below, like any other without a zone
    if found.tzinfo is None:
        raise errors.InputError("--until is a moment with its zone, as 2027-01-31T12:00:00Z")
    return found
