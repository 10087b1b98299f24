"""Checkpoints as C2SP writes them, and nothing else under that name."""

import base64
import contextlib
import hashlib
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from hypothesis import given
from hypothesis import strategies as some

import builders
from fleet.model import errors, names
from fleet.protocol import checkpoints, keys

AGENT, OTHER = keys.generate(), keys.generate()
HUB = builders.HUB
DEV, ONE = names.Environment("dev"), names.Cluster("dev-1")
SEEN = checkpoints.Checkpoint(epoch=3, size=20852163, root=hashlib.sha256(b"root").digest())
NOTE = checkpoints.sign(SEEN, HUB)
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def cosigned(note: str = NOTE, line: str = "", **more: Any) -> datetime | None:
    given = {"environment": DEV, "cluster": ONE, "public": AGENT.public, **more}
    return checkpoints.cosigned(note, line or LINE, **given)


LINE = checkpoints.cosign(NOTE, environment=DEV, cluster=ONE, key=AGENT, now=NOW)


def test_a_note_is_what_it_was_made_of():
    assert checkpoints.read(NOTE, HUB.public) == SEEN


def test_the_form_is_the_public_one():
    """By tlog-checkpoint and signed-note: any witness of other logs reads it too."""
    origin, size, root, empty, signature, end = NOTE.split("\n")
    assert origin.startswith("fleetgate.dev/audit/")
    assert origin.endswith("/3")
    assert (size, root) == ("20852163", base64.b64encode(SEEN.root).decode())
    assert (empty, end) == ("", "")
    dash, name, written = signature.split(" ")
    assert (dash, name) == ("\N{EM DASH}", origin)
    data, raw = base64.b64decode(written), base64.b64decode(HUB.public)
    assert data[:4] == hashlib.sha256(f"{name}\n".encode() + b"\x01" + raw).digest()[:4]
    body = f"{origin}\n{size}\n{root}\n".encode()
    ed25519.Ed25519PublicKey.from_public_bytes(raw).verify(data[4:], body)


def test_a_cosignature_is_the_public_one():
    _, name, written = LINE.split(" ")
    data, raw = base64.b64decode(written), base64.b64decode(AGENT.public)
    assert data[:4] == hashlib.sha256(f"{name}\n".encode() + b"\x04" + raw).digest()[:4]
    moment = int.from_bytes(data[4:12], "big")
    assert moment == NOW.timestamp()
    body = NOTE.partition("\n\n")[0] + "\n"
    said = f"cosignature/v1\ntime {moment}\n{body}".encode()
    ed25519.Ed25519PublicKey.from_public_bytes(raw).verify(data[12:], said)


def test_a_cosignature_counts_for_its_agent_and_its_note_alone():
    assert cosigned() == NOW
    assert cosigned(cluster=names.Cluster("dev-2")) is None
    assert cosigned(environment=names.Environment("prod")) is None
    assert cosigned(public=OTHER.public) is None
    longer = checkpoints.Checkpoint(epoch=3, size=20852164, root=SEEN.root)
    assert cosigned(checkpoints.sign(longer, HUB)) is None
    for line in ("", "x", NOTE, LINE[:-8], LINE.replace("dev-1", "dev-2")):
        assert (
            checkpoints.cosigned(NOTE, line, environment=DEV, cluster=ONE, public=AGENT.public)
            is None
            or line == LINE
        )


def test_a_note_with_cosignatures_below_is_still_that_note():
    assert checkpoints.read(f"{NOTE}{LINE}\n", HUB.public) == SEEN


@pytest.mark.threat(65)
@pytest.mark.parametrize(
    "note",
    [
        "",
        "\n\n",
        "nothing",
        NOTE[:-1],
        NOTE.replace("20852163", "020852163"),
        NOTE.replace("20852163", "-1"),
        NOTE.replace("20852163", "1" * 30),
        NOTE.replace("20852163", "٣"),
        NOTE.replace("\n\n", "\n"),
        NOTE.replace("\n\n", "\nmore\n\n"),
        NOTE.replace("\N{EM DASH}", "-"),
        NOTE.replace("/3\n", "/x\n", 1),
        NOTE.replace(base64.b64encode(SEEN.root).decode(), "AAAA"),
        NOTE.replace(base64.b64encode(SEEN.root).decode(), "\ud800"),
        "a" * 100_000,
        NOTE + "x" * 100_000,
    ],
)
def test_what_is_no_note_is_told_in_words(note: str):
    with pytest.raises((errors.InputError, errors.RefusedError), match="checkpoint"):
        checkpoints.read(note, HUB.public)


@pytest.mark.parametrize(
    ("note", "told"),
    [
        (checkpoints.sign(SEEN, OTHER), "of another hub's log"),
        (NOTE.replace("20852163", "20852164"), "not signed"),
        (NOTE.replace("/3\n", "/4\n", 1), "not signed"),
        (NOTE.replace("/3\n", "/4\n").replace("/3 ", "/4 "), "not signed"),
    ],
)
def test_what_the_hub_did_not_sign_is_refused(note: str, told: str):
    with pytest.raises(errors.RefusedError, match=told):
        checkpoints.read(note, HUB.public)


@given(place=some.integers(0, len(NOTE) - 1), letter=some.sampled_from("A0/\n +x"))
def test_no_letter_of_a_note_can_be_another(place: int, letter: str):
    spoiled = NOTE[:place] + letter + NOTE[place + 1 :]
    if spoiled == NOTE:
        return
    with pytest.raises((errors.InputError, errors.RefusedError)):
        checkpoints.read(spoiled, HUB.public)


@given(note=some.text(), line=some.text())
def test_no_text_makes_it_fail_otherwise(note: str, line: str):
    for each in (note, f"{NOTE}{note}", f"{note}\n\n{note}"):
        with contextlib.suppress(errors.InputError, errors.RefusedError):
            checkpoints.read(each, HUB.public)
        assert checkpoints.cosigned(
            NOTE, line, environment=DEV, cluster=ONE, public=AGENT.public
        ) in (None, NOW)
