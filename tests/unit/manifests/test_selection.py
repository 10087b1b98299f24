"""Bundles find their folder, their files and their clusters."""

import pytest

import repositories
from fleet.manifests import selection
from fleet.model import names


def bundle(spec: str = "{}", path: str = "apps/web/bundle.yaml", name: str = "web"):
    said = repositories.read({path: repositories.bundle_text(name, spec)})
    return said.bundles[0]


CLUSTERS = repositories.read(
    {
        f"clusters/dev/{name}.yaml": repositories.cluster_text(name, labels)
        for name, labels in {
            "eu-1": "{region: eu, canary: 'true'}",
            "eu-2": "{region: eu}",
            "us-1": "{region: us}",
            "bare": "{}",
        }.items()
    }
).clusters


def names_of(spec: str) -> list[str]:
    return [
        e.document.metadata.name
        for e in selection.targets(bundle(f"{{targets: {spec}}}"), CLUSTERS)
    ]


@pytest.mark.parametrize(
    ("targets", "expected"),
    [
        ("{}", "eu-1 eu-2 us-1 bare"),
        ("{matchLabels: {region: eu}}", "eu-1 eu-2"),
        ("{matchLabels: {region: eu, canary: 'true'}}", "eu-1"),
        ("{matchLabels: {region: ap}}", ""),
        ("{matchExpressions: [{key: region, operator: In, values: [us, ap]}]}", "us-1"),
        ("{matchExpressions: [{key: region, operator: NotIn, values: [eu]}]}", "us-1 bare"),
        ("{matchExpressions: [{key: canary, operator: Exists}]}", "eu-1"),
        ("{matchExpressions: [{key: region, operator: DoesNotExist}]}", "bare"),
        (
            "{matchLabels: {region: eu}, matchExpressions: [{key: canary, operator: DoesNotExist}]}",
            "eu-2",
        ),
        ("{clusters: [us-1, bare, gone]}", "us-1 bare"),
        ("{clusters: []}", ""),
        ("{clusters: [us-1, eu-1], matchLabels: {region: eu}}", "eu-1"),
    ],
)
def test_targets_by_labels_expressions_and_names(targets: str, expected: str):
    assert " ".join(names_of(targets)) == expected


@pytest.mark.parametrize(
    ("path", "folder"),
    [
        (".", "apps/web"),
        ("base", "apps/web/base"),
        ("./base/", "apps/web/base"),
        ("../other", "apps/other"),
        ("../..", ""),
        ("/deploy/web", "deploy/web"),
        ("/", ""),
        ("../../..", ".."),
        ("../../../etc", ".."),
        ("/../etc", ".."),
        ("base/../../../..", ".."),
    ],
)
def test_a_path_is_relative_to_its_bundle_and_never_leads_out(path: str, folder: str):
    assert selection.folder(bundle(f"{{path: {path}}}")) == folder


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("apps/web/kustomization.yaml", selection.Renderer.KUSTOMIZE),
        ("apps/web/kustomization.yml", selection.Renderer.KUSTOMIZE),
        ("apps/web/Kustomization", selection.Renderer.KUSTOMIZE),
        ("apps/web/base/kustomization.yaml", selection.Renderer.PLAIN),
        ("apps/web/Chart.yaml", selection.Renderer.HELM),
        ("apps/web/a.yaml", selection.Renderer.PLAIN),
    ],
)
def test_the_renderer_is_found_from_the_folder(file: str, expected: selection.Renderer):
    assert selection.renderer(bundle(), repositories.snapshot(file).entries) is expected


def test_a_plain_bundle_is_all_manifests_below_it_but_other_bundles_and_values():
    web = bundle("{values: [apps/web/values.yaml, 'apps/web/of-{environment}.yaml']}")
    inner = bundle(path="apps/web/inner/bundle.yaml", name="inner")
    away = bundle("{path: /deploy}", path="apps/web/away/bundle.yaml", name="away")
    listing = repositories.snapshot(
        "apps/web/bundle.yaml", "apps/web/a.yaml", "apps/web/b/c.yml", "apps/web/d.json",
        "apps/web/README.md", "apps/web/values.yaml", "apps/web/of-dev.yaml", "apps/web/of-prod.yaml",
        "apps/web/inner/bundle.yaml", "apps/web/inner/e.yaml", "apps/web/away/bundle.yaml",
        "apps/web/away/f.yaml", "apps/web-2/g.yaml", "deploy/h.yaml",
    )  # fmt: skip
    folders = selection.Folders([web, inner, away])
    assert list(folders.plain_files(web, listing)) == [
        "apps/web/a.yaml", "apps/web/away/f.yaml", "apps/web/b/c.yml", "apps/web/d.json",
    ]  # fmt: skip
    assert list(folders.plain_files(inner, listing)) == ["apps/web/inner/e.yaml"]
    assert list(folders.plain_files(away, listing)) == ["deploy/h.yaml"]


def test_bundles_of_one_folder_share_its_files_and_the_top_is_a_folder_too():
    top = bundle("{path: /}", path="bundle.yaml", name="top")
    one, other = (bundle("{path: /deploy}", path=f"{n}/bundle.yaml", name=n) for n in ("a", "b"))
    folders = selection.Folders([top, one, other])
    listing = repositories.snapshot("deploy/x.yaml", "deployed.yaml", "deploy/deep/y.yaml")
    assert list(folders.plain_files(one, listing)) == ["deploy/deep/y.yaml", "deploy/x.yaml"]
    assert list(folders.plain_files(other, listing)) == ["deploy/deep/y.yaml", "deploy/x.yaml"]
    assert list(folders.plain_files(top, listing)) == ["deployed.yaml"]


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("{path: ../../../etc}", "path leads out of the repository"),
        ("{path: gone}", "path apps/web/gone is no folder here"),
        ("{path: chart}", "a Helm chart: fleet does not render charts yet"),
        ("{dependsOn: [gone]}", "dependsOn names bundle gone, which is not here"),
    ],
)
def test_what_is_wrong_with_a_bundle_is_said(spec: str, message: str):
    listing = repositories.snapshot("apps/web/bundle.yaml", "apps/web/chart/Chart.yaml")
    (found,) = selection.check([bundle(spec)], listing)
    assert (found.message, found.rule, found.subject) == (message, "bundle", "Bundle web")
    assert found.field[0] == "spec"


def test_values_may_be_shared_or_of_this_environment_never_of_another():
    web = bundle(
        "{values: [a.yaml, 'environments/{environment}/v.yaml', environments/prod/v.yaml]}"
    )
    paths = selection.values_paths(web, names.Environment("dev"), repositories.DEV)
    assert list(paths) == [
        ("a.yaml", True),
        ("environments/dev/v.yaml", True),
        ("environments/prod/v.yaml", False),
    ]
