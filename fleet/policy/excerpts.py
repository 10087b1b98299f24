"""Values of expressions as people read them: short, and with nothing in them that a Secret keeps (threat 20)."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from fleet import cel
from fleet.model import findings, objects
from fleet.policy import masking

SHOWN = 300  # characters of a value
_KEPT = ("data", "stringData")
_LONGEST = 1000  # characters of one text in it that are looked at


def excerpt(value: Any, manifest: objects.Manifest) -> str:
    """Written no further than it is shown, however large it is."""
    found = ""
    for part in _parts(value, manifest, 0):
        found += part
        if len(found) > SHOWN:
            return findings.escaped(f"{found[:SHOWN]}...")
    return findings.escaped(found)


def message(text: str, manifest: objects.Manifest) -> str:
    """Of an error or a validation, which may quote the object."""
    if _is_secret(manifest) and len(text) > 8 * _LONGEST:
        return masking.MASK
    shown = findings.escaped(masking.masked(text, manifest))
    return shown if len(shown) <= _LONGEST else f"{shown[:_LONGEST]}..."


def _parts(value: Any, manifest: objects.Manifest, depth: int) -> Iterator[str]:
    if depth > SHOWN:
        yield "..."
    elif isinstance(value, Mapping):
        yield "{"
        for n, (key, inner) in enumerate(value.items()):
            yield f"{', ' if n else ''}{_plain(key, manifest)}: "
            yield from _parts(inner, manifest, depth + 1)
        yield "}"
    elif isinstance(value, list):
        yield "["
        for n, inner in enumerate(value):
            yield ", " if n else ""
            yield from _parts(inner, manifest, depth + 1)
        yield "]"
    else:
        yield _plain(value, manifest)


def _plain(value: Any, manifest: objects.Manifest) -> str:
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if _is_secret(manifest):
        is_open = isinstance(value, str) and value in _open(manifest)
        return json.dumps(masking.masked(value, manifest) if is_open else masking.MASK)
    if isinstance(value, str):
        return json.dumps(value[:_LONGEST], ensure_ascii=False)
    return _text(value[:_LONGEST] if isinstance(value, bytes) else value)


def _open(manifest: objects.Manifest) -> set[str]:
    """All words of a Secret but its values: whatever a policy makes of those, letter by letter, is none of them."""
    shown = {key: each for key, each in manifest.body.items() if key not in _KEPT}
    keys = [key for name in _KEPT for key in _keys(manifest.body.get(name))]
    return {*_words(shown), *keys}


def _keys(value: Any) -> list[str]:
    return [*map(str, value)] if isinstance(value, Mapping) else []


def _words(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        yield from map(str, value)
        for inner in value.values():
            yield from _words(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _words(inner)
    elif isinstance(value, str):
        yield value


def _text(value: Any) -> str:
    try:
        return cel.text_of(value)
    except (cel.EvaluationError, ValueError):
        return str(value)[:SHOWN]


def _is_secret(manifest: objects.Manifest) -> bool:
    return (manifest.key.group, manifest.key.kind) == ("", "Secret")
