"""What no accepted commit explains: whose content it is, or where and by whom it was altered."""

from collections.abc import Iterable
from dataclasses import dataclass

from fleet.gate import candidates, told, trailers, ways
from fleet.manifests import layout
from fleet.model import ledger, names, snapshots
from fleet.model.ledger import Lineage


def undecided(
    candidate: candidates.Candidate, _: candidates.Accepted | None, facts: candidates.Facts
) -> told.Told | None:
    pending = facts.upstream.undecided if facts.upstream else None
    if pending is None or (pending.content, pending.rules) != (candidate.content, candidate.rules):
        return None
    if pending.verdict is ledger.Verdict.REFUSED:
        detail = f": it refused {told.short(pending.commit)}"
        return told.Told(kind=Lineage.UNACCEPTED, commits=(pending.commit,), detail=detail)
    return told.Told(kind=Lineage.UNDECIDED, detail=pending.verdict.value)


def unaccepted(
    candidate: candidates.Candidate, _: candidates.Accepted, facts: candidates.Facts
) -> told.Told | None:
    """Content of an environment farther up, or of a commit of upstream's that was never accepted."""
    upstream = facts.upstream
    if upstream is None:
        return None
    for environment, each in upstream.skipped:
        if told.same(candidate, each):
            detail = f": {environment} did, as its release {each.release}"
            return told.Told(kind=Lineage.UNACCEPTED, commits=(each.commit,), detail=detail)
    known = frozenset(each.commit for each in upstream.accepted)
    merged = [parent for step in facts.way.steps for parent in step.parents[1:]]
    for commit in dict.fromkeys([*merged, *upstream.unaccepted]):
        if commit not in known and _is_content_of(commit, candidate, facts):
            detail = f": it is that of {told.short(commit)}"
            return told.Told(kind=Lineage.UNACCEPTED, commits=(commit,), detail=detail)
    return None


def _is_content_of(
    commit: names.CommitId, candidate: candidates.Candidate, facts: candidates.Facts
) -> bool:
    here, other = told.trees(candidate.commit, commit, facts)
    return bool(here and other and not layout.differ(here, other, facts.layout))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Compared:
    """A tip beside the source that it was most likely made from, and what ran before."""

    here: snapshots.Snapshot
    above: snapshots.Snapshot
    before: snapshots.Snapshot
    fork: snapshots.Snapshot | None  # where the histories of `above` and `before` part
    differing: tuple[str, ...]  # shared paths of `here` and `above`

    @property
    def by_hand(self) -> tuple[str, ...]:
        """Neither as upstream has them nor as they were."""
        return tuple(p for p in self.differing if self.here.form(p) != self.before.form(p))

    @property
    def stays(self) -> bool:
        """Whether a plain merge keeps what differs, since upstream has not touched it after the fork."""
        fork = self.fork
        return fork is not None and all(
            fork.form(path) == self.above.form(path) for path in self.differing
        )

    def takes(self, paths: Iterable[str]) -> bool:
        """Whether any of these is new here and as upstream has it."""
        return any(self.before.form(p) != self.here.form(p) == self.above.form(p) for p in paths)


def strange(
    candidate: candidates.Candidate, base: candidates.Accepted, facts: candidates.Facts
) -> told.Told:
    """Nothing explains the tip: where it differs from the likeliest source, and who made it so."""
    source = next(iter(ways.sources(facts.upstream, facts.way)), None) if facts.upstream else None
    compared = _compared(candidate, base, source, facts) if source else None
    if source is None or compared is None:
        return told.Told(kind=Lineage.DIRECT)
    paths = compared.by_hand or compared.differing
    if not compared.by_hand and compared.stays:
        return told.Told(
            kind=Lineage.INCOMPLETE,
            paths=paths,
            commits=(source.commit,),
            detail="a revert on this branch would silently stay",
        )
    makers = _makers(paths, facts.way)
    kind = _blamed(makers, compared, facts)
    return told.Told(
        kind=kind,
        paths=paths,
        commits=tuple(step.commit for step in makers),
        detail=_out_of_scope(paths, facts) if kind is Lineage.DIRECT else "",
    )


def _compared(
    candidate: candidates.Candidate,
    base: candidates.Accepted,
    source: candidates.Accepted,
    facts: candidates.Facts,
) -> _Compared | None:
    here, above = told.trees(candidate.commit, source.commit, facts)
    before = facts.way.trees.get(base.commit)
    if here is None or above is None or before is None:
        return None
    fork = facts.way.forks.get(source.commit)
    return _Compared(
        here=here,
        above=above,
        before=before,
        fork=facts.way.trees.get(fork) if fork else None,
        differing=layout.differ(here, above, facts.layout),
    )


def _blamed(
    makers: tuple[snapshots.Step, ...], compared: _Compared, facts: candidates.Facts
) -> Lineage:
    """A plain commit of this branch, one of upstream's, or what should have been upstream's content and is not."""
    if makers and all(step.commit in facts.way.foreign for step in makers):
        return Lineage.UNACCEPTED
    plain = all(_is_plain(step, compared, facts) for step in makers)
    return Lineage.DIRECT if plain and compared.by_hand else Lineage.ALTERED


def _is_plain(step: snapshots.Step, compared: _Compared, facts: candidates.Facts) -> bool:
    """Of one parent and with nothing of upstream's in it: a squash that was altered has both."""
    return not ways.is_merge(step) and not compared.takes(ways.shared(step, facts.layout))


def _makers(paths: Iterable[str], way: candidates.Way) -> tuple[snapshots.Step, ...]:
    """The commits that changed these last."""
    found = (ways.last_change(path, way) for path in paths)
    known = {step.commit: step for step in found if step is not None}
    return tuple(known.values())


def _out_of_scope(paths: tuple[str, ...], facts: candidates.Facts) -> str:
    outside = [path for path in paths if not layout.fits(path, facts.scope)]
    if not facts.scope:
        return ""
    if outside:
        return f"; no hotfix may change {told.listed(outside)}"
    return f"; a hotfix gives its reason: a line `{trailers.HOTFIX}: ...` in the message"
