"""online-boutique with kustomize components: a registry is allowed first, and patches mend the rest."""

import textwrap
from pathlib import Path

import corpora
import lines
import repositories

APP = "apps/online-boutique/kustomize"
# The first container of each Deployment, as line and column.
BASE = {
    "adservice": "38:9", "cartservice": "38:9", "checkoutservice": "37:11", "currencyservice": "38:9",
    "emailservice": "38:9", "frontend": "39:11", "loadgenerator": "72:9", "paymentservice": "38:9",
    "productcatalogservice": "38:9", "recommendationservice": "38:9", "shippingservice": "37:9",
}  # fmt: skip
OTEL = f"{APP}/components/google-cloud-operations/otel-collector.yaml"
COLLECTOR = f"{OTEL}:61:9"
IMAGES = {*(f"{APP}/base/{name}.yaml:{at}" for name, at in BASE.items()), COLLECTOR}
LABELS = {
    *(f"{APP}/base/{name}.yaml:20:5" for name in BASE if name != "loadgenerator"),
    f"{APP}/base/loadgenerator.yaml:19:5",
    f"{OTEL}:19:3",
}
LOAD = f"{APP}/base/loadgenerator.yaml:41:9"  # its init container
ISTIO = f"{APP}/components/service-mesh-istio"
FOUND = {
    *(("allowed-registries", place) for place in IMAGES),
    *(("require-labels", place) for place in LABELS),
    *(("require-requests-and-limits", place) for place in (LOAD, COLLECTOR)),
}
REGISTRIES = "policies/allowed-registries/policy.yaml"
MENDED = textwrap.dedent("""\
    labels:
    - pairs: {app.kubernetes.io/name: online-boutique}
    patches:
    - target: {kind: Deployment, name: loadgenerator}
      patch: |-
        - op: add
          path: /spec/template/spec/initContainers/0/resources
          value: {requests: {cpu: 10m, memory: 16Mi}, limits: {memory: 32Mi}}
    - target: {kind: Deployment, name: opentelemetrycollector}
      patch: |-
        - op: add
          path: /spec/template/spec/containers/0/resources
          value: {requests: {cpu: 50m, memory: 64Mi}, limits: {memory: 256Mi}}
        - op: add
          path: /spec/template/spec/initContainers/0/resources
          value: {requests: {cpu: 10m, memory: 16Mi}, limits: {memory: 32Mi}}
    """)


def shop(variant: str, mending: str = "") -> dict[str, str]:
    """One of the project's own combinations of components, with two more."""
    built = textwrap.dedent(f"""\
        namespace: shop
        resources:
        - namespace.yaml
        - ../online-boutique/kustomize/tests/{variant}-with-all-components
        components:
        - ../online-boutique/kustomize/components/single-shared-session
        - ../online-boutique/kustomize/components/custom-base-url
        """)
    return {
        "apps/shop/bundle.yaml": repositories.bundle_text("shop"),
        "apps/shop/namespace.yaml": "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n",
        "apps/shop/kustomization.yaml": built + mending,
    }


def allowing(*registries: str) -> dict[str, bytes]:
    written = corpora.library()[REGISTRIES]
    more = "".join(f"    {each}\n" for each in registries)
    return {REGISTRIES: written.rstrip(b"\n") + b"\n" + more.encode()}


async def test_the_boutique_from_a_refusal_to_current(line: corpora.Fleet, shared: Path):
    published = corpora.read(shared, "online-boutique")
    await line.open("dev")
    dev = await line.join("dev-1")

    refused = await line.judged(line.commit({**published, **shop("memorystore")}), "refused")
    assert corpora.places(refused.findings) == FOUND
    assert corpora.rules(refused.findings) == {
        "allowed-registries": 12, "require-labels": 12, "require-requests-and-limits": 2,
    }  # fmt: skip
    (load,) = (
        each
        for each in refused.findings
        if str(each.place) == LOAD and each.rule == "require-requests-and-limits"
    )
    assert load.message.endswith("lacks requests.cpu, requests.memory, limits.memory")
    assert load.subject == "Deployment.apps shop/loadgenerator"

    # What loosens a rule does not yet excuse what comes with it.
    ours = allowing("us-central1-docker.pkg.dev/online-boutique-ci", "docker.io/otel")
    both = {**shop("memorystore", MENDED), **ours}
    refused = await line.judged(line.commit(both), "refused")
    assert corpora.places(refused.findings) == {
        ("loosening", "policies"),
        *(("allowed-registries", place) for place in IMAGES),
    }
    assert corpora.severities(refused.findings) == {"audit": 1, "deny": 12}

    line.git.run("rm", "-r", "--quiet", "apps/shop")
    await line.judged(line.commit(message="only the registries"), "accepted")
    report = await line.current(dev, line.commit(shop("memorystore", MENDED)))
    assert report.objects == 50
    assert corpora.kinds(dev) == {
        "Deployment": 12, "Service": 12, "ServiceAccount": 11, "NetworkPolicy": 13,
        "ConfigMap": 1, "Namespace": 1,
    }  # fmt: skip
    await _has_its_components(dev)


async def _has_its_components(dev: lines.Station) -> None:
    frontend = await dev.owner.read("/apis/apps/v1/namespaces/shop/deployments/frontend")
    assert frontend is not None
    assert frontend["status"]["availableReplicas"] == 1
    (container,) = frontend["spec"]["template"]["spec"]["containers"]
    said = {each["name"]: each.get("value") for each in container["env"]}
    wanted = {
        "CYMBAL_BRANDING": "true",
        "ENABLE_SINGLE_SHARED_SESSION": "true",
        "BASE_URL": "/online-boutique",
    }
    assert said.items() >= wanted.items()


async def test_a_component_of_kinds_without_schema_is_refused(line: corpora.Fleet, shared: Path):
    await line.open("dev", files=allowing("us-central1-docker.pkg.dev", "docker.io/otel"))
    dev = await line.join("dev-1")
    mesh = {**corpora.read(shared, "online-boutique"), **shop("service-mesh-istio", MENDED)}
    refused = await line.judged(line.commit(mesh), "refused")
    told = {(str(each.place), each.rule, each.message) for each in refused.findings}
    assert told == {
        (f"{ISTIO}/{place}", "schema", f"no schema for kind {kind}")
        for place, kind in (
            ("allow-egress-googleapis.yaml:15", "ServiceEntry in networking.istio.io"),
            ("allow-egress-googleapis.yaml:31", "ServiceEntry in networking.istio.io"),
            ("frontend-gateway.yaml:15", "Gateway in gateway.networking.k8s.io"),
            ("frontend-gateway.yaml:29", "HTTPRoute in gateway.networking.k8s.io"),
            ("frontend.yaml:15", "VirtualService in networking.istio.io"),
        )
    }
    assert not dev.agent.wanted
