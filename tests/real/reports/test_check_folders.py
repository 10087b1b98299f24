"""`fleet check PATH --policies DIR`: any manifests, no fleet repository, the same findings and formats."""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

import repositories

ROOT = Path(__file__).resolve().parents[3]
LATEST = ROOT / "policies/disallow-latest-tag"
WEB = """apiVersion: apps/v1
kind: Deployment
metadata: {name: NAME}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: web
        image: web:TAG
"""
pytestmark = pytest.mark.timeout(90)


def web(name: str = "web", tag: str = "latest") -> str:
    return WEB.replace("NAME", name).replace("TAG", tag)


def fleet(*words: str | Path, at: Path, said: str = "") -> subprocess.CompletedProcess[str]:
    ended = subprocess.run(  # noqa: S603 - this very program
        [sys.executable, "-m", "fleet.cli.main", "check", *map(str, words)],
        cwd=at,
        env={**os.environ, **repositories.PERSON, "NO_COLOR": "1", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        input=said,
    )
    assert "Traceback" not in ended.stdout + ended.stderr, ended.stderr
    return ended


def told(*words: str | Path, at: Path, said: str = "") -> list[str]:
    ended = fleet(*words, "-o", "json", at=at, said=said)
    assert ended.stderr == ""
    found = json.loads(ended.stdout)
    assert ended.returncode == int(found["refused"])
    assert all(each["clusters"] == [] for each in found["findings"])
    return [
        f"{each['path']}:{each['line']}:{each['column']}: {each['severity']} {each['rule']}"
        for each in found["findings"]
    ]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    files = {
        "deploy/web.yaml": web(),
        "deploy/deep/sound.yml": web("sound", "1.2"),
        "deploy/values.yaml": "replicas: 2\n",
        "deploy/notes.txt": "apiVersion: [",
    }
    for path, text in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    return tmp_path


def test_a_folder_is_checked_recursively(folder: Path):
    assert told("deploy", "--policies", LATEST, at=folder) == [
        "values.yaml:0:0: audit manifest",
        "web.yaml:11:16: deny disallow-latest-tag",
    ]
    ended = fleet("deploy", "--policies", LATEST, at=folder)
    assert ended.returncode == 1
    assert "2 objects\n" in ended.stdout
    assert "results: 3 pass, 1 fail, 1 warn, 0 error, 0 skip, 0 not evaluated" in ended.stdout


def test_files_and_standard_input_are_checked_too(folder: Path):
    found = "deploy/web.yaml:11:16: deny disallow-latest-tag"
    assert told("deploy/web.yaml", "--policies", LATEST, at=folder) == [found]
    assert told("deploy/deep/sound.yml", "deploy/web.yaml", "--policies", LATEST, at=folder) == [
        found
    ]
    assert told("-", "--policies", LATEST, at=folder, said=web()) == [
        "stdin.yaml:11:16: deny disallow-latest-tag"
    ]


def test_the_schemas_of_the_named_version_count(folder: Path):
    old = "apiVersion: policy/v1beta1\nkind: PodSecurityPolicy\nmetadata: {name: p}\nspec: {}\n"
    (folder / "deploy/web.yaml").write_text(web("web", "1.0") + "  replica: 2\n")
    (folder / "deploy/old.yaml").write_text(old)
    words = ("deploy", "--policies", LATEST)
    here = ["old.yaml:1:0: deny schema", "values.yaml:0:0: audit manifest"]
    assert told(*words, "--kubernetes-version", "1.36", at=folder) == [
        *here,
        "web.yaml:12:12: deny schema",
    ]
    ended = fleet(*words, "--kubernetes-version", "1.99", at=folder)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "no schemas for Kubernetes 1.99" in ended.stderr


def test_kustomizations_are_rendered_each_for_itself(folder: Path):
    base = folder / "deploy/base"
    base.mkdir()
    (base / "kustomization.yaml").write_text("resources: [web.yaml]\n")
    (base / "web.yaml").write_text(web("web", "1.0"))
    for name, tag in (("dev", "latest"), ("prod", "1.1")):
        over = folder / "deploy/overlays" / name
        over.mkdir(parents=True)
        text = f"resources: [../../base]\nimages: [{{name: web, newTag: '{tag}'}}]\n"
        (over / "kustomization.yaml").write_text(text)
    assert told("deploy", "--policies", LATEST, at=folder) == [
        "overlays/dev/kustomization.yaml:2:30: deny disallow-latest-tag",
        "values.yaml:0:0: audit manifest",
        "web.yaml:11:16: deny disallow-latest-tag",
    ]


def test_what_is_there_twice_is_a_warning_and_what_cannot_be_read_an_error(folder: Path):
    (folder / "deploy/values.yaml").write_text(web("web", "1.0"))
    (folder / "deploy/odd.yaml").write_text("a: [\n")
    assert told("deploy", "--policies", LATEST, at=folder) == [
        "odd.yaml:2:1: deny yaml",
        "web.yaml:1:0: warn ownership",
        "web.yaml:11:16: deny disallow-latest-tag",
    ]


def test_a_policy_that_nobody_binds_denies_and_its_examples_are_not_judged(folder: Path):
    policy, binding = (LATEST / "policy.yaml").read_text().split("---\n")
    own = folder / "deploy/rules"
    (own / "x/tests/bad").mkdir(parents=True)
    (own / "x/policy.yaml").write_text(policy)
    (own / "x/tests/bad/web.yaml").write_text(web("bad"))
    (folder / "deploy/values.yaml").unlink()
    found = ["web.yaml:11:16: deny disallow-latest-tag"]
    assert told("deploy", "--policies", "deploy/rules", at=folder) == found
    assert told("deploy", "--policies", own / "x/policy.yaml", at=folder) != []
    (own / "x/binding.yaml").write_text(binding.replace("Deny", "Warn"))
    assert told("deploy", "--policies", "deploy/rules", at=folder) == [
        "web.yaml:11:16: warn disallow-latest-tag"
    ]
    # Asked for themselves, examples are judged.
    assert told("deploy/rules/x/tests", "--policies", "deploy/rules", at=folder) == [
        "bad/web.yaml:11:16: warn disallow-latest-tag"
    ]


def test_a_rule_that_nobody_can_evaluate_is_said_and_refuses(folder: Path):
    (folder / "rules.yaml").write_text(
        "apiVersion: templates.gatekeeper.sh/v1\nkind: ConstraintTemplate\nmetadata: {name: t}\n"
        "spec: {targets: [{target: admission.k8s.gatekeeper.sh, rego: 'package x'}]}\n"
    )
    found = told("deploy/web.yaml", "--policies", "rules.yaml", at=folder)
    assert any("not evaluated" in each and each.startswith("rules.yaml:") for each in found)


def test_a_file_that_is_named_is_judged_even_beside_the_policies(folder: Path):
    rules = folder / "rules"
    rules.mkdir()
    (rules / "policy.yaml").write_text((LATEST / "policy.yaml").read_text())
    (rules / "web.yaml").write_text(web())
    found = "rules/web.yaml:11:16: deny disallow-latest-tag"
    assert told("rules/web.yaml", "--policies", "rules", at=folder) == [found]
    assert told("deploy/deep/sound.yml", "rules/web.yaml", "--policies", "rules", at=folder) == [
        found
    ]
    ended = fleet("rules", "--policies", "rules", at=folder)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "there is no manifest in rules" in ended.stderr
    assert "files that --policies names judge and are not judged" in ended.stderr


def test_a_policy_that_waits_for_a_label_of_a_namespace_says_so(folder: Path):
    rules = ROOT / "policies/pod-security-baseline"
    assert told("deploy/web.yaml", "--policies", rules, at=folder) == [
        f"{rules}/policy.yaml:1:0: audit pod-security-baseline"
    ]
    space = (
        "apiVersion: v1\nkind: Namespace\nmetadata: {name: default, labels: {LABEL: baseline}}\n"
    )
    (folder / "space.yaml").write_text(
        space.replace("LABEL", "pod-security.kubernetes.io/enforce")
    )
    words = ("deploy/web.yaml", "space.yaml", "--policies", rules)
    assert told(*words, at=folder) == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "there is no fleet.yaml in ."),
        (("deploy",), "there is no fleet.yaml in deploy"),
        (("deploy/web.yaml",), "deploy/web.yaml is no folder"),
        (("deploy", "."), "one folder, please"),
        (("nowhere", "--policies", LATEST), "there is no nowhere"),
        (("deploy", "--policies", "nowhere"), "there is no nowhere"),
        (("deploy", "--policies", "deploy/notes.txt"), "there is no policy in deploy/notes.txt"),
        (("deploy/notes.txt", "--policies", LATEST), "there is no manifest in deploy/notes.txt"),
        (("deploy", "--policies", LATEST, "--rev", "HEAD"), "no --rev, no --base"),
        (("deploy/web.yaml", LATEST / "policy.yaml", "--policies", LATEST), "lies outside of"),
    ],
)
def test_what_is_missing_is_said(folder: Path, words: tuple[str | Path, ...], said: str):
    ended = fleet(*words, at=folder)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert said in ended.stderr


