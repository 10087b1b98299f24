"""`fleet policy`: policies by themselves, before anything is judged by them."""

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from fleet.cli import output
from fleet.cli.commands import explanations, impacts
from fleet.model import errors, findings
from fleet.policy.trials import cases, runs

app = typer.Typer(help="Try policies out.", no_args_is_help=True, rich_markup_mode=None)

_SUFFIXES = frozenset({".yaml", ".yml", ".json"})
_HIDDEN = frozenset({".kyverno-test", ".chainsaw-test"})
_MAX_SIZE = 10 * 1024 * 1024  # bytes of one file
_STYLES = {
    cases.State.PASSED: "green",
    cases.State.FAILED: "bold red",
    cases.State.NOT_EVALUATED: "yellow",
    cases.State.SKIPPED: "dim",
}
_SHOWN = 300  # characters of a message

Folder = Annotated[Path, typer.Argument(help="Where the policies lie.", metavar="[DIR]")]
Form = Annotated[output.Form, typer.Option("--output", "-o", help="text or json.")]


@app.callback()
def _root() -> None:
    """Try policies out."""


app.command("explain")(explanations.show)
app.command("impact")(impacts.show)


@app.command("test")
def try_out(
    folder: Folder = Path(),
    form: Form = output.Form.TEXT,
    failed: Annotated[
        bool, typer.Option("--failed", help="Show what is not as expected only.")
    ] = False,
) -> None:
    """Hold policies against their examples: tests/good and tests/bad beside a policy, kyverno-test.yaml, suite.yaml.

    As in:

      fleet policy test policies     every test below this folder

      fleet policy test -o json      for programs
    """
    if not folder.is_dir():
        raise errors.InputError(f"{folder} is no folder")
    report = runs.run(_Below(folder))
    if not report.cases:
        hint = (
            "tests/good and tests/bad beside a policy, kyverno-test.yaml or suite.yaml are tests"
        )
        raise errors.InputError(f"there are no tests in {folder}", hint=hint)
    if form is output.Form.JSON:
        output.document(_as_json(report))
    else:
        _show(report, only_failed=failed)
    if report.has_failed:
        raise typer.Exit(1)


class _Below(Mapping[str, bytes]):
    """The files of a folder by their paths there; no link leads out of it, and none is read before it is asked for."""

    def __init__(self, folder: Path) -> None:
        self._paths = {each.relative_to(folder).as_posix(): each for each in _files(folder)}

    def __getitem__(self, path: str) -> bytes:
        found = self._paths[path]
        if found.stat().st_size > _MAX_SIZE:
            raise errors.InputError(f"{found} is larger than {_MAX_SIZE} bytes")
        return found.read_bytes()

    def __iter__(self) -> Iterator[str]:
        return iter(self._paths)

    def __len__(self) -> int:
        return len(self._paths)


def _files(folder: Path) -> Iterator[Path]:
    """Hidden folders are not looked into, but for those where Kyverno keeps its tests."""
    for each in sorted(folder.iterdir()):
        if each.is_symlink():
            continue
        if each.is_dir() and (not each.name.startswith(".") or each.name in _HIDDEN):
            yield from _files(each)
        elif each.is_file() and each.suffix in _SUFFIXES:
            yield each


def _show(report: cases.Report, *, only_failed: bool) -> None:
    out = output.console()
    for each in report.cases:
        if not only_failed or each.state is not cases.State.PASSED:
            out.print(_line(each))
    for rule in report.rules:
        if not rule.is_covered:
            output.say(f"{rule.place}: {rule.title}: {_uncovered(rule)}", "dim")
    for line in _summary(report):
        output.say(line, "bold red" if report.has_failed else "bold green")


def _line(case: cases.Case) -> Text:
    style = _STYLES[case.state]
    shown = findings.escaped(case.message)[:_SHOWN]
    is_told = case.state in (cases.State.FAILED, cases.State.NOT_EVALUATED)
    wanted = f": wanted {case.want}, got {case.got}" if case.want and is_told and case.got else ""
    return Text.assemble(
        (f"{case.state.value:13} ", style),
        (f"{case.place}: ", "bold"),
        findings.escaped(case.name),
        wanted,
        (f": {shown}" if is_told and shown else "", "dim"),
    )


def _uncovered(rule: cases.Rule) -> str:
    if not rule.denies and not rule.admits:
        return "no test reaches it"
    return "no test sees it deny" if not rule.denies else "no test sees it admit"


def _summary(report: cases.Report) -> Iterator[str]:
    counts: Counter[cases.State] = report.counts
    said = ", ".join(f"{counts[each]} {each.value}" for each in cases.State if counts[each])
    covered = sum(1 for each in report.rules if each.is_covered)
    yield f"{len(report.cases)} cases: {said}"
    yield f"{len(report.rules)} rules: {covered} are seen both to deny and to admit"


def _as_json(report: cases.Report) -> dict[str, Any]:
    return {
        "counts": {each.value: report.counts[each] for each in cases.State},
        "cases": [
            {
                "path": each.place.path,
                "line": each.place.line,
                "name": each.name,
                "state": each.state.value,
                "want": each.want,
                "got": each.got,
                "message": each.message,
            }
            for each in report.cases
        ],
        "rules": [
            {
                "path": each.place.path,
                "line": each.place.line,
                "rule": each.title,
                "denies": each.denies,
                "admits": each.admits,
            }
            for each in report.rules
        ],
    }
