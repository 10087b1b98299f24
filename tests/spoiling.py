"""Damages documents and texts for tests, as nobody would think of it."""

import copy
import json
from collections.abc import Callable, Mapping
from typing import Any

from hypothesis import strategies as st

WORDS = (
    "", "*", "**", "a/b/c/d/e", "(", "[", "Deny", "v1", "true", "object", "\x00", "\u202e", "a" * 300,
    "2026-02-01", "1e9", "-1", "9" * 40, "${x}", "../..", "http://127.0.0.1:1/", "fleetgate.dev/x",
)  # fmt: skip
KEYS = (
    "name",
    "kind",
    "metadata",
    "spec",
    "items",
    "expression",
    "$ref",
    "x-kubernetes-validations",
    "",
)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from([2**63, -(2**70), 0.5, 1e300])
    | st.sampled_from(WORDS),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=2),
    max_leaves=4,
)  # fmt: skip
Place = tuple[Any, ...]


def places(value: Any, where: Place = ()) -> list[Place]:
    steps = value.items() if isinstance(value, dict) else ()
    if isinstance(value, list):
        steps = enumerate(value)
    return [where, *(place for key, each in steps for place in places(each, (*where, key)))]


def changed(value: Any, where: Place, change: Callable[[Any], Any]) -> Any:
    if not where:
        return change(value)
    found = copy.copy(value)
    found[where[0]] = changed(value[where[0]], where[1:], change)
    return found


def spoiled(document: Any, data: st.DataObject, times: int = 2) -> Any:
    """Some of its places are something else, or stand there twice."""
    for _ in range(times):
        inner = [each for each in places(document) if each]
        if not inner:
            break
        where = data.draw(st.sampled_from(inner))
        new = data.draw(ANYTHING)
        is_twice = data.draw(st.booleans())
        document = changed(
            document,
            where,
            lambda old, n=new, t=is_twice: old + old if t and isinstance(old, (list, str)) else n,  # type: ignore[misc]  # bound here
        )
    return document


PIECES = (
    b"\t", b"\n- ", b": ", b"&a ", b"*a", b"<<: ", b"'", b"{", b"]", b"!!int ", b"\n---\n", b"|\n", b"\xff", b"\0",
)  # fmt: skip


def garbled(text: bytes, data: st.DataObject) -> bytes:
    """Some bytes are others, are gone, or come from elsewhere in the text."""
    for _ in range(data.draw(st.integers(1, 3))):
        start, there = (data.draw(st.integers(0, len(text))) for _ in range(2))
        end = min(len(text), start + data.draw(st.integers(0, 12)))
        pieces = st.sampled_from([*PIECES, text[there : there + 20]])
        other = data.draw(st.binary(max_size=4) | pieces)
        text = text[:start] + other + text[end:]
    return text


def written(documents: Mapping[str, Any]) -> dict[str, bytes]:
    return {path: json.dumps(each).encode() for path, each in documents.items()}
