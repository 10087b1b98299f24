"""Hooks of a git host: an HMAC that only lets someone say "fetch now" (threat 72)."""

import hashlib
import hmac


def is_genuine(body: bytes, signature: str, secret: bytes) -> bool:
    """`signature` as X-Hub-Signature-256 carries it: "sha256=" and the hexadecimal HMAC-SHA-256 of the body."""
    expected = "sha256=" + hmac.new(secret, body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected.encode(), signature.encode())
