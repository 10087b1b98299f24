"""`fleet check -o`, as CI runs it: formats on standard output and in files, exit codes, what is used wrongly."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import jsonschema
import pytest
import yaml

import reportforms
import repositories

ROOT = Path(__file__).resolve().parents[3]
LATEST = """apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - {name: web, image: 'web:latest'}
"""
pytestmark = pytest.mark.timeout(90)


def fleet(*words: str | Path, at: Path, said: bytes = b"") -> subprocess.CompletedProcess[str]:
    ended = subprocess.run(  # noqa: S603 - this very program
        [sys.executable, "-m", "fleet.cli.main", *map(str, words)],
        cwd=at,
        env={**os.environ, **repositories.PERSON, "NO_COLOR": "1", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        input=said.decode(),
    )
    assert "Traceback" not in ended.stdout + ended.stderr, ended.stderr
    return ended


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """A fleet in a folder of a repository, with one image that has no fixed tag."""
    git = repositories.Git(tmp_path / "all")
    policy = (ROOT / "policies/disallow-latest-tag/policy.yaml").read_text()
    inner = {
        "fleet.yaml": repositories.FLEET,
        "policies/disallow-latest-tag/policy.yaml": policy,
        "apps/web/bundle.yaml": repositories.bundle_text("web"),
        "apps/web/web.yaml": LATEST,
        "apps/web/config.yaml": repositories.config_map(),
    }
    git.commit({f"infra/{path}": text for path, text in inner.items()})
    return git.folder / "infra"


def test_several_formats_at_once_with_files_beside_what_people_read(broken: Path):
    ended = fleet(
        "check", "-o", "sarif=check.sarif", "-o", "text", "-o", "junit=check.xml",
        "-o", "openreports=a.yaml", "-o", "policyreport=b.yaml", "-o", "json=c.json", at=broken,
    )  # fmt: skip
    assert ended.returncode == 1
    assert "denied by disallow-latest-tag: " in ended.stdout
    sarif = json.loads((broken / "check.sarif").read_text())
    jsonschema.validate(sarif, reportforms.SARIF)
    (result,) = sarif["runs"][0]["results"]
    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "infra/apps/web/web.yaml"
    assert place["region"] == {"startLine": 10, "startColumn": 28}
    assert ET.parse(broken / "check.xml").getroot().get("failures") == "1"  # noqa: S314
    (shop,) = yaml.safe_load_all((broken / "a.yaml").read_text())
    assert shop["metadata"] == {
        "name": "fleet-check",
        "namespace": "shop",
        "labels": {"app.kubernetes.io/managed-by": "fleetgate"},
    }
    assert shop["summary"] == {"pass": 2, "fail": 1, "warn": 0, "error": 0, "skip": 0}
    (other,) = yaml.safe_load_all((broken / "b.yaml").read_text())
    assert (other["kind"], other["summary"]) == ("PolicyReport", shop["summary"])
    assert json.loads((broken / "c.json").read_text())["results"]["fail"] == 1
    assert stat.S_IMODE((broken / "check.sarif").stat().st_mode) == 0o644


def test_a_pull_request_is_annotated_from_the_repository_s_top(broken: Path):
    ended = fleet("check", "-o", "github", at=broken)
    assert ended.returncode == 1
    assert ended.stdout.startswith(
        "::error file=infra/apps/web/web.yaml,line=10,col=28,title=fail%3A disallow-latest-tag::"
    )


def test_the_summary_counts_every_result_and_names_the_most_broken(broken: Path):
    (broken / "apps/web/odd.yaml").write_text("a: [\n")
    assert "most broken" not in fleet("check", at=broken).stdout  # two are seen at a glance
    many = "---\n".join(LATEST.replace("name: web, ", f"name: web-{n}, ") for n in range(12))
    (broken / "apps/web/many.yaml").write_text(many)
    lines = fleet("check", at=broken).stdout.splitlines()
    at = lines.index("most broken rules:")
    assert lines[at + 1 : at + 3] == ["      13  disallow-latest-tag", "       1  yaml"]
    assert lines[lines.index("files most affected:") + 1] == "      12  apps/web/many.yaml"
    counted = "results: 14 pass, 13 fail, 0 warn, 1 error, 0 skip, 0 not evaluated"
    assert counted in lines


def test_what_is_sound_says_so_in_every_format(broken: Path):
    (broken / "apps/web/web.yaml").write_text(LATEST.replace("latest", "1.2"))
    for form in ("text", "json", "sarif", "junit", "github", "openreports", "policyreport"):
        ended = fleet("check", "-o", form, at=broken)
        assert (ended.returncode, ended.stderr) == (0, "")
        assert (ended.stdout == "") is (form == "github")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("-o", "yaml"), "there is no format 'yaml'"),
        (("-o", "sarif="), "-o sarif= names no file"),
        (("-o", "sarif", "-o", "text"), "two formats on standard output"),
        (("-o", "sarif=x", "-o", "json=./x"), "two formats go to"),
        (("-o", "sarif=nowhere/x"), "cannot write nowhere/x"),
        (("-o", "sarif=apps"), "cannot write apps"),
        (("-o", "\x1b[31m"), "there is no format"),
    ],
)
def test_what_is_used_wrongly_ends_with_two_before_any_work(
    broken: Path, words: tuple[str, ...], said: str
):
    ended = fleet("check", *words, at=broken)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert said in ended.stderr
    assert "\x1b" not in ended.stderr


def test_a_file_keeps_its_rights_and_a_device_stays_one(broken: Path):
    file = broken / "check.sarif"
    file.write_text("old")
    file.chmod(0o600)
    ended = fleet("check", "-o", f"sarif={file}", "-o", "junit=/dev/null", at=broken)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert json.loads(file.read_text())["version"] == "2.1.0"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)
    assert [each.name for each in broken.iterdir() if each.name.startswith(".")] == []
