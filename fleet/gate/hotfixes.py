"""Hotfixes on their way: kept by promotions, closed when upstream has them, never wiped in silence."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from fleet.model import ledger, names, snapshots

Hotfixes = tuple[ledger.Hotfix, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlay:
    """Open hotfixes between a tip and the commit of upstream's that it is held against."""

    kept: Hotfixes = ()  # the tip has the fix, upstream what the fix was based on
    closed: Hotfixes = ()  # upstream has it too, or has been said to have it in another form
    lost: Hotfixes = ()  # upstream has what the fix was based on, and so has the tip
    moved: Hotfixes = ()  # upstream has changed the file meanwhile, and nobody said that the fix is in it

    @property
    def explained(self) -> frozenset[str]:
        """The paths in which the tip may differ from upstream."""
        return frozenset(each.path for each in (*self.kept, *self.moved))


def overlay(
    hotfixes: Hotfixes,
    here: snapshots.Snapshot,
    above: snapshots.Snapshot,
    ported: Iterable[str] = (),
) -> Overlay:
    said = frozenset(ported)
    found: dict[str, list[ledger.Hotfix]] = {"kept": [], "closed": [], "lost": [], "moved": []}
    for each in hotfixes:
        fate = _fate(each, here.form(each.path), above.form(each.path), each.path in said)
        found[fate].append(each)
    return Overlay(**{fate: tuple(listed) for fate, listed in found.items()})


def _fate(hotfix: ledger.Hotfix, here: str, above: str, is_ported: bool) -> str:  # noqa: FBT001 - of four words
    if here == above and (above == hotfix.fixed or is_ported):
        return "closed"
    if above != hotfix.based_on:
        return "moved"
    return "kept" if here == hotfix.fixed else "lost"


def after(
    hotfixes: Hotfixes,
    paths: Iterable[str],
    before: snapshots.Snapshot,
    here: snapshots.Snapshot,
    commit: names.CommitId,
    reason: str,
    since: datetime,
) -> Hotfixes:
    """What is open once these paths are changed: a path that is as upstream had it is open no more."""
    known = {each.path: each for each in hotfixes}
    for path in paths:
        fresh = ledger.Hotfix(
            path=path,
            based_on=before.form(path),
            fixed="",
            commit=commit,
            reason=reason,
            since=since,
        )
        known[path] = replace(
            known.get(path, fresh), fixed=here.form(path), commit=commit, reason=reason
        )
    left = (known[path] for path in sorted(known))
    return tuple(each for each in left if each.fixed != each.based_on)
