"""From what kustomize printed back to the files: names, targets, patches, generators, and what cannot be followed."""

from typing import Any

import pytest

import repositories
from fleet.manifests import origins, parse, selection, tracing
from fleet.model import names, objects, snapshots

WEB = """apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  labels: {tier: back}
spec:
  replicas: 1
  template:
    spec:
      containers:
      - name: side
        image: side:1
      - name: app
        image: app:1
        env:
        - {name: A, value: base}
        - {name: B, value: base}
"""


def files(texts: dict[str, str]) -> origins.Files:
    blob = names.BlobId("0" * 40)
    entries = {
        path: snapshots.Entry(path=path, mode=snapshots.FILE, blob=blob, size=1) for path in texts
    }
    parsed = {path: repositories.parsed(text, path) for path, text in texts.items()}
    kustomizations = {}
    for path, each in parsed.items():
        if selection.kustomization(path.rpartition("/")[0], entries) == path:
            (document,) = each.documents
            kustomizations[path] = (document.value, source(path, document))
    return origins.Files(kustomizations=kustomizations, parsed=parsed, entries=entries)


def source(path: str, document: parse.Document) -> Any:
    return objects.Source(path=path, line=document.line, blob=names.BlobId("0" * 40))


def deployment(name: str = "web", namespace: str = "", **container: Any) -> dict[str, Any]:
    """As it comes out: `container` changes its second one."""
    body = repositories.parsed(WEB, "x.yaml").documents[0].value
    body["metadata"] |= {"name": name, **({"namespace": namespace} if namespace else {})}
    body["spec"]["template"]["spec"]["containers"][1] |= container
    return body  # type: ignore[no-any-return]


def place(texts: dict[str, str], folder: str, body: Any, field: str) -> str:
    """`path:steps` where a field was written."""
    origin = origins.find(origins.read(folder, files(texts)), body)
    assert origin is not None
    found = tracing.follow(origin, body, tuple(field.split(".")))
    inline = f"[{found.written.line}]" if found.written.text else ""
    steps = ".".join((*found.written.at, *([inline] if inline else []), *found.path))
    return f"{found.written.source.path}:{steps}"


IMAGE = "spec.template.spec.containers.1.image"
OVER = "over/p.yaml:spec.template.spec.containers.0.image"
BASE = {"base/kustomization.yaml": "resources: [web.yaml]\n", "base/web.yaml": WEB}
PATCH = """apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec: {template: {spec: {containers: [{name: app, image: 'app:2'}]}}}
"""


ANY = PATCH.replace("name: web", "name: any")
KUSTOM = "over/kustomization.yaml"


def over(text: str, **more: str) -> dict[str, str]:
    return {
        **BASE,
        "over/kustomization.yaml": f"resources: [../base]\n{text}",
        **{f"over/{name}.yaml": each for name, each in more.items()},
    }


