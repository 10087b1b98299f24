"""The judge on real commits: every finding once, at the line of its field, with all its clusters."""

from typing import Any

import pytest

import repositories
from fleet.adapters import schemas
from fleet.judge import judging
from fleet.local import offline
from fleet.model import findings, names

SOURCE = schemas.Packaged()
CRD = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: gadgets.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {kind: Gadget, plural: gadgets}
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: {size: {type: integer}}}}}}
"""
GADGET = "apiVersion: example.com/v1\nkind: Gadget\nmetadata: {name: g, namespace: shop}\nspec:\n  size: big\n"


async def judged(reader: Any) -> judging.Judged:
    tools = judging.Tools(
        repository=reader.local, schemas=SOURCE, memo=reader.memo, kustomize=None
    )
    question = reader.question()
    first = await judging.judge(question, tools)
    assert await judging.judge(question, tools) is first
    return first


async def told(reader: Any) -> list[str]:
    found = (await judged(reader)).findings
    assert all(each.field == () for each in found)
    return [f"{each.place}: {each.message} ({', '.join(each.clusters)})" for each in found]


async def test_a_finding_stands_at_its_field_and_names_all_its_clusters(repository_of: Any):
    web = (
        repositories.config_map()
        + "dat: {}\n---\n"
        + repositories.config_map("b")
        + "binaryDat: {}\n"
    )
    reader = repository_of(
        {
            "clusters/dev/2.yaml": repositories.cluster_text("dev-2"),
            "apps/web/bundle.yaml": repositories.bundle_text("web", "{paths: x}"),
            "apps/shop/bundle.yaml": repositories.bundle_text("shop"),
            "apps/shop/a.yaml": web,
        }
    )
    assert await told(reader) == [
        "apps/shop/a.yaml:5:6: unknown field dat (dev-1, dev-2)",
        "apps/shop/a.yaml:11:12: unknown field binaryDat (dev-1, dev-2)",
        "apps/web/bundle.yaml:4:15: spec.paths is no field of Bundle ()",
    ]


@pytest.mark.parametrize("path", ["schemas/gadget.yaml", "apps/web/crd.yaml"])
async def test_a_custom_resource_is_held_against_its_crd_wherever_that_lies(
    repository_of: Any, path: str
):
    files = {"apps/web/bundle.yaml": repositories.bundle_text(), "apps/web/g.yaml": GADGET}
    assert await told(repository_of({**files, path: CRD})) == [
        'apps/web/g.yaml:5:9: spec.size: "big" is not of type "integer" (dev-1)'
    ]


@pytest.mark.threat(17)
async def test_a_kind_that_nobody_described_is_refused(repository_of: Any):
    files = {"apps/web/bundle.yaml": repositories.bundle_text(), "apps/web/g.yaml": GADGET}
    assert await told(repository_of(files)) == [
        "apps/web/g.yaml:1: no schema for kind Gadget in example.com (dev-1)"
    ]


async def test_a_version_of_kubernetes_that_nobody_knows_is_no_pass(repository_of: Any):
    cluster = repositories.cluster_text().replace('"1.36"', '"1.99"')
    (found,) = (await judged(repository_of({"clusters/dev/1.yaml": cluster}))).findings
    assert found.severity is findings.Severity.UNKNOWN
    assert str(found.place) == "clusters/dev/1.yaml:9:22"


@pytest.mark.threat(20)
async def test_a_secret_s_value_is_nowhere_in_a_verdict(repository_of: Any):
    written = "apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: shop}\nstringData: {a: {b: CANARY}}\n"
    reader = repository_of(
        {"apps/web/bundle.yaml": repositories.bundle_text(), "apps/web/s.yaml": written}
    )
    verdict = await judged(reader)
    assert findings.refuses(verdict.findings)
    assert "CANARY" not in repr(verdict)


@pytest.mark.threat(6)
async def test_a_refused_tree_refuses_and_judges_nothing_else(repository_of: Any):
    reader = repository_of({})
    (reader.git.folder / "apps").symlink_to("/etc")
    reader.git.commit()
    assert await told(reader) == ["apps: a symbolic link, which fleet does not follow ()"]


@pytest.mark.threat(14)
async def test_what_two_files_claim_is_one_finding_and_no_fault_of_the_plan(repository_of: Any):
    reader = repository_of(
        {
            "apps/web/bundle.yaml": repositories.bundle_text(),
            "apps/web/a.yaml": repositories.config_map(),
            "apps/web/a.yml": repositories.config_map(),
        }
    )
    tools = judging.Tools(
        repository=reader.local, schemas=SOURCE, memo=reader.memo, kustomize=None
    )
    dev = names.Environment("dev")
    verdict = await offline.check_commit(dev, reader.git.tip(), None, tools)
    told = [each for each in verdict.findings if each.rule != "registration"]
    assert [each.rule for each in told] == ["ownership"]
