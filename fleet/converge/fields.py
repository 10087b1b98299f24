"""Whose fields are whose: what managedFields tells about drift, and which conflicts may be forced (rule 8).

When somebody changes a field that we applied, the API server takes it from our entry of managedFields. So a changed
entry is drift, and an equal one is none, whatever else others add to the object.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fleet.model import json_values

MANAGER = "fleetgate"

_STEP = re.compile(
    r"\.(?P<name>[^.\[\]]+)|\[(?P<keys>(?:[A-Za-z]\w*=(?:\"(?:[^\"\\]|\\.)*\"|[^,\]]+),?)+)\]|\[=(?P<item>.+?)\](?=[.\[]|$)|\[(?P<index>\d+)\]"
)
_KEY = re.compile(r"([A-Za-z]\w*)=(\"(?:[^\"\\]|\\.)*\"|[^,\]]+)")
_DIGITS = 16  # of the digest of our fields: it is compared with itself only


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What is known of a live object. `fields` are ours, as a digest; "" = none."""

    uid: str
    fields: str
    version: int  # resourceVersion; grows with each change of the object
    terminating: bool


def seen(live: json_values.JsonObject) -> Seen:
    metadata = live["metadata"]
    return Seen(
        uid=metadata.get("uid", ""),
        fields=owned(live),
        version=int(metadata.get("resourceVersion") or 0),
        terminating=bool(metadata.get("deletionTimestamp")),
    )


def owned(live: json_values.JsonObject) -> str:
    """A digest of the fields that we own by server-side apply."""
    for entry in live["metadata"].get("managedFields") or ():
        is_ours = entry.get("manager") == MANAGER and entry.get("operation") == "Apply"
        if is_ours and not entry.get("subresource"):
            return json_values.digest(entry.get("fieldsV1")).removeprefix("sha256:")[:_DIGITS]
    return ""


def has_others(live: json_values.JsonObject) -> bool:
    """Whether anybody else has written to the object itself."""
    entries = live["metadata"].get("managedFields") or ()
    return any(e.get("manager") != MANAGER and not e.get("subresource") for e in entries)


def without_ours(live: json_values.JsonObject) -> json_values.JsonObject:
    """The object as it is, with none of our marks: neither the set's label nor our entry of managedFields."""
    metadata = live["metadata"]
    labels = {
        key: value
        for key, value in (metadata.get("labels") or {}).items()
        if key != "applyset.kubernetes.io/part-of"
    }
    entries = [e for e in metadata.get("managedFields") or () if e.get("manager") != MANAGER]
    # An empty list would leave the entries as they are; one empty entry takes all of them away.
    return {**live, "metadata": {**metadata, "labels": labels, "managedFields": entries or [{}]}}


def were_ours(conflicting: Iterable[str], applied: json_values.JsonObject | None) -> bool:
    """Whether each field (as the API server spells it) was in the body that we applied last."""
    return applied is not None and all(_holds(applied, field) for field in conflicting)


def _holds(body: Any, field: str) -> bool:
    for step in _steps(field):
        found = step(body)
        if found is _ABSENT:
            return False
        body = found
    return True


_ABSENT = object()


def _steps(field: str) -> Iterator[Any]:
    at = 0
    while at < len(field):
        match = _STEP.match(field, at)
        if match is None:
            yield lambda _: _ABSENT
            return
        yield _step(match)
        at = match.end()


def _step(match: re.Match[str]) -> Any:
    if match["name"] is not None:
        return lambda value, name=match["name"]: _named(value, name)
    if match["keys"] is not None:
        keys = {key: _value(text) for key, text in _KEY.findall(match["keys"])}
        return lambda value: _keyed(value, keys)
    if match["item"] is not None:
        item = _value(match["item"])
        return lambda value: item if isinstance(value, list) and item in value else _ABSENT
    return lambda value, place=int(match["index"]): _placed(value, place)


def _named(value: Any, name: str) -> Any:
    return value.get(name, _ABSENT) if isinstance(value, Mapping) else _ABSENT


def _keyed(value: Any, keys: Mapping[str, Any]) -> Any:
    """The element of an associative list; a key that it leaves out was defaulted and speaks for nobody."""
    elements = [e for e in value if isinstance(e, Mapping)] if isinstance(value, list) else []
    fitting = (
        e for e in elements if all(e.get(key, wanted) == wanted for key, wanted in keys.items())
    )
    return next(fitting, _ABSENT)


def _placed(value: Any, place: int) -> Any:
    return value[place] if isinstance(value, list) and place < len(value) else _ABSENT


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
