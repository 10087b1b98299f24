"""What people do by hand beside the gates: each act is a row of the book and a record, with its reason."""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

from fleet.audit import drafts
from fleet.hub import asking, state
from fleet.hub.desk import contents
from fleet.model import errors, findings, ledger, names, observed
from fleet.ports import store

Arguments = Mapping[str, Any]
Act = Callable[[state.Hub, Arguments, str], Awaitable[dict[str, Any]]]
_PERSON = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._+@/-]{0,127}")


async def quarantine(hub: state.Hub, arguments: Arguments, by: str) -> dict[str, Any]:
    environment, reason, by = _said(arguments, by, hub)
    content = await contents.resolve(environment, str(arguments.get("what", "")), hub)
    async with state.writing(hub):
        now = hub.clock.now()
        known = hub.ledger.quarantines.get((environment, content))
        row = observed.Quarantine(
            environment=environment,
            content=content,
            reason=reason,
            by=by,
            since=now,
            forms=known.forms if known and known.lifted is None else {},
        )
        record = drafts.quarantine(row, by=by, at=now)
        await state.write(hub, store.Write(records=(record,), rows=(row,)))
    hub.wake.set()
    return {"environment": environment, "content": content}


async def lift(hub: state.Hub, arguments: Arguments, by: str) -> dict[str, Any]:
    environment, reason, by = _said(arguments, by, hub)
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


async def rebaseline(hub: state.Hub, arguments: Arguments, by: str) -> dict[str, Any]:
    """Let the tip of a rewritten branch follow what is in force: lineage then tells it by its content."""
    environment, reason, by = _said(arguments, by, hub)
    commit = await contents.commit(str(arguments.get("commit", "")), hub)
    running = hub.ledger.in_force(environment)
    if running is None:
        raise errors.RefusedError(
            f"nothing was accepted in {environment} yet", hint="fleet hub baseline"
        )
    _check_tip(environment, commit, hub)
    if await hub.repository.is_ancestor(running.commit, commit):
        raise errors.RefusedError(
            f"{commit[:10]} descends from {running.commit[:10]}, which {environment} runs: "
            "there is nothing to let in"
        )
    async with state.writing(hub):
        _check_new(environment, commit, running, hub)
        row = observed.Rebaseline(
            environment=environment,
            commit=commit,
            base=running.commit,
            reason=reason,
            by=by,
            since=hub.clock.now(),
        )
        await state.write(hub, store.Write(records=(drafts.rebaseline(row),), rows=(row,)))
    hub.wake.set()
    return {"environment": environment, "commit": commit, "base": running.commit}


def _check_tip(environment: names.Environment, commit: names.CommitId, hub: state.Hub) -> None:
    road = hub.ledger.seal.road
    branch = road.branch(environment) if road else None
    tip = hub.tips.branches.get(branch) if hub.tips and branch else None
    if tip == commit:
        return
    hub.fetch_now = True
    hub.wake.set()
    raise errors.RefusedError(
        f"{commit[:10]} is not the tip of {environment}'s branch: "
        f"{f'that was {tip[:10]}' if tip else 'there was none'} when it was fetched last",
        hint="it is fetched again now: look at the tip, and say this of it",
    )


def _check_new(
    environment: names.Environment,
    commit: names.CommitId,
    running: ledger.Release,
    hub: state.Hub,
) -> None:
    """Asked with the turn to write: what was looked at before may have moved."""
    present = hub.ledger.in_force(environment)
    if present is None or present.commit != running.commit:
        raise errors.RefusedError(f"{environment} moved meanwhile", hint="say this again")
    before = hub.ledger.rebaselines.get(environment)
    if before is not None and (before.commit, before.base) == (commit, running.commit):
        raise errors.RefusedError(
            f"{commit[:10]} was let in already, by {before.by} at {before.since.isoformat()}: {before.reason}",
            hint=f"what it waits for: fleet explain {environment}",
        )


def _said(arguments: Arguments, peer: str, hub: state.Hub) -> tuple[names.Environment, str, str]:
    """Where, why and by whom: whoever is named is a claim, so the user that the kernel names stands beside it."""
    environment = asking.environment(str(arguments.get("environment", "")), hub)
    reason, named = asking.reason(str(arguments.get("reason", ""))), str(arguments.get("by", ""))
    if not named:
        return environment, reason, peer
    if not _PERSON.fullmatch(named):
        raise errors.InputError(f"{findings.escaped(named)!r} names nobody: --by NAME")
    return environment, reason, named if named == peer else f"{named} (as {peer})"


ACTS: Mapping[str, Act] = {"quarantine": quarantine, "lift": lift, "rebaseline": rebaseline}
