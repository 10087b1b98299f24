"""What an agent believes: each check refuses alone, and only a dispatch that passes all of them is held."""

import base64
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

import builders
from fleet.model import errors, json_values, kinds, messages, names, slices
from fleet.protocol import dsse, encoding, keys, trusted

ME = trusted.Identity(
    cluster=names.Cluster("dev-1"),
    environment=names.Environment("dev"),
    uid=builders.UID,
    hub_key=builders.HUB.public,
)
THIEF = keys.generate()


def wire(sent: messages.Dispatch, signer: keys.SigningKey = builders.HUB) -> bytes:
    return json_values.encode(builders.envelope(sent, signer))


def admit(
    data: bytes, held: trusted.Held | None = None, now: datetime = builders.NOW
) -> trusted.Held:
    return trusted.admit(data, ME, held, now)


def holding(**fields: Any) -> trusted.Held:
    return admit(wire(builders.dispatch(**fields)))


def refusal(data: bytes, held: trusted.Held | None = None, now: datetime = builders.NOW) -> str:
    with pytest.raises(errors.RefusedError) as raised:
        admit(data, held, now)
    return str(raised.value)


def test_a_good_dispatch_is_held_with_its_envelope():
    sent = builders.dispatch()
    held = admit(wire(sent))
    assert held.dispatch == sent
    assert held.envelope == builders.envelope(sent)


def test_the_next_one_takes_its_place():
    held = holding(sequence=5)
    sent = builders.dispatch(sequence=6)
    assert admit(wire(sent), held).dispatch == sent


def of_statement(**fields: Any) -> bytes:
    return wire(builders.dispatch(stated=fields))


GOOD = builders.dispatch()
ALONE: dict[str, tuple[bytes, str]] = {
    "too large": (b" " * (trusted.MAX_ENVELOPE + 1), "too large"),
    "no JSON": (b"{", "not an envelope"),
    "no envelope": (b"{}", "not an envelope"),
    "signed by someone else": (wire(GOOD, THIEF), "signature does not hold"),
    "a statement offered as dispatch": (
        json_values.encode(GOOD.statement),
        f"not of type {dsse.DISPATCH}",
    ),
    "a statement relabelled": (
        json_values.encode({**GOOD.statement, "payloadType": dsse.DISPATCH}),
        "signature does not hold",
    ),
    "a poll of the agent itself": (
        json_values.encode(dsse.sign(dsse.POLL, encoding.encode(builders.poll()), builders.HUB)),
        f"not of type {dsse.DISPATCH}",
    ),
    "signed, but not a dispatch": (
        json_values.encode(dsse.sign(dsse.DISPATCH, b'{"cluster":"dev-1"}', builders.HUB)),
        "missing or unknown fields",
    ),
    "signed, but twice the same word": (
        json_values.encode(
            dsse.sign(
                dsse.DISPATCH,
                encoding.encode(GOOD).replace(b"{", b'{"cluster":"dev-1",', 1),
                builders.HUB,
            )
        ),
        "duplicate key",
    ),
    "for another cluster": (wire(builders.dispatch(cluster="dev-2")), "for another cluster"),
    "for another environment": (
        wire(
            builders.dispatch(
                environment=names.Environment("prod"),
                stated={"environment": names.Environment("prod")},
            )
        ),
        "for another cluster",
    ),
    "for another uid": (wire(builders.dispatch(uid="another")), "for another cluster"),
    "a statement by someone else": (wire(builders.dispatch(signer=THIEF)), "does not hold"),
    "a dispatch in the place of the statement": (
        wire(builders.dispatch(statement=builders.envelope(GOOD))),
        f"not of type {dsse.STATEMENT}",
    ),
    "an empty statement": (wire(builders.dispatch(statement={})), "not an envelope"),
    "signed, but not a statement": (
        wire(builders.dispatch(statement=dsse.sign(dsse.STATEMENT, b"{}", builders.HUB))),
        "missing or unknown fields",
    ),
    "a statement of another release": (wire(builders.dispatch(release=8)), "of another release"),
    "a statement of another environment": (
        of_statement(environment=names.Environment("prod")),
        "of another release",
    ),
    "a statement that has ended": (of_statement(expires=builders.NOW), "statement: expired"),
    "a slice of another release": (
        wire(builders.dispatch(slice=names.SliceDigest(builders.digest("other")))),
        "does not cover this slice",
    ),
    "a slice of another cluster": (
        wire(builders.dispatch(slice=names.SliceDigest(builders.digest("dev-2")))),
        "does not cover this slice",
    ),
    "the proof of another cluster": (
        wire(builders.dispatch(proof=builders.dispatch(cluster="dev-2").proof, index=1)),
        "does not cover this slice",
    ),
    "another root": (of_statement(root=builders.digest("root")), "does not cover this slice"),
    "a shortened proof": (wire(builders.dispatch(proof=())), "does not cover this slice"),
    "a proof that is none": (
        wire(builders.dispatch(proof=("zz", "sha256:"))),
        "does not cover this slice",
    ),
    "another index": (wire(builders.dispatch(index=1)), "does not cover this slice"),
    "another count of leaves": (wire(builders.dispatch(leaves=9)), "does not cover this slice"),
    "a retirement of who stays": (
        wire(builders.dispatch(retire=kinds.OnRemoval.PRUNE)),
        "does not let this cluster go",
    ),
    "a sequence that jumps": (
        wire(builders.dispatch(sequence=trusted.MAX_STEP + 1)),
        "sequence jumps",
    ),
    "an era that jumps": (wire(builders.dispatch(era=2**63 - 1)), "sequence jumps"),
    "no number": (wire(builders.dispatch(era=0, sequence=0)), "another one with the same number"),
    "a number below all": (wire(builders.dispatch(era=0, sequence=-1)), "older"),
    "a release below all": (
        wire(builders.dispatch(release=-1, stated={"release": -1})),
        "of an older release",
    ),
    "expired": (wire(builders.dispatch(expires=builders.NOW)), "dispatch: expired"),
}


