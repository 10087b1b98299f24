"""Hotfixes that are open on a branch as its own history tells, for whoever has no book: what the hub has counts."""

from datetime import UTC, datetime

from fleet.gate import trailers
from fleet.model import ledger, names, snapshots
from fleet.ports import repository

_UNKNOWN = datetime(1970, 1, 1, tzinfo=UTC)  # a history has no time that proves anything


async def of(
    running: names.CommitId, upstream: names.CommitId, git: repository.Repository
) -> tuple[ledger.Hotfix, ...]:
    """Of the paths that have the form which a hotfix gave them, also where a way back brought it again."""
    fork = await git.fork(running, upstream)
    steps = await git.steps(fork, running) if fork else ()
    made = [step for step in reversed(steps) if _is_hotfix(step) and step.parents]
    if fork is None or not made:
        return ()
    here = await git.snapshot(running)
    theirs = await git.snapshot(fork), await git.snapshot(upstream)
    found: list[ledger.Hotfix] = []
    for path in sorted({path for step in made for path in step.paths}):
        fixed = here.form(path)
        if fixed != theirs[0].form(path):
            rests = frozenset(each.form(path) for each in theirs)
            first = await _first_of_fix(path, fixed, rests, made, git)
            found += [_hotfix(path, *first, fixed)] if first else ()
    return tuple(found)


def _hotfix(path: str, first: snapshots.Step, based_on: str, fixed: str) -> ledger.Hotfix:
    return ledger.Hotfix(
        path=path,
        based_on=based_on,
        fixed=fixed,
        commit=first.commit,
        reason=trailers.values(trailers.HOTFIX, [first])[0],
        since=_UNKNOWN,
    )


async def _first_of_fix(
    path: str,
    fixed: str,
    rests: frozenset[str],
    newest_first: list[snapshots.Step],
    git: repository.Repository,
) -> tuple[snapshots.Step, str] | None:
    """The first of the hotfixes, one upon another, that made a path so, and the form that it was based on.

    One upon another by content: what lies between them may have taken them back, and brought them again.
    """
    found, wanted = None, fixed
    for step in newest_first:
        if path in step.paths and (await git.snapshot(step.commit)).form(path) == wanted:
            wanted = (await git.snapshot(step.parents[0])).form(path)
            found = step, wanted
            if wanted in rests:  # it rests on upstream's
                break
    return found


def _is_hotfix(step: snapshots.Step) -> bool:
    return bool(trailers.values(trailers.HOTFIX, [step]))
