"""What CI says counts only where its own secret signed it; anything else is a sentence, never a traceback."""

import hashlib
import hmac
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

import builders
from fleet.model import errors, observed
from fleet.protocol import statements

SECRETS = {"ci": "one", "scanner": "two"}
SOUND = {
    "issuer": "ci", "context": "e2e", "environment": "dev", "commit": builders.commit(),
    "state": "success", "at": "2026-03-01T12:00:00Z",
}  # fmt: skip


def sent(document: Any, secret: str = SECRETS["ci"]) -> tuple[bytes, str]:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return body, "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def test_a_sound_one():
    said = statements.verified(*sent(SOUND), SECRETS)
    assert said is not None
    assert (said.issuer, said.context, said.what, said.outcome, said.at) == (
        "ci", "e2e", builders.commit(), observed.Outcome.SUCCESS, builders.NOW,
    )  # fmt: skip


@pytest.mark.threat(55, 57)
@pytest.mark.parametrize(
    ("document", "secret"),
    [
        (SOUND, "two"),  # another issuer's
        ({**SOUND, "issuer": "scanner"}, "one"),
        ({**SOUND, "issuer": "nobody"}, "one"),
        (SOUND, ""),
        (SOUND, "three"),
    ],
)
def test_a_secret_speaks_for_its_issuer_alone(document: dict[str, str], secret: str):
    assert statements.verified(*sent(document, secret), SECRETS) is None


@pytest.mark.threat(57)
def test_without_secrets_nobody_is_believed():
    for secrets in ({}, {"ci": ""}):
        assert statements.verified(*sent(SOUND, ""), secrets) is None


@pytest.mark.threat(59)
@given(some.integers(0, 200), some.integers(0, 255))
def test_a_byte_that_is_another_one_is_refused(place: int, byte: int):
    body, signature = sent(SOUND)
    spoilt = body[: place % len(body)] + bytes([byte]) + body[place % len(body) + 1 :]
    assert (statements.verified(spoilt, signature, SECRETS) is None) is (spoilt != body)


MALFORMED: dict[str, Any] = {
    "no JSON": b"{",
    "bytes": b"\xff\xfe",
    "a list": [],
    "nested": {**SOUND, "context": {"a": "b"}},
    "a number": {**SOUND, "at": 1},
    "deep": b"[" * 5000,
    "an unknown field": {**SOUND, "x": "y"},
    "no issuer": {k: v for k, v in SOUND.items() if k != "issuer"},
    "a blank issuer": {**SOUND, "issuer": " "},
    "a blank behind": {**SOUND, "context": "e2e "},
    "two lines": {**SOUND, "context": "e2e\nunit"},
    "too long": {**SOUND, "context": "e" * 254},
    "another state": {**SOUND, "state": "SUCCESS"},
    "no state": {**SOUND, "state": ""},
    "commit and content": {**SOUND, "content": builders.digest("c2")},
    "neither": {**SOUND, "commit": ""},
    "a commit of nowhere": {**SOUND, "environment": ""},
    "no zone": {**SOUND, "at": "2026-03-01T12:00:00"},
    "no time": {**SOUND, "at": "now"},
}


@pytest.mark.parametrize("document", MALFORMED.values(), ids=MALFORMED.keys())
def test_what_is_malformed_is_said(document: Any):
    with pytest.raises(errors.InputError):
        statements.verified(*sent(document), SECRETS)


@given(some.binary(max_size=200))
def test_any_bytes_are_answered(body: bytes):
    with pytest.raises(errors.InputError):
        statements.verified(*sent(body), SECRETS)
