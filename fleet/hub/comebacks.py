"""What a rollback leaves: its whole content, and the very paths in which it went wrong, wherever they come again.

The next unrelated change makes other content of the same fault, so that content alone would let it back in.
"""

from collections.abc import Mapping
from dataclasses import replace

from fleet.gate import candidates, told
from fleet.hub import evidence, state
from fleet.judge import judging
from fleet.manifests import layout
from fleet.model import findings, ledger, names, observed, snapshots

MOST = 10_000  # paths that one quarantine tells; of more it is the whole content alone


async def left_behind(
    decision: ledger.Decision, judged: judging.Judged, hub: state.Hub
) -> tuple[observed.Quarantine, ...]:
    """What a rollback goes away from does not come again until somebody lifts it. Its own content it never leaves."""
    running = hub.ledger.in_force(decision.environment)
    if decision.lineage is not ledger.Lineage.ROLLBACK or running is None:
        return ()
    if running.content == decision.content:
        return ()
    left = await hub.repository.snapshot(running.commit)
    row = observed.Quarantine(
        environment=decision.environment,
        content=running.content,
        reason=f"rolled back to release {decision.back_to}: {findings.escaped(decision.subject)}",
        by=f"rollback {decision.commit[:10]}",
        since=decision.at,
        forms=_forms(left, judged.snapshot, judged.layout),
    )
    return (row,)


def _forms(
    left: snapshots.Snapshot, here: snapshots.Snapshot, where: layout.Layout
) -> Mapping[str, str]:
    """The shared paths that differ, as they were in what is left; "" = there was no such file."""
    paths = layout.differ(left, here, where)
    return {each: left.form(each) for each in paths} if len(paths) <= MOST else {}


async def of_commit(
    environment: names.Environment, commit: names.CommitId, hub: state.Hub
) -> tuple[candidates.ComingBack, ...]:
    """As `coming`; it is not listed where no quarantine tells paths."""
    if not evidence.telling(environment, hub):
        return ()
    return await coming(environment, await hub.repository.snapshot(commit), hub)


async def coming(
    environment: names.Environment, tree: snapshots.Snapshot, hub: state.Hub
) -> tuple[candidates.ComingBack, ...]:
    """The quarantines here and before on the road of which the candidate has every path just so.

    What is out everywhere here does not come: it runs, and keeps running.
    """
    rows = [each for each in evidence.telling(environment, hub) if _has(tree, each)]
    running = hub.ledger.in_force(environment)
    if rows and running is not None and _is_out(running, hub):
        before = await hub.repository.snapshot(running.commit)
        rows = [each for each in rows if not _has(before, each)]
    return tuple(
        candidates.ComingBack(
            quarantine=replace(each, forms={}),
            paths=tuple(sorted(each.forms)[: told.SHOWN]),
            count=len(each.forms),
        )
        for each in rows
    )


def _is_out(running: ledger.Release, hub: state.Hub) -> bool:
    return hub.ledger.environments[running.environment].wave >= len(running.waves)


def _has(tree: snapshots.Snapshot, row: observed.Quarantine) -> bool:
    return all(tree.form(path) == form for path, form in row.forms.items())
