"""Ways of changing content right here: back to an earlier release, or a hotfix."""

from fleet.gate import (
    candidates,
    carrying,
    hotfixes,
    partials,
    promotions,
    told,
    trailers,
    ways,
)
from fleet.manifests import layout
from fleet.model.ledger import Lineage


def declared_back(
    candidate: candidates.Candidate, base: candidates.Accepted, facts: candidates.Facts
) -> told.Told | None:
    """What a commit says to be a way back is one, though upstream has the same, and though something of upstream's
    waits on the branch below it. Where changes enter, nothing else is one.
    """
    if not is_declared(facts.way):
        return None
    found = _gone_back(candidate, base, facts)
    return found and (carrying.carried(candidate, base, None, facts) or found)


def is_declared(way: candidates.Way) -> bool:
    """Whether a step says so, and nothing of upstream's comes with the last that does, or after it."""
    declaring = [n for n, e in enumerate(way.steps) if trailers.values(trailers.ROLLBACK, [e])]
    since = way.steps[declaring[-1] :] if declaring else ()
    comes = any(not way.foreign.isdisjoint([e.commit, *e.parents[1:]]) for e in since)
    return bool(declaring) and not comes


def rolled_back(
    candidate: candidates.Candidate, base: candidates.Accepted, facts: candidates.Facts
) -> told.Told | None:
    """Without a word it is one where nothing of upstream's came along."""
    return None if facts.way.foreign else _gone_back(candidate, base, facts)


def _gone_back(
    candidate: candidates.Candidate, base: candidates.Accepted, facts: candidates.Facts
) -> told.Told | None:
    """Content of an earlier release of the environment's own, other than what runs; rules stay."""
    if candidate.rules != base.rules or candidate.content == base.content:
        return None
    whole = next(
        (
            each
            for each in reversed(facts.own)
            if each.release < base.release and each.content == candidate.content
        ),
        None,
    )
    if whole is not None:
        return to(whole)
    return _bundles_back(candidate, base, facts)


def to(earlier: candidates.Accepted) -> told.Told:
    """Back to all of an earlier release of the environment's own."""
    return _back(earlier, earlier.source, earlier.hotfixes, f" to release {earlier.release}", ())


def _bundles_back(
    candidate: candidates.Candidate, base: candidates.Accepted, facts: candidates.Facts
) -> told.Told | None:
    changed = promotions.changes(candidate, base, facts)
    for earlier in ways.past(base, facts.own, facts.way):
        folders = promotions.bundles(changed, candidate, base, earlier, facts)
        here, then = told.trees(candidate.commit, earlier.commit, facts)
        if folders and here and then and not partials.differing(folders, here, then, facts.layout):
            inside = tuple(e for e in earlier.hotfixes if layout.fits(e.path, folders))
            outside = tuple(e for e in base.hotfixes if not layout.fits(e.path, folders))
            detail = f" of {told.listed(sorted(folders))} to release {earlier.release}"
            paths = tuple(sorted(folders))
            return _back(earlier, base.source, (*outside, *inside), detail, paths)
    return None


def _back(
    to: candidates.Accepted,
    source: int,
    open_: hotfixes.Hotfixes,
    detail: str,
    paths: tuple[str, ...],
) -> told.Told:
    return told.Told(
        kind=Lineage.ROLLBACK,
        back_to=to.release,
        source=source,
        hotfixes=open_,
        commits=(to.commit,),
        paths=paths,
        detail=detail,
    )


def hotfixed(
    candidate: candidates.Candidate, base: candidates.Accepted, facts: candidates.Facts
) -> told.Told | None:
    reasons = trailers.values(trailers.HOTFIX, facts.way.steps)
    here, before = told.trees(candidate.commit, base.commit, facts)
    if not reasons or candidate.rules != base.rules or facts.way.foreign or not here or not before:
        return None
    paths = layout.differ(here, before, facts.layout)
    if not all(layout.fits(path, facts.scope) for path in paths):
        return None
    return told.Told(
        kind=Lineage.HOTFIX,
        paths=paths,
        source=told.running_source(base, facts.upstream),
        detail=f": {reasons[0]}",
        hotfixes=hotfixes.after(
            base.hotfixes, paths, before, here, candidate.commit, reasons[0], facts.now
        ),
    )
