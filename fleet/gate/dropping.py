"""An open hotfix that is dropped by a commit of its own: what runs, but for fixes that are back in upstream's form.

Nothing of upstream's may come with it, and nothing else may change: then it is what upstream accepted already, with
the fixes that are left.
"""

from fleet.gate import candidates, carrying, hotfixes, told, trailers
from fleet.manifests import layout
from fleet.model import snapshots
from fleet.model.ledger import Lineage


def dropped(
    candidate: candidates.Candidate, base: candidates.Accepted, facts: candidates.Facts
) -> told.Told | None:
    """A promotion of the source that runs, where no earlier release had that content."""
    gone = drops(candidate, base, facts)
    kept = tuple(each for each in base.hotfixes if each not in gone)
    source = _source(candidate, base, kept, facts) if gone else 0
    if not source:
        return None
    return carrying.carried(candidate, base, None, facts) or told.Told(
        kind=Lineage.PROMOTION,
        source=source,
        hotfixes=kept,
        detail=f"; it drops the hotfix of {told.listed(each.path for each in gone)}",
    )


def drops(
    candidate: candidates.Candidate, base: candidates.Accepted, facts: candidates.Facts
) -> hotfixes.Hotfixes:
    """The open fixes that are taken back; none where anything else changes or comes along."""
    if not base.hotfixes or facts.way.foreign or candidate.rules != base.rules:
        return ()
    here, before = told.trees(candidate.commit, base.commit, facts)
    if here is None or before is None:
        return ()
    changed = frozenset(layout.differ(here, before, facts.layout))
    ported = trailers.values(trailers.PORTED, facts.way.steps)
    gone = tuple(
        each
        for each in base.hotfixes
        if each.path in changed.difference(ported) and here.form(each.path) == each.based_on
    )
    return gone if changed == {each.path for each in gone} else ()


def _source(
    candidate: candidates.Candidate,
    base: candidates.Accepted,
    kept: hotfixes.Hotfixes,
    facts: candidates.Facts,
) -> int:
    """The newest release of upstream's that it equals but for the fixes that are left, else the one that runs."""
    upstream, here = facts.upstream, facts.way.trees.get(candidate.commit)
    if upstream is None or here is None:
        return 0
    running = told.running_source(base, upstream)
    for each in reversed(upstream.accepted):
        above = facts.way.trees.get(each.commit)
        if above is not None and each.release > running and _is_like(here, above, kept, facts):
            return each.release
    return running


def _is_like(
    here: snapshots.Snapshot,
    above: snapshots.Snapshot,
    kept: hotfixes.Hotfixes,
    facts: candidates.Facts,
) -> bool:
    over = hotfixes.overlay(kept, here, above)
    differing = layout.differ(here, above, facts.layout)
    return over.kept == kept and over.explained.issuperset(differing)
