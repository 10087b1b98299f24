"""SSH signatures: what the real ssh-keygen makes is read, everything else is refused."""

import base64
import hashlib
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils
from hypothesis import given, settings
from hypothesis import strategies as some

import approvers
from fleet.model import errors
from fleet.protocol import sshsig, sshwire

MESSAGE = b'{"kind":"Approval"}'
GOOD = approvers.ADA.sign(MESSAGE, sshsig.RELEASE)


def refusal(armor: str, message: bytes = MESSAGE, namespace: str = sshsig.RELEASE) -> str:
    with pytest.raises(errors.RefusedError) as raised:
        sshsig.verify(armor, message, namespace)
    return str(raised.value)


def keygen(*words: str | Path, given: bytes = b"") -> bytes:
    done = subprocess.run(  # noqa: S603 - the real one
        ["ssh-keygen", *map(str, words)],  # noqa: S607
        input=given, capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


KINDS = {
    "ed25519": (),
    "ecdsa-256": ("-b", "256"),
    "ecdsa-384": ("-b", "384"),
    "rsa": ("-b", "2048"),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("digest", ["sha256", "sha512"])
def test_what_ssh_keygen_signs_holds(kind: str, digest: str, tmp_path: Path):
    file = tmp_path / "key"
    keygen("-q", "-t", kind.partition("-")[0], *KINDS[kind], "-N", "", "-C", "ada@x", "-f", file)
    words = ("-Y", "sign", "-n", "fleet-release", "-O", f"hashalg={digest}", "-f", file)
    armor = keygen(*words, given=MESSAGE).decode()
    line = file.with_suffix(".pub").read_text().strip()
    assert sshsig.verify(armor, MESSAGE, sshsig.RELEASE).text == sshwire.key(line).text
    assert sshwire.fingerprint(sshwire.key(line).text) in keygen("-l", "-f", file).decode()
    assert "does not hold" in refusal(armor, MESSAGE + b" ")
    assert "not made for git" in refusal(armor, namespace=sshsig.GIT)


def test_ssh_keygen_believes_our_own_form(tmp_path: Path):
    allowed, file = tmp_path / "allowed", tmp_path / "sig"
    allowed.write_text(f"ada {approvers.ADA.line}\n")
    file.write_text(GOOD)
    words = ("-Y", "verify", "-f", allowed, "-I", "ada", "-n", sshsig.RELEASE, "-s", file)
    assert b"Good" in keygen(*words, given=MESSAGE)


@pytest.mark.threat(65)
@settings(deadline=None)
@given(some.integers(0, len(GOOD) - 1), some.integers(1, 127))
def test_any_flipped_byte_is_refused(place: int, change: int):
    spoiled = GOOD[:place] + chr(ord(GOOD[place]) ^ change) + GOOD[place + 1 :]
    refusal(spoiled)


@pytest.mark.threat(65)
@given(some.integers(0, len(MESSAGE) * 8 - 1))
def test_any_flipped_bit_of_the_message_is_refused(bit: int):
    data = bytearray(MESSAGE)
    data[bit // 8] ^= 1 << bit % 8
    assert "does not hold" in refusal(GOOD, bytes(data))


HOSTILE = {
    "nothing": "",
    "two": GOOD * 2,
    "no end": GOOD[:-5],
    "carriage returns": GOOD.replace("\n", "\r\n"),
    "another width": GOOD[:60] + "\n" + GOOD[60:],
    "huge": GOOD + "A" * sshsig.MAX_ARMOR,
    "no base64": "-----BEGIN SSH SIGNATURE-----\n=AAA\n-----END SSH SIGNATURE-----\n",
    "other bytes": "-----BEGIN SSH SIGNATURE-----\nAAAA\n-----END SSH SIGNATURE-----\n",
}  # fmt: skip


@pytest.mark.parametrize("case", HOSTILE)
def test_what_is_no_signature_is_refused_in_words(case: str):
    assert refusal(HOSTILE[case]).startswith("signature: ")


def blob(*parts: bytes) -> str:
    return base64.b64encode(b"".join(map(sshwire.string, parts))).decode()


LOW = b"\0" * 32
POINT = b"\4" + b"\1" * 64
KEYS = {
    "no line": ("garbage g", "no line"),
    "unknown type": (f"ssh-dss {blob(b'ssh-dss', b'1')}", "not known"),
    "another type": (f"ssh-rsa {approvers.ADA.line.split()[1]}", "belong together"),
    "low order": (f"ssh-ed25519 {blob(b'ssh-ed25519', LOW)}", "low order"),
    "cut off": (f"ssh-ed25519 {blob(b'ssh-ed25519')}", "cut off"),
    "more": (f"ssh-ed25519 {base64.b64encode(approvers.ADA.blob + b'x').decode()}", "follows"),
    "off the curve": (
        f"ecdsa-sha2-nistp256 {blob(b'ecdsa-sha2-nistp256', b'nistp256', POINT)}",
        "malformed",
    ),
    "another curve": (
        f"ecdsa-sha2-nistp256 {blob(b'ecdsa-sha2-nistp256', b'nistp384', POINT)}",
        "another curve",
    ),
    "compressed": (
        f"ecdsa-sha2-nistp256 {blob(b'ecdsa-sha2-nistp256', b'nistp256', b'2' * 33)}",
        "not written out",
    ),
    "short RSA": (f"ssh-rsa {blob(b'ssh-rsa', b'1', b'1' * 128)}", "2048 to 8192"),
    "long number": (f"ssh-rsa {blob(b'ssh-rsa', bytes(1) + b'1', b'1' * 256)}", "shortest form"),
    "huge": (f"ssh-rsa {blob(b'ssh-rsa', b'1', b'1' * 5000)}", "too large"),
}


@pytest.mark.threat(64)
@pytest.mark.parametrize("case", KEYS)
def test_a_key_of_another_kind_or_spelling_is_refused(case: str):
    line, words = KEYS[case]
    with pytest.raises(errors.InputError, match=words):
        sshwire.key(line)


def hardware(flags: int, counter: int = 7) -> tuple[bytes, bytes]:
    """Key and signature as a FIDO token makes them."""
    private = approvers.ADA.private
    kind, raw = b"sk-ssh-ed25519@openssh.com", private.public_key().public_bytes_raw()
    public = b"".join(map(sshwire.string, (kind, raw, b"ssh:")))
    told = bytes([flags]) + counter.to_bytes(4, "big")
    message = sshsig.signed(MESSAGE, sshsig.RELEASE)
    bound = hashlib.sha256(b"ssh:").digest() + told + hashlib.sha256(message).digest()
    return public, sshwire.string(kind) + sshwire.string(private.sign(bound)) + told


def test_a_hardware_key_counts_where_somebody_touched_it():
    public, signature = hardware(1)
    found = sshsig.verify(sshsig.armor(public, sshsig.RELEASE, signature), MESSAGE, sshsig.RELEASE)
    assert found.kind == "sk-ssh-ed25519@openssh.com"
    for spoiled in (hardware(0)[1], signature[:-1] + b"\0", signature + b"\0"):
        assert "does not hold" in refusal(sshsig.armor(public, sshsig.RELEASE, spoiled))


def test_a_hardware_key_on_nist_p256_counts_too():
    private = ec.generate_private_key(ec.SECP256R1())
    raw = private.public_key().public_bytes(
        serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
    )
    kind = b"sk-ecdsa-sha2-nistp256@openssh.com"
    public = b"".join(map(sshwire.string, (kind, b"nistp256", raw, b"ssh:")))
    told = b"\1" + bytes(4)
    message = sshsig.signed(MESSAGE, sshsig.RELEASE)
    bound = hashlib.sha256(b"ssh:").digest() + told + hashlib.sha256(message).digest()
    pair = utils.decode_dss_signature(private.sign(bound, ec.ECDSA(hashes.SHA256())))
    inner = b"".join(
        sshwire.string(each.to_bytes(each.bit_length() // 8 + 1, "big")) for each in pair
    )
    signature = sshwire.string(kind) + sshwire.string(inner) + told
    armor = sshsig.armor(public, sshsig.RELEASE, signature)
    assert sshsig.verify(armor, MESSAGE, sshsig.RELEASE).kind == kind.decode()
    assert "does not hold" in refusal(armor, MESSAGE + b" ")


def test_signatures_in_a_file_stand_one_after_the_other():
    assert sshsig.split(GOOD * 2) == (GOOD, GOOD)
    for text in ("", GOOD + "x", "x" + GOOD, GOOD * 51):
        with pytest.raises(errors.InputError):
            sshsig.split(text)
