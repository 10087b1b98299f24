"""Everything that an agent believes, and every check before it does: one object without I/O, its clock an argument.

The order is the law (threats 60, 63, 65): size, signature on the bytes, strict form, mine, accepted, under the root,
newer, not expired. Nothing is changed by a dispatch that fails any of them.
"""

from dataclasses import dataclass
from datetime import datetime

from fleet.model import errors, json_values, leaving, messages, names, slices
from fleet.protocol import dsse, encoding, merkle

MAX_ENVELOPE = 1 << 20  # bytes
MAX_STEP = 1 << 20  # by which an era or a sequence may grow at once
_FAREWELLS = {slices.digest(slices.farewell(how)): how for how in leaving.OnRemoval}


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who this agent is, and which hub it was told to believe at enrolment."""

    cluster: names.Cluster
    environment: names.Environment
    uid: str
    hub_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A dispatch that passed every check, with its envelope to echo."""

    dispatch: messages.Dispatch
    envelope: json_values.JsonObject


def admit(data: bytes, identity: Identity, held: Held | None, now: datetime) -> Held:
    """The dispatch in these bytes as the one to hold from here on.

    Raises errors.RefusedError with the first check that failed. The very dispatch that is held comes back as it is.
    """
    if len(data) > MAX_ENVELOPE:
        raise errors.RefusedError("dispatch: too large")
    envelope = _envelope(data)
    dispatch = _dispatch(envelope, identity)
    _check_mine(dispatch, identity)
    _check_accepted(dispatch, identity, held, now)
    if held is not None and dispatch == held.dispatch:
        return held
    _check_newer(dispatch, held)
    if dispatch.expires <= now:
        raise errors.RefusedError("dispatch: expired")
    return Held(dispatch=dispatch, envelope=envelope)


def restore(envelope: json_values.JsonObject, identity: Identity) -> Held:
    """What this agent stored itself: signature and identity are checked again, age is not."""
    dispatch = _dispatch(envelope, identity)
    _check_mine(dispatch, identity)
    return Held(dispatch=dispatch, envelope=envelope)


def open_slice(data: bytes, digest: names.SliceDigest) -> tuple[slices.Item, ...]:
    """The objects of a slice, only if the bytes are what the dispatch names."""
    if slices.digest(data) != digest:
        raise errors.RefusedError("slice: the bytes are not those that the dispatch names")
    try:
        return slices.decode(data)
    except (ValueError, RecursionError) as error:
        raise errors.RefusedError(f"slice: {error}") from error


def _envelope(data: bytes) -> json_values.JsonObject:
    try:
        return dsse.read(data)
    except errors.InputError as error:
        raise errors.RefusedError(f"dispatch: {error}") from error


def _dispatch(envelope: json_values.JsonObject, identity: Identity) -> messages.Dispatch:
    payload = dsse.verify(dsse.DISPATCH, envelope, identity.hub_key)
    try:
        return encoding.decode(messages.Dispatch, payload)
    except errors.InputError as error:
        raise errors.RefusedError(f"dispatch: {error}") from error


def _check_mine(dispatch: messages.Dispatch, identity: Identity) -> None:
    named = (dispatch.cluster, dispatch.environment, dispatch.uid)
    if named != (identity.cluster, identity.environment, identity.uid):
        raise errors.RefusedError("dispatch: for another cluster")


def _check_accepted(
    dispatch: messages.Dispatch, identity: Identity, held: Held | None, now: datetime
) -> None:
    """The statement is signed, of this release, covers this slice, and is not too old for something new."""
    payload = dsse.verify(dsse.STATEMENT, dispatch.statement, identity.hub_key)
    try:
        statement = encoding.decode(messages.Statement, payload)
    except errors.InputError as error:
        raise errors.RefusedError(f"statement: {error}") from error
    if (statement.environment, statement.release) != (dispatch.environment, dispatch.release):
        raise errors.RefusedError("statement: of another release")
    is_new = held is None or held.dispatch.slice != dispatch.slice
    if is_new and statement.expires <= now:
        raise errors.RefusedError("statement: expired")
    if not merkle.holds(
        cluster=dispatch.cluster,
        slice_digest=dispatch.slice,
        index=dispatch.index,
        leaves=dispatch.leaves,
        proof=dispatch.proof,
        root=statement.slices_root,
    ):
        raise errors.RefusedError("statement: does not cover this slice")
    if dispatch.retire is not _FAREWELLS.get(dispatch.slice):
        raise errors.RefusedError("statement: does not let this cluster go, or not so")


def _check_newer(dispatch: messages.Dispatch, held: Held | None) -> None:
    era, sequence, release = (
        (held.dispatch.era, held.dispatch.sequence, held.dispatch.release) if held else (0, 0, 0)
    )
    if (dispatch.era, dispatch.sequence) == (era, sequence):
        raise errors.RefusedError(
            "dispatch: another one with the same number: ask the hub's owner"
        )
    if (dispatch.era, dispatch.sequence) < (era, sequence):
        raise errors.RefusedError("dispatch: older than the one that is held")
    if max(dispatch.era - era, dispatch.sequence - sequence) > MAX_STEP:
        raise errors.RefusedError("dispatch: the sequence jumps")
    if dispatch.release < release:
        raise errors.RefusedError("dispatch: of an older release than the one that is held")
