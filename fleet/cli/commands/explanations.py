"""`fleet policy explain`: a policy as people read it, and why it says what it says of an object."""

import contextlib
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from fleet.adapters import clock
from fleet.adapters.git import loose, working
from fleet.cli import output, portraying, processes, wiring
from fleet.cli.commands import check, folders
from fleet.local import explanations, offline
from fleet.local import folders as plain
from fleet.manifests import parse
from fleet.model import errors, findings
from fleet.policy import documents, portraits

_SUFFIXES = (".yaml", ".yml", ".json")
_MAX_SIZE = 10 * 1024 * 1024  # bytes of a file


def show(
    name: Annotated[str, typer.Argument(help="The policy's name.", metavar="NAME")],
    shown: Annotated[
        str,
        typer.Argument(
            help="A file, file.yaml#Kind/name, or Kind/namespace/name of what the fleet runs.",
            metavar="OBJECT",
            show_default=False,
        ),
    ] = "",
    folder: Annotated[Path, typer.Option("--dir", help="The fleet repository.")] = Path(),
    policies: Annotated[
        list[Path],
        typer.Option(
            "--policies",
            help="The policies in this folder or file, without a fleet; may be given again.",
            metavar="DIR",
        ),
    ] = [],  # noqa: B006 - Typer's way to say: none given
    environment: Annotated[
        str,
        typer.Option(
            "--environment",
            "-e",
            help="As there; default: the branch that is checked out, else the first.",
        ),
    ] = "",
    kustomize: check.Program = None,
    form: Annotated[output.Form, typer.Option("--output", "-o")] = output.Form.TEXT,
) -> None:
    """Show a policy as people read it and, with an object, what each of its parts says of that.

    As in:

      fleet policy explain disallow-latest-tag

      fleet policy explain disallow-latest-tag Deployment/hello/web -e prod

      fleet policy explain disallow-latest-tag web.yaml --policies policies/
    """
    asked = _Asked(
        name=name,
        shown=shown,
        folder=folder,
        policies=tuple(policies),
        environment=environment,
        kustomize=kustomize,
    )
    told = processes.run(_told(asked))
    if form is output.Form.JSON:
        output.document(told)
    else:
        portraying.text(told)
    if not told["policies"]:
        raise typer.Exit(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    name: str
    shown: str
    folder: Path
    policies: tuple[Path, ...]
    environment: str
    kustomize: Path | None

    @property
    def file(self) -> Path | None:
        path = Path(self.shown.partition("#")[0])
        is_file = path.suffix in _SUFFIXES or path.is_file() or "#" in self.shown
        return path if self.shown and is_file else None


async def _told(asked: _Asked) -> dict[str, Any]:
    data = _read(asked.file) if asked.file else None
    known = await (_of_folder(asked) if asked.policies else _of_fleet(asked))
    found = explanations.named(asked.name, known)
    now = clock.SystemClock().now()
    cases = _cases(asked, known, data)
    return {
        "environment": known.environment,
        "baseline": known.declared.spec.baseline,
        "policies": [
            {
                **portraits.of_policy(each, known.rulebook, known.declared),
                "enforcement": portraits.enforcement(each.title, known.declared),
                "waivers": portraits.of_waivers(each.title, known.declared, now),
                "objects": [_object(each, case, known, data, asked, now) for case in cases],
            }
            for each in found
        ],
        "findings": [_finding(each) for each in explanations.of_name(asked.name, known)],
    }


def _cases(
    asked: _Asked, known: explanations.Known, data: bytes | None
) -> list[explanations.Case]:
    if data is not None:
        path, _, wanted = asked.shown.partition("#")
        return explanations.in_file(data, path, wanted, known)
    if not asked.shown:
        return []
    if asked.policies:
        raise errors.InputError(
            f"{asked.shown} is no file", hint="with --policies, OBJECT is a file of manifests"
        )
    return explanations.looked_up(asked.shown, known)


def _object(
    policy: documents.Policy,
    case: explanations.Case,
    known: explanations.Known,
    data: bytes | None,
    asked: _Asked,
    now: datetime,
) -> dict[str, Any]:
    explained = explanations.explained(policy, case, known)
    said, rule, manifest = known.declared, policy.title, case.manifest
    hearings = [e for e in explained.hearings if e.severity is not None]
    effects = [portraits.effective(e.severity, rule, said.spec) for e in hearings]
    told = portraits.of_explained(explained)
    for hearing in told["bindings"]:
        for step in hearing["validations"]:
            if step["decided"]:
                place = _place(case, step["decided"]["field"], data, asked)
                step["decided"] |= {"path": place.path, "line": place.line, "column": place.column}
    return {
        "subject": str(manifest.key),
        "path": manifest.source.path,
        "line": manifest.source.line,
        "clusters": list(case.clusters),
        "effects": effects,
        "waivedBy": portraits.covering(rule, manifest, case.clusters, said, now)
        if hearings
        else [],
        **told,
    }


def _place(
    case: explanations.Case, field: list[str], data: bytes | None, asked: _Asked
) -> findings.Place:
    """What was rendered stands at its object's first line."""
    source = case.manifest.source
    if data is None and not source.rendered:
        with contextlib.suppress(errors.InputError):
            data = _read(asked.folder / source.path)
    if data is None:
        return source.place
    return parse.locate(data, source.path, source.line, tuple(field))


def _finding(each: findings.Finding) -> dict[str, Any]:
    return {
        "rule": each.rule,
        "severity": each.severity.value,
        "message": each.message,
        "path": each.place.path,
        "line": each.place.line,
        "hint": each.hint,
    }


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > _MAX_SIZE:
            raise errors.InputError(f"{path} is larger than {_MAX_SIZE} bytes")
        return path.read_bytes()
    except OSError as error:
        raise errors.InputError(f"{path} cannot be read: {error.strerror}") from error


async def _of_folder(asked: _Asked) -> explanations.Known:
    source = loose.Loose(Path.cwd(), {}, await folders.rules_in(asked.policies))
    tools = wiring.judge(source, None, needs_kustomize=False)
    wanted = plain.Asked(
        commit=working.TREE, rules=source.rules, version="", environment=asked.environment
    )
    return await explanations.of_folder(wanted, tools)


async def _of_fleet(asked: _Asked) -> explanations.Known:
    if not (asked.folder / "fleet.yaml").is_file():
        raise errors.InputError(
            f"there is no fleet.yaml in {asked.folder}", hint="name the policies: --policies DIR"
        )
    folder = asked.folder.resolve()
    has_objects = bool(asked.shown)
    needs_kustomize = has_objects and check.uses_kustomize(folder)
    tools = wiring.checking(folder, asked.kustomize, needs_kustomize=needs_kustomize)
    wanted = await check.environments(
        working.TREE, asked.environment, tools, working.Local(folder)
    )
    road = await offline.road_of(working.TREE, tools)
    offline.known(wanted[0], road)
    return await explanations.of_fleet(
        working.TREE, wanted[0], road, tools, has_objects=has_objects
    )
