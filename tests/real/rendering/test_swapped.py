"""A release that changes what becomes of custom resources says so, wherever their CRD lies."""

from typing import Any

import pytest

import repositories
from fleet.adapters import schemas
from fleet.judge import judging
from fleet.local import offline
from fleet.model import findings, names

SOURCE = schemas.Packaged()
CRD = """apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: gadgets.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {kind: Gadget, plural: gadgets}
  versions:
  - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}
"""
SWAPPED = CRD.replace("Namespaced", "Cluster")
APP = {
    "apps/web/bundle.yaml": repositories.bundle_text(),
    "apps/web/a.yaml": repositories.config_map(),
}
RULE, PART = "schemas/gadgets.yaml", "apps/web/gadgets.yaml"


async def told(reader: Any, base: names.CommitId) -> list[findings.Finding]:
    tools = judging.Tools(
        repository=reader.local, schemas=SOURCE, memo=reader.memo, kustomize=None
    )
    verdict = await offline.check_commit(names.Environment("dev"), reader.git.tip(), base, tools)
    return [each for each in verdict.findings if each.rule == "swap"]


@pytest.mark.threat(16)
@pytest.mark.parametrize("where", [RULE, PART])
async def test_a_scope_that_changes_is_told_at_its_line(where: str, repository_of: Any):
    reader = repository_of({**APP, where: CRD})
    base = reader.git.tip()
    assert await told(reader, base) == []
    reader.git.commit({where: SWAPPED})
    (found,) = await told(reader, base)
    assert (str(found.place), found.severity) == (f"{where}:6:10", findings.Severity.WARN)
    assert "from Namespaced to Cluster" in found.message
    assert found.subject.endswith("gadgets.example.com")
    assert found.clusters == (() if where == RULE else ("dev-1",))


@pytest.mark.threat(16)
async def test_no_move_hides_it(repository_of: Any):
    reader = repository_of({**APP, RULE: CRD})
    base = reader.git.tip()
    reader.git.commit({RULE: None, PART: SWAPPED})
    (found,) = await told(reader, base)
    assert found.place.path == PART


async def test_what_is_new_or_stays_is_not(repository_of: Any):
    reader = repository_of(APP)
    base = reader.git.tip()
    second = reader.git.commit({PART: CRD})
    assert await told(reader, base) == []
    reader.git.commit({"apps/web/a.yaml": repositories.config_map(word="other")})
    assert await told(reader, second) == []
