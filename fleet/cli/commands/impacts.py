"""`fleet policy impact`: what changed rules would newly refuse or allow, before they are merged."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from fleet.adapters.git import working
from fleet.audit.reports import texts
from fleet.cli import output, processes, wiring
from fleet.cli.commands import check
from fleet.local import impact, overlays
from fleet.model import errors, findings, names
from fleet.policy import impacts

_SHOWN = 50  # lines of one environment
_STYLES = {
    impacts.Change.REFUSED: "bold red",
    impacts.Change.ALLOWED: "green",
    impacts.Change.SEVERITY: "yellow",
}


def show(
    revision: Annotated[
        str,
        typer.Argument(
            metavar="REV",
            help="The commit or branch with the rules; default: the working tree.",
            show_default=False,
        ),
    ] = "",
    folder: Annotated[Path, typer.Option("--dir", help="The fleet repository.")] = Path(),
    environment: Annotated[
        str, typer.Option("--environment", "-e", help="This one only; default: all.")
    ] = "",
    kustomize: check.Program = None,
    form: Annotated[output.Form, typer.Option("--output", "-o")] = output.Form.TEXT,
) -> None:
    """Say what the rules of a commit would newly refuse or allow of what each environment's branch holds.

    Rules are policies/, schemas/ and fleet.yaml. The exit code is 1 where something would be newly refused.

    As in:

      fleet policy impact                    the rules of the working tree

      fleet policy impact stricter -e prod   those of a branch, on what prod holds
    """
    if not folder.is_dir():
        raise errors.InputError(f"{folder} is no folder")
    reports = processes.run(_reports(revision, folder.resolve(), environment, kustomize))
    if form is output.Form.JSON:
        output.document({"rules": revision, "environments": [_as_json(each) for each in reports]})
    else:
        _print(reports)
    if any(each.of(impacts.Change.REFUSED) for each in reports):
        raise typer.Exit(1)


async def _reports(
    revision: str, folder: Path, environment: str, kustomize: Path | None
) -> tuple[impact.Report, ...]:
    local = working.Local(folder)
    asked = impact.Asked(
        rules=await local.resolve(revision) if revision else working.TREE,
        tips=(await local.fetch()).branches,
        otherwise=await _otherwise(local),
        environment=environment,
    )
    repository = overlays.Overlaid(working.WorkTree(folder))
    needs_kustomize = check.uses_kustomize(folder)
    tools = wiring.judge(repository, kustomize, needs_kustomize=needs_kustomize)
    return await impact.of_rules(asked, repository, tools)


async def _otherwise(local: working.Local) -> names.CommitId:
    """What stands for an environment without a branch here."""
    try:
        return await local.resolve("HEAD")
    except errors.InputError:
        return working.TREE


def _print(reports: tuple[impact.Report, ...]) -> None:
    sink = output.Sink.standard()
    for report in reports:
        for line in _lines(report):
            sink.line(line)


def _lines(report: impact.Report) -> Iterator[Text]:
    said = ", ".join(f"{len(report.of(each))} {each.value}" for each in impacts.Change)
    content = "the working tree" if report.content == working.TREE else report.content[:10]
    note = f" ({report.note})" if report.note else ""
    yield Text.assemble((f"{report.environment}", "bold"), f" ({content}): {said}{note}")
    for each in report.impacts[:_SHOWN]:
        yield _line(each)
    if len(report.impacts) > _SHOWN:
        yield Text(f"  and {len(report.impacts) - _SHOWN} more: -o json has them all", style="dim")


def _line(each: impacts.Impact) -> Text:
    found = each.shown
    before, after = (_word(severity) for severity in (each.before, each.after))
    clusters = f" ({', '.join(found.clusters)})" if found.clusters else ""
    return Text.assemble(
        (f"  {each.change.value} ", _STYLES[each.change]),
        f"({before} -> {after}) ",
        (texts.harmless(f"{found.place}: "), "bold"),
        _safe(f"{found.rule}: {found.subject}: " if found.subject else f"{found.rule}: "),
        _safe(found.message),
        (clusters, "dim"),
    )


def _safe(text: str) -> str:
    return texts.harmless(findings.escaped(text))


def _word(severity: findings.Severity | None) -> str:
    return "nothing" if severity is None else severity.value


def _as_json(report: impact.Report) -> dict[str, Any]:
    return {
        "name": report.environment,
        "content": report.content,
        "note": report.note,
        "counts": {each.value: len(report.of(each)) for each in impacts.Change},
        "changes": [impacts.as_json(each) for each in report.impacts],
    }