HOSTILE = {
    "huge": "a: " + "x" * 1_000_000,
    "bomb": "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\n" * 1 + "".join(
        f"{chr(99 + n)}: &{chr(99 + n)} [{','.join([f'*{chr(98 + n)}'] * 9)}]\n" for n in range(9)
    ),
    "binary": "\x00\x01",
    "empty": "",
    "twice": "kind: A\nkind: B\n",
    "control": web("web").replace("web:latest", '"web:\\e[31mred\\u202elatest"'),
}  # fmt: skip


@pytest.mark.threat(7)
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_are_findings_or_nothing(folder: Path, name: str):
    (folder / "deploy/odd.yaml").write_text(HOSTILE[name])
    ended = fleet("deploy", "--policies", LATEST, at=folder)
    assert ended.returncode == 1
    assert all(c.isprintable() or c == "\n" for c in ended.stdout + ended.stderr)


def test_progress_is_shown_to_people_alone(folder: Path):
    """On a terminal the stages are named; in a pipe nothing is (as all other tests see)."""
    ours, theirs = pty.openpty()
    words = [sys.executable, "-m", "fleet.cli.main", "check", "deploy", "--policies", str(LATEST)]
    with subprocess.Popen(  # noqa: S603 - this very program
        words,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=theirs,
    ) as process:
        os.close(theirs)
        said = b""
        try:
            while part := os.read(ours, 4096):
                said += part
        except OSError:  # the other end is closed
            pass
        out = process.stdout.read() if process.stdout else b""
    os.close(ours)
    assert b"..." in said
    assert b"denied by disallow-latest-tag" in out
    assert b"..." not in out
