"""Moments at which the clock alone is a reason to look again."""

from datetime import datetime

from fleet.hub import state


def following(hub: state.Hub) -> datetime | None:
    """The next one of all that wait."""
    now = hub.clock.now()
    untils = [
        gate.until
        for here in hub.ledger.environments.values()
        if here.decision is not None
        for gate in here.decision.gates
    ]
    return min((each for each in untils if each is not None and each > now), default=None)


def seconds(hub: state.Hub) -> float:
    """Until then; infinity where there is none."""
    found = following(hub)
    return (found - hub.clock.now()).total_seconds() if found else float("inf")
