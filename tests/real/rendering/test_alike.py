"""Clusters that are alike are judged once: the answer is the one that each by itself would get."""

from typing import Any

import pytest

import repositories
from fleet.adapters import schemas
from fleet.judge import alike, judging, readings

BAD = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: bad, namespace: shop}\ndata: {n: 1}\n"
OWN = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: own, namespace: shop}\ndata: {w: '${region:-none} $$'}\n"


def clusters(count: int = 6) -> dict[str, str]:
    """Two regions by variable, one canary; 4 is of a version that nobody knows."""
    found = {}
    for number in range(1, count + 1):
        text = repositories.cluster_text(
            f"dev-{number}",
            '{canary: "yes"}' if number == 2 else "{}",
            f"variables: {{region: r{number % 2}}}",
        )
        wrong = text.replace('"1.36"', '"1.999"') if number == 4 else text
        found[f"clusters/dev/{number}.yaml"] = wrong
    return found


SOME = BAD.replace("bad", "own")


def own(spec: str, text: str) -> dict[str, str]:
    return {
        "apps/own/bundle.yaml": repositories.bundle_text("own", spec),
        "apps/own/own.yaml": text,
    }


WAIVED = {"name": "bad", "clusters": ["dev-3"], "labels": {"matchLabels": {"a": "b"}}}
CASES: dict[str, dict[str, str]] = {
    "the same for all": {},
    "variables": own("{substitute: true}", OWN),
    "a variable that is missing": own("{substitute: true}", OWN.replace("region:-none", "moon")),
    "by name": own("{targets: {clusters: [dev-3, dev-5]}}", SOME),
    "by label": own('{targets: {matchLabels: {canary: "yes"}}}', SOME),
    "waivers by cluster and labels": {
        "environments/dev/waiver.yaml": repositories.waiver_text(
            rules=["schema"], objects=[WAIVED]
        ),
    },
}


@pytest.mark.parametrize("case", CASES)
async def test_the_answer_is_the_same(repository_of: Any, case: str):
    files = {
        "apps/web/bundle.yaml": repositories.bundle_text(),
        "apps/web/bad.yaml": BAD,
        **clusters(),
        **CASES[case],
    }
    reader = repository_of(files)
    tools = judging.Tools(
        repository=reader.local, schemas=schemas.Packaged(), memo=reader.memo, kustomize=None
    )
    question = reader.question()
    reading: readings.Reading = await reader.read()
    few, _, crowd = await alike.gathered(reading, None, tools.files, tools.schemas.versions())
    assert crowd is not None
    assert len(few.declared.clusters) < len(reading.declared.clusters)
    once = await judging.judge(question, tools)
    each = await judging.of_reading(question, reading, None, tools)
    assert once.findings == each.findings
    assert once.findings
    assert once.docket == each.docket
    assert once.declared == each.declared
    assert list(once.manifests) == list(each.manifests)
    for cluster, share in each.manifests.items():
        assert [(m.key, m.digest) for m in once.manifests[cluster]] == [
            (m.key, m.digest) for m in share
        ]


async def test_what_runs_may_tell_clusters_apart_too(repository_of: Any):
    """It may be rendered for them as well, for the baseline."""
    labels = {path: text.replace('{canary: "yes"}', "{}") for path, text in clusters(2).items()}
    reader = repository_of({"apps/web/bundle.yaml": repositories.bundle_text(), **labels})
    bundle = repositories.bundle_text(spec="{targets: {clusters: [dev-1]}}")
    named = reader.git.commit({"apps/web/bundle.yaml": bundle, "apps/web/bad.yaml": BAD})
    plain = reader.git.commit({"apps/web/bundle.yaml": repositories.bundle_text()})
    files = readings.Files(reader.local, reader.memo)
    runs, comes = await reader.read(named), await reader.read(plain)
    versions = schemas.Packaged().versions()
    _, _, alone = await alike.gathered(comes, None, files, versions)
    _, _, beside = await alike.gathered(comes, runs, files, versions)
    assert alone is not None
    assert set(alone.each.values()) == {"dev-1"}
    assert beside is None


async def test_what_a_cluster_was_may_tell_it_apart_too(repository_of: Any):
    """What an object replaces there was rendered for the cluster as it was."""
    files = {"apps/web/bundle.yaml": repositories.bundle_text(), "apps/web/bad.yaml": BAD}
    bundle = repositories.bundle_text(spec='{targets: {matchLabels: {canary: "yes"}}}')
    reader = repository_of({**files, **clusters(3), "apps/web/bundle.yaml": bundle})
    before = reader.git.tip()
    plain = clusters(3)["clusters/dev/2.yaml"].replace('{canary: "yes"}', "{}")
    after = reader.git.commit({"clusters/dev/2.yaml": plain})
    files_of = readings.Files(reader.local, reader.memo)
    versions = schemas.Packaged().versions()
    runs, comes = await reader.read(before), await reader.read(after)
    _, _, alone = await alike.gathered(comes, None, files_of, versions)
    _, _, beside = await alike.gathered(comes, runs, files_of, versions)
    assert alone is not None
    assert set(alone.each.values()) == {"dev-1"}
    assert beside is not None
    assert beside.each == {"dev-1": "dev-1", "dev-2": "dev-2", "dev-3": "dev-1"}


async def test_each_cluster_is_placed_in_waves_by_itself(repository_of: Any):
    """Labels that no bundle asks for leave clusters alike; waves ask for them."""
    waves = '{name: dev, waves: [{name: canary, selector: {matchLabels: {canary: "yes"}}}]}'
    fleet = repositories.FLEET.split("  environments:")[0] + f"  environments: [{waves}]\n"
    files = {"apps/web/bundle.yaml": repositories.bundle_text(), "apps/web/bad.yaml": BAD}
    reader = repository_of({**files, **clusters(3), "fleet.yaml": fleet})
    tools = judging.Tools(
        repository=reader.local, schemas=schemas.Packaged(), memo=reader.memo, kustomize=None
    )
    question = reader.question()
    judged = await judging.judge(question, tools)
    (placed,) = [each for each in judged.findings if each.rule == "waves"]
    assert placed.clusters == ("dev-1", "dev-3")
    assert placed.message == "dev-1, dev-3 are in no wave of dev"
