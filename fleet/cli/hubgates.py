"""A preview with what a hub says of it, where one can be asked: of promotions, which it knows by their content."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from fleet.cli import previewing, wiring
from fleet.gate import demands
from fleet.hub import previews
from fleet.model import errors, ledger

_UNKNOWN = "it knows what can be promoted, no branches off it"
_ODD = "the hub was asked, and what it says is not understood: is it of this version?"


async def told(found: previews.Preview, state: Path | None) -> previewing.Told:
    """A hub that cannot be reached, or that says something odd, is named; nothing is made of it."""
    demanded, notes = found.demands, []
    if state is not None and not found.conflicts:
        try:
            demanded = tuple(_joined(demanded, await _answers(found, state)))
        except errors.FleetError as error:
            notes.append(f"the hub was not asked: {error}")
        except (KeyError, TypeError, ValueError):
            notes.append(_ODD)
    return previewing.Told(preview=found, demands=demanded, assumed=(*found.assumed, *notes))


async def _answers(found: previews.Preview, state: Path) -> list[ledger.GateResult]:
    if found.asked.source is None or found.asked.head is not None:
        raise errors.InputError(_UNKNOWN)
    from fleet.adapters.http import admin  # its HTTP takes longer to load than a preview

    arguments = {"environment": found.asked.target, "commit": found.asked.commit}
    said = await admin.ask(wiring.StateFolder(root=state).socket, "explain", arguments)
    return [_answer(each) for each in said["gates"]]


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
