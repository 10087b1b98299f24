"""`fleet hub quarantine | lift | status-set`: acts of people beside the gates, each recorded."""

from pathlib import Path
from typing import Annotated, Any

import typer

from fleet.adapters.http import admin
from fleet.cli import output, processes, wiring

State = Annotated[
    Path | None,
    typer.Option("--state", help="The hub's state folder.  [default: fleet-state]"),
]
Environment = Annotated[str, typer.Argument(help="Which environment.")]
What = Annotated[str, typer.Argument(help="A content id (sha256:...) or a commit.")]
Reason = Annotated[str, typer.Option(help="Why; kept in the audit log.")]
By = Annotated[
    str, typer.Option(help="For whom; recorded beside the user who asks.  [default: that user]")
]


def folder(context: typer.Context, asked: Path | None) -> wiring.StateFolder:
    """`fleet hub --state DIR key` means what `fleet hub key --state DIR` does."""
    before = context.parent.params["state"] if context.parent else Path("fleet-state")
    return wiring.StateFolder(root=asked or before)


def quarantine(
    context: typer.Context,
    environment: Environment,
    what: What,
    reason: Reason,
    by: By = "",
    state: State = None,
) -> None:
    """Keep content out of an environment until somebody lifts it. Recorded.

    Example:  fleet hub quarantine prod 1f3a5c7e9b --reason "it loses orders"
    """
    said = {"environment": environment, "what": what, "reason": reason}
    found = _act(context, state, "quarantine", by, said)
    output.say(f"{found['environment']}: {found['content']} is quarantined")


def lift(
    context: typer.Context,
    environment: Environment,
    what: What,
    reason: Reason,
    by: By = "",
    state: State = None,
) -> None:
    """Let content that was quarantined in again. Recorded."""
    said = {"environment": environment, "what": what, "reason": reason}
    found = _act(context, state, "lift", by, said)
    output.say(f"{found['environment']}: {found['content']} may come again")


def rebaseline(
    context: typer.Context,
    environment: Environment,
    commit: Annotated[str, typer.Argument(help="The tip that its branch was rewritten to.")],
    reason: Reason,
    by: By = "",
    state: State = None,
) -> None:
    """Let the tip of a rewritten branch follow what runs. Lineage, gates and approvals then judge it. Recorded.

    Example:  fleet hub rebaseline prod 1f3a5c7e9b --reason "a password was in the history"
    """
    said = {"environment": environment, "commit": commit, "reason": reason}
    found = _act(context, state, "rebaseline", by, said)
    output.say(
        f"{found['environment']}: {found['commit'][:10]} may follow {found['base'][:10]}, "
        "which it does not descend from: the hub decides now (fleet status)",
        "bold red",
    )


def status_set(
    context: typer.Context,
    issuer: Annotated[str, typer.Argument(help="Who says it, as fleet.yaml names it.")],
    name: Annotated[str, typer.Argument(metavar="CONTEXT", help="What was tried, as e2e.")],
    result: Annotated[str, typer.Argument(metavar="STATE", help="success, failure or pending.")],
    environment: Annotated[str, typer.Option("--environment", "-e", help="With --commit.")] = "",
    commit: Annotated[str, typer.Option(help="Of which commit.")] = "",
    content: Annotated[str, typer.Option(help="Or of which content id.")] = "",
    state: State = None,
) -> None:
    """Say what a test came to, as POST /v1/statuses does. Recorded."""
    said = {
        "issuer": issuer,
        "context": name,
        "state": result,
        "environment": environment,
        "commit": commit,
        "content": content,
    }
    found = _ask(context, state, "status-set", said)
    output.say(f"{found['issuer']}/{found['context']} is {found['state']} for {found['content']}")


def _act(
    context: typer.Context, state: Path | None, command: str, by: str, said: dict[str, Any]
) -> dict[str, Any]:
    return _ask(context, state, command, {**said, "by": by})


def _ask(
    context: typer.Context, state: Path | None, command: str, said: dict[str, Any]
) -> dict[str, Any]:
    return processes.run(admin.ask(folder(context, state).socket, command, said))
