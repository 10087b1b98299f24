"""The tree over the slices of a release: RFC 6962 hashes, leaves in order of cluster.

A cluster's agent sees only its own leaf and the path to the root, so it learns nothing of the others.
"""

import hashlib
from collections.abc import Mapping, Sequence

from fleet.model import json_values, names


def slices_root(slices: Mapping[names.Cluster, names.SliceDigest]) -> names.Root:
    return _name(_root(_leaves(slices)))


def slice_proof(
    slices: Mapping[names.Cluster, names.SliceDigest], cluster: names.Cluster
) -> tuple[int, tuple[str, ...]]:
    """The leaf's index and its audit path, nearest sibling first, as "sha256:..."."""
    index = sorted(slices).index(cluster)
    return index, tuple(map(_name, _path(index, _leaves(slices))))


def holds(
    *,
    cluster: names.Cluster,
    slice_digest: names.SliceDigest,
    index: int,
    leaves: int,
    proof: Sequence[str],
    root: names.Root,
) -> bool:
    """Whether the leaf is under the root: RFC 9162, 2.1.3.2."""
    if not 0 <= index < leaves:
        return False
    node, place, last = _leaf(cluster, slice_digest), index, leaves - 1
    for step in proof:
        if last == 0 or not names.is_digest(step):
            return False
        sibling = bytes.fromhex(step.removeprefix("sha256:"))
        if place & 1 or place == last:
            node = _node(sibling, node)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            node = _node(node, sibling)
        place, last = place >> 1, last >> 1
    return last == 0 and _name(node) == root


def _leaves(slices: Mapping[names.Cluster, names.SliceDigest]) -> list[bytes]:
    return [_leaf(cluster, slices[cluster]) for cluster in sorted(slices)]


def _leaf(cluster: names.Cluster, slice_digest: names.SliceDigest) -> bytes:
    return hashlib.sha256(b"\x00" + json_values.encode([cluster, slice_digest])).digest()


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def _root(hashes: list[bytes]) -> bytes:
    if not hashes:
        return hashlib.sha256(b"").digest()
    if len(hashes) == 1:
        return hashes[0]
    split = _split(len(hashes))
    return _node(_root(hashes[:split]), _root(hashes[split:]))


def _path(index: int, hashes: list[bytes]) -> list[bytes]:
    if len(hashes) <= 1:
        return []
    split = _split(len(hashes))
    if index < split:
        return [*_path(index, hashes[:split]), _root(hashes[split:])]
    return [*_path(index - split, hashes[split:]), _root(hashes[:split])]


def _split(count: int) -> int:
    """The largest power of two below `count`."""
    return 1 << (count - 1).bit_length() - 1


def _name(digest: bytes) -> names.Root:
    return names.Root("sha256:" + digest.hex())
