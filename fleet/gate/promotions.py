"""Content that upstream accepted, whole or in bundles, but for the hotfixes that are open here."""

from fleet.gate import candidates, carrying, dropping, hotfixes, partials, told, trailers, ways
from fleet.manifests import layout
from fleet.model.ledger import Lineage


def whole(
    candidate: candidates.Candidate, base: candidates.Accepted, facts: candidates.Facts
) -> told.Told | None:
    upstream = facts.upstream
    if upstream is None or dropping.drops(candidate, base, facts):
        return None
    exact = told.newest_equal(candidate, upstream.accepted)
    for source in [exact] if exact else ways.sources(upstream, facts.way):
        found = _equal_but_for_hotfixes(candidate, base, source, facts, is_exact=bool(exact))
        if found is not None and is_forward(source, base, upstream, facts):
            return carrying.carried(candidate, base, source, facts) or found
    return None


def older(
    candidate: candidates.Candidate, base: candidates.Accepted, facts: candidates.Facts
) -> told.Told | None:
    upstream = facts.upstream
    if upstream is None:
        return None
    source = told.newest_equal(candidate, upstream.accepted)
    if source is None or source.release >= told.running_source(base, upstream):
        return None
    detail = f": {upstream.environment} accepted it as its release {source.release}"
    return told.Told(kind=Lineage.OLDER, commits=(source.commit,), detail=detail)


def is_forward(
    source: candidates.Accepted,
    base: candidates.Accepted,
    upstream: candidates.Upstream,
    facts: candidates.Facts,
) -> bool:
    asked = trailers.values(trailers.OLDER, facts.way.steps)
    return bool(asked) or source.release >= told.running_source(base, upstream)


def _equal_but_for_hotfixes(
    candidate: candidates.Candidate,
    base: candidates.Accepted,
    source: candidates.Accepted,
    facts: candidates.Facts,
    *,
    is_exact: bool,
) -> told.Told | None:
    here, above = told.trees(candidate.commit, source.commit, facts)
    if here is None or above is None:
        fits = is_exact and not base.hotfixes
        return told.Told(kind=Lineage.PROMOTION, source=source.release) if fits else None
    differing = () if is_exact else layout.differ(here, above, facts.layout)
    ported = trailers.values(trailers.PORTED, facts.way.steps)
    over = hotfixes.overlay(base.hotfixes, here, above, ported)
    if not over.explained.issuperset(differing):
        return None
    return wiped(over) or told.Told(
        kind=Lineage.PROMOTION,
        source=source.release,
        hotfixes=over.kept,
        detail=_keeping(over),
    )


def wiped(over: hotfixes.Overlay) -> told.Told | None:
    if over.lost:
        detail = "a hotfix would be wiped: keep it, or drop it by a commit of its own"
        return _about(over.lost, detail)
    if over.moved:
        detail = (
            "upstream has changed a file under an open hotfix: port the fix and say so "
            "(--ported PATH), or drop it"
        )
        return _about(over.moved, detail)
    return None


def _about(found: hotfixes.Hotfixes, detail: str) -> told.Told:
    return told.Told(
        kind=Lineage.INCOMPLETE,
        paths=tuple(each.path for each in found),
        commits=tuple(dict.fromkeys(each.commit for each in found)),
        detail=detail,
    )


def _keeping(over: hotfixes.Overlay) -> str:
    kept = (
        f"; it keeps the hotfix of {told.listed(e.path for e in over.kept)}" if over.kept else ""
    )
    closed = (
        f"; it closes that of {told.listed(e.path for e in over.closed)}" if over.closed else ""
    )
    return kept + closed


def in_part(
    candidate: candidates.Candidate, base: candidates.Accepted, facts: candidates.Facts
) -> told.Told | None:
    """Whole bundles of one commit that upstream accepted; everything else as it runs."""
    upstream = facts.upstream
    if upstream is None or candidate.rules != base.rules or dropping.drops(candidate, base, facts):
        return None
    changed = changes(candidate, base, facts)
    for source in ways.sources(upstream, facts.way):
        folders = bundles(changed, candidate, base, source, facts)
        if folders is not None and source.release >= told.running_source(base, upstream):
            found = _taken(candidate, base, source, folders, facts)
            if found is not None:
                return found
    return None


def changes(
    candidate: candidates.Candidate, base: candidates.Accepted, facts: candidates.Facts
) -> tuple[str, ...]:
    """The shared paths that differ from what runs."""
    here, before = told.trees(candidate.commit, base.commit, facts)
    return layout.differ(here, before, facts.layout) if here and before else ()


def bundles(
    changed: tuple[str, ...],
    candidate: candidates.Candidate,
    base: candidates.Accepted,
    source: candidates.Accepted,
    facts: candidates.Facts,
) -> frozenset[str] | None:
    """The bundles, here or in `source`, that all of the change lies in."""
    here, above = told.trees(candidate.commit, source.commit, facts)
    before = facts.way.trees.get(base.commit)
    if here is None or above is None or before is None:
        return None
    return partials.folders(changed, here, before, above)


def _taken(
    candidate: candidates.Candidate,
    base: candidates.Accepted,
    source: candidates.Accepted,
    folders: frozenset[str],
    facts: candidates.Facts,
) -> told.Told | None:
    here, above = told.trees(candidate.commit, source.commit, facts)
    if here is None or above is None:
        return None
    touched = tuple(e for e in base.hotfixes if layout.fits(e.path, folders))
    others = tuple(each for each in base.hotfixes if each not in touched)
    over = hotfixes.overlay(
        touched, here, above, trailers.values(trailers.PORTED, facts.way.steps)
    )
    differing = partials.differing(folders, here, above, facts.layout)
    if not over.explained.issuperset(differing):
        return None
    if facts.way.foreign:
        return told.Told(
            kind=Lineage.INCOMPLETE,
            paths=tuple(sorted(folders)),
            commits=(source.commit,),
            detail="a part is taken, and git takes the rest for merged",
        )
    return (
        wiped(over)
        or carrying.carried(candidate, base, source, facts)
        or told.Told(
            kind=Lineage.PARTIAL,
            paths=tuple(sorted(folders)),
            source=source.release,
            hotfixes=(*others, *over.kept),
            detail=f" of {told.listed(sorted(folders))}{_keeping(over)}",
        )
    )
