"""Slices: all objects of one cluster as one named piece of bytes.

A slice says nothing of the cluster, so clusters that get the same share one. Its name is the digest of its bytes; the
form is documented in docs/formats.md and does not change within v1alpha1.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from fleet.model import json_values, kinds, names, objects


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    digest: names.SliceDigest
    data: bytes = field(repr=False)
    objects: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One object of a slice as it is read back."""

    key: objects.Key
    body: json_values.JsonObject = field(repr=False)
    bundle: names.Bundle
    takeover: bool


def cut(manifests: Iterable[objects.Manifest]) -> Slice:
    """The slice of these manifests, whatever order they come in."""
    items = [_item(manifest) for manifest in sorted(manifests, key=lambda each: each.key)]
    data = json_values.encode({"apiVersion": kinds.API_VERSION, "kind": "Slice", "objects": items})
    return Slice(
        digest=names.SliceDigest(json_values.digest_of_bytes(data)), data=data, objects=len(items)
    )


def read(data: bytes) -> tuple[Item, ...]:
    """The objects of a slice. Raises ValueError for bytes that are none."""
    document = json_values.decode(data)
    if not isinstance(document, dict) or document.get("kind") != "Slice":
        raise ValueError("not a slice")
    return tuple(_read_item(item) for item in document["objects"])


def key_of(body: json_values.JsonObject) -> objects.Key:
    group, _, _ = body["apiVersion"].rpartition("/")
    metadata: Mapping[str, Any] = body["metadata"]
    return objects.Key(
        group=group,
        kind=body["kind"],
        namespace=metadata.get("namespace", ""),
        name=metadata["name"],
    )


def _item(manifest: objects.Manifest) -> json_values.JsonObject:
    return {"body": manifest.body, "bundle": manifest.bundle, "takeover": manifest.takeover}


def _read_item(item: json_values.JsonObject) -> Item:
    return Item(
        key=key_of(item["body"]),
        body=item["body"],
        bundle=item["bundle"],
        takeover=item["takeover"],
    )
