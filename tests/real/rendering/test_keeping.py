"""What is known of unchanged files is believed as long as they, and all that their reading depends on, are the same."""

from pathlib import Path

import pytest

import repositories
from fleet.adapters import schemas
from fleet.adapters.git import working
from fleet.adapters.store import memo
from fleet.judge import judging
from fleet.local import offline
from fleet.model import errors, names
from fleet.model import objects as words

DEV = names.Environment("dev")
POD = """
apiVersion: v1
kind: Pod
metadata: {{name: {name}, namespace: shop}}
spec:
  serviceAccountName: {account}
  containers: [{{name: web, image: registry.example.com/web:1}}]
"""
GADGETS = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: gadgets.example.com}
spec:
  group: example.com
  scope: %s
  names: {kind: Gadget, plural: gadgets, singular: gadget, listKind: GadgetList}
  versions:
  - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}
"""
GADGET = "apiVersion: example.com/v1\nkind: Gadget\nmetadata: {name: one}\n"


class Tree:
    """A working tree that is judged anew each time, by judges who share a memo."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.memo = folder, folder.parent / "memo.sqlite"
        self.write("fleet.yaml", repositories.FLEET)
        self.write("apps/web/bundle.yaml", repositories.bundle_text("web", "{namespace: shop}"))

    def write(self, path: str, text: str) -> None:
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    async def judged(self, *, remembers: bool = True) -> offline.Verdict:
        kept = memo.Memo(self.memo if remembers else Path(":memory:"))
        tree = working.WorkTree(self.folder)
        tools = judging.Tools(
            repository=tree, schemas=schemas.Packaged(), memo=kept, kustomize=None, near=tree
        )
        try:
            return await offline.check_commit(DEV, working.TREE, None, tools)
        finally:
            kept.close()

    async def verdict(self) -> offline.Verdict:
        """With what was remembered; without, the same would be said."""
        found = await self.judged()
        afresh = await self.judged(remembers=False)
        assert (found.findings, found.passed) == (afresh.findings, afresh.passed)
        assert share(found) == share(afresh)
        return found


def share(verdict: offline.Verdict) -> dict[str, words.Manifest]:
    (found,) = verdict.judged.manifests.values()
    return {str(each.key): each for each in found}


def unread(verdict: offline.Verdict) -> list[str]:
    return [name for name, each in share(verdict).items() if each.read is not None]


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path / "fleet")


async def test_only_what_changed_is_read_again(tree: Tree):
    tree.write("apps/web/bundle.yaml", repositories.bundle_text("web", "{namespace: shop}"))
    tree.write("apps/other/bundle.yaml", repositories.bundle_text("other", "{namespace: shop}"))
    tree.write("apps/web/a.yaml", POD.format(name="a", account="default"))
    tree.write("apps/other/b.yaml", POD.format(name="b", account="default"))
    assert unread(await tree.verdict()) == []
    assert sorted(unread(await tree.verdict())) == ["Pod shop/a", "Pod shop/b"]
    tree.write("apps/web/a.yaml", POD.format(name="a", account="gone"))
    found = await tree.verdict()
    assert unread(found) == ["Pod shop/b"]
    assert [str(each.place) for each in found.findings if each.rule == "reference"] == [
        "apps/web/a.yaml:6:23"
    ]
    found = await tree.verdict()
    assert [each.rule for each in found.findings].count("reference") == 1  # by sketches alone
    body = share(found)["Pod shop/b"].body
    assert body["spec"]["containers"][0]["image"] == "registry.example.com/web:1"


async def test_objects_that_two_files_claim_are_found_however_often_it_is_asked(tree: Tree):
    for name in ("a", "b", "c"):
        tree.write(f"apps/web/{name}.yaml", POD.format(name="same", account="default"))
    for _ in range(3):
        found = [each for each in (await tree.verdict()).findings if each.rule == "ownership"]
        assert [str(each.place) for each in found] == ["apps/web/b.yaml:2", "apps/web/c.yaml:2"]


async def test_another_scope_of_a_kind_is_another_reading(tree: Tree):
    tree.write("apps/web/gadget.yaml", GADGET)
    tree.write("schemas/gadgets.yaml", GADGETS % "Namespaced")
    for _ in range(2):
        assert "Gadget.example.com shop/one" in share(await tree.verdict())
    tree.write("schemas/gadgets.yaml", GADGETS % "Cluster")
    for _ in range(2):
        assert "Gadget.example.com one" in share(await tree.verdict())


async def test_a_bundle_that_brings_a_kind_is_read_each_time(tree: Tree):
    tree.write("apps/web/crd.yaml", GADGETS % "Namespaced")
    tree.write("apps/other/bundle.yaml", repositories.bundle_text("other", "{namespace: shop}"))
    tree.write("apps/other/gadget.yaml", GADGET)
    for _ in range(3):
        assert "Gadget.example.com shop/one" in share(await tree.verdict())


async def test_what_is_wrong_with_a_file_is_said_each_time(tree: Tree):
    tree.write("apps/web/a.yaml", POD.format(name="a", account="default"))
    tree.write("apps/web/b.yaml", "kind: [\n")
    tree.write("apps/web/c.yaml", "kind: Pod\n")
    for _ in range(2):
        rules = [each.rule for each in (await tree.verdict()).findings]
        assert (rules.count("yaml"), rules.count("manifest")) == (1, 2)


async def test_another_bundle_or_namespace_reads_the_same_file_anew(tree: Tree):
    tree.write("apps/web/a.yaml", "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: a}\n")
    assert "ServiceAccount shop/a" in share(await tree.verdict())
    tree.write("apps/web/bundle.yaml", repositories.bundle_text("web", "{namespace: till}"))
    assert "ServiceAccount till/a" in share(await tree.verdict())
    tree.write("apps/web/bundle.yaml", repositories.bundle_text("web-2", "{namespace: till}"))
    assert share(await tree.verdict())["ServiceAccount till/a"].bundle == "web-2"


@pytest.mark.threat(106)
async def test_a_file_that_is_another_meanwhile_is_never_taken_for_what_was_judged(tree: Tree):
    tree.write("apps/web/a.yaml", POD.format(name="a", account="default"))
    await tree.judged()
    found = await tree.judged()
    tree.write("apps/web/a.yaml", POD.format(name="a", account="other"))
    with pytest.raises(errors.RefusedError, match="changed meanwhile"):
        _ = share(found)["Pod shop/a"].body
