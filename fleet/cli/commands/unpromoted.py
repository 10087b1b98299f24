"""`fleet unpromoted`: what waits in each environment to go to the next one."""

from pathlib import Path
from typing import Annotated, Any

import typer

from fleet.cli import asking, output

_SUBJECT = 50  # letters


def unpromoted(
    environment: Annotated[
        str, typer.Argument(help="Where it is missing; absent: every environment.")
    ] = "",
    state: Annotated[Path, typer.Option("--state", help="The hub's state folder.")] = Path(
        "fleet-state"
    ),
    form: Annotated[
        output.Form, typer.Option("--output", "-o", help="text or json.")
    ] = output.Form.TEXT,
) -> None:
    """Show what waits to be promoted to each environment: how old, behind which gates, and when it may go.

    Example:  fleet unpromoted prod
    """
    found = asking.hub(state, "unpromoted", {"environment": environment})
    if form is output.Form.JSON:
        output.document(found)
        return
    for each in found["environments"]:
        _show(each)


def _show(found: dict[str, Any]) -> None:
    waiting = found["waiting"]
    count = len(waiting) + found["more"]
    told = f"{count} waiting" if count else "nothing waits"
    output.say(f"{found['upstream']} -> {found['environment']}: {told}", "bold")
    part = found["inPart"]
    if part:
        paths = part["paths"]
        output.say(
            f"  of {part['commit'][:10]} (release {part['release']}) {len(paths)} paths are not there: "
            f"fleet residual {found['environment']}",
            "yellow",
        )
    if waiting:
        columns = ("  RELEASE", "COMMIT", "AGE", "SUBJECT", "PROMOTABLE", "BEHIND", "NEXT")
        output.table(columns, (_row(each) for each in waiting))
    if found["more"]:
        output.say(f"  and {found['more']} older ones")
    output.say()


def _row(each: dict[str, Any]) -> tuple[str, ...]:
    when = f"at {each['at']}" if each["at"] else each["promotable"]
    return (
        f"  {each['release']}",
        each["commit"][:10],
        each["age"],
        each["subject"][:_SUBJECT],
        when if each["standing"] == "not there" else f"on its branch, {each['standing']}",
        "; ".join(f"{gate['gate']}: {gate['reason']}" for gate in each["gates"]) or "-",
        each["hint"] or "-",
    )
