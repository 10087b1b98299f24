"""From HTTP to the port's words: a table of statuses, conflicts by field and owner, nothing of a Secret repeated."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from fleet.model import json_values
from fleet.ports import cluster

_STATUSES = {
    400: cluster.Status.INVALID,
    401: cluster.Status.DENIED,
    403: cluster.Status.DENIED,
    409: cluster.Status.CONFLICT,
    413: cluster.Status.INVALID,
    415: cluster.Status.INVALID,
    422: cluster.Status.INVALID,
}
_MANAGER = re.compile(r'conflict with "((?:[^"\\]|\\.)*)"')
_SHORTEST = 4  # characters of a value that are worth hiding: shorter ones would hide words


def of(
    status: int, headers: Mapping[str, str], document: Any, body: json_values.JsonObject | None
) -> cluster.Answer:
    """`document` is the decoded answer, `body` what was sent."""
    if status < 300:
        return cluster.Answer(status=cluster.Status.DONE, live=document)
    said = document if isinstance(document, dict) else {}
    message = masked(str(said.get("message") or f"the API server answers {status}"), body)
    if status == 404:
        return cluster.Answer(status=_absence(said, body), message=message)
    if status == 429 or status >= 500:
        pause = _seconds(headers.get("Retry-After", ""))
        return cluster.Answer(status=cluster.Status.LATER, message=message, retry_after=pause)
    return cluster.Answer(
        status=_STATUSES.get(status, cluster.Status.INVALID),
        message=message,
        conflicts=tuple(_conflicts(said)) if status == 409 else (),
    )


def masked(message: str, body: json_values.JsonObject | None) -> str:
    """The message without any value of the Secret that was sent."""
    if body is None or body.get("kind") != "Secret":
        return message
    for section in ("data", "stringData"):
        values = body.get(section)
        for value in values.values() if isinstance(values, Mapping) else ():
            if isinstance(value, str) and len(value) >= _SHORTEST:
                message = message.replace(value, "***")
    return message


def _absence(said: Mapping[str, Any], body: json_values.JsonObject | None) -> cluster.Status:
    """404 means three things: the object is not there, its namespace is not, its kind is not served."""
    details = said.get("details")
    kind = details.get("kind") if isinstance(details, Mapping) else None
    if not isinstance(details, Mapping) or not details.get("name"):
        return cluster.Status.UNSERVED
    is_namespace = body is not None and kind == "namespaces" and body.get("kind") != "Namespace"
    return cluster.Status.INVALID if is_namespace else cluster.Status.ABSENT


def _conflicts(said: Mapping[str, Any]) -> Iterator[cluster.FieldConflict]:
    details = said.get("details")
    causes = details.get("causes") if isinstance(details, Mapping) else None
    for cause in causes if isinstance(causes, list) else ():
        if isinstance(cause, Mapping) and cause.get("reason") == "FieldManagerConflict":
            manager = _MANAGER.search(str(cause.get("message", "")))
            yield cluster.FieldConflict(
                field=str(cause.get("field", "")), manager=manager[1] if manager else "unknown"
            )


def _seconds(text: str) -> float:
    return float(text) if text.isdigit() else 0.0
