"""Documents that people keep: read with words for what goes wrong, and spelled as people would."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from fleet.model import errors


def read(file: Path) -> bytes:
    """Raises errors.InputError."""
    try:
        return file.read_bytes()
    except OSError as error:
        raise errors.InputError(f"cannot read {file}: {error.strerror or error}") from error


def cluster_yaml(document: Mapping[str, Any]) -> str:
    """A `Cluster` document as YAML: mappings of plain strings, each quoted where it must be."""
    return "\n".join(_lines(document, 0)) + "\n"


def _lines(value: Mapping[str, Any], depth: int) -> Iterator[str]:
    for key, inner in value.items():
        pad = "  " * depth
        if isinstance(inner, Mapping):
            yield f"{pad}{key}:"
            yield from _lines(inner, depth + 1)
        else:
            yield f"{pad}{key}: {_scalar(str(inner))}"


def _scalar(text: str) -> str:
    is_plain = text[:1].isalpha() and all(c.isalnum() or c in "-./" for c in text)
    return text if is_plain and text.lower() not in _WORDS else f'"{text}"'


_WORDS = frozenset({"yes", "no", "on", "off", "true", "false", "null", "y", "n"})
