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
    shared = layout.Part.CONTENT, layout.Part.RULES
    merges = [step for step in facts.way.steps if ways.is_merge(step)]
    if any(not ways.changed(step, facts.layout, *shared) for step in merges):
        return Lineage.ALTERED, "; a merge took nothing of it (-s ours)"
    return Lineage.INCOMPLETE, "what was merged is reverted again, and git takes it for merged"


def carried(
    candidate: candidates.Candidate,
    base: candidates.Accepted,
    source: candidates.Accepted | None,
    facts: candidates.Facts,
) -> told.Told | None:
    """Owned paths that came along: in a commit of upstream's, in a merge of one, in one that moves shared paths too."""
    if candidate.owned == base.owned:
        return None
    owned = [
        (step, ways.changed(step, facts.layout, layout.Part.OWNED)) for step in facts.way.steps
    ]
    guilty = [
        (step, paths)
        for step, paths in owned
        if paths and _brings(step, facts, is_promotion=source is not None)
    ]
    paths = [*(p for _, each in guilty for p in each), *_copied(candidate, base, source, facts)]
    if not paths:
        return None
    commits = tuple(dict.fromkeys(step.commit for step, _ in guilty))
    return told.Told(kind=Lineage.CARRIED, paths=tuple(sorted(set(paths))), commits=commits)


def _brings(step: snapshots.Step, facts: candidates.Facts, *, is_promotion: bool) -> bool:
    shared = ways.changed(step, facts.layout, layout.Part.CONTENT, layout.Part.RULES)
    is_upstreams = not facts.way.foreign.isdisjoint([step.commit, *step.parents[1:]])
    return is_upstreams or (is_promotion and bool(shared))


def _copied(
    candidate: candidates.Candidate,
    base: candidates.Accepted,
    source: candidates.Accepted | None,
    facts: candidates.Facts,
) -> list[str]:
    """Owned paths that upstream's branch, where they are inert, has just as the tip has them now."""
    if source is None:
        return []
    here, above = told.trees(candidate.commit, source.commit, facts)
    before = facts.way.trees.get(base.commit)
    if here is None or above is None or before is None:
        return []
    return [
        path
        for path, entry in here.entries.items()
        if facts.layout.part(path) is layout.Part.OWNED
        and before.form(path) != here.form(path) == above.form(path)
        and entry.path == path
    ]