@pytest.mark.threat(60)
@pytest.mark.threat(62)
@pytest.mark.threat(63)
@pytest.mark.threat(65)
@pytest.mark.parametrize(("data", "reason"), ALONE.values(), ids=ALONE.keys())
def test_each_check_refuses_alone(data: bytes, reason: str):
    assert reason in refusal(data)


def test_the_largest_dispatch_is_read():
    data = wire(GOOD)
    assert admit(data + b" " * (trusted.MAX_ENVELOPE - len(data))).dispatch == GOOD


HELD = {"era": 2, "sequence": 50, "release": 7}
AFTER: dict[str, tuple[dict[str, Any], str]] = {
    "next": ({"sequence": 51}, ""),
    "some later": ({"sequence": 50 + trusted.MAX_STEP}, ""),
    "a newer release": ({"sequence": 51, "stated": {"release": 8}}, ""),
    "a new era begins anew": ({"era": 3, "sequence": 1}, ""),
    "same number": ({"sequence": 50, "trace": "another"}, "another one with the same number"),
    "same number, other slice": (
        {"slices": {names.Cluster("dev-1"): names.SliceDigest(builders.digest("new"))}},
        "another one with the same number",
    ),
    "older": ({"sequence": 49}, "older than the one that is held"),
    "older era": ({"era": 1, "sequence": 999}, "older than the one that is held"),
    "too far ahead": ({"sequence": 51 + trusted.MAX_STEP}, "the sequence jumps"),
    "as far as can be": ({"sequence": 2**63 - 1}, "the sequence jumps"),
    "an older release": ({"sequence": 51, "stated": {"release": 6}}, "of an older release"),
    "an older release in a new era": (
        {"era": 3, "sequence": 51, "stated": {"release": 6}},
        "of an older release",
    ),
}


@pytest.mark.threat(60)
@pytest.mark.threat(62)
@pytest.mark.parametrize(("fields", "reason"), AFTER.values(), ids=AFTER.keys())
def test_numbers_only_grow_and_step_by_step(fields: dict[str, Any], reason: str):
    held = holding(**HELD)
    data = wire(builders.dispatch(**{"era": 2, "sequence": 50, **fields}))
    if reason:
        assert reason in refusal(data, held)
    else:
        assert admit(data, held).dispatch != held.dispatch


def test_the_dispatch_that_is_held_comes_back_as_it_is():
    held = holding()
    assert admit(wire(held.dispatch), held) is held


def test_the_dispatch_that_is_held_may_come_again_after_its_end():
    held = holding()
    assert admit(wire(held.dispatch), held, builders.later(365 * 24 * 3600)) is held


@pytest.mark.threat(60)
def test_of_two_dispatches_only_one_order_is_possible():
    first, second = wire(builders.dispatch(sequence=5)), wire(builders.dispatch(sequence=6))
    held = admit(second, admit(first))
    assert "older" in refusal(first, held)


@pytest.mark.parametrize(("seconds", "is_expired"), [(-1, False), (0, True), (1, True)])
def test_a_dispatch_ends_to_the_second(seconds: int, is_expired: bool):
    data = wire(builders.dispatch(expires=builders.later(60)))
    if is_expired:
        assert "expired" in refusal(data, now=builders.later(60 + seconds))
    else:
        assert admit(data, now=builders.later(60 + seconds))


def test_a_statement_that_has_ended_still_renews_what_runs():
    ended = {"expires": builders.later(60)}
    held = admit(wire(builders.dispatch(stated=ended)))
    renewed = builders.dispatch(stated=ended, sequence=6)
    assert admit(wire(renewed), held, builders.later(120)).dispatch == renewed


