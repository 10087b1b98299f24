"""What people sign on their own machines and hand in: each kind of it has its own place in the book."""

from fleet.hub import consents, glass, state
from fleet.model import approving, ledger, observed
from fleet.protocol import approvals


async def take(signed: approving.Signed, hub: state.Hub) -> ledger.Approval | observed.BreakGlass:
    """Its row. Raises errors.RefusedError for what nobody signed whose word counts."""
    if approvals.breaks_glass(signed):
        return await glass.receive(signed, hub)
    return await consents.receive(signed, hub)
