"""Values of expressions as people read them: short, and with nothing in them that a Secret keeps (threat 20)."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from fleet import cel
from fleet.model import findings, objects
from fleet.policy import masking

SHOWN = 300  # characters of a value
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
    """Each by itself, so that quotes do not hide what a Secret keeps."""
    if value is None:
        return "null"
    if isinstance(value, bytes):
        return f"b{_plain(value[: 4 * _LONGEST].decode(errors='replace'), manifest)}"
    if not isinstance(value, str):
        return masking.masked(_text(value), manifest)
    if _is_secret(manifest):
        return json.dumps(
            masking.MASK if len(value) > _LONGEST else masking.masked(value, manifest)
        )
    return json.dumps(value[:_LONGEST], ensure_ascii=False)


def _text(value: Any) -> str:
    try:
        return cel.text_of(value)
    except (cel.EvaluationError, ValueError):
        return str(value)[:SHOWN]


def _is_secret(manifest: objects.Manifest) -> bool:
    return (manifest.key.group, manifest.key.kind) == ("", "Secret")
