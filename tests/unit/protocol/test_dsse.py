"""Envelopes: exactly this key signed exactly these bytes as exactly this type."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

import builders
from fleet.model import errors, json_values
from fleet.protocol import dsse, keys

TYPES = [dsse.DISPATCH, dsse.STATEMENT, dsse.POLL, dsse.FETCH, dsse.REPORT]
KEY = keys.generate()
PAYLOAD = b'{"wave":1,"of":"two"}'
ENVELOPE = dsse.sign(dsse.DISPATCH, PAYLOAD, KEY)


def refused(envelope: json_values.JsonObject, kind: str = dsse.DISPATCH) -> str:
    with pytest.raises(errors.RefusedError) as raised:
        dsse.verify(kind, envelope, KEY.public)
    return str(raised.value)


def with_signature(**changed: Any) -> dict[str, Any]:
    return {**ENVELOPE, "signatures": [{**ENVELOPE["signatures"][0], **changed}]}


@given(some.binary(), some.sampled_from(TYPES))
def test_what_was_signed_is_given_out(payload: bytes, kind: str):
    envelope = dsse.sign(kind, payload, KEY)
    assert dsse.verify(kind, envelope, KEY.public) == payload
    assert dsse.read(json_values.encode(envelope)) == envelope


def test_what_is_signed_is_the_pre_authentication_encoding_of_dsse_v1():
    """Known bytes of the DSSE protocol text, so that other tools can check ours."""
    kind, payload = "http://example.com/HelloWorld", b"hello world"
    envelope = dsse.sign(kind, payload, KEY)
    signature = base64.b64decode(envelope["signatures"][0]["sig"])
    pae = b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    assert keys.is_signed(KEY.public, pae, signature)
    assert envelope["payload"] == "aGVsbG8gd29ybGQ="


@pytest.mark.threat(65)
@pytest.mark.parametrize("signed", TYPES)
@pytest.mark.parametrize("offered", TYPES)
def test_no_type_passes_for_another(signed: str, offered: str):
    if signed == offered:
        assert dsse.verify(offered, dsse.sign(signed, PAYLOAD, KEY), KEY.public) == PAYLOAD
        return
    envelope = dsse.sign(signed, PAYLOAD, KEY)
    assert refused(envelope, offered) == f"not of type {offered}"
    relabelled = {**envelope, "payloadType": offered}
    assert refused(relabelled, offered) == "the signature does not hold"


@pytest.mark.threat(65)
def test_no_byte_of_an_envelope_can_change():
    data = json_values.encode(ENVELOPE)
    for at in range(len(data)):
        for bit in range(8):
            spoiled = data[:at] + bytes([data[at] ^ 1 << bit]) + data[at + 1 :]
            with pytest.raises((errors.RefusedError, errors.InputError)):
                dsse.verify(dsse.DISPATCH, dsse.read(spoiled), KEY.public)


@pytest.mark.threat(65)
@given(some.integers(0, len(PAYLOAD) - 1), some.integers(0, 255))
def test_no_byte_of_the_payload_can_change(at: int, byte: int):
    other = PAYLOAD[:at] + bytes([byte]) + PAYLOAD[at + 1 :]
    envelope = {**ENVELOPE, "payload": base64.b64encode(other).decode()}
    if other == PAYLOAD:
        assert dsse.verify(dsse.DISPATCH, envelope, KEY.public) == PAYLOAD
    else:
        refused(envelope)


@pytest.mark.threat(65)
def test_type_and_payload_cannot_flow_into_each_other():
    moved = dsse.sign(dsse.DISPATCH + " 3 abc", b"", KEY)
    assert refused({**moved, "payloadType": dsse.DISPATCH}) == "the signature does not hold"


def test_another_key_is_refused():
    with pytest.raises(errors.RefusedError, match="signature does not hold"):
        dsse.verify(dsse.DISPATCH, ENVELOPE, keys.generate().public)


SIGNATURE = ENVELOPE["signatures"][0]
SPOILED: dict[str, json_values.JsonObject] = {
    "nothing": {},
    "one word more": {**ENVELOPE, "more": 1},
    "no payload": {k: v for k, v in ENVELOPE.items() if k != "payload"},
    "no signature": {**ENVELOPE, "signatures": []},
    "two signatures": {**ENVELOPE, "signatures": [SIGNATURE, SIGNATURE]},
    "a good and a foreign signature": {
        **ENVELOPE,
        "signatures": [
            SIGNATURE,
            dsse.sign(dsse.DISPATCH, PAYLOAD, keys.generate())["signatures"][0],
        ],
    },
    "signatures as an object": {**ENVELOPE, "signatures": {"0": SIGNATURE}},
    "signature as a word": {**ENVELOPE, "signatures": ["sig"]},
    "signature without key": {**ENVELOPE, "signatures": [{"sig": SIGNATURE["sig"]}]},
    "signature with one word more": with_signature(cert="x"),
    "signature that names another key": with_signature(keyid=keys.id_of(keys.generate().public)),
    "signature that is empty": with_signature(sig=""),
    "signature that is too long": with_signature(
        sig=base64.b64encode(base64.b64decode(SIGNATURE["sig"]) + b"\0").decode()
    ),
    "signature that is a number": with_signature(sig=7),
    "payload that is a number": {**ENVELOPE, "payload": 7},
    "payload that is no base64": {**ENVELOPE, "payload": "*"},
    "payload with a line end": {**ENVELOPE, "payload": ENVELOPE["payload"] + "\n"},
    "payload without padding": {**ENVELOPE, "payload": "YQ"},
    "payload in URL spelling": {**ENVELOPE, "payload": "_-__"},
    "type that is a number": {**ENVELOPE, "payloadType": 7},
}


@pytest.mark.threat(65)
@pytest.mark.parametrize("envelope", SPOILED.values(), ids=SPOILED.keys())
def test_another_form_is_refused(envelope: json_values.JsonObject):
    assert refused(envelope)


@pytest.mark.threat(65)
def test_a_second_base64_spelling_of_the_same_bytes_is_refused():
    """One byte is two letters, and the last four bits of the second say nothing: "YQ==" is also "YR=="."""
    envelope = dsse.sign(dsse.DISPATCH, b"a", KEY)
    assert envelope["payload"] == "YQ=="
    assert dsse.verify(dsse.DISPATCH, envelope, KEY.public) == b"a"
    assert base64.b64decode("YR==", validate=True) == b"a"
    assert refused({**envelope, "payload": "YR=="}) == "not base64 in its canonical spelling"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"null",
        b'"envelope"',
        b"{",
        b"\xff",
        json.dumps(dict(ENVELOPE)).encode("utf-16"),
        json_values.encode(ENVELOPE).replace(b"{", b'{"payload":"",', 1),
        b"[" * 100_000,
    ],
    ids=["nothing", "list", "null", "word", "half", "no UTF-8", "UTF-16", "twice", "deep"],
)
@pytest.mark.threat(65)
def test_other_bytes_are_no_envelope(data: bytes):
    with pytest.raises(errors.InputError):
        dsse.read(data)


@given(
    some.dictionaries(
        some.sampled_from(["payload", "payloadType", "signatures"]),
        some.none()
        | some.text()
        | some.lists(
            some.none() | some.dictionaries(some.sampled_from(["sig", "keyid"]), some.text())
        ),
    )
)
def test_any_object_is_refused_in_words(envelope: dict[str, Any]):
    with pytest.raises(errors.RefusedError):
        dsse.verify(dsse.DISPATCH, envelope, KEY.public)


def test_an_unproved_payload_is_of_the_asked_type_too():
    assert dsse.unproved(dsse.DISPATCH, ENVELOPE) == PAYLOAD
    with pytest.raises(errors.RefusedError):
        dsse.unproved(dsse.POLL, ENVELOPE)


def test_envelopes_of_real_messages_hold():
    envelope = builders.envelope(builders.dispatch())
    assert dsse.verify(dsse.DISPATCH, envelope, builders.HUB.public)
