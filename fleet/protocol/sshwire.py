"""SSH's own forms (RFC 4251, 4253, 5656, 8709; PROTOCOL.u2f): public keys of people, and the signatures they make.

Strict both ways: of one key there is one text, so keys may be compared and counted as texts.
"""

import base64
import binascii
import functools
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils

from fleet.model import errors
from fleet.protocol import keys

MAX_KEY = 4096  # bytes of a public key
_RSA_BITS = range(2048, 8193)
_PRESENT = 0x01  # flag of a hardware key: somebody touched it

Verify: TypeAlias = Callable[[bytes], None]  # raises InvalidSignature


@dataclass(slots=True)
class Reader:
    """Takes values off the front. Raises errors.InputError where there is less than promised, or more."""

    left: bytes

    def take(self, count: int) -> bytes:
        if len(self.left) < count:
            raise errors.InputError("it is cut off")
        taken, self.left = self.left[:count], self.left[count:]
        return taken

    def number(self) -> int:
        return int.from_bytes(self.take(4), "big")

    def string(self) -> bytes:
        return self.take(self.number())

    def word(self) -> str:
        try:
            return self.string().decode("ascii")
        except UnicodeDecodeError as error:
            raise errors.InputError("a name in it is not ASCII") from error

    def positive(self) -> int:
        """A multiple precision integer in its shortest form, above zero."""
        data = self.string()
        if (
            not data
            or data[0] & 0x80
            or (data[:1] == b"\0" and not (data[1:2] and data[1] & 0x80))
        ):
            raise errors.InputError("a number in it is not in its shortest form")
        return int.from_bytes(data, "big")

    def end(self) -> None:
        if self.left:
            raise errors.InputError("something follows it")


