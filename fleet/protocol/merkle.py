"""Merkle trees by RFC 6962, and what their proofs prove (RFC 9162, 2.1): over a release's slices, over the audit log.

A cluster's agent sees only its own leaf and the path to the root, so it learns nothing of the others. Nodes are 32
bytes here; on the wire they are "sha256:..." for slices and base64 for the log, each as its format says.
"""

import hashlib
from collections.abc import Mapping, Sequence

from fleet.model import json_values, names

EMPTY = hashlib.sha256(b"").digest()  # the root of no leaves


def leaf(data: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + data).digest()


def node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def split(count: int) -> int:
    """The largest power of two below `count`."""
    return 1 << (count - 1).bit_length() - 1


def includes(
    hashed: bytes, *, index: int, leaves: int, proof: Sequence[bytes], root: bytes
) -> bool:
    """Whether the leaf of this hash is under the root: RFC 9162, 2.1.3.2."""
    if not 0 <= index < leaves:
        return False
    found, place, last = hashed, index, leaves - 1
    for sibling in proof:
        if last == 0:
            return False
        if place & 1 or place == last:
            found = node(sibling, found)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            found = node(found, sibling)
        place, last = place >> 1, last >> 1
    return last == 0 and found == root


def extends(
    *, old: int, old_root: bytes, new: int, new_root: bytes, proof: Sequence[bytes]
) -> bool:
    """Whether the first `old` leaves of the larger tree are the smaller one: RFC 9162, 2.1.4.2."""
    if not 0 <= old <= new:
        return False
    if old in (0, new):
        known = EMPTY if old == 0 else new_root
        return not proof and old_root == known
    steps = [old_root, *proof] if old & (old - 1) == 0 else list(proof)
    place, last = old - 1, new - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    return bool(steps) and _folded(steps, place, last) == (old_root, new_root)


def _folded(steps: Sequence[bytes], place: int, last: int) -> tuple[bytes, bytes] | None:
    """Both roots that the steps come to; None where they do not fit the sizes."""
    older = newer = steps[0]
    for step in steps[1:]:
        if last == 0:
            return None
        if place & 1 or place == last:
            older, newer = node(step, older), node(step, newer)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            newer = node(newer, step)
        place, last = place >> 1, last >> 1
    return (older, newer) if last == 0 else None


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
    """Whether this slice of this cluster is under the root."""
    if not names.is_digest(root) or not all(map(names.is_digest, proof)):
        return False
    return includes(
        _leaf(cluster, slice_digest),
        index=index,
        leaves=leaves,
        proof=[_bytes(each) for each in proof],
        root=_bytes(root),
    )


def _leaves(slices: Mapping[names.Cluster, names.SliceDigest]) -> list[bytes]:
    return [_leaf(cluster, slices[cluster]) for cluster in sorted(slices)]


def _leaf(cluster: names.Cluster, slice_digest: names.SliceDigest) -> bytes:
    return leaf(json_values.encode([cluster, slice_digest]))


def _root(hashes: list[bytes]) -> bytes:
    if not hashes:
        return EMPTY
    if len(hashes) == 1:
        return hashes[0]
    part = split(len(hashes))
    return node(_root(hashes[:part]), _root(hashes[part:]))


def _path(index: int, hashes: list[bytes]) -> list[bytes]:
    if len(hashes) <= 1:
        return []
    part = split(len(hashes))
    if index < part:
        return [*_path(index, hashes[:part]), _root(hashes[part:])]
    return [*_path(index - part, hashes[part:]), _root(hashes[:part])]


def _bytes(digest: str) -> bytes:
    return bytes.fromhex(digest.removeprefix("sha256:"))


def _name(digest: bytes) -> names.Root:
    return names.Root("sha256:" + digest.hex())