def test_a_statement_that_has_ended_brings_nothing_new():
    held = holding()
    new = {names.Cluster("dev-1"): names.SliceDigest(builders.digest("new"))}
    data = wire(builders.dispatch(new, sequence=6, stated={"expires": builders.later(60)}))
    assert refusal(data, held, builders.later(120)) == "statement: expired"


def leaving(how: kinds.OnRemoval) -> dict[names.Cluster, names.SliceDigest]:
    farewell = slices.digest(slices.farewell(how))
    return {names.Cluster("dev-1"): farewell, names.Cluster("dev-2"): names.SliceDigest("x")}


def test_who_leaves_is_bound_to_how_it_leaves():
    orphaned = leaving(kinds.OnRemoval.ORPHAN)
    sent = builders.dispatch(orphaned, retire=kinds.OnRemoval.ORPHAN)
    assert admit(wire(sent)).dispatch.retire is kinds.OnRemoval.ORPHAN
    for other in (None, kinds.OnRemoval.PRUNE):
        changed = builders.dispatch(orphaned, retire=other)
        assert refusal(wire(changed)) == "statement: does not let this cluster go, or not so"


@pytest.mark.threat(65)
def test_no_byte_of_a_dispatch_can_change():
    data = wire(GOOD)
    for at in range(0, len(data), 5):
        refusal(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])


@pytest.mark.threat(65)
def test_no_byte_of_the_statement_inside_can_change_although_the_hub_signed_it_again():
    payload = base64.b64decode(GOOD.statement["payload"])
    for at in range(0, len(payload), 11):
        spoiled = payload[:at] + bytes([payload[at] ^ 1]) + payload[at + 1 :]
        statement = {**GOOD.statement, "payload": base64.b64encode(spoiled).decode()}
        refusal(wire(replace(GOOD, statement=statement)))


@given(some.binary() | some.sampled_from([b"[" * 100_000, b"null", b"{}", b'{"payload":{}}']))
def test_any_bytes_are_refused_in_words(data: bytes):
    assert refusal(data)


@given(
    some.sampled_from(["proof", "index", "leaves", "sequence", "era", "release", "uid", "slice"]),
    some.integers() | some.text() | some.lists(some.text()).map(tuple),
)
def test_whatever_the_hub_signs_is_held_or_refused_but_never_an_error(field: str, value: object):
    try:
        held = admit(wire(replace(GOOD, **{field: value})))
    except errors.RefusedError:
        return
    assert getattr(held.dispatch, field) == value


def test_what_the_agent_stored_is_believed_after_a_restart():
    held = holding()
    assert trusted.restore(held.envelope, ME) == held


@pytest.mark.threat(106)
@pytest.mark.parametrize(
    "spoil",
    [
        lambda held: {**held.envelope, "payload": held.envelope["payload"][:-4]},
        lambda held: builders.envelope(held.dispatch, THIEF),
        lambda held: builders.envelope(replace(held.dispatch, uid="another")),
        lambda held: builders.envelope(replace(held.dispatch, cluster="dev-2")),
        lambda held: held.dispatch.statement,
        lambda _: {},
    ],
    ids=["cut", "foreign", "other uid", "other cluster", "statement", "empty"],
)
def test_what_is_stored_is_checked_again(
    spoil: Callable[[trusted.Held], json_values.JsonObject],
):
    with pytest.raises(errors.RefusedError):
        trusted.restore(spoil(holding()), ME)


ITEMS = (slices.Item(key=builders.key(), body=builders.body(), bundle=names.Bundle("shop")),)
DATA = slices.encode(ITEMS)


def test_a_slice_is_opened_by_its_digest():
    assert trusted.open_slice(DATA, slices.digest(DATA)) == ITEMS


@pytest.mark.threat(63)
@pytest.mark.threat(106)
@given(some.integers(0, len(DATA) - 1), some.integers(1, 255))
def test_other_bytes_are_not_opened(at: int, flip: int):
    spoiled = DATA[:at] + bytes([DATA[at] ^ flip]) + DATA[at + 1 :]
    with pytest.raises(errors.RefusedError, match="not those that the dispatch names"):
        trusted.open_slice(spoiled, slices.digest(DATA))


@pytest.mark.parametrize(
    "data",
    [b"", b"{}", b"[]", b'{"kind":"Slice"}', b'{"kind":"Slice","objects":[1]}', b"[" * 100_000],
    ids=["nothing", "object", "list", "no objects", "odd objects", "deep"],
)
def test_bytes_that_are_no_slice_are_refused_in_words(data: bytes):
    with pytest.raises(errors.RefusedError, match="slice: "):
        trusted.open_slice(data, slices.digest(data))
