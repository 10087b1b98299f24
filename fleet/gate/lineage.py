"""What a candidate is towards what runs: by content and rules alone (rule 4: the tip decides, the steps explain).

Branch names, dates, patch ids and notes decide nothing. What a message declares only says where to look, or that a
person meant it: `trailers`.
"""

from collections.abc import Callable
from typing import TypeAlias

from fleet.gate import candidates, carrying, classes, dropping, promotions, returns, strays, told
from fleet.model.ledger import GateResult, Lineage

GATE = "lineage"


def tell(candidate: candidates.Candidate, facts: candidates.Facts) -> told.Told:
    base = facts.base
    if base is None:
        return _first(candidate, facts)
    if not facts.way.descends and told.let_in(candidate, facts) is None:
        return told.Told(kind=Lineage.REWRITE)
    if told.same(candidate, base) and not _closes(candidate, base, facts):
        return _unmoved(candidate, base, facts)
    for look in _ENTERING if facts.upstream is None else _MOVING:
        found = look(candidate, base, facts)
        if found is not None:
            return found
    return strays.strange(candidate, base, facts)


def gate(candidate: candidates.Candidate, facts: candidates.Facts, found: told.Told) -> GateResult:
    """The lineage gate: only changes whose way is explained go on."""
    row = classes.CLASSES[found.kind]
    words = _words(found, candidate, facts)
    return GateResult(
        gate=GATE,
        state=row.state,
        reason=row.reason.format_map(words) + _let_in(candidate, facts),
        hint=row.mend.format_map(words),
    )


def _let_in(candidate: candidates.Candidate, facts: candidates.Facts) -> str:
    act = told.let_in(candidate, facts)
    if act is None:
        return ""
    return f"; the branch was rewritten, and {act.by} let this in: {act.reason}"


def rules_came_first(
    candidate: candidates.Candidate,
    base: candidates.Accepted,
    upstream: candidates.Upstream | None,
) -> bool:
    """Whether upstream ran the candidate's rules before its content.

    Then a promotion that brings both is judged in two steps, rules first (rule 3), and the content is held
    against the new rules alone.
    """
    if upstream is None or candidate.rules == base.rules:
        return False
    rules = next((e.release for e in upstream.accepted if e.rules == candidate.rules), None)
    content = next((e.release for e in upstream.accepted if e.content == candidate.content), None)
    return rules is not None and content is not None and rules < content


def _first(candidate: candidates.Candidate, facts: candidates.Facts) -> told.Told:
    if facts.upstream is None:
        return told.Told(kind=Lineage.ENTRY)
    found = told.newest_equal(candidate, facts.upstream.accepted)
    if found is not None:
        return told.Told(kind=Lineage.PROMOTION, source=found.release)
    waits = strays.undecided(candidate, None, facts)
    return (
        waits if waits and waits.kind is Lineage.UNDECIDED else told.Told(kind=Lineage.UNADOPTED)
    )


def _unmoved(
    candidate: candidates.Candidate, base: candidates.Accepted, facts: candidates.Facts
) -> told.Told:
    """The same content. A merge that took nothing of what it marks as merged is no way of keeping it.

    To go back to what runs is one: a release that failed may have been taken back by the hub, and not on the branch.
    """
    hollow = None if returns.is_declared(facts.way) else carrying.hollow(base, facts)
    if hollow is not None:
        return hollow
    if candidate.owned == base.owned:
        return _kept(Lineage.NOTHING, base, facts)
    return carrying.carried(candidate, base, None, facts) or _kept(Lineage.OWNED, base, facts)


def _closes(
    candidate: candidates.Candidate, base: candidates.Accepted, facts: candidates.Facts
) -> bool:
    """Whether upstream has what runs here only because of hotfixes: a merge says so, though nothing changes.

    Going back to what runs says no such thing, and neither does an older release of upstream's.
    """
    upstream = facts.upstream
    is_new = bool(base.hotfixes) and candidate.commit != base.commit
    if upstream is None or not is_new or returns.is_declared(facts.way):
        return False
    exact = told.newest_equal(candidate, upstream.accepted)
    return exact is not None and promotions.is_forward(exact, base, upstream, facts)


def _kept(kind: Lineage, base: candidates.Accepted, facts: candidates.Facts) -> told.Told:
    source = told.running_source(base, facts.upstream)
    return told.Told(kind=kind, source=source, hotfixes=base.hotfixes)


def _entered(
    _: candidates.Candidate, __: candidates.Accepted, ___: candidates.Facts
) -> told.Told | None:
    return told.Told(kind=Lineage.ENTRY)


_Look: TypeAlias = Callable[
    [candidates.Candidate, candidates.Accepted, candidates.Facts], told.Told | None
]

# The first that knows it: what may go on before what may not.
_ENTERING: tuple[_Look, ...] = (returns.declared_back, _entered)
_MOVING: tuple[_Look, ...] = (
    returns.declared_back,
    promotions.whole,
    promotions.in_part,
    returns.rolled_back,
    returns.hotfixed,
    dropping.dropped,
    promotions.older,
    strays.undecided,
    strays.unaccepted,
)


def _words(
    found: told.Told, candidate: candidates.Candidate, facts: candidates.Facts
) -> dict[str, str]:
    commits = ", ".join(map(told.short, found.commits[: told.SHOWN]))
    return {
        "here": candidate.environment,
        "upstream": facts.upstream.environment if facts.upstream else "",
        "tip": told.short(candidate.commit),
        "base": told.short(facts.base.commit) if facts.base else "what was accepted",
        "paths": told.listed(found.paths) or "paths that could not be listed",
        "commits": f" ({commits})" if commits else "",
        "detail": found.detail,
    }