OPS = "- {op: replace, path: /spec/template/spec/containers/1/image, value: 'app:2'}\n"
ADD = (
    "- {op: add, path: /spec/template/spec/containers/1, value: {name: app, image: 'app:2'}}\n"
    "- {op: remove, path: /spec/template/spec/containers/1/image}\n"
)


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (over(""), f"base/web.yaml:{IMAGE}"),
        (over("patches: [{path: p.yaml}]", p=PATCH), OVER),
        (over("patchesStrategicMerge: [p.yaml]", p=PATCH), OVER),
        (over("patches: [{path: p.yaml, target: {kind: Deploy.*, name: w.b}}]", p=ANY), OVER),
        (over("patches: [{path: p.yaml, target: {kind: Service}}]", p=PATCH), f"base/web.yaml:{IMAGE}"),
        (over("patches: [{path: p.yaml}]", p=PATCH.replace("name: web", "name: other")), f"base/web.yaml:{IMAGE}"),
        (over("patches: [{path: p.yaml, target: {kind: '('}}]", p=PATCH), f"base/web.yaml:{IMAGE}"),
        (over("patches: [{path: p.yaml, target: {name: web}}]", p=OPS), "over/p.yaml:0.value"),
        (over("patches: [{path: p.yaml, target: {name: web}}]", p=ADD), "over/p.yaml:0.value.image"),
        (over("images: [{name: other, newTag: '2'}, {name: app, newTag: '2'}]"), f"{KUSTOM}:images.1.newTag"),
        (over("images: [{name: old, newName: app, newTag: '2'}]"), f"{KUSTOM}:images.0.newTag"),
        (over("patches:\n- patch: |-\n" + "".join(f"    {line}\n" for line in PATCH.splitlines())),
         "over/kustomization.yaml:patches.0.patch.[1].spec.template.spec.containers.0.image"),
        # The last that gave the value wins: the outer one over the inner one.
        (over("patches: [{path: a.yaml}, {path: b.yaml}]", a=PATCH, b=PATCH), OVER.replace("p.yaml", "b.yaml")),
    ],
)  # fmt: skip
def test_a_value_is_found_where_it_was_given(texts: dict[str, str], expected: str):
    image = "app:1" if expected.startswith("base") else "app:2"
    assert place(texts, "over", deployment(image=image), IMAGE) == expected


def test_a_patch_that_gives_another_field_is_not_blamed():
    texts = over("patches: [{path: p.yaml}]", p=PATCH)
    body = deployment(image="app:2")
    env = "spec.template.spec.containers.1.env.1.value"
    assert place(texts, "over", body, env) == f"base/web.yaml:{env}"
    assert place(texts, "over", body, "metadata.name") == "base/web.yaml:metadata.name"
    # What is missing altogether is missing in the resource.
    assert place(texts, "over", body, "spec.template.spec.securityContext.runAsUser") == (
        "base/web.yaml:spec.template.spec"
    )


def test_names_and_namespaces_are_followed_through_every_layer():
    texts = {
        **BASE,
        "mid/kustomization.yaml": "resources: [../base]\nnamePrefix: a-\nnamespace: one\n",
        "top/kustomization.yaml": "resources: [../mid]\nnameSuffix: -z\nnamespace: shop\n"
        "patches: [{path: p.yaml}]\nreplicas: [{name: a-web, count: 3}]\nlabels: [{pairs: {team: blue}}]\n",
        "top/p.yaml": PATCH,
    }
    body = deployment("a-web-z", "shop", image="app:2")
    body["spec"]["replicas"] = 3
    body["metadata"]["labels"]["team"] = "blue"
    assert place(texts, "top", body, IMAGE).startswith("top/p.yaml:")
    assert place(texts, "top", body, "metadata.namespace") == "top/kustomization.yaml:namespace"
    assert place(texts, "top", body, "spec.replicas") == "top/kustomization.yaml:replicas.0.count"
    assert place(texts, "top", body, "metadata.labels.team") == (
        "top/kustomization.yaml:labels.0.pairs.team"
    )
    assert (
        place(texts, "top", body, "metadata.labels.tier") == "base/web.yaml:metadata.labels.tier"
    )


def test_two_bases_with_objects_of_one_name_are_told_apart_by_namespace():
    texts = {
        "a/kustomization.yaml": "resources: [web.yaml]\nnamespace: one\n",
        "a/web.yaml": WEB,
        "b/kustomization.yaml": "resources: [web.yaml]\nnamespace: two\n",
        "b/web.yaml": WEB,
        "top/kustomization.yaml": "resources: [../a, ../b]\n",
    }
    assert place(texts, "top", deployment(namespace="two"), IMAGE) == f"b/web.yaml:{IMAGE}"
    known = origins.read("top", files(texts))
    assert origins.find(known, deployment(namespace="three")) is None


