"""Schema verdicts on what clusters would run: each different manifest once, clean ones once in a lifetime."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import builders
from fleet.adapters import schemas
from fleet.adapters.store import memo
from fleet.judge import verdicts
from fleet.model import findings, names, objects
from fleet.policy.crds import customs

SOURCE = schemas.Packaged()
ONE, TWO = names.Cluster("dev-1"), names.Cluster("dev-2")


class Counting(customs.Schemas):
    """Schemas that count what they are asked."""

    asked = 0

    def validate(
        self, manifest: objects.Manifest, old: objects.Manifest | None = None
    ) -> tuple[findings.Finding, ...]:
        self.asked += 1
        return super().validate(manifest, old)


async def served(version: str, *crds: dict[str, Any]) -> Counting:
    definitions = await SOURCE.definitions(version)
    assert definitions is not None
    return Counting(
        version=version,
        source=SOURCE.identity,
        definitions=definitions,
        brought=customs.Customs(crds),
    )


async def heard(
    share: verdicts.Share,
    judges: dict[names.Cluster, Counting],
    memory: memo.Memo,
    runs: verdicts.Share | None = None,
) -> list[findings.Finding]:
    async def previous() -> verdicts.Share:
        assert runs is not None, "nobody needs to know what runs"
        return runs

    return await verdicts.schema(share, judges, previous, verdicts.Bench(memo=memory))


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[memo.Memo]:
    made = memo.Memo(tmp_path / "memo.sqlite")
    yield made
    made.close()


def manifest(name: str = "web", **more: Any) -> objects.Manifest:
    return builders.manifest(document=builders.body(name, **more))


async def test_a_manifest_of_many_clusters_is_judged_once_and_names_them_all(memory: memo.Memo):
    judge = await served("1.36")
    wrong = manifest(dat={})
    share = {ONE: (wrong, manifest("a")), TWO: (wrong,)}
    (found,) = await heard(share, {ONE: judge, TWO: judge}, memory)
    assert (found.message, found.clusters) == ("unknown field dat", (ONE, TWO))
    assert judge.asked == 2


async def test_only_what_is_clean_is_remembered(memory: memo.Memo):
    share = {ONE: (manifest("a"), manifest("b"), manifest(dat={}))}
    first = await served("1.36")
    before = await heard(share, {ONE: first}, memory)
    again = await served("1.36")
    assert await heard(share, {ONE: again}, memory) == before
    assert (first.asked, again.asked) == (3, 1)


async def test_each_cluster_is_judged_by_its_own_version(memory: memo.Memo):
    document = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "MutatingAdmissionPolicy",
        "metadata": {"name": "a"},
    }
    share = dict.fromkeys((ONE, TWO), (builders.manifest(document=document),))
    judges = {ONE: await served("1.31"), TWO: await served("1.36")}
    (found,) = await heard(share, judges, memory)
    assert found.clusters == (ONE,)
    assert "1.31 does not serve" in found.message or "no schema" in found.message


async def test_the_same_words_in_two_files_are_two_findings(memory: memo.Memo):
    body = builders.body(dat={})
    share = {ONE: tuple(builders.manifest(document=body, path=f"apps/{p}.yaml") for p in "ab")}
    found = await heard(share, {ONE: await served("1.36")}, memory)
    assert sorted(each.place.path for each in found) == ["apps/a.yaml", "apps/b.yaml"]


@pytest.mark.threat(106)
async def test_a_memory_that_was_tampered_with_is_not_believed(memory: memo.Memo, tmp_path: Path):
    wrong = manifest(dat={})
    judge = await served("1.36")
    await memory.remember({f"schema/{judge.identity}/{wrong.digest}": b"clean"})
    assert await heard({ONE: (wrong,)}, {ONE: judge}, memory) == []  # it believes itself
    memory.close()
    for file in tmp_path.glob("memo.sqlite*"):
        file.write_bytes(b"garbage" * 1000)
    assert len(await heard({ONE: (wrong,)}, {ONE: judge}, memory)) == 1
