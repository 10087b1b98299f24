"""JSON as values, and its one canonical spelling, from which every digest and signature is made.

The canonical form is RFC 8785 for the values that fleet writes: keys sorted by code point, no white space, UTF-8.
Floats are spelled by Python's shortest round trip; records and messages of fleet hold none.
"""

import hashlib
import json
import math
from collections.abc import Mapping
from typing import Any, TypeAlias

from fleet.model import names

JsonObject: TypeAlias = Mapping[str, Any]


def encode(value: object) -> bytes:
    """The canonical bytes. Raises ValueError for NaN and infinities, TypeError for what JSON has no word for."""
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    ).encode("utf-8", "surrogatepass")


def decode(data: bytes) -> Any:
    """The value of strict JSON in UTF-8: duplicate keys, NaN and infinities are refused with ValueError."""
    return json.loads(
        data.decode("utf-8", "surrogatepass"),
        object_pairs_hook=_without_duplicates,
        parse_constant=_no_constant,
        parse_float=_finite,
    )


def digest(value: object) -> names.Digest:
    return digest_of_bytes(encode(value))


def digest_of_bytes(data: bytes) -> names.Digest:
    return names.Digest("sha256:" + hashlib.sha256(data).hexdigest())


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("duplicate key in JSON object")
    return found


def _finite(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise ValueError(f"{text[:40]} is too large")
    return value


def _no_constant(word: str) -> Any:
    raise ValueError(f"{word} is not JSON")
