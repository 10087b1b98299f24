"""What git is asked about the way to a candidate, and no more of it than its class depends on."""

from dataclasses import replace

from fleet.gate import candidates, told, ways
from fleet.model import names, snapshots
from fleet.ports import repository

_MOST = 10_000  # commits that one change may bring
_UNACCEPTED = 20  # commits of upstream's branch that are looked at


async def with_branch(
    upstream: candidates.Upstream | None, git: repository.Repository
) -> candidates.Upstream | None:
    """With what is on its branch and was never accepted."""
    if upstream is None or upstream.tip is None:
        return upstream
    last = [each.commit for each in upstream.accepted[-1:]]
    new = await git.between(upstream.tip, last, _UNACCEPTED)
    known = frozenset(each.commit for each in upstream.accepted)
    return replace(upstream, unaccepted=tuple(each for each in new if each not in known))


async def way(
    candidate: candidates.Candidate,
    facts: candidates.Facts,
    upstream: candidates.Upstream | None,
    here: snapshots.Snapshot,
    git: repository.Repository,
) -> candidates.Way:
    base = facts.base
    if base is None or base.commit == candidate.commit:
        return candidates.Way()
    apart = candidates.Way(descends=False)
    descends = await git.is_ancestor(base.commit, candidate.commit)
    if not descends and told.let_in(candidate, replace(facts, way=apart)) is None:
        return apart
    found = candidates.Way(
        descends=descends,
        steps=await git.steps(base.commit, candidate.commit),
        foreign=await _foreign(candidate, base, upstream, git),
        trees={candidate.commit: here},
    )
    return await _with_trees(found, candidate, base, facts.own, upstream, git)


async def _foreign(
    candidate: candidates.Candidate,
    base: candidates.Accepted,
    upstream: candidates.Upstream | None,
    git: repository.Repository,
) -> frozenset[names.CommitId]:
    """New commits that are upstream's."""
    if upstream is None:
        return frozenset()
    above = [each.commit for each in upstream.accepted[-1:]]
    above += [upstream.tip] if upstream.tip else []
    new = await git.between(candidate.commit, [base.commit], _MOST)
    own = await git.between(candidate.commit, [base.commit, *above], _MOST)
    return frozenset(new) - frozenset(own)


async def _with_trees(
    found: candidates.Way,
    candidate: candidates.Candidate,
    base: candidates.Accepted,
    own: tuple[candidates.Accepted, ...],
    upstream: candidates.Upstream | None,
    git: repository.Repository,
) -> candidates.Way:
    exact = told.newest_equal(candidate, upstream.accepted) if upstream else None
    merged = [
        e.commit for e in (upstream.accepted if upstream else ()) if e.commit in found.foreign
    ]
    named = ways.named_back(own, found)
    few = [exact.commit, base.commit, *merged[-1:], *named] if exact else None
    wanted = few or ways.wanted(base, own, upstream, found)
    trees = {each: await git.snapshot(each) for each in wanted}
    forks: dict[names.CommitId, names.CommitId] = {}
    for source in ways.sources(upstream, found)[:1] if upstream and not exact else ():
        fork = await git.fork(base.commit, source.commit)
        if fork is not None:
            forks[source.commit] = fork
            trees[fork] = await git.snapshot(fork)
    return replace(found, trees={**trees, **found.trees}, forks=forks)
