"""`fleet policy test`: what people see, what programs read, and the exit code."""

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from fleet.cli import main

LIBRARY = Path(__file__).resolve().parents[3] / "policies"


def fleet(*words: str) -> Result:
    return CliRunner().invoke(main.application(["policy"]), ["policy", "test", *words])


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    shutil.copytree(LIBRARY / "disallow-latest-tag", tmp_path / "p" / "disallow-latest-tag")
    return tmp_path / "p"


def test_the_library_is_as_its_examples_say() -> None:
    ended = fleet(str(LIBRARY))
    assert ended.exit_code == 0, ended.output
    *_, cases, rules = ended.output.strip().splitlines()
    assert "failed" not in cases
    number = len([each for each in LIBRARY.iterdir() if each.is_dir()])
    assert rules == f"{number} rules: {number} are seen both to deny and to admit"


def test_what_is_not_as_expected_ends_with_one(policy: Path) -> None:
    good, bad = (policy / "disallow-latest-tag" / "tests" / each for each in ("good", "bad"))
    shutil.copy(bad / "images.yaml", good / "wrong.yaml")
    ended = fleet(str(policy), "--failed")
    assert ended.exit_code == 1
    assert "good/wrong.yaml" in ended.output
    assert "bad/images.yaml" not in ended.output
    assert "a good example is denied" in ended.output


def test_programs_read_the_same(policy: Path) -> None:
    ended = fleet(str(policy), "-o", "json")
    said = json.loads(ended.output)
    assert ended.exit_code == 0
    assert said["counts"]["passed"] == len(said["cases"]) > 10
    assert said["counts"]["failed"] == 0
    assert {"path", "line", "name", "state", "want", "got", "message"} == said["cases"][0].keys()
    assert [each["rule"] for each in said["rules"]] == ["disallow-latest-tag"]


def test_a_folder_without_tests_is_misuse(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "absent"):
        ended = fleet(str(folder))
        assert ended.exit_code != 0
        assert ended.exception is not None
        assert str(folder) in str(ended.exception)


def test_no_link_leads_out_of_the_folder(policy: Path, tmp_path: Path) -> None:
    good = policy / "disallow-latest-tag" / "tests" / "good"
    (tmp_path / "outside.yaml").write_text("a: [\n")
    (good / "link.yaml").symlink_to(tmp_path / "outside.yaml")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "broken.yaml").write_text("a: [\n")
    (policy / "more").symlink_to(tmp_path / "elsewhere")
    assert fleet(str(policy)).exit_code == 0
