"""What CI says of a content, signed with its issuer's secret (threat 55). Nothing is parsed that nobody has signed."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from fleet.model import errors, json_values, moments, observed
from fleet.protocol import webhooks

_FIELDS = frozenset({"issuer", "context", "environment", "commit", "content", "state", "at"})
_ISSUER = re.compile(r"\S(.{0,251}\S)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """`what` is a content id, or a commit as `environment` reads it."""

    issuer: str
    context: str
    environment: str
    what: str
    outcome: observed.Outcome
    at: datetime


def verified(body: bytes, signature: str, secrets: Mapping[str, str]) -> Said | None:
    """None where no secret fits, or not that of the issuer it names. Raises errors.InputError for what is malformed."""
    signers = [
        issuer
        for issuer, secret in secrets.items()
        if webhooks.is_genuine(body, signature, secret.encode())
    ]
    if not signers:
        return None
    try:
        document = json_values.decode(body)
    except (ValueError, RecursionError) as error:
        raise errors.InputError(f"not JSON: {error}") from None
    said = parse(document)
    return said if said.issuer in signers else None


def parse(document: object) -> Said:
    """Raises errors.InputError, in words for whoever sent it."""
    if not isinstance(document, dict) or not all(isinstance(v, str) for v in document.values()):
        raise errors.InputError("a status is one JSON object of texts")
    odd = sorted(str(each) for each in document.keys() - _FIELDS)
    if odd:
        raise errors.InputError(f"unknown fields {', '.join(odd)[:200]!r}")
    commit, content = document.get("commit", ""), document.get("content", "")
    if bool(commit) == bool(content) or (commit and not document.get("environment")):
        raise errors.InputError("name either content, or commit and environment")
    for field in ("issuer", "context"):
        if not _ISSUER.fullmatch(document.get(field, "")):
            raise errors.InputError(f"{field} is missing, too long, or begins or ends in a blank")
    return Said(
        issuer=document["issuer"],
        context=document["context"],
        environment=document.get("environment", ""),
        what=commit or content,
        outcome=_outcome(document.get("state", "")),
        at=moments.read(document.get("at", ""), "at"),
    )


def _outcome(text: str) -> observed.Outcome:
    try:
        return observed.Outcome(text)
    except ValueError:
        raise errors.InputError("state is success, failure or pending") from None
