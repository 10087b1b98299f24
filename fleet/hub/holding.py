"""Everything holds: the book turned out to be an old copy, and says so until someone recovers it."""

from dataclasses import replace

from fleet.audit import drafts
from fleet.hub import state
from fleet.model import names
from fleet.ports import store


async def hold(cluster: names.Cluster, reason: str, hub: state.Hub) -> None:
    """By what this cluster has shown. The first reason is kept: it is recorded once."""
    async with state.writing(hub):
        if hub.ledger.seal.held:
            return
        draft = drafts.hold(subject=cluster, reason=reason, at=hub.clock.now())
        seal = replace(hub.ledger.seal, held=reason)
        await state.write(hub, store.Write(records=(draft,), rows=(seal,)))
