"""Bundles become what each cluster would run."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import repositories
from fleet.adapters.render import kustomize as program
from fleet.model import findings, names

BUNDLE = repositories.bundle_text
CONFIG = repositories.config_map


def told(found: list[findings.Finding]) -> list[str]:
    assert findings.refuses(found)
    return [f"{each.place}: {each.message}" for each in found]


class Never:
    """A renderer that must not be asked."""

    identity = "never"

    async def render(self, files: Any, folder: str) -> bytes:
        raise AssertionError(f"{folder} was rendered from {list(files)}")


class Printing:
    """A renderer that prints the same whatever it is given, and keeps what that was."""

    def __init__(self, printed: str) -> None:
        self.identity = "printing"
        self.printed = repositories.text(printed)
        self.asked: list[dict[str, bytes]] = []

    async def render(self, files: Any, folder: str) -> bytes:
        assert folder
        self.asked.append(dict(files))
        return self.printed


async def test_plain_files_of_every_kind(repository_of: Any):
    reader = repository_of(
        {
            "apps/web/bundle.yaml": BUNDLE("web", "{namespace: shop}"),
            "apps/web/a.yaml": CONFIG("a") + "---\n" + CONFIG("b"),
            "apps/web/deep/c.yml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n",
            "apps/web/d.json": '{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "d"}}',
            "apps/web/README.md": "# nothing",
        }
    )
    share = await reader.share()
    assert list(share) == [f"ConfigMap shop/{name}" for name in "abdc"]
    assert str(share["ConfigMap shop/b"].source.place) == "apps/web/a.yaml:6"
    assert {each.bundle for each in share.values()} == {"web"}


async def test_each_cluster_gets_what_is_meant_for_it(repository_of: Any):
    reader = repository_of(
        {
            "clusters/dev/2.yaml": repositories.cluster_text("dev-2", "{region: eu}"),
            "apps/all/bundle.yaml": BUNDLE("all"),
            "apps/all/a.yaml": CONFIG("a"),
            "apps/eu/bundle.yaml": BUNDLE("eu", "{targets: {matchLabels: {region: eu}}}"),
            "apps/eu/b.yaml": CONFIG("b"),
        }
    )
    assert list(await reader.share("dev-1")) == ["ConfigMap shop/a"]
    assert list(await reader.share("dev-2")) == ["ConfigMap shop/a", "ConfigMap shop/b"]


async def test_a_bundle_that_may_take_over_says_so_of_its_objects(repository_of: Any):
    reader = repository_of(
        {"apps/a/bundle.yaml": BUNDLE("a", "{takeover: true}"), "apps/a/a.yaml": CONFIG()}
    )
    assert [each.takeover for each in (await reader.share()).values()] == [True]


async def test_a_custom_resource_s_scope_comes_from_its_crd_wherever_that_is(repository_of: Any):
    crd = (
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: gs.x.io}\n"
        "spec: {group: x.io, scope: Cluster, names: {kind: G, plural: gs}}\n"
    )
    reader = repository_of(
        {
            "apps/crds/bundle.yaml": BUNDLE("crds"),
            "apps/crds/crd.yaml": crd,
            "apps/a/bundle.yaml": BUNDLE("a", "{namespace: shop}"),
            "apps/a/g.yaml": "apiVersion: x.io/v1\nkind: G\nmetadata: {name: g}\n",
        }
    )
    assert list(await reader.share()) == [
        "G.x.io g",
        "CustomResourceDefinition.apiextensions.k8s.io gs.x.io",
    ]


@pytest.mark.threat(14)
async def test_two_bundles_that_claim_one_object_are_both_named(repository_of: Any):
    reader = repository_of(
        {
            "clusters/dev/2.yaml": repositories.cluster_text("dev-2"),
            "apps/a/bundle.yaml": BUNDLE("a"),
            "apps/a/x.yaml": CONFIG("x"),
            "apps/b/bundle.yaml": BUNDLE("b", "{namespace: shop}"),
            "apps/b/x.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n",
        }
    )
    (found,) = await reader.faults()
    assert (found.rule, str(found.place), found.clusters) == (
        "ownership",
        "apps/b/x.yaml:1",
        ("dev-1", "dev-2"),
    )
    assert found.message == "ConfigMap shop/x is also in apps/a/x.yaml:1 (bundle a)"


async def test_two_bundles_for_different_clusters_may_have_one_object_each(repository_of: Any):
    spec = "{{targets: {{clusters: [{}]}}}}"
    reader = repository_of(
        {
            "clusters/dev/2.yaml": repositories.cluster_text("dev-2"),
            "apps/a/bundle.yaml": BUNDLE("a", spec.format("dev-1")),
            "apps/a/x.yaml": CONFIG("x"),
            "apps/b/bundle.yaml": BUNDLE("b", spec.format("dev-2")),
            "apps/b/x.yaml": CONFIG("x", word="other"),
        }
    )
    assert list(await reader.share("dev-1")) == list(await reader.share("dev-2"))


SUBSTITUTING = """
    {substitute: true, namespace: shop, variables: {tier: bronze, colour: red, word: bundle},
     values: [apps/web/values.yaml, 'environments/{environment}/values.yaml']}
