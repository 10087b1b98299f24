"""`fleet promote`: the merge commit that makes the next environment equal to the one before it, and nothing else.

Its tree is upstream's shared paths with the target's own; so it is exact whatever the branches went through.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from fleet.adapters.git import working, writer
from fleet.cli import output, processes, settings, wiring
from fleet.hub import judging, offline
from fleet.manifests import layout
from fleet.model import errors, findings, ledger, names, objects, snapshots

_SHOWN = 50  # lines of one cluster's changes


def promote(
    source: Annotated[str, typer.Argument(help="The environment whose content is taken.")],
    target: Annotated[str, typer.Argument(help="The environment after it on the road.")],
    folder: Annotated[
        Path, typer.Option("--dir", help="A clone of the fleet repository.")
    ] = Path(),
    commit: Annotated[str, typer.Option(help="A commit of the source; default: its tip.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show, do not push.")] = False,
    kustomize: Annotated[Path | None, typer.Option(help="kustomize v5.7.1.")] = None,
) -> None:
    """Promote by merge: show what would change in each cluster, then push the merge commit.

    The push is with your own git rights, and only if the target has not moved. The hub then decides.

    As in:

      fleet promote dev staging --dry-run

      fleet promote staging prod --commit 3f2c1aa
    """
    processes.run(
        _promote(
            Promotion(
                folder=folder.resolve(),
                source=names.Environment(source),
                target=names.Environment(target),
                commit=commit,
                dry_run=dry_run,
                kustomize=kustomize,
            )
        )
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Promotion:
    folder: Path
    source: names.Environment
    target: names.Environment
    commit: str
    dry_run: bool
    kustomize: Path | None


async def _promote(asked: Promotion) -> None:
    pen = writer.Writer(asked.folder, settings.read().environment)
    await pen.fetch()
    tools = wiring.checking(asked.folder, asked.kustomize, needs_kustomize=True)
    local = working.Local(asked.folder)
    tips = (await local.fetch()).branches
    road = await _road(tips, tools, local)
    if asked.target not in _environments(road) or road.before(asked.target) != asked.source:
        order = " -> ".join(_environments(road))
        raise errors.InputError(
            f"{asked.target} does not come right after {asked.source}: {order}"
        )
    branch = road.branch(asked.target)
    upstream = (
        await local.resolve(asked.commit) if asked.commit else tips[road.branch(asked.source)]
    )
    running = tips[branch]
    merge = await _graft(asked, road, upstream, running, tools, pen)
    if merge is None:
        output.say(f"{asked.target} has this content already: nothing to promote")
        return
    await _show(asked, running, merge, tools)
    if asked.dry_run:
        output.say("dry run: nothing was pushed")
        return
    await pen.push(branch, merge, running)
    output.say(
        f"pushed {merge[:10]} to {branch}: the hub decides now (fleet status)", "bold green"
    )


async def _road(
    tips: Mapping[names.Branch, names.CommitId], tools: judging.Tools, local: working.Local
) -> ledger.Road:
    branch = await local.current_branch()
    start = tips.get(names.Branch(branch)) or next(iter(tips.values()), None)
    if start is None:
        raise errors.InputError("this clone has no branches of its remote", hint="git fetch")
    road = await offline.road_of(start, tools)
    missing = [step.branch for step in road.steps if step.branch not in tips]
    if missing:
        raise errors.InputError(f"the remote has no branch {', '.join(missing)}")
    return road


def _environments(road: ledger.Road) -> list[names.Environment]:
    return [step.environment for step in road.steps]


async def _graft(
    asked: Promotion,
    road: ledger.Road,
    upstream: names.CommitId,
    running: names.CommitId,
    tools: judging.Tools,
    pen: writer.Writer,
) -> names.CommitId | None:
    """The merge commit, or None where there is nothing to merge."""
    where = layout.Layout(environment=asked.target, owned=road.owned)
    above, here = (
        await tools.repository.snapshot(upstream),
        await tools.repository.snapshot(running),
    )
    if not layout.differ(above, here, where):
        return None
    subject = (await tools.repository.commit(upstream)).subject
    message = f"Promote {asked.source} to {asked.target}: {subject}\n\nContent of {upstream}.\n"
    return await pen.graft(tuple(_entries(above, here, where)), (running, upstream), message)


def _entries(
    above: snapshots.Snapshot, here: snapshots.Snapshot, where: layout.Layout
) -> Iterator[snapshots.Entry]:
    """Upstream's shared paths; everything else, owned or inert, as the target has it."""
    yield from (e for path, e in above.entries.items() if where.is_shared(path))
    yield from (e for path, e in here.entries.items() if not where.is_shared(path))


async def _show(
    asked: Promotion, running: names.CommitId, merge: names.CommitId, tools: judging.Tools
) -> None:
    """What would change, per cluster and object. Raises errors.RefusedError when the hub would refuse it."""
    before = await offline.check_commit(asked.target, running, None, tools)
    after = await offline.check_commit(asked.target, merge, running, tools)
    for cluster, share in after.judged.manifests.items():
        lines = list(_changes(before.judged.manifests.get(cluster, ()), share))
        output.say(f"{cluster}: {len(lines)} objects change" if lines else f"{cluster}: no change")
        for line in lines[:_SHOWN]:
            output.say(f"  {line}")
        if len(lines) > _SHOWN:
            output.say(f"  and {len(lines) - _SHOWN} more")
    output.report(after.findings)
    if findings.refuses(after.findings):
        raise errors.RefusedError(f"{asked.target} would refuse it: nothing was pushed")


def _changes(
    before: tuple[objects.Manifest, ...], after: tuple[objects.Manifest, ...]
) -> Iterator[str]:
    old = {each.key: each.digest for each in before}
    new = {each.key: each.digest for each in after}
    for key in sorted({*old, *new}):
        if key not in old:
            yield f"+ {key}"
        elif key not in new:
            yield f"- {key}"
        elif old[key] != new[key]:
            yield f"~ {key}"
