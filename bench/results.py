"""Figures as they are found, and the file that keeps them."""

import platform
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

FILE = Path(__file__).parent / "RESULTS.md"


@dataclass(slots=True)
class Section:
    title: str
    rows: list[tuple[str, ...]] = field(default_factory=list)

    def row(self, *cells: str) -> None:
        self.rows.append(cells)
        print("  " + " | ".join(cells), flush=True)


@dataclass(slots=True)
class Report:
    command: str
    sections: list[Section] = field(default_factory=list)

    def section(self, title: str) -> Section:
        print(title, flush=True)
        self.sections.append(Section(title))
        return self.sections[-1]

    def write(self) -> None:
        """Sections measured this time replace those of the same name; others stay as they were."""
        kept = _sections(FILE.read_text()) if FILE.exists() else {}
        stamp = f"`{self.command}`, {datetime.now(UTC):%Y-%m-%d}, {_machine()}"
        for each in self.sections:
            kept[each.title] = f"{stamp}\n\n" + "\n".join("- " + " | ".join(r) for r in each.rows)
        body = "\n\n".join(f"## {title}\n\n{text}" for title, text in kept.items())
        FILE.write_text(f"# Measurements\n\nMade by `make bench`.\n\n{body}\n")


def _sections(text: str) -> dict[str, str]:
    parts = text.split("\n## ")[1:]
    return {part.partition("\n")[0]: part.partition("\n")[2].strip() for part in parts}


def _machine() -> str:
    memory = Path("/proc/meminfo").read_text().split()[1]
    cores = Path("/proc/cpuinfo").read_text().count("processor\t")
    return f"{cores} cores, {int(memory) // (1 << 20)} GB, {platform.system()}, Python {platform.python_version()}"
