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

_VALUE = r"(?:\"(?:[^\"\\]|\\.)*\"|[^\",\]]+)"
_STEP = re.compile(
    rf"\[(?P<keys>[A-Za-z]\w*={_VALUE}(?:,[A-Za-z]\w*={_VALUE})*)\]"
    r"|\[=(?P<item>.+?)\](?=[.\[]|$)"
    r"|\[(?P<index>\d{1,9})\]"
)
_KEY = re.compile(rf"([A-Za-z]\w*)=({_VALUE})")
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
        version=_number(metadata.get("resourceVersion")),
        terminating=bool(metadata.get("deletionTimestamp")),
    )


def _number(version: object) -> int:
    """0 where an API server that is not Kubernetes' own counts otherwise: then each state is taken for the newest."""
    return int(version) if isinstance(version, str) and version.isdecimal() else 0


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
    return applied is not None and all(field and _holds(applied, field) for field in conflicting)


def _holds(body: Any, field: str) -> bool:
    if not field:
        return True
    if field.startswith("."):
        return any(_holds(body[name], rest) for name, rest in _named(body, field[1:]))
    match = _STEP.match(field)
    found = _at(body, match) if match else _ABSENT
    return match is not None and found is not _ABSENT and _holds(found, field[match.end() :])


_ABSENT = object()


def _named(body: Any, field: str) -> Iterator[tuple[str, str]]:
    """A name may hold dots itself (`.data.app.properties`), and only the names that are there tell where it ends."""
    for name in body if isinstance(body, Mapping) else ():
        rest = field.removeprefix(name)
        if field.startswith(name) and rest[:1] in ("", ".", "["):
            yield name, rest


def _at(body: Any, match: re.Match[str]) -> Any:
    if match["keys"] is not None:
        return _keyed(body, {key: _value(text) for key, text in _KEY.findall(match["keys"])})
    if match["item"] is not None:
        item = _value(match["item"])
        return item if isinstance(body, list) and item in body else _ABSENT
    return _placed(body, int(match["index"]))


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
