"""What a merge brings along beside content: paths of the target's own, or the mark of being merged and nothing else."""

from fleet.gate import candidates, told, ways
from fleet.manifests import layout
from fleet.model import snapshots
from fleet.model.ledger import Lineage


def hollow(base: candidates.Accepted, facts: candidates.Facts) -> told.Told | None:
    upstream = facts.upstream
    if upstream is None or not facts.way.foreign:
        return None
    running = told.running_source(base, upstream)
    passed = [
        each
        for each in upstream.accepted
        if each.commit in facts.way.foreign
        and each.release > running
        and not told.same(each, base)
    ]
    if not passed:
        return None
    kind, detail = _emptied(facts)
    above, here = facts.way.trees.get(passed[-1].commit), facts.way.trees.get(base.commit)
    paths = layout.differ(above, here, facts.layout) if above and here else ()
    return told.Told(kind=kind, paths=paths, commits=(passed[-1].commit,), detail=detail)


def _emptied(facts: candidates.Facts) -> tuple[Lineage, str]:
    merges = [step for step in facts.way.steps if ways.is_merge(step)]
    if any(not ways.shared(step, facts.layout) for step in merges):
        return Lineage.ALTERED, "; a merge took nothing of it (-s ours)"
    return Lineage.INCOMPLETE, "what was merged is reverted again, and git takes it for merged"


def carried(
    candidate: candidates.Candidate,
    base: candidates.Accepted,
    source: candidates.Accepted | None,
    facts: candidates.Facts,
) -> told.Told | None:
    """Owned paths that came along: in a commit of upstream's, in a merge of one, in one that moves shared paths too."""
    here, before = told.trees(candidate.commit, base.commit, facts)
    if candidate.owned == base.owned or here is None or before is None:
        return None
    above = facts.way.trees.get(source.commit) if source else None
    steps = facts.way.steps
    innocent = [each for each in steps if not _brings(each, facts, is_promotion=bool(source))]
    made_here = {path for each in innocent for path in each.paths}
    moved = [
        path
        for path in _owned(here, before, facts.layout)
        if source or facts.way.descends or any(path in each.paths for each in steps)
    ]  # what a rewritten branch only has no more, came along with nothing
    paths = tuple(p for p in moved if p not in made_here or _is_copy(p, here, above))
    guilty = tuple(each.commit for each in steps if not set(paths).isdisjoint(each.paths))
    return told.Told(kind=Lineage.CARRIED, paths=paths, commits=guilty) if paths else None


def _owned(
    here: snapshots.Snapshot, before: snapshots.Snapshot, where: layout.Layout
) -> list[str]:
    """The owned paths in which two commits differ."""
    every = sorted({*here.entries, *before.entries})
    return [
        path
        for path in every
        if here.form(path) != before.form(path) and where.part(path) is layout.Part.OWNED
    ]


def _brings(step: snapshots.Step, facts: candidates.Facts, *, is_promotion: bool) -> bool:
    shared = ways.shared(step, facts.layout)
    is_upstreams = not facts.way.foreign.isdisjoint([step.commit, *step.parents[1:]])
    return is_upstreams or (is_promotion and bool(shared))


def _is_copy(path: str, here: snapshots.Snapshot, above: snapshots.Snapshot | None) -> bool:
    """Whether upstream's branch, where the path is inert, has it just so: a rebase leaves no other trace."""
    return above is not None and path in here.entries and here.form(path) == above.form(path)
