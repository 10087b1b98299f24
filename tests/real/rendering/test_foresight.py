"""What is foreseen by all cores is what would be said without foresight and without any memory, whatever was edited."""

import random
from pathlib import Path

import pytest

import repositories
from fleet.adapters import forks, schemas
from fleet.adapters.git import working
from fleet.adapters.store import memo
from fleet.judge import judging
from fleet.local import offline
from fleet.model import names

DEV = names.Environment("dev")
CREW = forks.Forks(processes=2, worth_it=2)
RULE = """
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {{name: rule}}
spec:
  matchConstraints:
    namespaceSelector: {{matchLabels: {{guarded: "yes"}}}}
    resourceRules:
    - {{apiGroups: ["", example.com], apiVersions: ["*"], operations: [CREATE], resources: ["*"]}}
  validations: [{{expression: "object.metadata.name != '{name}'", message: no such name}}]
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {{name: rule}}
spec: {{policyName: rule, validationActions: [Deny]}}
"""
SPACE = (
    'apiVersion: v1\nkind: {kind}\nmetadata: {{name: shop, labels: {{guarded: "{guarded}"}}}}\n'
)
GADGETS = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: gadgets.example.com}
spec:
  group: example.com
  scope: %s
  names: {kind: Gadget, plural: gadgets, singular: gadget, listKind: GadgetList}
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, properties: {size: {type: %s}}}}
"""
GADGET = "apiVersion: example.com/v1\nkind: Gadget\nmetadata: {name: odd}\nsize: 3\n"
BUNDLE = repositories.bundle_text("web", "{namespace: shop}")
OTHER = repositories.bundle_text("other", "{namespace: shop, substitute: true}")
# What may stand in each file; None = it is not there.
MENU: dict[str, tuple[str | None, ...]] = {
    "policies/rule/policy.yaml": (RULE.format(name="odd"), RULE.format(name="even"), None),
    "apps/web/odd.yaml": (
        repositories.config_map("odd"),
        repositories.config_map("odd", word="x"),
    ),
    "apps/web/even.yaml": (repositories.config_map("even"), "kind: [\n", "kind: Pod\n", None),
    "apps/web/third.yaml": (repositories.config_map("odd"), repositories.config_map("third")),
    "apps/web/space.yaml": (
        SPACE.format(kind="Namespace", guarded="yes"),
        SPACE.format(kind="Namespace", guarded="no"),
        SPACE.format(kind='"Name\\u0073pace"', guarded="yes"),  # not seen before it is read
        None,
    ),
    "apps/web/kind.yaml": (GADGETS % ("Cluster", "string"), None),
    "apps/web/gadget.yaml": (GADGET, None),
    "apps/other/bundle.yaml": (OTHER, None),
    "apps/other/space.yaml": (SPACE.format(kind="Namespace", guarded="yes"), None),
    "apps/other/kind.yaml": (GADGETS % ("Namespaced", "integer"), None),
    "schemas/gadgets.yaml": (GADGETS % ("Namespaced", "string"), None),
}


class Tree:
    """A working tree whose judges share a memo, and one file of which may change between two of them."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.memo = folder, folder.parent / "memo.sqlite"
        self.write("fleet.yaml", repositories.FLEET)
        self.write("apps/web/bundle.yaml", BUNDLE)

    def write(self, path: str, text: str | None) -> None:
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        if text is None:
            file.unlink(missing_ok=True)
        else:
            file.write_text(text)

    def tools(self, kept: memo.Memo, crew: forks.Forks | None) -> judging.Tools:
        tree = working.WorkTree(self.folder)
        return judging.Tools(
            repository=tree,
            schemas=schemas.Packaged(),
            memo=kept,
            kustomize=None,
            near=tree,
            crew=crew,
        )

    async def judged(self, crew: forks.Forks | None, *, remembers: bool) -> offline.Verdict:
        kept = memo.Memo(self.memo if remembers else Path(":memory:"))
        try:
            tools = self.tools(kept, crew)
            return await offline.check_commit(DEV, working.TREE, None, tools)
        finally:
            kept.close()

    async def verdict(self) -> offline.Verdict:
        found = await self.judged(CREW, remembers=True)
        plain = await self.judged(None, remembers=False)
        assert said(found) == said(plain)
        return found


