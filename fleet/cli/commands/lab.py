"""`fleet lab`: real control planes on this machine, without Docker, to try things on."""

import shlex
from pathlib import Path
from typing import Annotated

import typer

from fleet.cli import output, processes, settings
from fleet.lab import binaries, detached, lab
from fleet.model import errors

app = typer.Typer(
    help="Real control planes on this machine, without Docker: etcd, kube-apiserver, controllers, kwok.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
Folder = Annotated[Path | None, typer.Option("--dir", help="Default: in the cache folder.")]


@app.command()
def up(
    clusters: Annotated[int, typer.Option(min=1, max=32, help="How many.")] = 1,
    folder: Folder = None,
    light: Annotated[
        bool, typer.Option("--light", help="API servers alone: no controllers, no node.")
    ] = False,
) -> None:
    """Start clusters and leave them running. The first time builds Kubernetes: about six minutes on two cores.

    Example:  fleet lab up --clusters 2 && export KUBECONFIG=$(fleet lab kubeconfig lab-1)
    """
    found = settings.read()
    built = binaries.ensure(found.cache, _say, environment=found.environment)
    names = [f"lab-{number}" for number in range(1, clusters + 1)]
    for each in detached.up(names, _folder(folder), built, full=not light, say=_say):
        output.say(
            f"{each.name}: {each.url}, Kubernetes {each.version}, {each.kubeconfig}", "green"
        )
    there = f" --dir {shlex.quote(str(folder))}" if folder else ""
    output.say(f"kubectl is {built / 'kubectl'}; to end them: fleet lab down{there}")


@app.command()
def down(folder: Folder = None) -> None:
    """End the clusters and remove what they kept."""
    ended = processes.run(lab.down(_folder(folder)))
    output.say("the lab is down" if ended else "no lab was running")


@app.command()
def kubeconfig(
    name: Annotated[str, typer.Argument(help="As `fleet lab up` printed it.")],
    folder: Folder = None,
) -> None:
    """Print the path of a cluster's kubeconfig."""
    running = {each.name: each.kubeconfig for each in lab.read(_folder(folder))}
    if name not in running:
        raise errors.InputError(
            f"no cluster {name!r} runs here",
            hint=f"running: {', '.join(running)}" if running else "fleet lab up",
        )
    typer.echo(running[name])


def _folder(asked: Path | None) -> Path:
    return asked or settings.read().cache / "lab-clusters"


def _say(text: str) -> None:
    output.console(is_error=True).print(text, style="dim")
