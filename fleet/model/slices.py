"""The slice as bytes: all objects of one cluster, without a word about which cluster, named by their digest.

The form is documented in docs/formats.md and does not change within v1alpha1.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from fleet.model import json_values, leaving, names, objects


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One object of a slice."""

    key: objects.Key
    body: json_values.JsonObject = field(repr=False)
    bundle: names.Bundle
    takeover: bool = False  # a live object that the agent did not create may be taken over


def encode(items: Iterable[Item]) -> bytes:
    ordered = sorted(items, key=lambda item: item.key)
    listed = [{"body": i.body, "bundle": i.bundle, "takeover": i.takeover} for i in ordered]
    return json_values.encode(
        {"apiVersion": names.API_VERSION, "kind": "Slice", "objects": listed}
    )


def farewell(on_removal: leaving.OnRemoval) -> bytes:
    """The slice of a cluster that leaves: no objects, and how it leaves, so that the root binds that too."""
    return json_values.encode(
        {
            "apiVersion": names.API_VERSION,
            "kind": "Slice",
            "objects": [],
            "onRemoval": on_removal.value,
        }
    )


def decode(data: bytes) -> tuple[Item, ...]:
    """The objects of a slice, by key. Raises ValueError for bytes that are none."""
    document = json_values.decode(data)
    if not isinstance(document, dict) or document.get("kind") != "Slice":
        raise ValueError("not a slice")
    try:
        return tuple(_item(item) for item in document["objects"])
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not a slice: {error!r}") from error


def digest(data: bytes) -> names.SliceDigest:
    return names.SliceDigest(json_values.digest_of_bytes(data))


def _item(item: json_values.JsonObject) -> Item:
    if type(item["takeover"]) is not bool:
        raise ValueError("not a slice: takeover is neither true nor false")
    return Item(
        key=objects.key_of(item["body"]),
        body=item["body"],
        bundle=names.Bundle(item["bundle"]),
        takeover=item["takeover"],
    )
