"""Agents as witnesses of the audit log: what they saw is held against the book, and they are shown how it goes on.

A checkpoint that this hub signed and that the book does not lead up to means that the book is an old copy (99): then
everything holds until someone recovers it, which begins a new epoch of the log, with a record that says so.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import TypeVar

from fleet.audit import chain, drafts, tree, witness
from fleet.audit.records import Kind, Record
from fleet.hub import holding, state
from fleet.model import errors, json_values, messages, names, observed
from fleet.ports import store
from fleet.protocol import checkpoints, requests

_KEPT_AFTER = timedelta(minutes=10)  # between two cosignatures of one cluster that become durable
_LONGEST_ALARM = 1000  # letters
Result = TypeVar("Result")


async def show(asked: messages.Witness, hub: state.Hub) -> json_values.JsonObject | None:
    """How the log goes on from what the agent names; None while everything holds."""
    seen = _signed_here(asked.checkpoint, hub)
    if seen is not None and not await _leads_here(seen, hub):
        await _hold(asked.cluster, seen, hub)
    await _note_alarm(asked, hub)
    if seen is not None:
        await _keep(asked, seen, hub)
    if hub.ledger.seal.held:
        return None
    here, note = await checkpoint(hub)
    proof = await consistency(seen, here, hub)
    return witness.encode(
        witness.Shown(checkpoint=note, proof=proof, began=await _beginning(here, seen, hub))
    )


async def doubt(body: bytes, hub: state.Hub) -> None:
    """An unknown agent that saw a later log shows that the book has lost it."""
    seen = _signed_here(requests.checkpoint_unproved(body), hub)
    if seen is not None and not await _leads_here(seen, hub):
        await _hold(names.Cluster("an unknown agent"), seen, hub)


async def checkpoint(hub: state.Hub) -> tuple[checkpoints.Checkpoint, str]:
    """Of all that is durable, as a note. The same head is signed once."""
    async with state.writing(hub):
        await hub.book.confirm()  # by a ledger that is old, the epoch could be
        size, epoch = await length(hub), hub.ledger.seal.epoch
        last = hub.signed_head
        if last is None or (last[0].size, last[0].epoch) != (size, epoch):
            root = await _asked(lambda node: tree.root(size, node), hub.book)
            made = checkpoints.Checkpoint(epoch=epoch, size=size, root=root)
            last = hub.signed_head = made, checkpoints.sign(made, hub.key)
        return last


async def consistency(
    seen: checkpoints.Checkpoint | None, here: checkpoints.Checkpoint, hub: state.Hub
) -> tuple[bytes, ...]:
    """() too where there is none: of what is longer, or of another history, which no proof will fit."""
    if seen is None or seen.size > here.size:
        return ()
    return await _asked(lambda node: tree.consistency(seen.size, here.size, node), hub.book)


async def proved(record: Record, here: checkpoints.Checkpoint, book: store.Book) -> witness.Proof:
    path = await _asked(lambda node: tree.inclusion(record.index, here.size, node), book)
    return witness.Proof(record=chain.as_json(record), path=path)


async def length(hub: state.Hub) -> int:
    """Of the log, as it is durable. To be asked in one's turn to write."""
    if hub.head is None:
        hub.head = await hub.book.head()
    return hub.head.length


async def _leads_here(seen: checkpoints.Checkpoint, hub: state.Hub) -> bool:
    """Whether what was seen is a beginning of the book, or of an epoch that a recovery has ended."""
    if hub.signed_head is not None and seen == hub.signed_head[0]:
        return True
    async with state.writing(hub):
        epoch, size = hub.ledger.seal.epoch, await length(hub)
    if seen.epoch != epoch:
        return seen.epoch < epoch
    if seen.size > size:
        return False
    return seen.root == await _asked(lambda node: tree.root(seen.size, node), hub.book)


async def _hold(cluster: names.Cluster, seen: checkpoints.Checkpoint, hub: state.Hub) -> None:
    hub.shown[cluster] = seen
    told = f"{cluster} saw another audit log ({seen}): the book is an old copy, or lost"
    await holding.hold(cluster, told, hub)


async def _note_alarm(asked: messages.Witness, hub: state.Hub) -> None:
    """Shown as long as it is said, and recorded when it begins."""
    if not asked.alarm:
        hub.alarms.pop(asked.cluster, None)
        return
    is_new, now = asked.cluster not in hub.alarms, hub.clock.now()
    told = replace(asked, alarm=asked.alarm[:_LONGEST_ALARM])
    since = now if is_new else hub.alarms[asked.cluster][0]
    hub.alarms[asked.cluster] = since, told.alarm
    if is_new:
        async with state.writing(hub):
            await state.write(hub, store.Write(records=(drafts.alarm(told, at=now),)))


async def _keep(asked: messages.Witness, seen: checkpoints.Checkpoint, hub: state.Hub) -> None:
    """The agent's cosignature; durable from time to time only, since it may come with each poll."""
    public = hub.ledger.clusters[asked.cluster].public_key
    at = checkpoints.cosigned(
        asked.checkpoint,
        asked.cosignature,
        environment=asked.environment,
        cluster=asked.cluster,
        public=public,
    )
    if at is None:
        return
    row = observed.Cosigned(
        environment=asked.environment,
        cluster=asked.cluster,
        note=f"{asked.checkpoint}{asked.cosignature}\n",
        size=seen.size,
        epoch=seen.epoch,
        at=at,
    )
    hub.cosigned[asked.cluster] = row
    kept = hub.ledger.cosigned.get(asked.cluster)
    if kept is None or kept.epoch != row.epoch or abs(row.at - kept.at) >= _KEPT_AFTER:
        async with state.writing(hub):
            await state.write(hub, store.Write(rows=(row,)))


async def _beginning(
    here: checkpoints.Checkpoint, seen: checkpoints.Checkpoint | None, hub: state.Hub
) -> witness.Proof | None:
    """The record with which this epoch began, for whoever saw an earlier one."""
    if seen is None or seen.epoch == here.epoch:
        return None
    async for record in hub.book.records(hub.ledger.seal.began):
        return await proved(record, here, hub.book)
    return None


async def beginning(seen: checkpoints.Checkpoint, hub: state.Hub) -> witness.Proof | None:
    """The recovery with which a checkpoint's epoch began, as it stood in the log then."""
    async for record in hub.book.records():
        if record.index >= seen.size:
            break
        if record.kind is Kind.RECOVERY and record.body.get("epoch") == seen.epoch:
            return await proved(record, seen, hub.book)
    return None


def _signed_here(note: str, hub: state.Hub) -> checkpoints.Checkpoint | None:
    """What this hub signed once; None for anything else, which proves nothing."""
    try:
        return checkpoints.read(note, hub.key.public) if note else None
    except (errors.InputError, errors.RefusedError):
        return None


async def _asked(question: Callable[[tree.Node], Result], book: store.Book) -> Result:
    """The answer of fleet.audit.tree, from the nodes that it needs."""
    places = tree.wanted(question)
    nodes = await book.nodes(places) if places else {}
    return question(nodes.__getitem__)


def newest(hub: state.Hub) -> dict[names.Cluster, observed.Cosigned]:
    """Of each cluster the newest cosignature."""
    return {**hub.ledger.cosigned, **hub.cosigned}


def begun(hub: state.Hub, size: int) -> tuple[int, int]:
    """Epoch and first record of the log that a recovery begins now, after `size` records."""
    seen = [each.epoch for each in hub.shown.values()]
    return max([hub.ledger.seal.epoch, *seen]) + 1, size
