"""Prints which attacks and faults of the threat list were covered by tests that passed, and at which level."""

from collections import defaultdict
from pathlib import Path

import pytest

ALL = 114
# Levels by folder: U pure functions, S the simulated world, R real git, Kubernetes, HTTP, SQLite.
_NAME = "threats"
_LEVELS = {"unit": "U", "property": "U", "simulation": "S", "real": "R", "contract": "R"}


class Coverage:
    """A pytest plug-in."""

    def __init__(self) -> None:
        self._covered: defaultdict[int, set[str]] = defaultdict(set)

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        for item in items:
            marks = item.iter_markers("threat")
            numbers = [number for mark in marks for number in mark.args]
            item.user_properties.append((_NAME, numbers))  # goes along to the process that sums up

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" and report.passed:
            level = _LEVELS.get(Path(report.nodeid).parts[1], "U")
            for name, numbers in report.user_properties:
                for number in numbers if name == _NAME else ():
                    self._covered[number].add(level)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if not self._covered:
            return
        said = [f"{n}{''.join(sorted(levels))}" for n, levels in sorted(self._covered.items())]
        terminalreporter.write_line(f"threats covered: {len(said)} of {ALL}: {' '.join(said)}")


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Coverage())
