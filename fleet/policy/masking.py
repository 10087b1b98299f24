"""No value of a Secret leaves in a message (threat 20): what a policy quotes of it is replaced."""

import base64
import binascii
import re
from collections.abc import Iterator, Mapping

from fleet.model import objects

MASK = "***"
_FRAGMENT = 8  # characters of a value in a row that give it away


def masked(text: str, manifest: objects.Manifest) -> str:
    """The text without anything that the manifest keeps secret: in plain, in base64, line by line, cut off."""
    if (manifest.key.group, manifest.key.kind) != ("", "Secret"):
        return text
    values = sorted(set(_values(manifest)), key=len, reverse=True)
    if not values:
        return text
    whole = re.sub("|".join(map(re.escape, values)), MASK, text)
    return _without_fragments(whole, "\0".join(values))


def _without_fragments(text: str, values: str) -> str:
    found, at = [], 0
    while at < len(text):
        end = at + _FRAGMENT
        if end > len(text) or text[at:end] not in values:
            found.append(text[at])
            at += 1
            continue
        while end < len(text) and text[end - _FRAGMENT + 1 : end + 1] in values:
            end += 1
        found.append(MASK)
        at = end
    return "".join(found)


def _values(manifest: objects.Manifest) -> Iterator[str]:
    for value in _written(manifest, "stringData"):
        yield from _spellings(value)
        yield base64.b64encode(value.encode("utf-8", "surrogatepass")).decode()
    for value in _written(manifest, "data"):
        yield from _spellings(value)
        try:
            yield from _spellings(base64.b64decode(value).decode())
        except (binascii.Error, ValueError):
            continue


def _written(manifest: objects.Manifest, name: str) -> Iterator[str]:
    """Numbers and the like count too: an invalid object keeps its secrets as well."""
    values = manifest.body.get(name)
    for value in values.values() if isinstance(values, Mapping) else [values]:
        if value is not None and str(value):
            yield str(value)


def _spellings(value: str) -> Iterator[str]:
    for each in (value, *value.splitlines()):
        yield from {form for form in (each, each.strip()) if form}
