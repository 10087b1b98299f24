"""What people and programs read: findings like a compiler's, tables, JSON. Text from outside is never markup."""

import io
import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import IO, Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from fleet.audit.reports import texts
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
    findings.Severity.WAIVED: ("waived of", "cyan"),
}
STYLES = {
    "accepted": "green", "healthy": "green", "Current": "green", "open": "green",
    "waiting": "yellow", "converging": "yellow", "InProgress": "yellow", "waits for its wave": "yellow",
    "refused": "red", "error": "red", "Failed": "red", "offline": "red",
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Sink:
    """Where a report goes line by line: with colours where people watch, else as it is, which is much faster."""

    stream: IO[str]
    shown: Console | None = None

    @classmethod
    def standard(cls) -> "Sink":
        is_watched = settings.read().is_terminal
        stream = sys.stdout or io.StringIO()  # it may be closed
        return cls(stream=stream, shown=console() if is_watched else None)

    @classmethod
    def error(cls) -> "Sink":
        """Beside what a program reads."""
        return cls(stream=sys.stderr, shown=console(is_error=True))

    def line(self, text: Text) -> None:
        if self.shown is not None:
            self.shown.print(text)
        else:
            self.stream.write(f"{text.plain}\n")

    def parts(self, texts: Iterable[str]) -> None:
        for each in texts:
            self.stream.write(each)


def as_text(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=True)


def document(value: Any) -> None:
    """JSON for programs."""
    console().print(Text(as_text(value)))


def report(found: Iterable[findings.Finding], sink: Sink | None = None) -> None:
    sink = sink or Sink.standard()
    for each in found:
        sink.line(line(each))
        if each.hint:
            sink.line(Text(f"    hint: {_safe(each.hint)}", style="dim"))


def line(finding: findings.Finding) -> Text:
    verb, style = _VERBS[finding.severity]
    clusters = f" ({', '.join(finding.clusters)})" if finding.clusters else ""
    return Text.assemble(
        (texts.harmless(f"{finding.place}: "), "bold"),
        (f"{verb} {_safe(finding.rule)}: ", style),
        _safe(finding.message),
        (clusters, "dim"),
    )


def _safe(text: str) -> str:
    return texts.harmless(findings.escaped(text))


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
