"""Ed25519 keys as documents carry them."""

import base64

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, x25519
from hypothesis import given
from hypothesis import strategies as some

from fleet.model import errors
from fleet.protocol import keys

KEY = keys.generate()

# RFC 8032, 7.1: secret, public, message, signature.
RFC_8032 = [
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        (
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555"
            "fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
        ),
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        (
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da0"
            "85ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
        ),
    ),
]


def text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


@pytest.mark.parametrize(
    ("secret", "public", "message", "signature"), RFC_8032, ids=["empty", "one byte"]
)
def test_known_answers(secret: str, public: str, message: str, signature: str):
    private = ed25519.Ed25519PrivateKey.from_private_bytes(bytes.fromhex(secret))
    key = keys.SigningKey(private=private)
    assert key.public == text(bytes.fromhex(public))
    assert key.sign(bytes.fromhex(message)).hex() == signature
    assert keys.is_signed(key.public, bytes.fromhex(message), bytes.fromhex(signature))


@given(some.binary(max_size=64))
def test_a_signature_holds_for_its_message_and_key_only(message: bytes):
    signature = KEY.sign(message)
    assert keys.is_signed(KEY.public, message, signature)
    assert not keys.is_signed(KEY.public, message + b"\0", signature)
    assert not keys.is_signed(keys.generate().public, message, signature)


@pytest.mark.parametrize("signature", [b"", b"\0" * 63, b"\0" * 64, b"\0" * 65])
def test_other_bytes_are_no_signature(signature: bytes):
    assert not keys.is_signed(KEY.public, b"message", signature)


def test_a_signature_has_no_second_form():
    """s + L signs the same by the bare equation; RFC 8032 demands s < L."""
    signature = KEY.sign(b"message")
    group_order = 2**252 + 27742317777372353535851937790883648493
    scalar = int.from_bytes(signature[32:], "little") + group_order
    assert not keys.is_signed(
        KEY.public, b"message", signature[:32] + scalar.to_bytes(32, "little")
    )


P = 2**255 - 19
D = -121665 * pow(121666, -1, P) % P
L = 2**252 + 27742317777372353535851937790883648493
Point = tuple[int, int]


def add(one: Point, other: Point) -> Point:
    (a, b), (c, d) = one, other
    k = D * a * b * c * d
    return (
        (a * d + b * c) * pow(1 + k, -1, P) % P,
        (b * d + a * c) * pow(1 - k, -1, P) % P,
    )


def times(number: int, point: Point) -> Point:
    found = (0, 1)
    while number:
        if number & 1:
            found = add(found, point)
        point, number = add(point, point), number >> 1
    return found


def on_curve(y: int) -> Point | None:
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if x * x % P != square:
        x = x * pow(2, (P - 1) // 4, P) % P
    return (x, y) if x * x % P == square else None


def small_points() -> set[Point]:
    """All points whose order divides eight: multiples by L of any points."""
    found: set[Point] = set()
    y = 2
    while len(found) < 8:
        point = on_curve(y)
        if point:
            small = times(L, point)
            found |= {times(n, small) for n in range(8)}
        y += 1
    return found


@pytest.mark.threat(21)
def test_every_spelling_of_every_point_of_low_order_is_known():
    points = small_points()
    assert all(times(8, each) == (0, 1) for each in points)
    spellings = {
        (value | sign << 255).to_bytes(32, "little")
        for _, y in points
        for value in (y, y + P)
        for sign in (0, 1)
        if value < 2**255
    }
    assert len(spellings) == 14
    for raw in spellings:
        assert "low order" in keys.fault_of(text(raw))
        assert not keys.is_signed(text(raw), b"", raw + bytes(32))


FAULTY = {
    "empty": "",
    "31 bytes": text(bytes(31)),
    "33 bytes": text(bytes(33)),
    "no base64": "*" * 44,
    "not ASCII": "ü" * 44,
    "no padding": KEY.public.rstrip("="),
    "line end": KEY.public + "\n",
    "space before": " " + KEY.public,
    "another spelling of the last letter": KEY.public[:-2]
    + chr(ord(KEY.public[-2]) + 1)
    + KEY.public[-1],
    "PEM": KEY.pem().decode(),
}


@pytest.mark.parametrize("public", FAULTY.values(), ids=FAULTY.keys())
def test_a_key_has_one_spelling(public: str):
    assert keys.fault_of(public)
    assert not keys.is_signed(public, b"message", KEY.sign(b"message"))


@given(some.binary(min_size=32, max_size=32))
def test_any_32_bytes_are_a_key_or_none_but_never_an_error(raw: bytes):
    assert keys.fault_of(text(raw)) in ("", "a point of low order: anybody could sign for it")
    assert not keys.is_signed(text(raw), b"message", KEY.sign(b"message"))


def test_a_key_survives_its_file():
    again = keys.from_pem(KEY.pem())
    assert again.public == KEY.public
    assert again.sign(b"message") == KEY.sign(b"message")


def pem(
    key: x25519.X25519PrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey,
    password: bytes = b"",
) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(password)
        if password
        else serialization.NoEncryption(),
    )


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        KEY.public.encode(),
        pem(x25519.X25519PrivateKey.generate()),
        pem(ec.generate_private_key(ec.SECP256R1())),
        pem(ed25519.Ed25519PrivateKey.generate(), b"password"),
    ],
    ids=["nothing", "broken", "public", "X25519", "ECDSA", "encrypted"],
)
def test_other_files_are_told_in_words(data: bytes):
    with pytest.raises(errors.InputError):
        keys.from_pem(data)


def test_ids_and_fingerprints_differ_by_key():
    other = keys.generate()
    assert keys.id_of(KEY.public) != keys.id_of(other.public)
    shown = keys.fingerprint(KEY.public)
    assert len(shown.split("-")) == 8
    assert shown.replace("-", "") == keys.id_of(KEY.public).removeprefix("sha256:")[:32]


@pytest.mark.threat(76)
def test_a_private_key_is_in_no_text():
    secret = KEY.private.private_bytes_raw()
    shown = f"{KEY} {KEY!r}"
    assert text(secret) not in shown
    assert secret.hex() not in shown
    assert "private" not in shown
