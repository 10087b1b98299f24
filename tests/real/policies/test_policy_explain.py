"""`fleet policy explain` as people and programs run it."""

import re
from pathlib import Path

import pytest

import repositories
from commands import Ended, fleet

pytestmark = pytest.mark.timeout(120, func_only=True)
LIBRARY = Path(__file__).resolve().parents[3] / "policies"
TAG = "disallow-latest-tag"
POD = """\
apiVersion: v1
kind: Pod
metadata:
  name: web
spec:
  containers:
    - name: web
      image: web:latest
"""
KYVERNO = """\
apiVersion: policies.kyverno.io/v1
kind: ValidatingPolicy
metadata:
  name: pods-only
  annotations: {policies.kyverno.io/title: Only pods, policies.kyverno.io/description: Because}
spec:
  validationActions: [Audit]
  matchConstraints:
    resourceRules:
      - {apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [pods]}
  validations:
    - expression: object.metadata.name == 'api'
---
apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata: {name: old}
spec:
  rules:
    - name: patterned
      match: {any: [{resources: {kinds: [Pod]}}]}
      validate: {message: no, pattern: {spec: {a: b}}}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: broken}
spec:
  matchConstraints:
    resourceRules:
      - {apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [pods]}
  validations:
    - expression: object.metadata.name.siez() == 1
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "pod.yaml").write_text(POD)
    (tmp_path / "rules.yaml").write_text(KYVERNO)
    return tmp_path


@pytest.fixture
async def started(tmp_path: Path) -> repositories.Git:
    ended = await fleet("init", tmp_path / "our-fleet")
    assert ended.code == 0, ended.said
    return repositories.Git(tmp_path / "our-fleet")


async def explain(folder: Path, *words: str) -> Ended:
    return await fleet("policy", "explain", *words, at=folder)


async def test_a_policy_of_a_fleet_as_people_read_it(started: repositories.Git):
    text = (started.folder / "fleet.yaml").read_text()
    setting = f"    - name: dev\n      policies: [{{rule: {TAG}, enforcement: warn}}]\n"
    assert "    - name: dev\n" in text
    waiver = {
        "environments/dev/waiver.yaml": "apiVersion: fleetgate.dev/v1alpha1\nkind: Waiver\n"
        "metadata: {name: for-web}\nspec:\n"
        f"  rules: [{TAG}]\n  objects: [{{name: web}}]\n  owner: team\n  reason: later\n"
        "  ticket: T-1\n  expires: 2020-01-01\n",
    }
    started.write({"fleet.yaml": text.replace("    - name: dev\n", setting), **waiver})
    ended = await explain(started.folder, TAG, "-e", "dev")
    assert (ended.code, ended.said) == (0, "")
    for said in (
        f"ValidatingAdmissionPolicy of admissionregistration.k8s.io/v1, in policies/{TAG}/policy.yaml:1",
        "Deny in every environment",
        "fleet.yaml: enforced as warn in dev",
        "waiver for-web of team ended 2020-01-01",
        "match: CREATE, UPDATE of pods, pods/ephemeralcontainers",
        "validation: variables.",
    ):
        assert said in ended.out


async def test_an_object_that_the_fleet_runs(started: repositories.Git):
    path = "apps/hello/web.yaml"
    text = (started.folder / path).read_text()
    started.write(
        {path: re.sub(r"(?m)image: .*$", "image: registry.example.com/web:latest", text)}
    )
    ended = await explain(started.folder, TAG, "Deployment/hello/web", "-o", "json")
    assert (ended.code, ended.said) == (0, "")
    (policy,) = ended.json["policies"]
    (found,) = policy["objects"]
    assert (found["subject"], found["path"]) == ("Deployment.apps hello/web", path)
    assert (found["outcome"], found["effects"]) == ("denies", ["deny"])
    (hearing,) = found["bindings"]
    failed = [each for each in hearing["validations"] if each["result"] == "false"]
    assert failed[0]["decided"]["field"] == [
        "spec",
        "template",
        "spec",
        "containers",
        "0",
        "image",
    ]
    assert text.splitlines()[failed[0]["decided"]["line"] - 1].strip().startswith("image: ")
    named = await explain(started.folder, TAG, "Deployment/web")
    assert "denies" in named.out
    absent = await explain(started.folder, TAG, "Deployment/hello/wep")
    assert absent.code == 2
    assert "did you mean Deployment/hello/web" in absent.said
    mars = await explain(started.folder, TAG, "-e", "mars")
    assert mars.code == 2
    assert "no environment mars: it has dev, staging, prod" in mars.said


async def test_a_file_by_policies_from_anywhere(folder: Path):
    ended = await explain(folder, TAG, "pod.yaml#Pod/web", "--policies", str(LIBRARY))
    assert (ended.code, ended.said) == (0, "")
    assert "pod.yaml:1: Pod default/web" in ended.out
    assert "spec.containers.0.image (pod.yaml:8:14)" in ended.out
    other = await explain(folder, TAG, "pod.yaml#Pod/db", "--policies", str(LIBRARY))
    assert other.code == 2
    assert "there is no Pod/db in pod.yaml" in other.said


async def test_a_policy_of_another_dialect(folder: Path):
    ended = await explain(folder, "pods-only", "pod.yaml", "--policies", "rules.yaml")
    assert (ended.code, ended.said) == (0, "")
    for said in (
        "pods-only: Only pods",
        "ValidatingPolicy of policies.kyverno.io/v1, in rules.yaml:1",
        "why: Because",
        "decided by object.metadata.name == 'api' at character 1, of metadata.name (pod.yaml:4:9)",
        "in any: audit",
    ):
        assert said in ended.out


async def test_what_is_not_evaluated_is_said(folder: Path):
    patterned = await explain(folder, "old", "--policies", "rules.yaml")
    assert patterned.code == 1
    assert (
        "not evaluated: old/patterned: not evaluated: rule patterned is in a pattern"
        in patterned.out
    )
    broken = await explain(folder, "broken", "pod.yaml", "--policies", "rules.yaml")
    assert broken.code == 0
    assert "validation 0: error" in broken.out
    assert "siez" in broken.out.partition("not evaluated: broken")[2]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["disallow-latest", "--policies", str(LIBRARY)], f"did you mean {TAG}"),
        (["schema", "--policies", str(LIBRARY)], "schema is a rule of fleet's own"),
        ([TAG, "absent.yaml", "--policies", str(LIBRARY)], "absent.yaml cannot be read: No such file"),
        ([TAG, ".", "--policies", str(LIBRARY)], ". is no file"),
        ([TAG, "huge.yaml", "--policies", str(LIBRARY)], "huge.yaml is larger than"),
        ([TAG, "bad.yaml", "--policies", str(LIBRARY)], "there is no object in bad.yaml"),
        ([TAG, "binary.json", "--policies", str(LIBRARY)], "there is no object in binary.json"),
        ([TAG, "many.yaml", "--policies", str(LIBRARY)], "21 objects are too many to explain"),
        ([TAG, "Pod/web", "--policies", str(LIBRARY)], "with --policies, OBJECT is a file"),
        ([TAG, "--policies", "nowhere"], "there is no nowhere"),
        ([TAG], "there is no fleet.yaml in ."),
        (["\x1b[31m", "--policies", str(LIBRARY)], r"there is no policy '\\x1b[31m'"),
    ],
)  # fmt: skip
async def test_misuse_is_said(folder: Path, words: list[str], said: str):
    with (folder / "huge.yaml").open("wb") as huge:
        huge.truncate(11 << 20)
    (folder / "many.yaml").write_text("---\n".join([POD] * 21))
    (folder / "bad.yaml").write_text("a: [\n")
    (folder / "binary.json").write_bytes(b"\xff\x00\xfe")
    ended = await explain(folder, *words)
    assert ended.code == 2
    assert said in " ".join(ended.said.split())
