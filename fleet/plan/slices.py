"""Cutting slices: the judged manifests of one cluster as one named piece of bytes."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from fleet.model import names, objects
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
