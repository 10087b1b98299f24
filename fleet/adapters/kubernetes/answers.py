"""From HTTP to the port's words: a table of statuses, conflicts by field and owner, no value of a Secret repeated.

"It is not there" is believed only from the API server itself: a 404 of whatever stands in between says nothing.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from fleet.adapters.kubernetes import connection, masks
from fleet.model import errors, json_values
from fleet.ports import cluster

_STATUSES = {
    401: cluster.Status.DENIED,
    403: cluster.Status.DENIED,
    408: cluster.Status.LATER,
    409: cluster.Status.CONFLICT,
    425: cluster.Status.LATER,
    429: cluster.Status.LATER,
}
_NO = re.compile(
    r"admission webhook \"[^\"]*\" denied the request"
    r"|ValidatingAdmissionPolicy '[^']*' with binding '[^']*' denied request"
)
# Said with status 500 though it is the object that is wrong, and will be the next time too.
_WRONG = ("failed to create typed patch object", "failed to convert new object")
_MANAGER = re.compile(r'conflict with ("(?:[^"\\]|\\.)*")')
_LONGEST = 2000  # characters of a message


def of(
    reply: connection.Reply, sent: json_values.JsonObject | None, *, about: str = ""
) -> cluster.Answer:
    """`sent` is the object that was sent, `about` the plural of its kind.

    Raises errors.UnreachableError for what no API server says.
    """
    said = decoded(reply)
    if reply.status < 300:
        return cluster.Answer(status=cluster.Status.DONE, live=_live(said))
    status = _status(reply, said, about)
    return cluster.Answer(
        status=status,
        message=masks.masked(_said(reply, said, sent, about), sent)[:_LONGEST],
        conflicts=tuple(_conflicts(said)) if status is cluster.Status.CONFLICT else (),
        retry_after=_seconds(reply, said) if status is cluster.Status.LATER else 0.0,
    )


def document(reply: connection.Reply, path: str) -> Mapping[str, Any]:
    """Of what must be there. Raises errors.UnreachableError for any other answer."""
    if reply.status != 200:
        said = of(reply, None)
        raise errors.UnreachableError(f"{path}: {said.message}")
    return decoded(reply)


def decoded(reply: connection.Reply) -> Mapping[str, Any]:
    """The JSON object; {} for any other body of an error."""
    try:
        value = json.loads(reply.body)
    except (ValueError, RecursionError):
        value = None
    if isinstance(value, Mapping):
        return value
    if reply.status < 300:
        raise errors.UnreachableError(
            "the answer is no JSON object", hint="is this the address of an API server?"
        )
    return {}


def _live(said: Mapping[str, Any]) -> json_values.JsonObject | None:
    """What was deleted at once is answered with a Status instead of the object."""
    return None if said.get("kind") == "Status" and said.get("apiVersion") == "v1" else said


def _status(reply: connection.Reply, said: Mapping[str, Any], about: str) -> cluster.Status:
    message = str(said.get("message") or "")
    if _NO.search(message):
        return cluster.Status.DENIED
    if reply.status == 404:
        return _absence(reply, said, about)
    if reply.status >= 500:
        is_wrong = message.startswith(_WRONG)
        return cluster.Status.INVALID if is_wrong else cluster.Status.LATER
    return _STATUSES.get(reply.status, cluster.Status.INVALID)


def _absence(reply: connection.Reply, said: Mapping[str, Any], about: str) -> cluster.Status:
    """404 means three things: the object is not there, its namespace is not, its kind is not served."""
    details = _details(said)
    if details.get("name"):
        is_namespace = details.get("kind") == "namespaces" and about != "namespaces"
        return cluster.Status.INVALID if is_namespace else cluster.Status.ABSENT
    is_status = said.get("kind") == "Status"
    is_plain = reply.body.strip() == b"404 page not found" and "Audit-Id" in reply.headers
    if is_status or is_plain:
        return cluster.Status.UNSERVED
    raise errors.UnreachableError("a 404 that is not the API server's")


def _said(
    reply: connection.Reply,
    said: Mapping[str, Any],
    sent: json_values.JsonObject | None,
    about: str,
) -> str:
    """Admission may quote a Secret that was not sent, as when it refuses its deletion: only who refused is repeated."""
    message = _message(reply, said)
    refused = _NO.search(message)
    if refused and about == "secrets" and (sent is None or sent.get("kind") != "Secret"):
        return f"{message[: refused.end()]} (its words are left out: they may quote the Secret)"
    return message


def _message(reply: connection.Reply, said: Mapping[str, Any]) -> str:
    text = str(said.get("message") or "").strip() or reply.body.decode(errors="replace").strip()
    return text or f"the API server answers with status {reply.status}"


def _conflicts(said: Mapping[str, Any]) -> Iterator[cluster.FieldConflict]:
    for cause in _details(said).get("causes") or ():
        if cause.get("reason") == "FieldManagerConflict":
            yield cluster.FieldConflict(
                field=str(cause.get("field") or ""),
                manager=_manager(str(cause.get("message") or "")),
            )


def _manager(message: str) -> str:
    """Quoted by Go, which is how JSON quotes, but for rare characters."""
    found = _MANAGER.search(message)
    if found is None:
        return "unknown"
    try:
        return str(json.loads(found[1]))
    except ValueError:
        return found[1][1:-1]


def _seconds(reply: connection.Reply, said: Mapping[str, Any]) -> float:
    header = reply.headers.get("Retry-After", "")
    if header.isdecimal():
        return float(header)
    written = _details(said).get("retryAfterSeconds")
    return float(written) if isinstance(written, int) else 0.0


def _details(said: Mapping[str, Any]) -> Mapping[str, Any]:
    found = said.get("details")
    return found if isinstance(found, Mapping) else {}
