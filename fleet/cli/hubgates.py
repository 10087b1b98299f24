"""A preview with what a hub says of it, where one can be asked: of promotions, which it knows by their content."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from fleet.cli import previewing, wiring
from fleet.gate import demands
from fleet.local import offline, previews
from fleet.model import errors, ledger


async def told(found: previews.Preview, state: Path | None) -> previewing.Told:
    """A hub that cannot be reached, or that says something odd, is named; nothing is made of it."""
    alone = previewing.Told(preview=found, demands=found.demands, assumed=found.assumed)
    if state is None or found.conflicts:
        return alone
    try:
        return _beside(found, await _asked(found, state))
    except errors.FleetError as error:
        note = f"the hub was not asked: {error}"
    except (KeyError, TypeError, ValueError):
        note = "the hub was asked, and what it says is not understood: is it of this version?"
    return replace(alone, assumed=(*found.assumed, note))


async def _asked(found: previews.Preview, state: Path) -> Mapping[str, Any]:
    if found.asked.source is None or found.asked.head is not None:
        raise errors.InputError("it knows what can be promoted, no branches off it")
    from fleet.adapters.http import admin  # its HTTP takes longer to load than a preview

    arguments = {"environment": found.asked.target, "commit": found.asked.commit}
    return await admin.ask(wiring.StateFolder(root=state).socket, "explain", arguments)


def _beside(found: previews.Preview, said: Mapping[str, Any]) -> previewing.Told:
    """Of what is there already it names no gates, but says so."""
    answers = [_answer(each) for each in said["gates"]]
    others = tuple(each for each in found.assumed if each != offline.NO_BOOK)
    notes = () if answers else (f"the hub: {said['told']}",)
    return previewing.Told(
        preview=found, demands=tuple(_joined(found.demands, answers)), assumed=(*others, *notes)
    )


def _answer(said: Mapping[str, Any]) -> ledger.GateResult:
    until = said["until"]
    return ledger.GateResult(
        gate=str(said["gate"]),
        state=ledger.GateState(said["state"]),
        reason=str(said["reason"]),
        hint=str(said["hint"]),
        until=datetime.fromisoformat(until) if until else None,
    )


def _joined(
    asked: Iterable[demands.Demand], answers: Iterable[ledger.GateResult]
) -> Iterator[demands.Demand]:
    """What is asked of single waves the hub says when they are due; it may hold by gates that nobody declares."""
    said = {each.gate: each for each in answers}
    left = dict(said)
    for each in asked:
        is_said = not each.wave and each.gate in said
        yield replace(each, answer=said[each.gate]) if is_said else each
        left.pop(each.gate, None)
    for gate, answer in left.items():
        if answer.state is not ledger.GateState.OPEN:
            yield demands.Demand(gate=gate, words="", answer=answer)
