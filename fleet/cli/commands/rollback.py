"""`fleet rollback`: show what would change in each cluster, then push the way back with the person's own rights."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from fleet.adapters.git import working, writer
from fleet.adapters.http import admin
from fleet.cli import output, processes, pushing, settings, wiring
from fleet.hub.desk import releases
from fleet.local import offline, rollbacks
from fleet.model import errors, findings, names

_LONGEST_REASON = 1000
_COMMIT = re.compile(r"[0-9a-f]{7,64}")


def rollback(
    environment: Annotated[str, typer.Argument(help="Which environment goes back.")],
    reason: Annotated[str, typer.Option(help="Why; in the message and in the quarantine.")],
    to: Annotated[
        str,
        typer.Option(
            metavar="RELEASE",
            help="A release's number, or its commit; default: the last one that was healthy.",
        ),
    ] = "",
    bundle: Annotated[
        list[str] | None,
        typer.Option(help="Only this bundle, by its folder, as apps/web; may be repeated."),
    ] = None,
    folder: Annotated[
        Path, typer.Option("--dir", help="A clone of the fleet repository.")
    ] = Path(),
    state: Annotated[Path, typer.Option("--state", help="The hub's state folder.")] = Path(
        "fleet-state"
    ),
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show, do not push.")] = False,
    kustomize: Annotated[Path | None, typer.Option(help="kustomize v5.7.1.")] = None,
) -> None:
    """Go back to an earlier release: its content in a new commit; rules, clusters and trust files stay.

    The push is with your own git rights, and only if the branch has not moved. The hub then decides:
    approvals and signatures count, soak, windows and what policies say since do not.
    Away from the hub's machine name the commit: --to 3f2c1aa.

    As in:

      fleet rollback prod --reason "it loses orders" --dry-run

      fleet rollback prod --to 41 --bundle apps/web --reason "it loses orders"
    """
    if (
        not reason.strip()
        or len(reason) > _LONGEST_REASON
        or not findings.escaped(reason) == reason
    ):
        raise errors.InputError(
            f"say why, in one line of at most {_LONGEST_REASON} letters: --reason WHY"
        )
    asked = rollbacks.Asked(
        environment=names.Environment(environment),
        reason=reason.strip(),
        to=to,
        bundles=tuple(each.rstrip("/") for each in bundle or ()),
    )
    processes.run(_rollback(asked, folder.resolve(), state, kustomize, dry_run=dry_run))


async def _rollback(
    asked: rollbacks.Asked, folder: Path, state: Path, kustomize: Path | None, *, dry_run: bool
) -> None:
    pen = writer.Writer(folder, settings.read().environment)
    await pen.fetch()
    tools = wiring.checking(folder, kustomize, needs_kustomize=True)
    local = working.Local(folder)
    tips = (await local.fetch()).branches
    history = await _history(asked, state)
    if history is None:
        asked = replace(asked, to=await local.resolve(asked.to))
    road = await offline.road_to(tips, asked.environment, tools)
    scene = rollbacks.Scene(tips=tips, road=road, history=history)
    offer = await rollbacks.prepare(asked, scene, tools, pen)
    _show(asked, offer)
    await pushing.push(offer, asked.environment, pen, dry_run=dry_run)


async def _history(asked: rollbacks.Asked, state: Path) -> releases.History | None:
    """What the hub knows; None where none answers and a commit is named."""
    socket = wiring.StateFolder(root=state).socket
    try:
        found = await admin.ask(socket, "releases", {"environment": asked.environment})
    except errors.UnreachableError as error:
        if _COMMIT.fullmatch(asked.to):
            return None
        raise errors.UnreachableError(
            f"which releases {asked.environment} had, only the hub knows: {error}",
            hint="name its --state folder, or the commit of a release: --to 3f2c1aa",
        ) from None
    return releases.read(found)


def _show(asked: rollbacks.Asked, offer: rollbacks.Offer) -> None:
    target = offer.target
    release = f"release {target.release}, " if target.release else ""
    output.say(f"{asked.environment} goes back to {release}{target.commit[:10]}", "bold")
    for note in offer.notes:
        output.say(f"  {note}")
