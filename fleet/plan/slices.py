"""Cutting slices: the judged manifests of one cluster as one named piece of bytes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from fleet.model import json_values, names, objects, sharing
from fleet.model import slices as form


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    digest: names.SliceDigest
    data: bytes = field(repr=False)
    objects: int


def cut(manifests: Iterable[objects.Manifest]) -> Slice:
    """The slice of these manifests, whatever order they come in; equal manifests give equal bytes."""
    items = [
        form.Item(key=each.key, body=each.body, bundle=each.bundle, takeover=each.takeover)
        for each in manifests
    ]
    data = form.encode(items)
    return Slice(digest=form.digest(data), data=data, objects=len(items))


def named_each(
    manifests: Mapping[names.Cluster, tuple[objects.Manifest, ...]],
) -> dict[names.Cluster, Slice]:
    """Stand-ins for slices that nobody will fetch: told apart by what they hold, without its bytes."""
    numbers = sharing.Numbers(lambda each: (each.digest, each.bundle, each.takeover))
    found = {}
    for cluster, share in manifests.items():
        held = repr(sorted(numbers.of(share))).encode()
        digest = names.SliceDigest(json_values.digest_of_bytes(held))
        found[cluster] = Slice(digest=digest, data=b"", objects=len(share))
    return found


def cut_each(
    manifests: Mapping[names.Cluster, tuple[objects.Manifest, ...]],
) -> dict[names.Cluster, Slice]:
    """One slice per cluster; those that get the same objects share the same bytes."""
    cut_once: dict[tuple[tuple[str, str, bool], ...], Slice] = {}
    found = {}
    for cluster, share in manifests.items():
        identity = tuple(sorted((each.digest, each.bundle, each.takeover) for each in share))
        if identity not in cut_once:
            cut_once[identity] = cut(share)
        found[cluster] = cut_once[identity]
    return found
