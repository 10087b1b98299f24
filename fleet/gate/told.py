"""What lineage finds of a candidate, as a value, and the few questions that all of its parts ask."""

from collections.abc import Iterable
from dataclasses import dataclass

from fleet.gate import candidates
from fleet.model import ledger, names, observed, snapshots
from fleet.model.ledger import Lineage

SHOWN = 5  # paths in a reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """The class of a candidate with what shows it."""

    kind: Lineage
    paths: tuple[str, ...] = ()
    commits: tuple[names.CommitId, ...] = ()
    detail: str = ""
    source: int = 0  # the newest release of upstream's that will be in it
    back_to: int = 0  # the own release that a rollback goes back to
    hotfixes: tuple[ledger.Hotfix, ...] = ()  # open once it is accepted


def let_in(candidate: candidates.Candidate, facts: candidates.Facts) -> observed.Rebaseline | None:
    """By what act just this tip may follow just what is in force, though it does not descend from it."""
    act, base = facts.rebaselined, facts.base
    if act is None or base is None or facts.way.descends:
        return None
    is_it = (act.environment, act.commit, act.base) == (
        candidate.environment,
        candidate.commit,
        base.commit,
    )
    return act if is_it else None


def same(
    one: candidates.Candidate | candidates.Accepted,
    other: candidates.Accepted | candidates.Candidate,
) -> bool:
    return (one.content, one.rules) == (other.content, other.rules)


def newest_equal(
    candidate: candidates.Candidate | candidates.Accepted,
    accepted: tuple[candidates.Accepted, ...],
) -> candidates.Accepted | None:
    return next((each for each in reversed(accepted) if same(candidate, each)), None)


def running_source(base: candidates.Accepted, upstream: candidates.Upstream | None) -> int:
    """The newest release of upstream's in what runs; 0 = unknown."""
    found = newest_equal(base, upstream.accepted) if upstream else None
    return max(base.source, found.release if found else 0)


def trees(
    one: names.CommitId, other: names.CommitId, facts: candidates.Facts
) -> tuple[snapshots.Snapshot | None, snapshots.Snapshot | None]:
    return facts.way.trees.get(one), facts.way.trees.get(other)


def listed(paths: Iterable[str]) -> str:
    every = list(paths)
    more = len(every) - SHOWN
    shown = ", ".join(every[:SHOWN])
    return f"{shown} and {more} more" if more > 0 else shown


def short(commit: str) -> str:
    return commit[:10]
