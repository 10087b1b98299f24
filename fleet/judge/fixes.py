"""Hotfixes that are open on a branch as its own history tells, for whoever has no book: what the hub has counts."""

from datetime import UTC, datetime

from fleet.gate import trailers
from fleet.model import ledger, names, snapshots
from fleet.ports import repository

_UNKNOWN = datetime(1970, 1, 1, tzinfo=UTC)  # a history has no time that proves anything


async def of(
    running: names.CommitId, upstream: names.CommitId, git: repository.Repository
) -> tuple[ledger.Hotfix, ...]:
    """Of the paths that a hotfix changed last; what upstream's commits have brought back here is open no more."""
    fork = await git.fork(running, upstream)
    steps = await git.steps(fork, running) if fork else ()
    fixed = {path for step in steps if _is_hotfix(step) for path in step.paths}
    if fork is None or not fixed:
        return ()
    here, above = await git.snapshot(running), await git.snapshot(fork)
    found: list[ledger.Hotfix] = []
    for path in sorted(fixed):
        first = _first_of_fix(path, steps)
        if first is None or not first.parents or here.form(path) == above.form(path):
            continue
        before = await git.snapshot(first.parents[0])
        found.append(_hotfix(path, first, before, here))
    return tuple(found)


def _hotfix(
    path: str, first: snapshots.Step, before: snapshots.Snapshot, here: snapshots.Snapshot
) -> ledger.Hotfix:
    return ledger.Hotfix(
        path=path,
        based_on=before.form(path),
        fixed=here.form(path),
        commit=first.commit,
        reason=trailers.values(trailers.HOTFIX, [first])[0],
        since=_UNKNOWN,
    )


def _first_of_fix(path: str, steps: tuple[snapshots.Step, ...]) -> snapshots.Step | None:
    """The first of the hotfixes that were the last to change a path."""
    first = None
    for step in reversed([each for each in steps if path in each.paths]):
        if not _is_hotfix(step):
            break
        first = step
    return first


def _is_hotfix(step: snapshots.Step) -> bool:
    return bool(trailers.values(trailers.HOTFIX, [step]))
