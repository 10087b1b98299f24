"""Hooks of a git host: an HMAC that only lets someone say "fetch now" (threat 72)."""

import hashlib
import hmac


def is_genuine(body: bytes, signature: str, secret: bytes) -> bool:
    """`signature` as X-Hub-Signature-256 carries it: "sha256=" and the hexadecimal HMAC-SHA-256 of the body.

    With an empty secret nothing is genuine: anybody could sign with it.
    """
    expected = "sha256=" + hmac.new(secret, body, hashlib.sha256).hexdigest()
    given = signature.encode("utf-8", "backslashreplace")  # a header may hold any byte
    return bool(secret) and hmac.compare_digest(expected.encode(), given)
