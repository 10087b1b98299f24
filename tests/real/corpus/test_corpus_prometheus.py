"""kube-prometheus: 4 MB with ten large CRDs and the custom resources that need them, in one release."""

from collections import Counter
from pathlib import Path

import corpora
import lines
import repositories
from fleet.model import changes, findings, health, messages

APP = "apps/kube-prometheus"
# What a node's watcher, a monitor of all namespaces and an image of Docker Hub cannot do without.
FOUND = {
    ("allowed-registries", f"{APP}/manifests/grafana-deployment.yaml:32:9"),
    ("disallow-host-namespaces", f"{APP}/manifests/nodeExporter-daemonset.yaml:100:20"),
    ("disallow-host-namespaces", f"{APP}/manifests/nodeExporter-daemonset.yaml:101:16"),
    (
        "disallow-default-namespace",
        f"{APP}/manifests/prometheus-roleBindingSpecificNamespaces.yaml:1:1",
    ),
    ("disallow-default-namespace", f"{APP}/manifests/prometheus-roleSpecificNamespaces.yaml:1:1"),
}
EXCUSED = {rule for rule, _ in FOUND}
BUNDLE = repositories.bundle_text("prometheus", "{path: manifests, namespace: monitoring}")
GROUP = "monitoring.coreos.com"
CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
APIS = "/apis/apiregistration.k8s.io/v1/apiservices"
RIGHTS = "/apis/rbac.authorization.k8s.io/v1"
METRICS = "v1beta1.metrics.k8s.io"
UNAVAILABLE = ("FailedDiscoveryCheck: ", "MissingEndpoints: ", "EndpointsNotFound: ")

REFUSED = {
    ("ClusterRole", "prometheus-k8s"),
    ("ClusterRole", "prometheus-operator"),
    ("ClusterRole", "resource-metrics-server-resources"),
    ("ClusterRoleBinding", "prometheus-k8s"),
    ("ClusterRoleBinding", "prometheus-operator"),
}
BINDINGS = 12
GRANT = "fleetgate-agent-monitoring"
GRANTED = [
    {"nonResourceURLs": ["/metrics", "/metrics/slis"], "verbs": ["get"]},
    {"apiGroups": [""], "resources": ["configmaps", "secrets"], "verbs": ["*"]},
    {"apiGroups": ["apps"], "resources": ["statefulsets"], "verbs": ["*"]},
    {"apiGroups": [GROUP, "metrics.k8s.io"], "resources": ["*"], "verbs": ["*"]},
]


async def test_kube_prometheus_from_a_refusal_to_its_custom_resources(
    line: corpora.Fleet, shared: Path
):
    published = {**corpora.read(shared, "kube-prometheus"), f"{APP}/bundle.yaml": BUNDLE}
    await line.open("dev")
    dev = await line.join("dev-1")

    refused = await line.judged(line.commit(published), "refused")
    assert corpora.places(refused.findings) == FOUND
    assert corpora.severities(refused.findings) == {"deny": 5}

    line.git.run("rm", "-r", "--quiet", APP)
    warned = await line.judged(line.commit(corpora.library(warn=EXCUSED)), "accepted")
    assert corpora.rules(warned.findings) == {"loosening": 3}
    accepted = await line.judged(line.commit(published), "accepted")
    assert corpora.places(accepted.findings) == FOUND
    assert {each.severity for each in accepted.findings} == {findings.Severity.WARN}

    try:
        await _grants_no_more_than_it_has(line, dev)
        await _trust_it_with_more(dev)
        await _stands(line, dev)
    finally:
        # An API that nobody serves would slow down the tests that come next, the grant would weaken them.
        await dev.stop()
        for path in (f"{APIS}/{METRICS}", f"{RIGHTS}/clusterrolebindings/{GRANT}"):
            await dev.owner.ask("DELETE", path)


async def _grants_no_more_than_it_has(line: corpora.Fleet, dev: lines.Station) -> None:
    """What deploy/agent may not do, it may not hand out; all else of the release is there."""

    def failed() -> set[tuple[str, str]]:
        report = line.rows.clusters[dev.name].report
        outcomes = report.outcomes if report and report.objects > 100 else ()
        found = [each for each in outcomes if each.result is changes.Result.FAILED]
        return {(each.key.kind, each.key.name) for each in found}

    await line.until("only what is refused is missing", lambda: failed() == REFUSED, 60)
    for key, outcome in dev.agent.troubles.items():
        if key.kind == "ClusterRole":
            assert "is attempting to grant RBAC permissions not currently held" in outcome.message
    # Roles were there before their bindings, so none of the others had to be tried again.
    sent = Counter(path for path in dev.asked.sent("PATCH") if "rolebindings/" in path)
    again = {path for path, times in sent.items() if times > 1}
    assert len(sent) == BINDINGS
    bound = [name for kind, name in REFUSED if kind == "ClusterRoleBinding"]
    assert again <= {f"{RIGHTS}/clusterrolebindings/{name}" for name in bound}


async def _trust_it_with_more(dev: lines.Station) -> None:
    """As the owner of a cluster does who wants to run this stack there."""
    agent = {"kind": "ServiceAccount", "name": "agent", "namespace": "fleetgate-system"}
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": GRANT}
    for plural, body in (
        ("clusterroles", {"kind": "ClusterRole", "rules": GRANTED}),
        (
            "clusterrolebindings",
            {"kind": "ClusterRoleBinding", "roleRef": role, "subjects": [agent]},
        ),
    ):
        said = {"apiVersion": "rbac.authorization.k8s.io/v1", "metadata": {"name": GRANT}, **body}
        await dev.owner.own(f"{RIGHTS}/{plural}/{GRANT}", said, "kubectl")


async def _stands(line: corpora.Fleet, dev: lines.Station) -> None:
    """All is applied, and Current but for the one object whose server only plays."""

    def applied() -> messages.Report | None:
        report = line.rows.clusters[dev.name].report
        is_it = report and report.applied and report.objects > 100 and len(report.outcomes) == 1
        return report if is_it else None

    report = await line.until("kube-prometheus is applied", applied, 60)
    (unwell,) = report.outcomes
    assert (unwell.key.kind, unwell.key.name) == ("APIService", METRICS)
    assert unwell.assessed is not None
    assert unwell.assessed.health is health.Health.IN_PROGRESS
    assert unwell.assessed.reason.startswith(UNAVAILABLE)
    assert report.objects == len(dev.agent.wanted) == 131
    assert dev.agent.troubles == {}
    await _are_established(dev)
    assert await _custom(dev) == {
        "Alertmanager": 1, "Prometheus": 1, "PrometheusRule": 8, "ServiceMonitor": 13,
    }  # fmt: skip


async def _are_established(dev: lines.Station) -> None:
    found = await dev.owner.must("GET", CRDS)
    established = {
        each["metadata"]["name"]
        for each in found["items"]
        for condition in each["status"]["conditions"]
        if each["spec"]["group"] == GROUP
        and (condition["type"], condition["status"]) == ("Established", "True")
    }
    assert len(established) == 10


async def _custom(dev: lines.Station) -> dict[str, int]:
    """How many of its custom resources are really there, by kind."""
    found: dict[str, int] = {}
    for kind in sorted({key.kind for key in dev.agent.wanted if key.group == GROUP}):
        resource = dev.agent.resources.resources[GROUP, kind]
        listed = await dev.owner.must("GET", f"/apis/{GROUP}/v1/{resource.plural}")
        found[kind] = len(listed["items"])
    return found
