"""Hooks: only the secret makes one genuine."""

import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as some

from fleet.protocol import webhooks

SECRET = b"It's a Secret to Everybody"


def signed(body: bytes, secret: bytes = SECRET) -> str:
    return "sha256=" + hmac.new(secret, body, hashlib.sha256).hexdigest()


def test_the_example_of_githubs_documentation():
    signature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    assert webhooks.is_genuine(b"Hello, World!", signature, SECRET)


@pytest.mark.threat(72)
@given(some.binary(), some.binary(min_size=1))
def test_a_hook_is_genuine_for_its_body_and_secret_only(body: bytes, secret: bytes):
    assert webhooks.is_genuine(body, signed(body, secret), secret)
    assert not webhooks.is_genuine(body + b" ", signed(body, secret), secret)
    assert not webhooks.is_genuine(body, signed(body, secret), secret + b"x")


@pytest.mark.threat(72)
@given(some.text(some.characters(exclude_categories=())))
def test_any_other_signature_is_refused_without_an_error(signature: str):
    assert not webhooks.is_genuine(b"{}", signature, SECRET)


@pytest.mark.threat(72)
@pytest.mark.parametrize(
    "signature",
    [
        "",
        "sha256=",
        signed(b"{}").removeprefix("sha256="),
        signed(b"{}").replace("sha256=", "sha1="),
        signed(b"{}").upper(),
        signed(b"{}") + " ",
        signed(b"{}")[:-1],
        "sha256=\udcff",
    ],
)
def test_a_signature_has_one_spelling(signature: str):
    assert webhooks.is_genuine(b"{}", signed(b"{}"), SECRET)
    assert not webhooks.is_genuine(b"{}", signature, SECRET)


@pytest.mark.threat(57)
@pytest.mark.threat(72)
def test_without_a_secret_nothing_is_genuine():
    assert not webhooks.is_genuine(b"{}", signed(b"{}", b""), b"")