def string(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + data


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A public key. `text` is "TYPE BASE64", without any comment."""

    text: str
    kind: str
    algorithms: tuple[str, ...]  # of its signatures
    check: Callable[[str, bytes, bytes], None] = field(repr=False)  # algorithm, blob, message

    def holds(self, signature: bytes, message: bytes) -> bool:
        """Whether this is the key's signature, as SSH writes one, over the message."""
        reader = Reader(signature)
        try:
            algorithm = reader.word()
            if algorithm not in self.algorithms:
                return False
            self.check(algorithm, reader.left, message)
        except (errors.InputError, InvalidSignature, ValueError):
            return False
        return True


def key(line: str) -> Key:
    """Of a line as *.pub files have it: a type, base64, and perhaps a comment. Raises errors.InputError."""
    kind, _, rest = line.partition(" ")
    written = rest.partition(" ")[0]
    try:
        blob = base64.b64decode(written, validate=True)
    except (binascii.Error, ValueError) as error:
        raise errors.InputError("it is no line of an SSH public key") from error
    found = of_blob(blob)
    if found.text != f"{kind} {written}":
        raise errors.InputError("its type and its bytes do not belong together")
    return found


def of_blob(blob: bytes) -> Key:
    """Raises errors.InputError for a type that is not known, and for any second spelling of a key."""
    if len(blob) > MAX_KEY:
        raise errors.InputError("the key is too large")
    return _of_blob(blob)


def fingerprint(text: str) -> str:
    """As `ssh-keygen -l` shows it."""
    digest = hashlib.sha256(base64.b64decode(text.partition(" ")[2])).digest()
    return "SHA256:" + base64.b64encode(digest).decode("ascii").rstrip("=")


@functools.lru_cache(maxsize=1024)
def _of_blob(blob: bytes) -> Key:
    reader = Reader(blob)
    kind = reader.word()
    if kind not in _KINDS:
        raise errors.InputError(f"keys of type {kind!a} are not known here")
    try:
        algorithms, check = _KINDS[kind](reader)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise errors.InputError(f"the {kind} key is malformed") from error
    reader.end()
    text = f"{kind} {base64.b64encode(blob).decode('ascii')}"
    return Key(text=text, kind=kind, algorithms=algorithms, check=check)


_Made: TypeAlias = tuple[tuple[str, ...], Callable[[str, bytes, bytes], None]]


def _ed25519(reader: Reader) -> _Made:
    public = _edwards(reader.string())

    def check(_: str, signature: bytes, message: bytes) -> None:
        public.verify(_only(signature), message)

    return ("ssh-ed25519",), check


def _sk_ed25519(reader: Reader) -> _Made:
    public = _edwards(reader.string())
    application = reader.string()

    def check(_: str, signature: bytes, message: bytes) -> None:
        inner, signed = _touched(signature, application, message)
        public.verify(inner, signed)

    return ("sk-ssh-ed25519@openssh.com",), check


def _ecdsa(curve: ec.EllipticCurve, name: str, digest: hashes.HashAlgorithm) -> "_Kind":
    def made(reader: Reader) -> _Made:
        public = _point(reader, curve, name)

        def check(_: str, signature: bytes, message: bytes) -> None:
            public.verify(_pair(_only(signature)), message, ec.ECDSA(digest))

        return (f"ecdsa-sha2-{name}",), check

    return made


def _sk_ecdsa(reader: Reader) -> _Made:
    public = _point(reader, ec.SECP256R1(), "nistp256")
    application = reader.string()

    def check(_: str, signature: bytes, message: bytes) -> None:
        inner, signed = _touched(signature, application, message)
        public.verify(_pair(inner), signed, ec.ECDSA(hashes.SHA256()))

    return ("sk-ecdsa-sha2-nistp256@openssh.com",), check


def _rsa(reader: Reader) -> _Made:
    exponent, modulus = reader.positive(), reader.positive()
    if modulus.bit_length() not in _RSA_BITS:
        raise errors.InputError(f"an RSA key has {_RSA_BITS.start} to {_RSA_BITS.stop - 1} bits")
    public = rsa.RSAPublicNumbers(exponent, modulus).public_key()

    def check(algorithm: str, signature: bytes, message: bytes) -> None:
        digest = hashes.SHA512() if algorithm == "rsa-sha2-512" else hashes.SHA256()
        public.verify(_only(signature), message, padding.PKCS1v15(), digest)

    return ("rsa-sha2-512", "rsa-sha2-256"), check  # never ssh-rsa, which is SHA-1


_Kind: TypeAlias = Callable[[Reader], _Made]
_KINDS: Mapping[str, _Kind] = {
    "ssh-ed25519": _ed25519,
    "sk-ssh-ed25519@openssh.com": _sk_ed25519,
    "ecdsa-sha2-nistp256": _ecdsa(ec.SECP256R1(), "nistp256", hashes.SHA256()),
    "ecdsa-sha2-nistp384": _ecdsa(ec.SECP384R1(), "nistp384", hashes.SHA384()),
    "sk-ecdsa-sha2-nistp256@openssh.com": _sk_ecdsa,
    "ssh-rsa": _rsa,
}


def _edwards(raw: bytes) -> ed25519.Ed25519PublicKey:
    fault = keys.fault_of(base64.b64encode(raw).decode("ascii"))
    if fault:
        raise errors.InputError(f"the key is {fault}")
    return ed25519.Ed25519PublicKey.from_public_bytes(raw)


def _point(reader: Reader, curve: ec.EllipticCurve, name: str) -> ec.EllipticCurvePublicKey:
    if reader.word() != name:
        raise errors.InputError("the key is of another curve than its type says")
    raw = reader.string()
    if raw[:1] != b"\4":  # of a point there are two spellings: only the long one
        raise errors.InputError("the key's point is not written out")
    return ec.EllipticCurvePublicKey.from_encoded_point(curve, raw)


def _only(blob: bytes) -> bytes:
    reader = Reader(blob)
    found = reader.string()
    reader.end()
    return found


def _pair(blob: bytes) -> bytes:
    reader = Reader(blob)
    pair = reader.positive(), reader.positive()
    reader.end()
    return utils.encode_dss_signature(*pair)


def _touched(blob: bytes, application: bytes, message: bytes) -> tuple[bytes, bytes]:
    """The inner signature, and the bytes that a hardware key signs: only where somebody touched it."""
    reader = Reader(blob)
    inner, flags, counter = reader.string(), reader.take(1), reader.take(4)
    reader.end()
    if not flags[0] & _PRESENT:
        raise errors.InputError("nobody touched the key")
    bound = hashlib.sha256(application).digest()
    return inner, bound + flags + counter + hashlib.sha256(message).digest()
