"""SSH signatures over files (PROTOCOL.sshsig of OpenSSH), as `ssh-keygen -Y sign` writes them.

A signature counts in exactly the namespace that it was made for: one on a git commit opens no gate. Of a signature's
bytes there is one armor, so that any flipped byte is refused; but an ECDSA signature has a twin by nature, so what is
counted is keys, never signatures.
"""

import base64
import binascii
import hashlib
import re

from fleet.model import errors
from fleet.protocol import sshwire

TRUST = "fleet-trust"
RELEASE = "fleet-release"
GLASS = "fleet-break-glass"
GIT = "git"
MAX_ARMOR = 16 << 10  # bytes
MAX_SIGNATURES = 50  # in one file

_BEGIN, _END = "-----BEGIN SSH SIGNATURE-----", "-----END SSH SIGNATURE-----"
_MAGIC = b"SSHSIG"
_WIDTH = 70
_DIGESTS = {"sha256": hashlib.sha256, "sha512": hashlib.sha512}
_ONE = re.compile(rf"{_BEGIN}\n[A-Za-z0-9+/=\n]+\n{_END}\n")


def verify(armor: str, message: bytes, namespace: str) -> sshwire.Key:
    """Whose signature it is. Raises errors.RefusedError unless it holds for these bytes in this namespace."""
    try:
        return _verified(_blob(armor), message, namespace)
    except errors.InputError as error:
        raise errors.RefusedError(f"signature: {error}") from error


def split(text: str) -> tuple[str, ...]:
    """The armors in a file, one after the other and nothing else. Raises errors.InputError."""
    found = tuple(_ONE.findall(text)) if len(text) <= MAX_SIGNATURES * MAX_ARMOR else ()
    if not found or "".join(found) != text:
        raise errors.InputError("it is not armored SSH signatures, one after the other")
    if len(found) > MAX_SIGNATURES:
        raise errors.InputError(f"it has more than {MAX_SIGNATURES} signatures")
    return found


def signed(message: bytes, namespace: str, digest: str = "sha512") -> bytes:
    """What the key itself signs."""
    hashed = _DIGESTS[digest](message).digest()
    parts = namespace.encode(), b"", digest.encode(), hashed
    return _MAGIC + b"".join(map(sshwire.string, parts))


def armor(public: bytes, namespace: str, signature: bytes, digest: str = "sha512") -> str:
    """Of a key's bytes and its signature over `signed`."""
    parts = public, namespace.encode(), b"", digest.encode(), signature
    return _armored(_MAGIC + (1).to_bytes(4, "big") + b"".join(map(sshwire.string, parts)))


def _blob(text: str) -> bytes:
    if len(text) > MAX_ARMOR:
        raise errors.InputError("it is too large")
    if not _ONE.fullmatch(text):
        raise errors.InputError("it is no armored SSH signature")
    inner = text[len(_BEGIN) : -len(_END) - 1]
    try:
        blob = base64.b64decode(inner.replace("\n", ""), validate=True)
    except (binascii.Error, ValueError) as error:
        raise errors.InputError("it is not base64") from error
    if _armored(blob) != text:
        raise errors.InputError("it is not in its one spelling")
    return blob


def _armored(blob: bytes) -> str:
    text = base64.b64encode(blob).decode("ascii")
    lines = [text[start : start + _WIDTH] for start in range(0, len(text), _WIDTH)]
    return "\n".join((_BEGIN, *lines, _END, ""))


def _verified(blob: bytes, message: bytes, namespace: str) -> sshwire.Key:
    reader = sshwire.Reader(blob)
    if reader.take(len(_MAGIC)) != _MAGIC or reader.number() != 1:
        raise errors.InputError("it is no SSH signature of version 1")
    key = sshwire.of_blob(reader.string())
    if reader.string() != namespace.encode():
        raise errors.InputError(f"it was not made for {namespace}")
    if reader.string():
        raise errors.InputError("something stands where nothing may")
    digest = reader.word()
    if digest not in _DIGESTS:
        raise errors.InputError(f"digests by {digest!a} are not known here")
    signature = reader.string()
    reader.end()
    if not key.holds(signature, signed(message, namespace, digest)):
        raise errors.InputError("it does not hold")
    return key
