"""`fleet status`: environments, releases, clusters, and what each of them waits for."""

import asyncio
from pathlib import Path
from typing import Annotated, Any

import typer

from fleet.adapters.http import admin
from fleet.cli import output, processes, wiring
from fleet.cli.commands import rollout
from fleet.model import errors

State = Annotated[Path, typer.Option("--state", help="The hub's state folder.")]
_HERE = Path("fleet-state")
Form = Annotated[output.Form, typer.Option("--output", "-o", help="text or json.")]


def status(
    state: State = _HERE,
    environment: Annotated[str, typer.Option("--environment", "-e", help="Only this one.")] = "",
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Show again each 2 s.")] = False,
    form: Form = output.Form.TEXT,
) -> None:
    """Show where everything stands.

    Example:  fleet status --state /var/lib/fleet --watch
    """
    processes.run(_status(state, environment, form, again=watch))


async def _status(state: Path, environment: str, form: output.Form, *, again: bool) -> None:
    while True:
        found = await admin.ask(wiring.StateFolder(root=state).socket, "status", {})
        if environment:
            found = {**found, "environments": [_only(environment, found["environments"])]}
        if form is output.Form.JSON:
            output.document(found)
        else:
            _show(found)
        if not again:
            return
        await asyncio.sleep(2)
        output.say()


def _only(environment: str, known: list[dict[str, Any]]) -> dict[str, Any]:
    for each in known:
        if each["name"] == environment:
            return each
    listed = ", ".join(each["name"] for each in known) or "none yet"
    raise errors.InputError(f"the hub knows no environment {environment!r}: {listed}")


def _show(found: dict[str, Any]) -> None:
    if found["held"]:
        output.say(f"everything holds: {found['held']} (fleet hub recover)", "bold red")
    for each in found["alarms"]:
        output.say(f"ALARM of {each['cluster']}: {each['reason']} (docs/audit.md)", "bold red")
    if found["repository"]["trouble"]:
        output.say(f"the repository: {found['repository']['trouble']}", "yellow")
    for each in found["environments"]:
        _environment(each)
    rollout.halted(found["halts"])


def _environment(found: dict[str, Any]) -> None:
    release, candidate = found["release"], found["candidate"]
    told = "nothing released yet"
    if release:
        state = "healthy" if release["healthy"] else "converging"
        waves = f"wave {release['wavesOut']} of {release['waves']}"
        told = f"release {release['number']} {release['commit'][:10]}, {state}, {waves}"
    output.say(f"{found['name']}: {told}", "bold")
    if release and (release["next"] or (len(release["rollout"]) > 1 and not release["healthy"])):
        rollout.waves(release)
    _by_hand(found)
    if found["hold"]:
        output.say(f"  holds: {found['hold']}", "red")
    if candidate and candidate["verdict"] != "accepted":
        _candidate(candidate)
    for each in found["waivers"]:
        _waiver(each)
    if found["clusters"]:
        _clusters(found["clusters"])
    output.say()


def _by_hand(found: dict[str, Any]) -> None:
    glass = found["brokenGlass"]
    if glass:
        told = f"glass is broken until {glass['until']} by {glass['by']}: {glass['reason']}"
        output.say(f"  {told}", "bold red")
    for each in found["quarantined"]:
        output.say(f"  quarantined by {each['by']}: {each['content']}: {each['reason']}", "yellow")


def _candidate(candidate: dict[str, Any]) -> None:
    output.say(f"  {candidate['verdict']}: {candidate['commit'][:10]} {candidate['subject']}")
    for gate in candidate["waitsFor"]:
        hint = f" ({gate['hint']})" if gate["hint"] else ""
        until = f" until {gate['until']}" if gate["until"] else ""
        output.say(f"    {gate['gate']}{until}: {gate['reason']}{hint}")


def _waiver(found: dict[str, Any]) -> None:
    """What comes back and when; afterwards, that it is back."""
    count = len(found["findings"])
    if found["ended"]:
        told = f"waiver {found['name']} ended {found['until']}: {count} findings hold new commits"
    else:
        told = f"waiver {found['name']} until {found['until']}: then {count} findings come back"
    output.say(f"  {told} ({found['owner']}, {found['ticket']})", "red" if found["ended"] else "")
    for each in found["findings"][:5]:
        output.say(f"    {each['path']}:{each['line']}: {each['rule']}: {each['message']}", "dim")


def _clusters(found: list[dict[str, Any]]) -> None:
    columns = ("  CLUSTER", "STATE", "RELEASE", "REPORTED", "HEALTH", "OBJECTS", "KUBERNETES")
    output.table(
        columns,
        (
            (
                f"  {each['name']}",
                each["state"],
                str(each["release"] or "-"),
                str(each["reported"] or "-"),
                each["health"],
                str(each["objects"]),
                each["kubernetes"],
            )
            for each in found
        ),
    )
    for each in found:
        for unwell in each["unwell"][:5]:
            told = unwell["message"] or f"{unwell['health']}: {unwell['reason']}"
            output.say(f"    {each['name']}: {unwell['object']}: {told}")
