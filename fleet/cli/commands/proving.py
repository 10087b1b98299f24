"""`fleet audit prove`, `checkpoints`, `compare`, `verify`: what the log proves of itself, and who has seen it."""

from pathlib import Path
from typing import Annotated, Any

import typer

from fleet.adapters.store import exports
from fleet.audit import passing, witness
from fleet.cli import asking, output, processes, wiring
from fleet.model import errors, json_values
from fleet.protocol import checkpoints, keys

State = Annotated[Path, typer.Option("--state", help="The hub's state folder.")]
Form = Annotated[output.Form, typer.Option("--output", "-o", help="text or json.")]
HubKey = Annotated[
    Path | None, typer.Option(help="What `fleet hub key` printed; default: the state folder's.")
]
_HERE = Path("fleet-state")
_LONGEST = 64 << 20  # bytes of a file that is given


def prove(
    record: Annotated[
        str, typer.Argument(metavar="ID", help="Its number, or the start of its hash.")
    ],
    state: State = _HERE,
) -> None:
    """Print a record with the proof that it is in the log, for whoever has the hub's public key.

    Example:  fleet audit prove 1042 > proof.json; fleet audit verify --proof proof.json --hub-key hub.pub
    """
    output.document(asking.hub(state, "audit prove", {"id": record}))


def list_checkpoints(
    state: State = _HERE,
    cluster: Annotated[
        str, typer.Option(help="Write the note that this one's agent cosigned instead.")
    ] = "",
    out: Annotated[
        Path | None, typer.Option(help="Write the hub's present note here, to keep elsewhere.")
    ] = None,
    form: Form = output.Form.TEXT,
) -> None:
    """List which agent has cosigned how much of the log, and who alarms; exit 1 where one does.

    Example:  fleet audit checkpoints --out checkpoint.txt
    """
    found = asking.hub(state, "audit checkpoints", {})
    if out is not None:
        _write(out, _note_of(found, cluster))
    elif form is output.Form.JSON:
        output.document(found)
    elif cluster:
        typer.echo(_note_of(found, cluster), nl=False)
    else:
        _show(found)
    alarming = [each["cluster"] for each in found["clusters"] if each["alarm"]]
    if alarming:
        raise errors.RefusedError(
            f"{', '.join(alarming)} saw a log that does not go on from what it saw before",
            hint="see docs/audit.md, when an agent alarms",
        )


def verify(
    state: State = _HERE,
    checkpoint: Annotated[
        Path | None, typer.Option(help="A note that was kept: the log must begin with just that.")
    ] = None,
    log: Annotated[
        Path | None, typer.Option(help="What `fleet audit export` wrote, instead of a hub's.")
    ] = None,
    proof: Annotated[
        Path | None, typer.Option(help="What `fleet audit prove` printed, instead of a log.")
    ] = None,
    hub_key: HubKey = None,
    form: Form = output.Form.TEXT,
) -> None:
    """Check the whole chain of records; exit 1 with the index where it breaks.

    Example:  fleet audit verify --checkpoint checkpoint.txt
    """
    note = _read(checkpoint) if checkpoint else ""
    if proof is not None:
        found = _of_proof(proof, _public(hub_key, state))
    elif log is not None:
        found = processes.run(_of_export(log, note, _public(hub_key, state)))
    else:
        found = asking.hub(state, "audit verify", {"checkpoint": note} if note else {})
    if form is output.Form.JSON:
        output.document(found)
    elif not found["fault"]:
        output.say(f"{found['records']} records hold; head {found['head']}", "green")
    if found["fault"]:
        raise errors.RefusedError(found["fault"], hint="see docs/operations.md, a damaged book")


