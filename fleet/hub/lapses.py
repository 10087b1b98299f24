"""Waivers that end while nothing is committed: their findings come back in the audit; what runs keeps running.

A tip that is not accepted yet is decided anew each turn and needs none of this.
"""

from fleet.audit import drafts, violations
from fleet.hub import state
from fleet.model import names
from fleet.ports import store


async def note(environment: names.Environment, hub: state.Hub) -> None:
    """Write what came back since the last look."""
    if not violations.lapsed(hub.ledger.violations.values(), environment, hub.clock.now()):
        return
    async with state.writing(hub):
        now = hub.clock.now()
        came_back = violations.lapsed(hub.ledger.violations.values(), environment, now)
        if came_back:
            await state.write(
                hub,
                store.Write(records=drafts.violations(came_back, at=now), rows=came_back),
            )
