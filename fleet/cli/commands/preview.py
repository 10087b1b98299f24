"""`fleet preview`: what a promotion or a pull request would do to every cluster, before the merge."""

import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from fleet.adapters.git import scratch, working
from fleet.cli import hubgates, previewforms, processes, statuses, wiring
from fleet.cli.commands import check
from fleet.local import offline, overlays, previews, rehearsals
from fleet.model import errors, names

Form = Annotated[previewforms.Form, typer.Option("--output", "-o", help="text, json or markdown.")]


def preview(
    source: Annotated[
        str, typer.Argument(help="The environment before TARGET, or any commit or branch.")
    ],
    target: Annotated[str, typer.Argument(help="The environment that would take it.")],
    rev: Annotated[
        str,
        typer.Option("--rev", help="With an environment: this commit of it; default: its tip."),
    ] = "",
    head: Annotated[
        str, typer.Option("--head", help="As if this commit had been accepted by SOURCE first.")
    ] = "",
    folder: Annotated[
        Path, typer.Option("--dir", help="A clone of the fleet repository.")
    ] = Path(),
    kustomize: Annotated[Path | None, typer.Option(help="kustomize v5.7.1.")] = None,
    state: Annotated[
        Path | None, typer.Option("--state", help="The hub's state folder: its gates are asked.")
    ] = None,
    status: Annotated[
        bool, typer.Option("--status", help="Print a commit status instead: one line of JSON.")
    ] = False,
    post: Annotated[
        statuses.Forge | None, typer.Option("--post", help="With --status: post it there.")
    ] = None,
    url: Annotated[
        str, typer.Option("--url", help="With --post: base address of the forge's API.")
    ] = "",
    project: Annotated[
        str, typer.Option("--project", help="With --post: OWNER/NAME, or GitLab's number.")
    ] = "",
    form: Form = previewforms.Form.TEXT,
) -> None:
    """Show what every cluster of TARGET would get, judged as the hub would judge it, with nothing merged or pushed.

    SOURCE that comes right before TARGET: what `fleet promote` would bring. Anything else: the merge of it onto TARGET.
    The exit code is 1 where it would be refused.

    As in:

      fleet preview staging prod

      fleet preview dev staging --head my-branch     a pull request onto dev, and what staging would get of it

      fleet preview add-cluster prod -o markdown     a pull request onto prod itself
    """
    words = _Words(
        source=source, target=names.Environment(target), rev=rev, head=head, folder=folder,
        kustomize=kustomize,
    )  # fmt: skip
    sending = statuses.wanted(post, url, project) if status else None
    if post and not status:
        raise errors.InputError("--post posts a status", hint="say --status as well")
    found = processes.run(_previewed(words))
    if status:
        processes.run(statuses.told(found, sending))
    else:
        previewforms.write(form, processes.run(hubgates.told(found, state)))
    if found.is_refused:
        raise typer.Exit(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Words:
    source: str
    target: names.Environment
    rev: str
    head: str
    folder: Path
    kustomize: Path | None


async def _previewed(words: _Words) -> previews.Preview:
    async with _ground(words) as (ground, local):
        asked = await _asked(words, ground, local)
        if words.kustomize or await _uses_kustomize(asked, ground):
            ground.tools.kustomize = wiring.renderer_of(words.kustomize)
        return await rehearsals.preview(asked, ground)


@contextlib.asynccontextmanager
async def _ground(words: _Words) -> AsyncIterator[tuple[previews.Ground, working.Local]]:
    if not words.folder.is_dir():
        raise errors.InputError(f"{words.folder} is no folder")
    folder = words.folder.resolve()
    local = working.Local(folder)
    tips = await _tips(local)
    async with scratch.borrowed(folder) as histories:
        repository = overlays.Overlaid(histories)
        tools = wiring.judge(repository, None, needs_kustomize=False)
        road = await offline.road_to(tips, words.target, tools)
        yield (
            previews.Ground(
                tips=tips, road=road, repository=repository, histories=histories, tools=tools
            ),
            local,
        )


async def _tips(local: working.Local) -> Mapping[names.Branch, names.CommitId]:
    try:
        return (await local.fetch()).branches
    except errors.UnreachableError as error:
        if "not a git repository" not in str(error):
            raise
        raise errors.InputError(
            f"{local.folder} is in no git repository",
            hint="--dir: a clone of the fleet repository",
        ) from error


async def _asked(words: _Words, ground: previews.Ground, local: working.Local) -> previews.Asked:
    order = [step.environment for step in ground.road.steps]
    source = names.Environment(words.source)
    if source not in order:
        if words.rev or words.head:
            raise errors.InputError(
                f"{words.source} is no environment: --rev and --head are for one",
                hint=f"one of {', '.join(order)}",
            )
        return previews.Asked(target=words.target, commit=await local.resolve(words.source))
    if ground.road.before(words.target) != source:
        raise errors.InputError(
            f"{words.target} does not come right after {source}: {' -> '.join(order)}",
            hint=f"for a merge of the branch itself, name its commit: {source}~0",
        )
    return await _promotion(words, source, ground, local)


async def _promotion(
    words: _Words, source: names.Environment, ground: previews.Ground, local: working.Local
) -> previews.Asked:
    branch = ground.road.branch(source)
    if branch not in ground.tips:
        raise errors.InputError(f"there is no branch {branch} here", hint="git fetch")
    tip = ground.tips[branch]
    if words.rev and words.head:
        raise errors.InputError("--head comes on top of the branch, so there is no --rev with it")
    commit = await local.resolve(words.rev) if words.rev else tip
    if not await ground.repository.is_ancestor(commit, tip):
        raise errors.InputError(
            f"{commit[:10]} is no commit of {source}'s branch", hint="a branch off it: --head"
        )
    head = await local.resolve(words.head) if words.head else None
    return previews.Asked(target=words.target, commit=commit, source=source, head=head)


async def _uses_kustomize(asked: previews.Asked, ground: previews.Ground) -> bool:
    running = ground.tips.get(ground.road.branch(asked.target))
    return await check.any_kustomized([asked.commit, asked.head, running], ground.repository)
