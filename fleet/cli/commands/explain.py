"""`fleet explain`: why something is not in an environment yet, what it waits for, until when, and who can act."""

from pathlib import Path
from typing import Annotated, Any

import typer

from fleet.cli import asking, output

State = Annotated[Path, typer.Option("--state", help="The hub's state folder.")]


def explain(
    environment: Annotated[str, typer.Argument(help="Where it is missing.")],
    commit: Annotated[
        str, typer.Argument(help="Which commit; absent: the tip of its branch.")
    ] = "",
    state: State = Path("fleet-state"),
    form: Annotated[
        output.Form, typer.Option("--output", "-o", help="text or json.")
    ] = output.Form.TEXT,
) -> None:
    """Tell what a commit waits for on its way into an environment.

    Example:  fleet explain prod 1f3a5c7e9b
    """
    asked = {"environment": environment, "commit": commit}
    found = asking.hub(state, "explain", asked)
    if form is output.Form.JSON:
        output.document(found)
    else:
        _show(found)


def _show(found: dict[str, Any]) -> None:
    output.say(f"{found['environment']}: {found['commit'][:10]} is {found['standing']}", "bold")
    output.say(f"  {found['told']}")
    if found["hint"]:
        output.say(f"  next: {found['hint']}")
    if found["gates"]:
        output.table(
            ("  GATE", "STATE", "WHY", "UNTIL", "WHO CAN ACT"),
            (
                (
                    f"  {each['gate']}",
                    each["state"],
                    each["reason"],
                    each["until"] or "-",
                    each["hint"] or "-",
                )
                for each in found["gates"]
            ),
        )
