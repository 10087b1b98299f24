"""`fleet rollout`: how far each rollout is; pause, resume, abort them."""

from pathlib import Path
from typing import Annotated, Any

import typer

from fleet.cli import asking, output
from fleet.model import errors

app = typer.Typer(
    help="Pause, resume or abort rollouts, or show how far they are.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
State = Annotated[Path, typer.Option("--state", help="The hub's state folder.")]
_HERE = Path("fleet-state")
Environment = Annotated[
    str, typer.Argument(metavar="[ENV]", help="Which environment; absent: the whole fleet.")
]
Wave = Annotated[str, typer.Option(help="Only this wave of it.")]
Cluster = Annotated[str, typer.Option(help="Only this cluster of it.")]
Reason = Annotated[str, typer.Option(help="Why; recorded with who asks.")]
Form = Annotated[output.Form, typer.Option("--output", "-o", help="text or json.")]


@app.command()
def pause(
    reason: Reason,
    environment: Environment = "",
    wave: Wave = "",
    cluster: Cluster = "",
    state: State = _HERE,
) -> None:
    """Open no wave and send no new release there until it is resumed. What runs stays and is kept so.

    Example:  fleet rollout pause prod --wave europe --reason "incident 42"
    """
    _act("pause", (environment, wave, cluster), reason, state)


@app.command()
def resume(
    reason: Reason,
    environment: Environment = "",
    wave: Wave = "",
    cluster: Cluster = "",
    state: State = _HERE,
) -> None:
    """End the pause of that very scope; of an environment also the failure that stopped its rollout.

    Example:  fleet rollout resume prod --wave europe --reason "incident 42 is over"
    """
    _act("resume", (environment, wave, cluster), reason, state)


@app.command()
def abort(
    reason: Reason,
    environment: Environment = "",
    wave: Wave = "",
    cluster: Cluster = "",
    state: State = _HERE,
) -> None:
    """End the rollout under way for good: what is out stays, nothing more goes out. A new release replaces it.

    Example:  fleet rollout abort prod --reason "wrong configuration"
    """
    _act("abort", (environment, wave, cluster), reason, state)


@app.command()
def status(
    environment: Environment = "", state: State = _HERE, form: Form = output.Form.TEXT
) -> None:
    """Show each wave: what is out, what waits for what, who is away, what people stopped.

    Example:  fleet rollout status prod
    """
    found = asking.hub(state, "status", {})
    known = [each for each in found["environments"] if environment in ("", each["name"])]
    if environment and not known:
        listed = ", ".join(each["name"] for each in found["environments"]) or "none yet"
        raise errors.InputError(f"the hub knows no environment {environment!r}: {listed}")
    if form is output.Form.JSON:
        told = [{"environment": e["name"], "release": e["release"]} for e in known]
        output.document({"rollouts": told, "halts": found["halts"]})
        return
    for each in known:
        _environment(each)
    halted(found["halts"])


def _environment(found: dict[str, Any]) -> None:
    release = found["release"]
    if release is None:
        output.say(f"{found['name']}: nothing released yet", "bold")
        return
    output.say(f"{found['name']}: release {release['number']} {release['commit'][:10]}", "bold")
    replaced = release["replaces"]
    if replaced:
        output.say(
            f"  replaces release {replaced['release']} at wave {replaced['wave']} of {replaced['of']}"
        )
    waves(release)
    output.say()


def waves(release: dict[str, Any]) -> None:
    """One line a part, then what the next one waits for."""
    columns = ("  WAVE", "OUT", "CLUSTERS", "STANDING")
    output.table(
        columns,
        (
            (f"  {_title(e)}", "yes" if e["out"] else "-", str(len(e["clusters"])), _standing(e))
            for e in release["rollout"]
        ),
    )
    coming = release["next"]
    for why in coming["stopped"] if coming else ():
        output.say(f"  wave {coming['wave']} does not open: {why}", "red")
    for why in coming["waitsFor"] if coming else ():
        output.say(f"  next is wave {coming['wave']}: {why}")
    failed = release["failed"]
    if failed and not coming:
        output.say(f"  failed: {failed['reason']}", "red")


def halted(found: list[dict[str, Any]]) -> None:
    for each in found:
        named = [
            f"{word} {each[word]}" for word in ("environment", "wave", "cluster") if each[word]
        ]
        scope = ", ".join(named) or "the whole fleet"
        act = "paused" if each["act"] == "pause" else f"aborted (release {each['release']})"
        output.say(f"{scope}: {act} by {each['by']} at {each['at']}: {each['reason']}", "yellow")


def _title(part: dict[str, Any]) -> str:
    if part["parts"] == 1:
        return str(part["wave"])
    return f"{part['wave']} {part['part']}/{part['parts']}"


def _standing(part: dict[str, Any]) -> str:
    return ", ".join(f"{count} {word}" for word, count in part["counts"].items() if count)


def _act(act: str, scope: tuple[str, str, str], reason: str, state: Path) -> None:
    environment, wave, cluster = scope
    asked = {"environment": environment, "wave": wave, "cluster": cluster, "reason": reason}
    found = asking.hub(state, f"rollout {act}", asked)
    for each in found["done"]:
        output.say(each)
