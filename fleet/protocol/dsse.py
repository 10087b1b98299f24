"""Dead Simple Signing Envelopes (DSSE v1), strict: one signature, by the expected key, over the expected type.

The payload is given out only after the signature over its very bytes held, so nothing unsigned is ever parsed.
"""

import base64
import binascii
from typing import Any

from fleet.model import errors, json_values
from fleet.protocol import keys

DISPATCH = "application/vnd.fleetgate.dispatch.v1+json"
STATEMENT = "application/vnd.fleetgate.statement.v1+json"
POLL = "application/vnd.fleetgate.poll.v1+json"
FETCH = "application/vnd.fleetgate.fetch.v1+json"
REPORT = "application/vnd.fleetgate.report.v1+json"
WITNESS = "application/vnd.fleetgate.witness.v1+json"


def sign(payload_type: str, payload: bytes, key: keys.SigningKey) -> json_values.JsonObject:
    signature = key.sign(_pae(payload_type, payload))
    return {
        "payload": base64.b64encode(payload).decode("ascii"),
        "payloadType": payload_type,
        "signatures": [
            {"keyid": keys.id_of(key.public), "sig": base64.b64encode(signature).decode("ascii")}
        ],
    }


def read(data: bytes) -> json_values.JsonObject:
    """An envelope as a value. Raises errors.InputError for anything else."""
    try:
        envelope = json_values.decode(data)
    except (ValueError, RecursionError) as error:
        raise errors.InputError(f"not an envelope: {error}") from error
    if not isinstance(envelope, dict):
        raise errors.InputError("not an envelope")
    return envelope


def verify(payload_type: str, envelope: json_values.JsonObject, public: str) -> bytes:
    """The payload. Raises errors.RefusedError unless exactly this key signed exactly this type."""
    payload, signature = _parts(payload_type, envelope)
    if not keys.is_signed(public, _pae(payload_type, payload), signature):
        raise errors.RefusedError("the signature does not hold")
    if envelope["signatures"][0]["keyid"] != keys.id_of(public):
        raise errors.RefusedError("the signature names another key")
    return payload


def unproved(payload_type: str, envelope: json_values.JsonObject) -> bytes:
    """The payload before its signature is checked: only to learn whose key it claims."""
    return _parts(payload_type, envelope)[0]


def _parts(payload_type: str, envelope: json_values.JsonObject) -> tuple[bytes, bytes]:
    if set(envelope) != {"payload", "payloadType", "signatures"}:
        raise errors.RefusedError("not an envelope")
    if envelope["payloadType"] != payload_type:
        raise errors.RefusedError(f"not of type {payload_type}")
    signatures = envelope["signatures"]
    if not isinstance(signatures, list) or len(signatures) != 1:
        raise errors.RefusedError("an envelope has exactly one signature")
    if not isinstance(signatures[0], dict) or set(signatures[0]) != {"keyid", "sig"}:
        raise errors.RefusedError("not an envelope")
    return _bytes(envelope["payload"]), _bytes(signatures[0]["sig"])


def _bytes(text: Any) -> bytes:
    """Of base64 in its one canonical spelling, so that an envelope has no second one with the same signature."""
    if not isinstance(text, str):
        raise errors.RefusedError("not base64")
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise errors.RefusedError("not base64") from error
    if base64.b64encode(data).decode("ascii") != text:
        raise errors.RefusedError("not base64 in its canonical spelling")
    return data


def _pae(payload_type: str, payload: bytes) -> bytes:
    """Pre-authentication encoding: lengths first, so that type and payload cannot flow into each other."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)
