"""What people and programs read: findings like a compiler's, tables, JSON. Text from outside is never markup."""

import json
from collections.abc import Iterable, Sequence
from enum import Enum
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from fleet.cli import settings
from fleet.model import errors, findings

_WIDE = 240  # columns for whoever reads a pipe or a file


class Form(Enum):
    TEXT = "text"
    JSON = "json"


_VERBS = {
    findings.Severity.DENY: ("denied by", "red"),
    findings.Severity.UNKNOWN: ("not evaluated:", "red"),
    findings.Severity.WARN: ("warning of", "yellow"),
    findings.Severity.AUDIT: ("noted by", "cyan"),
}
STYLES = {
    "accepted": "green", "healthy": "green", "Current": "green", "open": "green",
    "waiting": "yellow", "converging": "yellow", "InProgress": "yellow", "waits for its wave": "yellow",
    "refused": "red", "Failed": "red", "offline": "red",
}  # fmt: skip


def console(*, is_error: bool = False) -> Console:
    found = settings.read()
    return Console(
        stderr=is_error,
        no_color=found.no_color,
        highlight=False,
        soft_wrap=True,
        width=None if found.is_terminal else _WIDE,
        emoji=False,
        markup=False,
    )


def say(text: str = "", style: str = "") -> None:
    console().print(Text(findings.escaped(text) if "\n" not in text else text, style=style))


def document(value: Any) -> None:
    """JSON for programs."""
    console().print(Text(json.dumps(value, indent=2, ensure_ascii=True)))


def report(found: Iterable[findings.Finding], *, is_error: bool = False) -> None:
    out = console(is_error=is_error)
    for each in found:
        out.print(line(each))
        if each.hint:
            out.print(Text(f"    hint: {findings.escaped(each.hint)}", style="dim"))


def line(finding: findings.Finding) -> Text:
    verb, style = _VERBS[finding.severity]
    clusters = f" ({', '.join(finding.clusters)})" if finding.clusters else ""
    return Text.assemble(
        (f"{finding.place}: ", "bold"),
        (f"{verb} {findings.escaped(finding.rule)}: ", style),
        findings.escaped(finding.message),
        (clusters, "dim"),
    )


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    shown = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        shown.add_column(column, overflow="fold")
    for row in rows:
        shown.add_row(*(Text(findings.escaped(cell), style=STYLES.get(cell, "")) for cell in row))
    console().print(shown)


def fault(error: errors.FleetError) -> None:
    out = console(is_error=True)
    out.print(Text.assemble(("error: ", "bold red"), findings.escaped(str(error))))
    if error.hint:
        out.print(Text(f"hint: {findings.escaped(error.hint)}", style="dim"))
