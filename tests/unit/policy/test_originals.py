"""Kyverno's and Gatekeeper's own libraries, run as they stand with their own tests."""

from collections import Counter
from pathlib import Path

import pytest

from fleet.policy.trials import cases, runs

_SUFFIXES = {".yaml", ".yml", ".json"}


@pytest.fixture(scope="module")
def files(shared: Path) -> dict[str, bytes]:
    root = shared / "conformance" / "originals"
    if not root.is_dir():
        pytest.skip(f"no originals at {root}")
    paths = (each for each in root.rglob("*") if each.is_file() and each.suffix in _SUFFIXES)
    return {each.relative_to(root).as_posix(): each.read_bytes() for each in paths}


@pytest.fixture(scope="module")
def report(files: dict[str, bytes]) -> cases.Report:
    return runs.run(files)


def test_every_case_that_can_be_evaluated_is_as_published(report: cases.Report) -> None:
    assert [each.name for each in report.cases if each.state is cases.State.FAILED] == []
    counted = {state.value: number for state, number in report.counts.items()}
    assert counted == {"passed": 1168, "not evaluated": 70}


def test_what_cannot_be_evaluated_says_why(report: cases.Report) -> None:
    """Files that the library keeps elsewhere, and Kyverno's own library that asks a cluster."""
    why = Counter(
        "absent" if "not to be read" in each.message else each.message.partition(" (")[0]
        for each in report.cases
        if each.state is cases.State.NOT_EVALUATED
    )
    asks = "not evaluated: resource asks a cluster for other objects"
    assert why == {"absent": 48, asks: 22}


def test_both_dialects_of_kyverno_and_gatekeeper_are_there(report: cases.Report) -> None:
    wanted = Counter(each.want for each in report.cases if each.state is cases.State.PASSED)
    assert wanted == {"fail": 618, "pass": 515, "skip": 2, "": 33}
    assert len(report.rules) == 88
    assert sum(each.is_covered for each in report.rules) == 71