def test_a_component_touches_what_was_there_before_it_and_brings_its_own():
    texts = over(
        "components: [../part]",
    ) | {
        "part/kustomization.yaml": "kind: Component\npatches: [{path: p.yaml}]\nresources: [more.yaml]\n",
        "part/p.yaml": PATCH,
        "part/more.yaml": WEB.replace("name: web", "name: more"),
    }
    assert place(texts, "over", deployment(image="app:2"), IMAGE).startswith("part/p.yaml:")
    assert place(texts, "over", deployment("more"), IMAGE) == f"part/more.yaml:{IMAGE}"


def config(name: str, **data: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def test_a_generated_object_is_written_where_its_generator_is():
    text = "configMapGenerator:\n- name: settings\n  literals: [a=1, b=2]\n  files: [x.ini, k=y.ini]\n"
    body = config("settings-5f7k2m8hbt", a="1", b="2", k="y")
    body["data"]["x.ini"] = "x"
    texts = {"base/kustomization.yaml": text}
    known = origins.read("base", files(texts))
    found = {
        key: tracing.follow(origin, body, ("data", key))
        for key in ("b", "x.ini", "k", "gone")
        if (origin := origins.find(known, body))
    }
    assert [each.path for each in found.values()] == [
        ("literals", "1"), ("files", "0"), ("files", "1"), (),
    ]  # fmt: skip
    assert {each.written.at for each in found.values()} == {("configMapGenerator", "0")}
    merged = over("configMapGenerator: [{name: settings, behavior: merge, literals: [b=3]}]\n")
    merged["base/kustomization.yaml"] = text
    assert place(merged, "over", config("settings", b="3"), "data.b") == (
        "over/kustomization.yaml:configMapGenerator.0.literals.0"
    )


def test_objects_in_a_list_have_their_place_in_it():
    inner = "\n".join(f"  {line}" for line in WEB.splitlines()).replace(
        "  apiVersion", "- apiVersion", 1
    )
    texts = {
        "base/kustomization.yaml": "resources: [l.yaml]\n",
        "base/l.yaml": f"apiVersion: v1\nkind: List\nitems:\n{inner}\n",
    }
    assert place(texts, "base", deployment(), IMAGE) == f"base/l.yaml:items.0.{IMAGE}"


@pytest.mark.parametrize(
    "text",
    [
        "[]", "resources: web.yaml", "resources: [7, {}, gone.yaml, ../..]", "resources: [.]",
        "patches: [7, {}, {path: 7}, {patch: ': ['}]", "patches: [{path: gone.yaml}]",
        "resources: [web.yaml]\npatches: [{patch: 'a: b'}]\nimages: [7, {}]\nlabels: [7]",
        "components: [.]\nresources: [web.yaml]", "configMapGenerator: [7, {}, {name: a, files: 7}]",
        "namePrefix: {}\nresources: [web.yaml]\nreplicas: {}",
        "transformers: [web.yaml, 7]\nresources: [web.yaml]",
    ],
)  # fmt: skip
def test_nothing_odd_is_an_error(text: str):
    known = origins.read("base", files({"base/kustomization.yaml": text, "base/web.yaml": WEB}))
    bodies: list[Any] = [deployment(), None, [], {"metadata": 7}, {"kind": [], "metadata": {}}]
    for body in bodies:
        origin = origins.find(known, body)
        if origin is not None:
            for field in (
                (),
                ("spec",),
                ("spec", "template", "x", "9"),
                ("metadata", "labels", "a"),
            ):
                tracing.follow(origin, body, field)


def test_kustomizations_within_each_other_without_end_are_cut_off():
    texts = {f"{n}/kustomization.yaml": f"resources: [../{n + 1}]" for n in range(200)}
    assert origins.read("0", files({**texts, "200/kustomization.yaml": "resources: []"})) == {}
    known = origins.read("0", files({"0/kustomization.yaml": "resources: [../0, ../0]"}))
    assert known == {}
