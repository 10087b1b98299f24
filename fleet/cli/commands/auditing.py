"""`fleet audit replay` and `export`: decisions made again, here or by whoever was given log and repository."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated, Any

import typer

from fleet.adapters import clock, schemas
from fleet.adapters.git import mirror
from fleet.adapters.http import admin
from fleet.adapters.store import book, exports, memo
from fleet.cli import output, processes, wiring
from fleet.judge import judging
from fleet.local import replaying
from fleet.model import errors

State = Annotated[Path, typer.Option("--state", help="The hub's state folder.")]
_HERE = Path("fleet-state")
_CANNOT = 3  # exit code


def replay(
    record: Annotated[
        str, typer.Argument(metavar="ID", help="A decision: its number, or the start of its hash.")
    ],
    state: State = _HERE,
    log: Annotated[
        Path | None, typer.Option(help="What `fleet audit export` wrote, instead of --state.")
    ] = None,
    repo: Annotated[
        Path | None, typer.Option(help="A full clone; default: the state folder's mirror.")
    ] = None,
    kustomize: Annotated[
        Path | None, typer.Option(help="kustomize v5.7.1; default: our own build.")
    ] = None,
    form: Annotated[
        output.Form, typer.Option("--output", "-o", help="text or json.")
    ] = output.Form.TEXT,
) -> None:
    """Make a recorded decision again, from git and the recorded facts, and compare byte for byte.

    Exit codes: 0 the same, 1 something differs, 2 used wrongly or failed, 3 it cannot be made again here.

    Example:  fleet audit replay 1042 --state /var/lib/fleet
    """
    if log is not None and repo is None:
        raise errors.InputError("an exported log has no repository", hint="name a clone: --repo")
    clone = repo or wiring.StateFolder(root=state).mirror
    try:
        found = processes.run(_replayed(record, state, log, clone, kustomize))
    except replaying.Unreplayable as error:
        output.fault(error)
        raise typer.Exit(_CANNOT) from None
    _show(found, form)
    if found.differences:
        raise errors.RefusedError(
            f"record {found.record.index} comes out otherwise",
            hint="an input that differs explains an output that does; an output alone is grave",
        )


def export(
    out: Annotated[Path, typer.Option(help="Where to write it: gzipped JSON Lines.")],
    state: State = _HERE,
) -> None:
    """Write the whole log with the facts of its decisions into one file. Secrets' values may be among the slices.

    Example:  fleet audit export --out log.jsonl.gz
    """
    folder = wiring.StateFolder(root=state)
    count = processes.run(_exported(folder, out))
    output.say(f"{count} records are in {out}")


async def _exported(folder: wiring.StateFolder, out: Path) -> int:
    checkpoint = ""
    with contextlib.suppress(errors.UnreachableError):  # it can be had from a hub that runs
        found = await admin.ask(folder.socket, "audit checkpoints", {})
        checkpoint = str(found["checkpoint"])
    async with _book(folder.book) as source:
        return await exports.write(source, out, checkpoint)


@contextlib.asynccontextmanager
async def _book(path: Path) -> AsyncIterator[book.Book]:
    if not path.is_file():
        raise errors.InputError(
            f"there is no book at {path}", hint="name the hub's --state folder"
        )
    with contextlib.closing(book.Book(path)) as found:
        yield found


async def _replayed(
    record: str, state: Path, log: Path | None, clone: Path, kustomize: Path | None
) -> replaying.Replayed:
    tools = judging.Tools(
        repository=mirror.Mirror(str(clone), _git_folder(clone)),
        schemas=schemas.Packaged(),
        memo=memo.Memo(Path(":memory:")),
        kustomize=wiring.renderer_of(kustomize),
        clock=clock.SystemClock(),
        versions=wiring.versions(),
    )
    if log is not None:
        return await replaying.replay(record, exports.Export(log), tools)
    async with _book(wiring.StateFolder(root=state).book) as source:
        return await replaying.replay(record, source, tools)


def _git_folder(clone: Path) -> Path:
    if not clone.is_dir():
        raise errors.InputError(f"there is no repository at {clone}", hint="name a clone: --repo")
    return clone


def _show(found: replaying.Replayed, form: output.Form) -> None:
    if form is output.Form.JSON:
        output.document(_as_json(found))
        return
    output.say(described(found), "red" if found.differences else "green")


def described(found: replaying.Replayed) -> str:
    body = found.record.body
    told = f"{body['environment']}: {body['commit'][:10]} {body['verdict']} ({body['lineage']})"
    if not found.differences:
        return f"record {found.record.index} is made again byte for byte: {told}"
    return "\n".join(
        f"{'input' if each.is_input else 'output'} {each.what}: "
        f"recorded {each.recorded}, now {each.again}"
        for each in found.differences
    )


def _as_json(found: replaying.Replayed) -> dict[str, Any]:
    return {
        "record": found.record.index,
        "hash": found.record.hash,
        "same": not found.differences,
        "differences": [
            {
                "what": each.what,
                "side": "input" if each.is_input else "output",
                "recorded": each.recorded,
                "now": each.again,
            }
            for each in found.differences
        ],
    }
