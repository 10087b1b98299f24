"""What an agent makes of the log that its hub shows: it goes on, was begun anew in the open, or is another one.

An agent keeps the newest checkpoint that it believed; whatever is shown later must begin with just those records.
A hub whose book was lost says so by a new epoch, which begins with a record of the recovery in the log itself.
"""

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from fleet.audit import chain, records, tree
from fleet.model import errors, json_values
from fleet.protocol import checkpoints, merkle


class Outcome(Enum):
    GOES_ON = "goes on"
    ANEW = "begun anew"  # by a recovery that the log itself records
    BACK = "rolled back"
    FORKED = "forked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """That a record is in a log: the record as it stands there, and the path from it to the root."""

    record: json_values.JsonObject = field(repr=False)
    path: tuple[bytes, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What a hub shows of its log to whoever named an older checkpoint, "" = none."""

    checkpoint: str  # a signed note
    proof: tuple[bytes, ...] = ()  # of consistency with the checkpoint that was named
    began: Proof | None = None  # the recovery with which this epoch began


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    outcome: Outcome
    reason: str = ""

    @property
    def is_alarming(self) -> bool:
        return self.outcome in (Outcome.BACK, Outcome.FORKED)


def weigh(seen: str, shown: Shown, hub_key: str) -> Found:
    """Raises errors.InputError or errors.RefusedError for what this hub did not sign: that proves nothing of it."""
    new = checkpoints.read(shown.checkpoint, hub_key)
    if not seen:
        return Found(outcome=Outcome.GOES_ON)
    old = checkpoints.read(seen, hub_key)
    if new.epoch < old.epoch or (new.epoch == old.epoch and new.size < old.size):
        return Found(outcome=Outcome.BACK, reason=f"the hub's log went back from {old} to {new}")
    if new.epoch > old.epoch and not _is_recovered(new, shown.began):
        return _unrecovered(new)
    if extends(old, new, shown.proof):
        return Found(outcome=Outcome.GOES_ON)
    if new.epoch > old.epoch:
        return Found(
            outcome=Outcome.ANEW, reason=f"the log was recovered: {old} gave way to {new}"
        )
    return Found(
        outcome=Outcome.FORKED,
        reason=f"two histories: {new} is not shown to go on from {old}",
    )


def extends(
    old: checkpoints.Checkpoint, new: checkpoints.Checkpoint, proof: Sequence[bytes]
) -> bool:
    return merkle.extends(
        old=old.size, old_root=old.root, new=new.size, new_root=new.root, proof=proof
    )


def _unrecovered(new: checkpoints.Checkpoint) -> Found:
    reason = f"epoch {new.epoch} of the hub's log shows no recovery that it began with"
    return Found(outcome=Outcome.FORKED, reason=reason)


def compare(
    one: checkpoints.Checkpoint,
    other: checkpoints.Checkpoint,
    proof: Sequence[bytes] | None,
    began: Proof | None = None,
) -> Found | None:
    """What two witnesses saw, held against each other; None = the two alone cannot tell, `proof` is needed.

    Of two epochs `began` shows the recovery with which the later one began.
    """
    old, new = sorted((one, other), key=lambda each: (each.epoch, each.size))
    if old.epoch == new.epoch and old.size == new.size:
        proof = ()
    if proof is None:
        return None
    if old.epoch < new.epoch and not _is_recovered(new, began):
        return _unrecovered(new)
    if extends(old, new, proof):
        return Found(outcome=Outcome.GOES_ON)
    if old.epoch < new.epoch:
        return Found(outcome=Outcome.ANEW, reason=f"recovered since: {old} gave way to {new}")
    return Found(outcome=Outcome.FORKED, reason=f"two histories: {new} does not go on from {old}")


def is_in(found: checkpoints.Checkpoint, proof: Proof) -> bool:
    """Whether the record is what its hash says, and stands in that log at its index."""
    index, claimed = proof.record.get("index"), proof.record.get("hash")
    if type(index) is not int or claimed != chain.hash_of_json(proof.record):
        return False
    hashed = tree.leaf(claimed)
    return merkle.includes(
        hashed, index=index, leaves=found.size, proof=proof.path, root=found.root
    )


def _is_recovered(new: checkpoints.Checkpoint, began: Proof | None) -> bool:
    if began is None or began.record.get("kind") != records.Kind.RECOVERY.value:
        return False
    body = began.record.get("body")
    says = body.get("epoch") if isinstance(body, Mapping) else None
    return says == new.epoch and is_in(new, began)


def encode(shown: Shown) -> json_values.JsonObject:
    began = shown.began
    return {
        "checkpoint": shown.checkpoint,
        "proof": as_texts(shown.proof),
        "began": proof_as_json(began) if began else None,
    }


def proof_as_json(proof: Proof) -> json_values.JsonObject:
    return {"record": proof.record, "path": as_texts(proof.path)}


def decode(document: object) -> Shown:
    """Fields that a newer hub adds say nothing here. Raises errors.InputError for what is none."""
    match document:
        case {"checkpoint": str(note), "proof": list(proof), "began": began}:
            return Shown(
                checkpoint=note,
                proof=as_nodes(proof),
                began=None if began is None else decode_proof(began),
            )
        case _:
            raise errors.InputError("this shows no log")


def decode_proof(document: object) -> Proof:
    match document:
        case {"record": dict(record), "path": list(path)}:
            return Proof(record=record, path=as_nodes(path))
        case _:
            raise errors.InputError("this is no proof of a record")


def as_texts(nodes: Sequence[bytes]) -> list[str]:
    return [base64.b64encode(each).decode("ascii") for each in nodes]


def as_nodes(texts: Sequence[Any]) -> tuple[bytes, ...]:
    try:
        found = tuple(base64.b64decode(each, validate=True) for each in texts)
    except (binascii.Error, ValueError, TypeError) as error:
        raise errors.InputError("a proof is a list of hashes in base64") from error
    if len(found) > 128 or any(len(each) != 32 for each in found):
        raise errors.InputError("a proof is a list of at most 128 hashes of 32 bytes")
    return found
