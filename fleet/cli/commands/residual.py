"""`fleet residual`: the paths in which an environment differs from upstream, and why each does."""

from pathlib import Path
from typing import Annotated, Any

import typer

from fleet.cli import asking, output
from fleet.gate import residuals

_SHOWN = 200  # paths in text


def residual(
    environment: Annotated[str, typer.Argument(help="Which environment.")],
    state: Annotated[Path, typer.Option("--state", help="The hub's state folder.")] = Path(
        "fleet-state"
    ),
    form: Annotated[
        output.Form, typer.Option("--output", "-o", help="text or json.")
    ] = output.Form.TEXT,
) -> None:
    """Show each path in which an environment differs from upstream: behind, ahead, hotfix, reverted or unknown.

    Example:  fleet residual prod
    """
    found = asking.hub(state, "residual", {"environment": environment})
    if form is output.Form.JSON:
        output.document(found)
    else:
        _show(found)


def _show(found: dict[str, Any]) -> None:
    paths = found["paths"]
    counts = [f"{count} {word}" for word, count in found["counts"].items() if count]
    output.say(
        f"{found['environment']} (release {found['release']}, {found['commit'][:10]}) beside "
        f"{found['upstream']} (release {found['upstreamRelease']}, {found['upstreamCommit'][:10]}): "
        f"{', '.join(counts) or 'they are the same'}",
        "bold",
    )
    if paths:
        rows = (
            (f"  {each['class']}", each["path"], each["reason"] or _meaning(each), each["hint"])
            for each in paths[:_SHOWN]
        )
        output.table(("  CLASS", "PATH", "WHY", "NEXT"), rows)
    if len(paths) > _SHOWN:
        output.say(f"  and {len(paths) - _SHOWN} more (-o json shows all)")


def _meaning(each: dict[str, Any]) -> str:
    return residuals.RESIDUALS[residuals.Residual(each["class"])].meaning
