"""`fleet promote`: show what would change in each cluster, then push the merge commit with the person's own rights."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from fleet.adapters.git import working, writer
from fleet.cli import output, processes, pushing, settings, wiring
from fleet.local import offline, promotion
from fleet.model import names


def promote(
    source: Annotated[str, typer.Argument(help="The environment whose content is taken.")],
    target: Annotated[str, typer.Argument(help="The environment after it on the road.")],
    folder: Annotated[
        Path, typer.Option("--dir", help="A clone of the fleet repository.")
    ] = Path(),
    commit: Annotated[str, typer.Option(help="A commit of the source; default: its tip.")] = "",
    bundle: Annotated[
        list[str] | None,
        typer.Option(help="Only this bundle, by its folder, as apps/web; may be repeated."),
    ] = None,
    ported: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PATH", help="The source has the open hotfix of PATH in another form."
        ),
    ] = None,
    older: Annotated[
        str, typer.Option(metavar="REASON", help="Take an older release than the one that runs.")
    ] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show, do not push.")] = False,
    kustomize: Annotated[Path | None, typer.Option(help="kustomize v5.7.1.")] = None,
) -> None:
    """Promote by merge: show what would change in each cluster, then push the merge commit.

    The push is with your own git rights, and only if the target has not moved. The hub then decides.

    As in:

      fleet promote dev staging --dry-run

      fleet promote staging prod --commit 3f2c1aa

      fleet promote staging prod --bundle apps/web
    """
    asked = promotion.Asked(
        source=names.Environment(source),
        target=names.Environment(target),
        bundles=tuple(each.rstrip("/") for each in bundle or ()),
        ported=tuple(ported or ()),
        older=older,
    )
    processes.run(_promote(asked, folder.resolve(), commit, kustomize, dry_run=dry_run))


async def _promote(
    asked: promotion.Asked, folder: Path, commit: str, kustomize: Path | None, *, dry_run: bool
) -> None:
    pen = writer.Writer(folder, settings.read().environment)
    await pen.fetch()
    tools = wiring.checking(folder, kustomize, needs_kustomize=True)
    local = working.Local(folder)
    tips = (await local.fetch()).branches
    if commit:
        asked = replace(asked, commit=await local.resolve(commit))
    road = await offline.road_to(tips, asked.target, tools)
    offer = await promotion.prepare(asked, tips, road, tools, pen)
    if offer is None:
        output.say(f"{asked.target} has this content already: nothing to promote")
        return
    await pushing.push(offer, asked.target, pen, dry_run=dry_run)
