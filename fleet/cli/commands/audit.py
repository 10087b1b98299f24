"""`fleet audit`: what was decided, what was violated, and whether the book still says what it said."""

from pathlib import Path
from typing import Annotated, Any

import typer

from fleet.cli import asking, output
from fleet.cli.commands import auditing, proving

app = typer.Typer(help="Ask the audit log.", no_args_is_help=True, rich_markup_mode=None)
State = Annotated[Path, typer.Option("--state", help="The hub's state folder.")]
_HERE = Path("fleet-state")
Form = Annotated[output.Form, typer.Option("--output", "-o", help="text or json.")]


@app.command()
def decisions(
    state: State = _HERE,
    environment: Annotated[str, typer.Option("--environment", "-e", help="Only this one.")] = "",
    form: Form = output.Form.TEXT,
) -> None:
    """List every decision, oldest first.

    Example:  fleet audit decisions --state /var/lib/fleet -e prod
    """
    asked = {"environment": environment} if environment else {}
    found = asking.hub(state, "audit decisions", asked)
    if form is output.Form.JSON:
        output.document(found)
        return
    output.table(
        ("RECORD", "ENVIRONMENT", "VERDICT", "LINEAGE", "COMMIT", "AUTHOR", "SUBJECT", "WHY"),
        (
            (
                str(each["index"]),
                each["environment"],
                each["verdict"],
                each["lineage"],
                each["commit"][:10],
                each["author"],
                each["subject"],
                _why(each),
            )
            for each in found["decisions"]
        ),
    )


@app.command()
def violations(
    state: State = _HERE,
    rule: Annotated[str, typer.Option(help="A policy's name.")] = "",
    environment: Annotated[str, typer.Option("--environment", "-e", help="Only there.")] = "",
    cluster: Annotated[str, typer.Option(help="That would have got it.")] = "",
    path: Annotated[str, typer.Option(help="As apps/*/deploy.yaml.")] = "",
    author: Annotated[str, typer.Option(help="A part of name or address.")] = "",
    since: Annotated[str, typer.Option(help="RFC 3339, as 2026-01-31T00:00:00Z.")] = "",
    is_open: Annotated[bool, typer.Option("--open", help="That have not ended.")] = False,
    form: Form = output.Form.TEXT,
) -> None:
    """List violations: rule, file, line, clusters, author, when each appeared and when it ended.

    Example:  fleet audit violations --state /var/lib/fleet --rule disallow-latest-tag --open
    """
    asked = {
        "rule": rule, "environment": environment, "cluster": cluster, "path": path,
        "author": author, "since": since, "open": is_open,
    }  # fmt: skip
    found = asking.hub(state, "audit violations", asked)
    if form is output.Form.JSON:
        output.document(found)
        return
    for each in found["violations"]:
        end = f"ended {each['until']}" if each["until"] else "open"
        clusters = f" ({', '.join(each['clusters'])})" if each["clusters"] else ""
        output.say(
            f"{each['path']}:{each['line']}:{each['column']}: {each['rule']}: {each['message']}{clusters}"
        )
        for told in _waived(each):
            output.say(f"    {told}", "cyan")
        output.say(
            f"    {each['environment']}, {each['commit'][:10]} by {each['author']}, since {each['since']}, {end}",
            "dim",
        )


@app.command()
def show(
    record: Annotated[
        str, typer.Argument(metavar="ID", help="Its number, or the start of its hash.")
    ],
    state: State = _HERE,
) -> None:
    """Print one record."""
    output.document(asking.hub(state, "audit show", {"id": record}))


app.command("verify")(proving.verify)
app.command("prove")(proving.prove)
app.command("checkpoints")(proving.list_checkpoints)
app.command("compare")(proving.compare)
app.command("replay")(auditing.replay)
app.command("export")(auditing.export)


def _waived(violation: dict[str, Any]) -> list[str]:
    """Who let it pass, why and until when."""
    found = violation["waived"] or violation["lapsed"]
    if found is None:
        return [violation["passed"]] if violation["passed"] else []
    word = "waived until" if violation["waived"] else "was waived until"
    who = f"{found['waiver']} of {found['owner']} ({found['ticket']})"
    return [f"{word} {found['until']} by {who}: {found['reason']}"]


def _why(decision: dict[str, Any]) -> str:
    return "; ".join(each["reason"] for each in decision["gates"] if each["state"] != "open")