"""
TEMPLATE = """apiVersion: v1
kind: ConfigMap
metadata: {name: "${cluster.name}"}
data: {a: "${environment} ${tier} ${colour} ${word} ${size:-small} $${keep}"}
"""


async def test_the_nearest_value_wins(repository_of: Any):
    cluster = repositories.cluster_text("dev-2", more="variables: {colour: blue, word: cluster}")
    reader = repository_of(
        {
            "clusters/dev/2.yaml": cluster,
            "apps/web/bundle.yaml": BUNDLE("web", SUBSTITUTING.strip()),
            "apps/web/a.yaml": TEMPLATE,
            "apps/web/values.yaml": "tier: silver\nword: values\n",
            "environments/dev/values.yaml": "tier: gold\n",
            "environments/prod/values.yaml": "tier: lead\n",
        }
    )
    one, two = await reader.share("dev-1"), await reader.share("dev-2")
    assert one["ConfigMap shop/dev-1"].body["data"]["a"] == "dev gold red values small ${keep}"
    assert two["ConfigMap shop/dev-2"].body["data"]["a"] == "dev gold blue cluster small ${keep}"


async def test_nothing_is_replaced_unless_the_bundle_says_so(repository_of: Any):
    reader = repository_of(
        {"apps/web/bundle.yaml": BUNDLE(), "apps/web/a.yaml": CONFIG(word="${x} $$")}
    )
    assert (await reader.share())["ConfigMap shop/web"].body["data"]["word"] == "${x} $$"


async def test_clusters_alike_share_their_manifests(repository_of: Any):
    reader = repository_of(
        {
            "clusters/dev/2.yaml": repositories.cluster_text("dev-2"),
            "clusters/dev/3.yaml": repositories.cluster_text(
                "dev-3", more="variables: {word: other}"
            ),
            "apps/web/bundle.yaml": BUNDLE("web", "{substitute: true, variables: {word: same}}"),
            "apps/web/a.yaml": CONFIG(word="${word}"),
        }
    )
    shares = (await reader.render()).manifests
    assert shares[names.Cluster("dev-1")][0] is shares[names.Cluster("dev-2")][0]
    assert shares[names.Cluster("dev-1")][0].digest != shares[names.Cluster("dev-3")][0].digest


async def test_a_variable_without_a_value_is_named_with_its_field_and_clusters(repository_of: Any):
    reader = repository_of(
        {
            "apps/web/bundle.yaml": BUNDLE("web", "{substitute: true}"),
            "apps/web/a.yaml": CONFIG(word="${cluster.labels.region}"),
        }
    )
    (found,) = await reader.faults()
    assert found.message == "${cluster.labels.region} has no value"
    assert (found.field, found.clusters) == (("data", "word"), ("dev-1",))


@pytest.mark.threat(12)
async def test_a_value_cannot_become_another_object(repository_of: Any):
    evil = "x'}\n---\napiVersion: v1\nkind: Secret\nmetadata: {name: evil, namespace: shop}\n"
    more = f"variables: {{word: {evil!r}}}".replace("'", '"').replace('"x"}', "\"x'}")
    reader = repository_of(
        {
            "clusters/dev/1.yaml": repositories.cluster_text(more=more),
            "apps/web/bundle.yaml": BUNDLE("web", "{substitute: true}"),
            "apps/web/a.yaml": CONFIG(word="${word}"),
        }
    )
    share = await reader.share()
    assert list(share) == ["ConfigMap shop/web"]
    assert "kind: Secret" in share["ConfigMap shop/web"].body["data"]["word"]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ("[apps/web/gone.yaml]", "values names apps/web/gone.yaml, which is not here"),
        ("[environments/prod/v.yaml]", "values names environments/prod/v.yaml, which is not here"),
        ("[../../etc/passwd]", "values names ../../etc/passwd, which is not here"),
        ("[apps/web/numbers.yaml]", "port is no text: write it in quotes"),
    ],
)
async def test_what_is_wrong_with_values_is_said(repository_of: Any, values: str, message: str):
    reader = repository_of(
        {
            "apps/web/bundle.yaml": BUNDLE("web", f"{{substitute: true, values: {values}}}"),
            "apps/web/a.yaml": CONFIG(),
            "apps/web/numbers.yaml": "port: 80\n",
            "environments/prod/v.yaml": "a: b\n",
        }
    )
    assert message in [each.message for each in await reader.faults()]


@pytest.mark.parametrize("path", ["/environments/dev", "/clusters/prod", "/environments/prod/x"])
async def test_owned_files_are_no_manifests(repository_of: Any, path: str):
    reader = repository_of(
        {
            "apps/web/bundle.yaml": BUNDLE("web", f"{{path: {path}}}"),
            "environments/dev/a.yaml": CONFIG(),
            "clusters/prod/a.yaml": CONFIG(),
            "environments/prod/x/kustomization.yaml": "resources: []",
        }
    )
    assert told(await reader.faults()) == [
        f"apps/web/bundle.yaml:1: path {path[1:]} is no folder here"
    ]


async def test_a_bundle_at_the_top_does_not_swallow_what_is_owned(repository_of: Any):
    reader = repository_of(
        {"apps/bundle.yaml": BUNDLE("web", "{path: ..}"), "apps/a.yaml": CONFIG()}
    )
    found = await reader.faults()
    assert not any(each.place.path.startswith(("clusters/", "environments/")) for each in found)


@pytest.mark.threat(92)
@pytest.mark.parametrize(
    "files", [{}, {"apps/web/a.yaml": ""}, {"apps/web/a.yaml": "# later\n---\n"}]
)
async def test_a_bundle_of_nothing_is_a_finding_and_never_a_deletion(
    repository_of: Any, files: dict[str, str]
):
    reader = repository_of({"apps/web/bundle.yaml": BUNDLE(), **files})
    assert told(await reader.faults()) == ["apps/web/bundle.yaml:1: there is not one object in it"]


async def test_one_broken_bundle_does_not_hide_what_is_wrong_with_another(repository_of: Any):
    reader = repository_of(
        {
            "apps/a/bundle.yaml": BUNDLE("a", "{path: gone}"),
            "apps/b/bundle.yaml": BUNDLE("b"),
            "apps/b/x.yaml": "a: [",
            "apps/b/y.yaml": "kind: 5",
        }
    )
    assert {each.place.path for each in await reader.faults()} == {
        "apps/a/bundle.yaml", "apps/b/x.yaml", "apps/b/y.yaml",
    }  # fmt: skip


@pytest.mark.threat(5)
async def test_a_pointer_to_a_large_file_is_no_manifest(repository_of: Any):
    pointer = "version https://git-lfs.github.com/spec/v1\n"
    reader = repository_of({"apps/web/bundle.yaml": BUNDLE(), "apps/web/a.yaml": pointer})
    assert told(await reader.faults()) == ["apps/web/a.yaml:1: a Git LFS pointer, not the file"]
    files = {
        "kustomization.yaml": "configMapGenerator: [{name: a, files: [big.bin]}]",
        "big.bin": pointer,
    }
    reader.git.commit({"apps/web/a.yaml": None, **{f"apps/web/{p}": d for p, d in files.items()}})
    with_program = replace(reader, kustomize=Never())
    assert told(await with_program.faults()) == [
        "apps/web/big.bin:1: a Git LFS pointer, not the file"
    ]


OVERLAY = {
    "apps/web/bundle.yaml": BUNDLE("web", "{path: overlay, namespace: shop}"),
    "apps/web/overlay/kustomization.yaml": "resources: [../base]\ncomponents: [../part]\nnameSuffix: -dev\n",
    "apps/web/base/kustomization.yaml": "resources: [deploy.yaml]\n",
    "apps/web/base/deploy.yaml": "# a comment\n" + CONFIG("web", word="base"),
    "apps/web/part/kustomization.yaml": (
        "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n"
        "patches: [{path: patch.yaml, target: {kind: ConfigMap}}]\n"
    ),
    "apps/web/part/patch.yaml": "- {op: replace, path: /data/word, value: part}\n",
    "apps/web/unrelated.yaml": "a: [",
}


async def test_an_overlay_with_a_component(repository_of: Any, kustomize: program.Kustomize):
    reader = replace(repository_of(OVERLAY), kustomize=kustomize)
    share = await reader.share()
    assert list(share) == ["ConfigMap shop/web-dev"]
    found = share["ConfigMap shop/web-dev"]
    assert found.body["data"] == {"word": "part"}
    assert str(found.source.place) == "apps/web/base/deploy.yaml:2"
    assert found.source.rendered


async def test_kustomize_is_asked_once_for_the_same_files(repository_of: Any):
    printing = Printing(CONFIG())
    reader = replace(repository_of(OVERLAY), kustomize=printing)
    await reader.share()
    await reader.share()
    assert len(printing.asked) == 1
    reader.git.commit({"apps/web/unrelated.yaml": "b: ["})
    await reader.share()
    assert len(printing.asked) == 1
    reader.git.commit({"apps/web/part/patch.yaml": "[]"})
    await reader.share()
    assert len(printing.asked) == 2


@pytest.mark.threat(9)
async def test_kustomize_sees_no_more_than_it_may_read(repository_of: Any):
    printing = Printing(CONFIG())
    more = {"environments/dev/secret.yaml": "x: y", "apps/other/a.yaml": "x"}
    await replace(repository_of({**OVERLAY, **more}), kustomize=printing).share()
    assert sorted(printing.asked[0]) == [
        "apps/web/base/deploy.yaml", "apps/web/base/kustomization.yaml",
        "apps/web/overlay/kustomization.yaml",
        "apps/web/part/kustomization.yaml", "apps/web/part/patch.yaml",
    ]  # fmt: skip


@pytest.mark.threat(9)
@pytest.mark.parametrize(
    "written",
    [
        "resources: [https://example.com/a.yaml]",
        "resources: [../../../../etc]",
        "Resources: [/etc/passwd]",
        "generators: [plugin.yaml]",
        "transformers: [exec.yaml]",
        "transformers: ['apiVersion: builtin']",
        "helmCharts: [{name: a}]",
        "patchesJson6902: [{path: /etc/passwd}]",
        "- resources",
        "{}\n---\nresources: [/etc/passwd]",
        "---\n---\nresources: [/etc/passwd]",
        "",
        "resources: [a.yaml]\nresources: [b.yaml]",
        "a: [",
    ],
)
async def test_what_is_refused_never_reaches_kustomize(repository_of: Any, written: str):
    files = {**OVERLAY, "apps/web/base/kustomization.yaml": written}
    found = await replace(repository_of(files), kustomize=Never()).faults()
    assert {each.place.path for each in found} == {"apps/web/base/kustomization.yaml"}
    assert findings.refuses(found)


@pytest.mark.threat(9)
async def test_a_transformer_that_could_run_something_never_reaches_kustomize(repository_of: Any):
    files = {
        **OVERLAY,
        "apps/web/base/kustomization.yaml": "resources: [deploy.yaml]\ntransformers: [t.yaml]\n",
        "apps/web/base/t.yaml": "apiVersion: example.com/v1\nkind: Exec\nmetadata: {name: a}\n",
    }
    assert told(await replace(repository_of(files), kustomize=Never()).faults()) == [
        "apps/web/base/t.yaml:1: a transformer that could run or read what nobody checked"
    ]


async def test_what_kustomize_says_stands_at_the_bundle(
    repository_of: Any, kustomize: program.Kustomize
):
    files = {**OVERLAY, "apps/web/base/kustomization.yaml": "resources: [gone.yaml]\n"}
    (found,) = await replace(repository_of(files), kustomize=kustomize).faults()
    assert str(found.place) == "apps/web/bundle.yaml:1"
    assert "gone.yaml" in found.message


@pytest.mark.threat(92)
async def test_a_kustomization_that_prints_nothing_is_a_finding(repository_of: Any):
    found = await replace(repository_of(OVERLAY), kustomize=Printing("")).faults()
    assert told(found) == ["apps/web/bundle.yaml:1: there is not one object in it"]


async def test_without_kustomize_its_bundles_are_refused(repository_of: Any):
    assert told(await repository_of(OVERLAY).faults()) == [
        "apps/web/bundle.yaml:1: there is no kustomize program here"
    ]


async def test_the_same_twice_at_once_is_the_same(
    repository_of: Any, kustomize: program.Kustomize
):
    reader = replace(repository_of(OVERLAY), kustomize=kustomize)
    one, other = await asyncio.gather(reader.render(), reader.render())
    assert one == other


def corpus(shared: Path, name: str) -> dict[str, bytes]:
    """Its files below apps/; where the corpus lacks a file that a generator names, an empty one stands in."""
    folder = shared / "corpus" / name
    paths = [each for each in sorted(folder.rglob("*")) if each.is_file()]
    found = {f"apps/{each.relative_to(folder.parent)}": each.read_bytes() for each in paths}
    for path in [each for each in found if each.endswith("/kustomization.yaml")]:
        (document,) = repositories.parsed(found[path], path).documents
        for generator in document.value.get("configMapGenerator", []):
            for file in generator.get("files", []):
                found.setdefault(f"{path.rpartition('/')[0]}/{file}", b"")
    return found


@pytest.mark.parametrize(
    ("name", "folder", "count"),
    [
        ("podinfo", "kustomize", 3),
        ("podinfo", "deploy/overlays/dev", 25),
        ("podinfo", "deploy/overlays/production", 25),
        ("online-boutique", "kustomize", 35),
        ("online-boutique", "kustomize/tests/service-mesh-istio-with-all-components", 55),
    ],
)
async def test_real_applications(
    repository_of: Any,
    kustomize: program.Kustomize,
    shared: Path,
    name: str,
    folder: str,
    count: int,
):
    bundle = BUNDLE("app", f"{{path: /apps/{name}/{folder}, namespace: shop}}")
    files = {**corpus(shared, name), "bundle.yaml": bundle}
    reader = replace(repository_of(files), kustomize=kustomize)
    share = await reader.share()
    assert len(share) == count
    assert all(each.source.path.startswith("apps/") for each in share.values())


async def test_large_crds_are_read(repository_of: Any, shared: Path):
    folder = shared / "corpus" / "kube-prometheus" / "manifests"
    files = {
        f"apps/prom/{path.relative_to(folder)}": path.read_bytes()
        for path in sorted(folder.rglob("*.yaml"))
    }
    reader = repository_of(
        {**files, "apps/prom/bundle.yaml": BUNDLE("prom", "{namespace: monitoring}")}
    )
    share = await reader.share()
    assert len(share) > 100
    assert sum(each.key.kind == "CustomResourceDefinition" for each in share.values()) >= 8
