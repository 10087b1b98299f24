"""`fleet break-glass`: pass closed windows, together with as many others as fleet.yaml asks for."""

from typing import Annotated

import typer

from fleet.adapters import clock
from fleet.cli import output, processes, signing
from fleet.model import approving, moments, names
from fleet.protocol import approvals, sshsig


def break_glass(
    environment: Annotated[str, typer.Argument(help="Whose windows.")],
    reason: Annotated[str, typer.Option(help="Why; kept in the audit log.")],
    until: Annotated[str, typer.Option(help="When it ends, as 2027-01-31T12:00:00Z.")],
    key: signing.Key = signing.KEY,
    hub: signing.Hub = "",
    hub_ca: signing.Authority = None,
    out: signing.Out = None,
) -> None:
    """Pass closed windows until then, where fleet.yaml has `breakGlass`. Recorded, and shown by fleet status.

    It counts once as many people of that group have said so, each with a key of their own.

    Example:  fleet break-glass prod --reason "outage 1234" --until 2027-01-31T12:00:00Z --hub https://hub.example.com
    """
    to = signing.To.of(hub, hub_ca, out)
    said = approving.BreakGlass(
        kind="BreakGlass",
        environment=names.Environment(environment),
        reason=reason,
        at=clock.SystemClock().now(),
        until=moments.read(until, "--until"),
    )
    processes.run(signing.send(approvals.text(said), key, sshsig.GLASS, to))
    output.say(f"{environment}: you break the glass until {said.until.isoformat()}", "bold red")
