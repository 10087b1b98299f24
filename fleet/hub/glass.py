"""From what people sign to pass closed windows to rows of the book; whose word counts, the trust file in force says."""

from collections.abc import Iterable
from datetime import timedelta

from fleet.audit import drafts
from fleet.gate import glass
from fleet.hub import asking, inforce, state
from fleet.model import approving, errors, findings, gating, names, observed
from fleet.ports import store
from fleet.protocol import approvals, sshwire, trustchain

_AHEAD = timedelta(minutes=5)  # that the clock of whoever signed may be


async def receive(signed: approving.Signed, hub: state.Hub) -> observed.BreakGlass:
    """Into the book. Raises errors.RefusedError for whoever may not, or what goes on for too long."""
    key, said = approvals.broken(signed)
    environment = asking.environment(said.environment, hub)
    asked = await _asked(environment, hub)
    person = _person(key, asked.group, environment, hub)
    reason = asking.reason(said.reason)
    async with state.writing(hub):
        now = hub.clock.now()
        last = hub.ledger.broken_glass.get((environment, person))
        if said.at > now + _AHEAD or (last is not None and said.at <= last.at):
            raise errors.RefusedError(
                f"{person} said something newer already, or the clock is off"
            )
        if not now < said.until <= now + asked.longest:
            raise errors.RefusedError(
                f"the end lies within {asked.longest} from now; {said.until.isoformat()} does not"
            )
        row = observed.BreakGlass(
            environment=environment,
            by=person,
            count=asked.count,
            reason=reason,
            at=said.at,
            since=now,
            until=said.until,
        )
        record = drafts.break_glass(row, signed, at=now)
        await state.write(hub, store.Write(records=(record,), rows=(row,)))
    hub.wake.set()
    return row


def broken(environment: names.Environment, hub: state.Hub) -> glass.Broken | None:
    return glass.broken(said(environment, hub), hub.clock.now())


def said(environment: names.Environment, hub: state.Hub) -> Iterable[observed.BreakGlass]:
    return (each for each in hub.ledger.broken_glass.values() if each.environment == environment)


async def _asked(environment: names.Environment, hub: state.Hub) -> gating.BreakGlass:
    spec = await inforce.spec(environment, hub)
    if spec is None or spec.gates.break_glass is None:
        raise errors.RefusedError(
            f"{environment} declares no breakGlass, so its windows hold for everybody",
            hint="it is declared under gates in fleet.yaml, and counts once that is accepted",
        )
    return spec.gates.break_glass


def _person(key: str, group: str, environment: names.Environment, hub: state.Hub) -> str:
    release = hub.ledger.in_force(environment)
    links, _ = trustchain.examine(release.trust if release else (), environment)
    known = approvals.members(links[-1].spec, group) if links else {}
    if key not in known:
        raise errors.RefusedError(
            f"{sshwire.fingerprint(key)} is the key of nobody in {findings.escaped(group)}"
            f" of {environment}'s trust file in force",
            hint=f"fleet trust show {environment}",
        )
    return known[key]