def compare(
    one: Annotated[Path, typer.Argument(help="A checkpoint, as an agent or the hub keeps it.")],
    other: Annotated[Path, typer.Argument(help="Another.")],
    state: State = _HERE,
    hub_key: HubKey = None,
) -> None:
    """Tell whether two checkpoints are of one history; exit 1 where there are two.

    One of a later epoch must show the recovery that it began with.

    Where their sizes differ, the running hub is asked to prove it: a hub that cannot has shown two.

    Example:  fleet audit compare from-eu.txt from-us.txt --state /var/lib/fleet
    """
    public = _public(hub_key, state)
    notes = _read(one), _read(other)
    first, second = (checkpoints.read(each, public) for each in notes)
    found = witness.compare(first, second, None)
    if found is None:
        old, new = sorted(zip((first, second), notes, strict=True), key=_age)
        asked = asking.hub(state, "audit consistency", {"old": old[1], "new": new[1]})
        began = witness.decode_proof(asked["began"]) if asked["began"] else None
        found = witness.compare(first, second, witness.as_nodes(asked["proof"]), began)
    if found is None or found.is_alarming:
        raise errors.RefusedError(found.reason if found else "the hub proves nothing")
    if found.outcome is witness.Outcome.ANEW:
        output.say(f"begun anew, which the log itself records: {found.reason}", "yellow")
    else:
        output.say(f"one history: {first}; {second}")


def _age(found: tuple[checkpoints.Checkpoint, str]) -> tuple[int, int]:
    return found[0].epoch, found[0].size


def _of_proof(path: Path, public: str) -> dict[str, Any]:
    try:
        said = json_values.decode(_read(path).encode())
        note = said["checkpoint"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise errors.InputError(f"{path} is nothing that `fleet audit prove` printed") from None
    here, proof = checkpoints.read(str(note), public), witness.decode_proof(said)
    holds = witness.is_in(here, proof)
    fault = "" if holds else f"the record is not in the log of this checkpoint ({here})"
    return {"records": here.size, "head": str(proof.record.get("hash", "")), "fault": fault}


async def _of_export(path: Path, note: str, public: str) -> dict[str, Any]:
    """Against the checkpoint that was kept, else that of the export itself."""
    log = exports.Export(path)
    kept = note or log.checkpoint
    seen = passing.Passing(checkpoints.read(kept, public) if kept else None)
    fault = None
    async for record in log.records():
        fault = fault or seen.step(record)
    epoch = checkpoints.read(log.checkpoint, public).epoch if log.checkpoint else 1
    return {
        "records": seen.head.length,
        "head": seen.head.hash,
        "fault": fault or seen.end(epoch) or "",
    }


def _show(found: dict[str, Any]) -> None:
    output.say(f"epoch {found['epoch']}, {found['records']} records, root {found['root'][:16]}")
    output.table(
        ("CLUSTER", "ENVIRONMENT", "EPOCH", "RECORDS", "COSIGNED", "ALARM"),
        (
            (
                each["cluster"],
                each["environment"],
                str(each["epoch"] or "-"),
                str(each["records"] or "-"),
                each["at"] or "never",
                each["alarm"] or "-",
            )
            for each in found["clusters"]
        ),
    )


def _note_of(found: dict[str, Any], cluster: str) -> str:
    if not cluster:
        return str(found["checkpoint"])
    for each in found["clusters"]:
        if each["cluster"] == cluster and each["note"]:
            return str(each["note"])
    raise errors.InputError(f"no agent of a cluster {cluster!r} has cosigned anything")


def _public(file: Path | None, state: Path) -> str:
    if file is not None:
        return _read(file).strip()
    key = wiring.StateFolder(root=state).key
    if not key.is_file():
        raise errors.InputError("whose log? name the hub's public key", hint="--hub-key FILE")
    return keys.from_pem(key.read_bytes()).public


def _read(path: Path) -> str:
    if path.stat().st_size > _LONGEST:
        raise errors.InputError(f"{path} is larger than {_LONGEST} bytes")
    return path.read_text(encoding="utf-8")


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
    output.say(f"the checkpoint is in {path}")
