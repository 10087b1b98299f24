"""What the three-dot diff of a pull request hides: it compares the source with where the branches parted, no more.

A change that was reverted on the target, or made there by hand, is not in it; a change that the target has already is.
"""

from dataclasses import dataclass

from fleet.manifests import layout
from fleet.model import snapshots


@dataclass(frozen=True, slots=True, kw_only=True)
class Unseen:
    """Paths that count on the target's branch, sorted."""

    hidden: tuple[
        str, ...
    ] = ()  # they change, and the diff does not show them: the target is behind or ahead
    idle: tuple[
        str, ...
    ] = ()  # the diff shows them, and nothing changes: the target has it, or keeps its own
    skewed: tuple[str, ...] = ()  # the diff shows another change than the one that happens


def between(
    parted: snapshots.Snapshot,
    source: snapshots.Snapshot,
    target: snapshots.Snapshot,
    result: snapshots.Snapshot,
    where: layout.Layout,
) -> Unseen:
    """`parted` is the commit from which git would show `source`; `result` what `target` becomes."""
    shown, happens = _differing(parted, source, where), _differing(target, result, where)
    skewed = {p for p in shown & happens if _shown(parted, source, p) != _shown(target, result, p)}
    return Unseen(
        hidden=tuple(sorted(happens - shown)),
        idle=tuple(sorted(shown - happens)),
        skewed=tuple(sorted(skewed)),
    )


def _differing(
    one: snapshots.Snapshot, other: snapshots.Snapshot, where: layout.Layout
) -> set[str]:
    paths = {*one.entries, *other.entries}
    moved = {path for path in paths if one.form(path) != other.form(path)}
    return {path for path in moved if where.part(path) is not layout.Part.INERT}


def _shown(one: snapshots.Snapshot, other: snapshots.Snapshot, path: str) -> tuple[str, str]:
    return one.form(path), other.form(path)
