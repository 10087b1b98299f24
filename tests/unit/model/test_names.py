"""Ids that people choose look like one thing only."""

import pytest
from pydantic import ValidationError

import builders
from fleet.model import kinds, names

LABELS = ["a", "7", "dev-1", "a" * 63, "prod-eu-1", "0-0"]
NO_LABELS = {
    "empty": "",
    "upper case": "Dev",
    "dash first": "-dev",
    "dash last": "dev-",
    "64 characters": "a" * 64,
    "line end": "dev\n",
    "dot": "dev.1",
    "path": "../dev",
    "space": "dev 1",
    "NUL": "dev\x00",
    "Cyrillic a": "d\u0430v",
    "zero width": "dev\u200b",
    "bidi": "dev\u202e",
    "NFC": "\u00e9tat",
    "NFD": "e\u0301tat",
    "full-width digit": "dev\uff11",
}


@pytest.mark.parametrize("text", LABELS)
def test_a_dns_label_is_an_id(text: str):
    assert names.is_label(text)
    assert kinds.Metadata(name=text).name == text


@pytest.mark.threat(18)
@pytest.mark.parametrize("text", NO_LABELS.values(), ids=NO_LABELS.keys())
def test_whatever_could_be_confused_is_no_id(text: str):
    assert not names.is_label(text)
    with pytest.raises(ValidationError):
        kinds.Metadata(name=text)


@pytest.mark.threat(35)
@pytest.mark.parametrize(
    ("text", "is_id"),
    [
        ("a" * 40, True),
        ("0" * 64, True),
        ("a" * 39, False),
        ("a" * 41, False),
        ("a" * 63, False),
        ("A" * 40, False),
        ("g" * 40, False),
        ("a" * 40 + "\n", False),
        ("main", False),
    ],
)
def test_a_commit_id_has_40_or_64_digits(text: str, is_id: bool):
    assert names.is_commit_id(text) is is_id


@pytest.mark.parametrize(
    ("text", "is_digest"),
    [
        (builders.digest("x"), True),
        (builders.digest("x").upper(), False),
        (builders.digest("x")[:-1], False),
        (builders.digest("x") + "0", False),
        (builders.digest("x").removeprefix("sha256:"), False),
        ("sha512:" + "0" * 64, False),
    ],
)
def test_a_digest_names_its_hash(text: str, is_digest: bool):
    assert names.is_digest(text) is is_digest