def said(verdict: offline.Verdict) -> object:
    found = sorted(verdict.findings, key=lambda each: (each.place, each.rule, each.message))
    shares = verdict.judged.manifests
    objects = {c: [(m.key, m.digest, m.source) for m in share] for c, share in shares.items()}
    return found, verdict.passed, objects, verdict.judged.ids


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path / "fleet")


@pytest.mark.parametrize("seed", range(6))
async def test_whatever_is_edited_the_verdict_is_that_of_a_judge_without_memory(
    tree: Tree, seed: int
):
    chance = random.Random(seed)  # noqa: S311 - edits, no secrets
    for path, menu in MENU.items():
        tree.write(path, chance.choice(menu))
    rules = set()
    for _ in range(8):
        found = await tree.verdict()
        rules |= {each.rule for each in found.findings}
        for path in chance.sample(sorted(MENU), 2):
            tree.write(path, chance.choice(MENU[path]))
    assert len(rules) > 1  # there was something to say


AROUND = {
    "policies/rule/policy.yaml": RULE.format(name="odd"),
    "apps/other/bundle.yaml": OTHER,
    "apps/other/space.yaml": SPACE.format(kind="Namespace", guarded="no"),
    "schemas/gadgets.yaml": GADGETS % ("Namespaced", "integer"),
    "apps/web/odd.yaml": repositories.config_map("odd"),
    "apps/web/gadget.yaml": GADGET.replace("odd", "small"),
}


@pytest.mark.parametrize(
    ("path", "refused"),
    [
        ("policies/rule/policy.yaml", RULE.format(name="odd").replace('"yes"', '"no"')),
        ("apps/other/space.yaml", SPACE.format(kind="Namespace", guarded="yes")),
        ("schemas/gadgets.yaml", GADGETS % ("Namespaced", "string")),
    ],
)
async def test_files_that_stay_are_judged_anew_by_what_changes_around_them(
    tree: Tree, path: str, refused: str
):
    """They are clean first, so that this is known of their pieces."""
    for other, text in AROUND.items():
        tree.write(other, text)
    for written in (AROUND[path], refused, AROUND[path], refused):
        tree.write(path, written)
        for _ in range(2):
            found = (await tree.verdict()).findings
            assert any(each.rule in ("rule", "schema") for each in found) is (written == refused)


async def test_two_clusters_of_two_versions_are_judged_each_by_its_own(tree: Tree):
    for name, version in (("dev-1", "1.36"), ("dev-2", "1.30")):
        text = repositories.cluster_text(name).replace('"1.36"', f'"{version}"')
        tree.write(f"clusters/dev/{name}.yaml", text)
    tree.write("apps/web/odd.yaml", repositories.config_map("odd").replace("\ndata:", "\ndta:"))
    for number in range(2):
        tree.write(f"apps/web/{number}.yaml", repositories.config_map(f"map-{number}"))
        found = [each for each in (await tree.verdict()).findings if each.rule == "schema"]
        assert [(each.message, each.clusters) for each in found] == [
            ("unknown field dta", ("dev-1", "dev-2"))
        ]


async def test_what_was_foreseen_is_not_judged_again(tree: Tree):
    tree.write("policies/rule/policy.yaml", RULE.format(name="odd"))
    tree.write("apps/web/space.yaml", SPACE.format(kind="Namespace", guarded="yes"))
    tree.write("apps/web/odd.yaml", repositories.config_map("odd"))
    kept = memo.Memo(Path(":memory:"))
    tools = tree.tools(kept, forks.Forks(processes=1))
    verdict = await offline.check_commit(DEV, working.TREE, None, tools)
    assert [str(each.place) for each in verdict.findings if each.rule == "rule"] == [
        "apps/web/odd.yaml:3:18"
    ]
    (share,) = verdict.judged.manifests.values()
    pieces = {each.piece for each in share}
    assert "" not in pieces
    assert set(tools.foreseen.marks.values()) == {b"clean", b"some"}
    assert len(tools.foreseen.faults) == 1
    kept.close()
