"""Findings in what the real kustomize printed stand at the very value, in the overlay, patch or base that gave it."""

from pathlib import Path
from typing import Any

import pytest

import corpora
import repositories
from fleet.adapters import schemas
from fleet.adapters.render import kustomize as program
from fleet.judge import judging, readings, rendering
from fleet.manifests import parse, tracing

ROOT = Path(__file__).resolve().parents[3]
LATEST = "policies/disallow-latest-tag/policy.yaml"
POLICY = (ROOT / LATEST).read_text()
WEB = """apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: web
        image: web:1.0
"""
INLINE = """resources: [../base]
namespace: shop
patches:
- target: {kind: Deployment}
  # the text begins two lines below

  patch: |-
    apiVersion: apps/v1
    kind: Deployment
    metadata:
      name: any

    spec:
      replica: 2
      template:
        spec:
          containers:
          - image: web:latest
            name: web
"""


async def told(reader: Any, kustomize: program.Kustomize) -> set[str]:
    tools = judging.Tools(
        repository=reader.local, schemas=schemas.Packaged(), memo=reader.memo, kustomize=kustomize
    )
    question = reader.question()
    found = (await judging.judge(question, tools)).findings
    return {f"{each.place}: {each.rule}" for each in found}


def fleet(**files: str) -> dict[str, str]:
    return {
        LATEST: POLICY,
        "apps/web/bundle.yaml": repositories.bundle_text("web", "{path: over}"),
        "apps/web/base/kustomization.yaml": "resources: [web.yaml]\n",
        "apps/web/base/web.yaml": WEB,
        **{f"apps/web/over/{name}": text for name, text in files.items()},
    }


async def told_of(
    repository_of: Any, kustomize: program.Kustomize, over: str, **files: str
) -> set[str]:
    texts = {name.replace("_", "."): text for name, text in files.items()}
    reader = repository_of(fleet(**{"kustomization.yaml": over, **texts}))
    return await told(reader, kustomize)


@pytest.mark.timeout(90)
async def test_a_patch_that_stands_as_text_is_pointed_into(
    repository_of: Any, kustomize: program.Kustomize
):
    lines = INLINE.splitlines()
    image = next(n for n, line in enumerate(lines, 1) if "latest" in line)
    replica = next(n for n, line in enumerate(lines, 1) if "replica" in line)
    column = lines[image - 1].index("web:latest") + 1
    assert await told_of(repository_of, kustomize, INLINE) == {
        f"apps/web/over/kustomization.yaml:{image}:{column}: disallow-latest-tag",
        f"apps/web/over/kustomization.yaml:{replica}:16: schema",
    }


@pytest.mark.timeout(90)
async def test_an_overlays_image_patch_and_base_are_told_apart(
    repository_of: Any, kustomize: program.Kustomize
):
    over = "resources: [../base]\nnamespace: shop\nnamePrefix: a-\nimages:\n- name: web\n  newTag: latest\n"
    assert await told_of(repository_of, kustomize, over) == {
        "apps/web/over/kustomization.yaml:6:11: disallow-latest-tag"
    }


@pytest.mark.timeout(90)
async def test_a_json_patch_in_a_file_is_pointed_at(
    repository_of: Any, kustomize: program.Kustomize
):
    over = (
        "resources: [../base]\nnamespace: shop\npatches: [{path: p.yaml, target: {name: web}}]\n"
    )
    operations = (
        "- op: replace\n  path: /spec/template/spec/containers/0/image\n  value: web:latest\n"
    )
    assert await told_of(repository_of, kustomize, over, p_yaml=operations) == {
        "apps/web/over/p.yaml:3:10: disallow-latest-tag"
    }


@pytest.mark.timeout(90)
async def test_what_the_base_gives_is_found_in_the_base(
    repository_of: Any, kustomize: program.Kustomize
):
    files = fleet(**{"kustomization.yaml": "resources: [../base]\nnamespace: shop\n"})
    files["apps/web/base/web.yaml"] = "# a comment\n---\n" + WEB.replace("1.0", "latest")
    assert await told(repository_of(files), kustomize) == {
        "apps/web/base/web.yaml:13:16: disallow-latest-tag"
    }


def scalars(value: Any, path: tuple[str, ...] = ()) -> Any:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from scalars(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from scalars(inner, (*path, str(index)))
    else:
        yield path, value


BOUTIQUE = "online-boutique/kustomize/tests"
APPS = [
    ("podinfo", "podinfo/kustomize"),
    ("podinfo", "podinfo/deploy/overlays/production"),
    ("online-boutique", "online-boutique/kustomize"),
    ("online-boutique", f"{BOUTIQUE}/memorystore-with-all-components"),
    ("online-boutique", f"{BOUTIQUE}/service-mesh-istio-with-all-components"),
    ("online-boutique", f"{BOUTIQUE}/spanner-with-all-components"),
]


@pytest.mark.timeout(120)
@pytest.mark.parametrize(("app", "folder"), APPS)
async def test_every_value_of_real_overlays_is_found_in_some_file(
    repository_of: Any, kustomize: program.Kustomize, shared: Path, app: str, folder: str
):
    files = corpora.read(shared, app)
    bundle = repositories.bundle_text("real", f"{{path: /apps/{folder}, namespace: shop}}")
    reader = repository_of({**files, "real/bundle.yaml": bundle})
    reading = await reader.read()
    kitchen = rendering.Kitchen(
        files=readings.Files(reader.local, reader.memo), kustomize=kustomize, memo=reader.memo
    )
    traces = (await rendering.render(reading, kitchen)).traces
    assert len(traces) > 2
    for trace in traces:
        assert trace.origin is not None, trace.body["metadata"]
        for path, value in scalars(trace.body):
            found = tracing.follow(trace.origin, trace.body, path)
            where = (trace.body["kind"], trace.body["metadata"]["name"], path, value)
            # A reference to a generated object gets its hash; it stands where it was written without.
            assert found.is_exact or found.path[-1:] == path[-1:] == ("name",), where
            source = found.written.source
            is_generated = source.path.endswith("kustomization.yaml")
            if found.is_exact and isinstance(value, str) and not is_generated:
                steps = (*found.written.at, *found.path)
                place = parse.locate(files[source.path], source.path, source.line, steps)
                line = files[source.path].decode().splitlines()[place.line - 1]
                shown = line[place.column - 1 :].strip("\"'")
                assert shown.startswith((*value.splitlines()[:1], "|", ">", "&")), (where, line)
