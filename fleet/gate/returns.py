"""Ways of changing content right here: back to an earlier release, or a hotfix."""

from fleet.gate import candidates, hotfixes, partials, promotions, told, trailers, ways
from fleet.manifests import layout
from fleet.model.ledger import Lineage


def rolled_back(
    candidate: candidates.Candidate, base: candidates.Accepted, facts: candidates.Facts
) -> told.Told | None:
    """Content of an earlier release of the environment's own; rules stay, and nothing of upstream's came along."""
    if candidate.rules != base.rules or facts.way.foreign:
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
        if folders and here and then and not partials.differing(folders, here, then):
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


def declared_back(
    candidate: candidates.Candidate, base: candidates.Accepted, facts: candidates.Facts
) -> told.Told | None:
    """Where changes enter, going back is a change like any other unless it is declared."""
    named = trailers.values(trailers.ROLLBACK, facts.way.steps)
    return rolled_back(candidate, base, facts) if named else None


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
