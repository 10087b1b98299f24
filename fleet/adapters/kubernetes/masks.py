"""No value of a Secret leaves in a message (threat 20): the API server and its webhooks quote what they do not like."""

import base64
import binascii
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from fleet.model import json_values

MASK = "***"
_SHORT = 4  # characters; a shorter value is hidden only where it stands alone
_FRAGMENT = 8  # characters of a value in a row that give it away, where it was cut off


def masked(text: str, sent: json_values.JsonObject | None) -> str:
    """The text without anything that the object keeps secret: in plain, in base64, quoted, line by line, cut off."""
    if sent is None or sent.get("kind") != "Secret":
        return text
    spellings = {form for each in _values(sent) for form in _spellings(each) if form}
    if not spellings:
        return text
    ordered = sorted(spellings, key=len, reverse=True)
    hidden = re.sub("|".join(map(_pattern, ordered)), MASK, text)
    return _without_fragments(hidden, "\0".join(ordered))


def _values(sent: json_values.JsonObject) -> Iterator[str]:
    """An object of the wrong shape keeps its secrets as well, so anything below these fields counts."""
    for value in _leaves(sent.get("data")):
        yield value
        try:
            yield base64.b64decode(value).decode()
        except (binascii.Error, ValueError):
            continue
    for value in _leaves(sent.get("stringData")):
        yield value
        yield base64.b64encode(value.encode("utf-8", "surrogatepass")).decode()


def _leaves(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            yield from _leaves(each)
    elif value is not None:
        yield value if isinstance(value, str) else json.dumps(value)


def _spellings(value: str) -> Iterator[str]:
    for each in (value, *value.splitlines()):
        yield each
        yield each.strip()
        yield json.dumps(each, ensure_ascii=False)[1:-1]  # as Go quotes it


def _pattern(value: str) -> str:
    found = re.escape(value)
    return found if len(value) >= _SHORT else rf"(?<!\w){found}(?!\w)"


def _without_fragments(text: str, values: str) -> str:
    found, at = [], 0
    while at < len(text):
        end = at + _FRAGMENT
        if end > len(text) or text[at:end] not in values:
            found.append(text[at])
            at += 1
            continue
        while end < len(text) and text[at : end + 1] in values:
            end += 1
        found.append(MASK)
        at = end
    return "".join(found)
