"""What people ask of the audit log itself: whether it holds, what proves a record, and who has seen it so far."""

from collections.abc import Mapping
from typing import Any

from fleet.audit import chain, passing, records, witness
from fleet.hub import state, witnesses
from fleet.model import errors, observed
from fleet.protocol import checkpoints

Arguments = Mapping[str, Any]


async def verify(hub: state.Hub, arguments: Arguments) -> dict[str, Any]:
    """The whole chain, and where a checkpoint is named, that the log still begins with just that."""
    note = str(arguments.get("checkpoint", ""))
    kept = checkpoints.read(note, hub.key.public) if note else None
    seen, epoch = passing.Passing(kept), hub.ledger.seal.epoch
    fault = None
    async for record in hub.book.records():
        fault = seen.step(record)
        if fault is not None:
            break
    return {
        "records": seen.head.length,
        "head": seen.head.hash if seen.head.length else "",
        "root": seen.root.hex(),
        "epoch": epoch,
        "fault": fault or seen.end(epoch) or "",
    }


async def prove(hub: state.Hub, arguments: Arguments) -> dict[str, Any]:
    """One record with all that shows it to be in the log, for whoever has the hub's public key."""
    record = await found(hub, arguments)
    here, note = await witnesses.checkpoint(hub)
    proof = await witnesses.proved(record, here, hub.book)
    return {"checkpoint": note, **witness.proof_as_json(proof)}


async def found(hub: state.Hub, arguments: Arguments) -> records.Record:
    wanted = chain.Wanted(word=str(arguments["id"]))
    if wanted.index is not None:
        async for record in hub.book.records(wanted.index):
            return record
    async for record in hub.book.records():
        if wanted.begins(record):
            return record
    raise errors.InputError(f"there is no record {wanted.word!r}")


async def show(hub: state.Hub, arguments: Arguments) -> dict[str, Any]:
    return chain.as_json(await found(hub, arguments))


async def listed(hub: state.Hub, _: Arguments) -> dict[str, Any]:
    """The present checkpoint, and the newest that each cluster's agent has cosigned."""
    here, note = await witnesses.checkpoint(hub)
    rows = witnesses.newest(hub)
    known = [each for each in hub.ledger.clusters.values() if not each.retired]
    return {
        "checkpoint": note,
        "epoch": here.epoch,
        "records": here.size,
        "root": here.root.hex(),
        "clusters": [
            {
                "cluster": each.cluster,
                "environment": each.environment,
                **_cosigned(rows.get(each.cluster)),
                "alarm": hub.alarms[each.cluster][1] if each.cluster in hub.alarms else "",
            }
            for each in sorted(known, key=lambda each: each.cluster)
        ],
    }


def _cosigned(row: observed.Cosigned | None) -> dict[str, Any]:
    if row is None:
        return {"epoch": 0, "records": 0, "at": None, "note": ""}
    return {
        "epoch": row.epoch,
        "records": row.size,
        "at": row.at.isoformat(),
        "note": row.note,
    }


async def consistency(hub: state.Hub, arguments: Arguments) -> dict[str, Any]:
    """What shows that the second of two checkpoints goes on from the first, if it does."""
    old, new = (checkpoints.read(str(arguments[each]), hub.key.public) for each in ("old", "new"))
    here, _ = await witnesses.checkpoint(hub)
    if new.size > here.size:
        raise errors.RefusedError(
            f"this log has {here.size} records, the newer of the two has more"
        )
    began = await witnesses.beginning(new, hub) if old.epoch < new.epoch else None
    return {
        "proof": witness.as_texts(await witnesses.consistency(old, new, hub)),
        "began": witness.proof_as_json(began) if began else None,
    }
