"""What users put into their CI: the hook, the action and the GitLab job say what the program understands."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

import reportforms

ROOT = Path(__file__).resolve().parents[3]
ACTION = ROOT / "deploy/ci/github-action/action.yml"
WEB = "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec: {containers: [{name: a, image: 'a:latest'}]}\n"


def step(name: str) -> Any:
    document = yaml.safe_load(ACTION.read_text())
    return next(each for each in document["runs"]["steps"] if each.get("name") == name)


def run(at: Path, **inputs: str) -> subprocess.CompletedProcess[str]:
    """The action's own script as the runner starts it."""
    document = yaml.safe_load(ACTION.read_text())
    given = {name: inputs.get(name, each["default"]) for name, each in document["inputs"].items()}
    values = {
        name: given[word.split("inputs.")[1].split(" ")[0]]
        for name, word in step("Check")["env"].items()
    }
    programs = at / "programs"
    programs.mkdir(exist_ok=True)
    program = programs / "fleet"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m fleet.cli.main "$@"\n')
    program.chmod(0o755)
    return subprocess.run(  # noqa: S603 - our own script
        ["/bin/bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step("Check")["run"]],
        cwd=at,
        env={
            **os.environ,
            **values,
            "PATH": f"{programs}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "RUNNER_TEMP": str(at),
            "GITHUB_STEP_SUMMARY": str(at / "summary.md"),
        },
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.timeout(90)
def test_the_action_annotates_reports_and_fails(tmp_path: Path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in/web.yaml").write_text(WEB)
    ended = run(tmp_path, path="in", policies=str(ROOT / "policies/disallow-latest-tag"))
    assert ended.returncode == 1, ended.stderr
    assert ended.stdout.startswith("::error file=")
    jsonschema.validate(
        json.loads((tmp_path / "fleet-check.sarif").read_text()), reportforms.SARIF
    )
    summary = (tmp_path / "summary.md").read_text().splitlines()
    assert any("denied by disallow-latest-tag" in each for each in summary)
    assert all(each.startswith("    ") for each in summary)


@pytest.mark.timeout(90)
def test_an_input_is_never_a_command(tmp_path: Path):
    ended = run(tmp_path, path='"; touch evil; $(touch evil) `touch evil`')
    assert ended.returncode == 2
    assert not (tmp_path / "evil").exists()
    scripts = [
        each["run"]
        for each in yaml.safe_load(ACTION.read_text())["runs"]["steps"]
        if "run" in each
    ]
    assert scripts
    assert not any("${{" in each for each in scripts)


def test_the_hooks_ask_for_words_that_the_program_knows():
    hooks = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    assert {each["id"] for each in hooks} == {"fleet-check", "fleet-check-manifests"}
    for each in hooks:
        assert each["entry"] == "fleet check"
        assert each["language"] == "python"
    job = yaml.safe_load((ROOT / "deploy/ci/gitlab/fleet-check.gitlab-ci.yml").read_text())
    assert job["fleet-check"]["script"][0].startswith("fleet check ")
