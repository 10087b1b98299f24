"""`fleet githook`: what a self-hosted git server runs when somebody pushes."""

import sys
from collections.abc import Sequence
from pathlib import Path

import typer
from rich.text import Text

from fleet.adapters.git import receiving as git
from fleet.cli import output, previewforms, processes, settings, wiring
from fleet.cli.commands import check
from fleet.local import receiving
from fleet.model import errors

app = typer.Typer(help="Hooks for a git server of your own.", no_args_is_help=True)
_MOST = 1 << 20  # bytes of lines


@app.callback()
def _root() -> None:
    """Hooks for a git server of your own."""


@app.command("pre-receive")
def pre_receive(kustomize: check.Program = None) -> None:
    """Refuse a push that the hub would refuse by content alone: run by git, with the refs on standard input.

    As hooks/pre-receive of the bare repository:

      #!/bin/sh

      exec fleet githook pre-receive
    """
    found = processes.run(_refusals(_lines(), kustomize))
    sink = output.Sink.error()
    for each in found:
        sink.line(Text(previewforms.safe(f"{each.ref}: {each.reason}"), style="red"))
        if each.hint:
            sink.line(Text(f"    hint: {previewforms.safe(each.hint)}", style="dim"))
    if found:
        raise typer.Exit(1)


def _lines() -> list[str]:
    """Raises errors.InputError for what is no push: nothing of it may pass unread."""
    data = sys.stdin.buffer.read(_MOST + 1)
    if len(data) > _MOST:
        raise errors.InputError(f"more than {_MOST} bytes of refs", hint="push fewer refs at once")
    lines = data.decode("utf-8", "surrogateescape").split("\n")
    if not data or lines.pop():
        raise errors.InputError("no lines of a push", hint="git runs this as its pre-receive hook")
    return lines


async def _refusals(lines: list[str], kustomize: Path | None) -> tuple[receiving.Refusal, ...]:
    given = settings.read().environment
    folder = Path(given.get("GIT_DIR") or ".").resolve()
    source = git.Receiving(folder, given)
    pushed = receiving.updates(lines)
    tools = wiring.judge(source, None, needs_kustomize=False)
    if kustomize or await _uses_kustomize(pushed, source):
        tools.kustomize = wiring.renderer_of(kustomize)
    desk = receiving.Desk(
        tips=await source.fetch(), repository=source, histories=source, tools=tools
    )
    return await receiving.refusals(pushed, desk)


async def _uses_kustomize(pushed: Sequence[receiving.Update], source: git.Receiving) -> bool:
    """Also what runs must be rendered, or nobody would see what goes."""
    sides = [commit for each in pushed if each.branch for commit in (each.old, each.new)]
    return await check.any_kustomized(sides, source)
