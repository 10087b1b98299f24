"""Nothing of a Secret stays in a message, however it is spelled there."""

import base64
import json

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from fleet.adapters.kubernetes import answers, connection, masks

pytestmark = pytest.mark.threat(20)
TEXT = "correct-horse-battery-staple"


def secret(**fields: object) -> dict[str, object]:
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, **fields}


def in_base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    "spelled",
    [TEXT, in_base64(TEXT), json.dumps(TEXT), TEXT[:12], TEXT[5:], in_base64(TEXT)[3:20]],
)
def test_plain_packed_quoted_and_cut_off(spelled: str):
    for body in (secret(stringData={"a": TEXT}), secret(data={"a": in_base64(TEXT)})):
        found = masks.masked(f"wrong: {spelled}", body)
        assert spelled not in found
        assert found.startswith("wrong: ")


def test_a_line_of_a_longer_value():
    body = secret(stringData={"key": "-----BEGIN-----\nabcdefgh12345\n-----END-----\n"})
    assert masks.masked("line abcdefgh12345 is bad", body) == "line *** is bad"


def test_a_quoted_value_with_signs_that_quoting_changes():
    body = secret(stringData={"a": 'top"secret\nlines'})
    assert masks.masked(r'got "top\"secret\nlines"', body) == 'got "***"'


@pytest.mark.parametrize(
    "value", [{"deep": TEXT}, [TEXT], {"deep": [{"er": TEXT}]}, 8675309, True]
)
def test_what_has_the_wrong_shape(value: object):
    body = secret(data={"a": value}, stringData=value)
    found = masks.masked(f"got {TEXT} 8675309 true", body)
    spelled = TEXT if isinstance(value, dict | list) else json.dumps(value)
    assert spelled not in found


def test_a_short_value_hides_itself_and_no_words():
    body = secret(stringData={"a": "no"})
    assert masks.masked("no, nothing is known: no", body) == "***, nothing is known: ***"


def test_other_kinds_are_told_as_they_are():
    body = {**secret(data={"a": TEXT}), "kind": "ConfigMap"}
    assert masks.masked(TEXT, body) == TEXT
    assert masks.masked(TEXT, None) == TEXT


def test_what_is_not_secret_stays_readable():
    body = secret(stringData={"password": TEXT})
    message = 'Secret "s" is invalid: data[password]: Too long: may not be more than 1048576 bytes'
    assert masks.masked(message, body) == message


@given(st.text(min_size=4), st.text(), st.text())
def test_no_value_survives(value: str, before: str, after: str):
    assume(value not in masks.MASK)
    for body in (secret(stringData={"a": value}), secret(data={"a": value})):
        found = masks.masked(f"{before}{value}{after}", body)
        assert value not in found.replace(masks.MASK, "\0")


@pytest.mark.parametrize(
    "refusal",
    [
        'admission webhook "vault.example.com" denied the request',
        "secrets \"s\" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request",
    ],
)
def test_a_secret_that_was_not_sent_is_not_quoted_either(refusal: str):
    said = {"kind": "Status", "message": f"{refusal}: it still holds {TEXT}"}
    reply = connection.Reply(status=403, headers={}, body=json.dumps(said).encode())
    deletion = {"apiVersion": "v1", "kind": "DeleteOptions"}
    for sent in (deletion, None):
        message = answers.of(reply, sent, about="secrets").message
        assert message.startswith(refusal)
        assert TEXT not in message
    assert TEXT in answers.of(reply, deletion, about="configmaps").message
