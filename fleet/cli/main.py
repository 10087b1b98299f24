"""`fleet`: one program for hub, agents and people. Exit codes: 0 fine, 1 refused, 2 used wrongly or failed."""

import sys

import typer

from fleet.cli import (
    agent,
    audit,
    check,
    hub,
    init,
    lab,
    output,
    promote,
    schema,
    status,
)
from fleet.model import errors

app = typer.Typer(
    name="fleet",
    help="Policy-gated multi-cluster Kubernetes fleet management: agents pull what a gate let out.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command("init")(init.init)
app.command("check")(check.check)
app.command("render")(check.render)
app.command("promote")(promote.promote)
app.command("status")(status.status)
app.add_typer(hub.app, name="hub")
app.add_typer(agent.app, name="agent")
app.add_typer(audit.app, name="audit")
app.add_typer(schema.app, name="schema")
app.add_typer(lab.app, name="lab")


def main() -> None:
    try:
        app()
    except errors.RefusedError as error:
        output.fault(error)
        sys.exit(1)
    except errors.FleetError as error:
        output.fault(error)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
