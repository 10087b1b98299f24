"""Ed25519 keys (RFC 8032) as 32 raw bytes in base64, named by the SHA-256 of those bytes."""

import base64
import binascii
import hashlib
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from fleet.model import errors

# Points of small order, in every encoding: a signature by them holds for many messages at once.
_LOW_ORDER = frozenset(
    bytes.fromhex(text)
    for text in (
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0000000000000000000000000000000000000000000000000000000000000080",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000080",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKey:
    """A private key. `public` is its public half as documents carry it."""

    private: ed25519.Ed25519PrivateKey = field(repr=False)

    @property
    def public(self) -> str:
        return _text(self.private.public_key().public_bytes_raw())

    def sign(self, data: bytes) -> bytes:
        return self.private.sign(data)

    def pem(self) -> bytes:
        return self.private.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )


def generate() -> SigningKey:
    return SigningKey(private=ed25519.Ed25519PrivateKey.generate())


def from_pem(data: bytes) -> SigningKey:
    """Raises errors.InputError for what is no unencrypted Ed25519 key."""
    try:
        private = serialization.load_pem_private_key(data, None)
    except (ValueError, TypeError) as error:
        raise errors.InputError(f"not a private key: {error}") from error
    if not isinstance(private, ed25519.Ed25519PrivateKey):
        raise errors.InputError("not an Ed25519 key")
    return SigningKey(private=private)


def fault_of(public: str) -> str:
    """What is wrong with a public key as written, in words; "" = nothing."""
    try:
        raw = base64.b64decode(public, validate=True)
    except (binascii.Error, ValueError):
        return "not base64"
    if len(raw) != 32 or _text(raw) != public:
        return "not 32 bytes in canonical base64"
    return "a point of low order: anybody could sign for it" if raw in _LOW_ORDER else ""


def is_signed(public: str, data: bytes, signature: bytes) -> bool:
    if fault_of(public):
        return False
    key = ed25519.Ed25519PublicKey.from_public_bytes(base64.b64decode(public))
    try:
        key.verify(signature, data)
    except InvalidSignature:
        return False
    return True


def id_of(public: str) -> str:
    return "sha256:" + hashlib.sha256(base64.b64decode(public)).hexdigest()


def fingerprint(public: str) -> str:
    """A short form for people to compare by eye."""
    digits = id_of(public).removeprefix("sha256:")[:32]
    return "-".join(digits[start : start + 4] for start in range(0, 32, 4))


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")
