"""Whole bundles: which folders a change stays within, and whether they equal those of another commit."""

from collections.abc import Iterable, Iterator

from fleet.manifests import layout
from fleet.model import snapshots

_FILES = ("bundle.yaml", "bundle.yml", "bundle.json")


def folders(paths: Iterable[str], *trees: snapshots.Snapshot) -> frozenset[str] | None:
    """The innermost bundles that all these paths lie in; None where one lies in none."""
    found = [next((f for f in _above(path) if _is_bundle(f, trees)), None) for path in paths]
    named = frozenset(folder for folder in found if folder is not None)
    return named if found and None not in found else None


def differing(
    wanted: Iterable[str],
    one: snapshots.Snapshot,
    other: snapshots.Snapshot,
    where: layout.Layout,
) -> tuple[str, ...]:
    """The shared paths under these folders in which two commits differ."""
    every = (
        entry.path for folder in wanted for tree in (one, other) for entry in tree.under(folder)
    )
    paths = {path for path in every if where.is_shared(path)}
    return tuple(sorted(path for path in paths if one.form(path) != other.form(path)))


def _is_bundle(folder: str, trees: Iterable[snapshots.Snapshot]) -> bool:
    return any(f"{folder}/{name}" in tree.entries for tree in trees for name in _FILES)


def _above(path: str) -> Iterator[str]:
    """The folders that a path lies in, the innermost first."""
    while "/" in path:
        path = path.rpartition("/")[0]
        yield path
