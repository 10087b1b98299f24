"""Everything that an agent believes, and every check before it does: one object without I/O, its clock an argument.

The order is the law (threats 60, 63, 65): size, signature on the bytes, strict form, mine, accepted, under the root,
newer, not expired, approved by whom the trust file names. Nothing is changed by a dispatch that fails any of them.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from fleet.model import errors, json_values, leaving, messages, names, slices
from fleet.protocol import approvals, dsse, encoding, merkle, trustchain

MAX_ENVELOPE = 1 << 20  # bytes
MAX_STEP = 1 << 20  # by which an era or a sequence may grow at once
MAX_SKEW = timedelta(days=2)  # between hub and agent
_FAREWELLS = {slices.digest(slices.farewell(how)): how for how in leaving.OnRemoval}


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who this agent is, and which hub it was told to believe at enrolment."""

    cluster: names.Cluster
    environment: names.Environment
    uid: str
    hub_key: str
    trust: str = (
        ""  # digest of the environment's trust file, version 1; "" = the first one that comes
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A dispatch that passed every check, with its envelope to echo."""

    dispatch: messages.Dispatch
    envelope: json_values.JsonObject
    trust: trustchain.Anchor | None = None  # the newest trust file that was believed


def admit(data: bytes, identity: Identity, held: Held | None, now: datetime) -> Held:
    """The dispatch in these bytes as the one to hold from here on.

    Raises errors.RefusedError with the first check that failed. The very dispatch that is held comes back as it is.
    """
    if len(data) > MAX_ENVELOPE:
        raise errors.RefusedError("dispatch: too large")
    envelope = _envelope(data)
    dispatch = _dispatch(envelope, identity)
    _check_mine(dispatch, identity)
    now = _floored(now, held)
    statement = _accepted(dispatch, identity, held, now)
    if held is not None and dispatch == held.dispatch:
        return held
    _check_newer(dispatch, held)
    _check_timely(dispatch, now)
    anchor = _approved(dispatch, statement, identity, held, now)
    return Held(dispatch=dispatch, envelope=envelope, trust=anchor)


def restore(
    envelope: json_values.JsonObject,
    identity: Identity,
    trust: trustchain.Anchor | None = None,
) -> Held:
    """What this agent stored itself: signature and identity are checked again, age is not."""
    dispatch = _dispatch(envelope, identity)
    _check_mine(dispatch, identity)
    return Held(dispatch=dispatch, envelope=envelope, trust=trust)


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


def _floored(now: datetime, held: Held | None) -> datetime:
    """A clock that lost its time is not earlier than what was believed last (threat 91)."""
    return now if held is None else max(now, held.dispatch.issued)


def _check_timely(dispatch: messages.Dispatch, now: datetime) -> None:
    if dispatch.expires <= now:
        raise errors.RefusedError("dispatch: expired")
    if dispatch.issued > now + MAX_SKEW:  # else it would push the floor of later ones
        raise errors.RefusedError("dispatch: issued in the future: is this machine's clock right?")


def _approved(
    dispatch: messages.Dispatch,
    statement: messages.Statement,
    identity: Identity,
    held: Held | None,
    now: datetime,
) -> trustchain.Anchor | None:
    """The newest trust file, by which people approved whatever is new here; what runs may be kept so without."""
    link = trustchain.follow(
        dispatch.trust,
        identity.environment,
        pinned=identity.trust,
        held=held.trust if held else None,
    )
    if link is None:
        return None
    if held is None or held.dispatch.slice != dispatch.slice:
        approvals.check(link.spec, statement, dispatch.approvals, now)
    return link.anchor


def _accepted(
    dispatch: messages.Dispatch, identity: Identity, held: Held | None, now: datetime
) -> messages.Statement:
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
    return statement


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
