"""Built-in kinds as an API server completes them; tests/real/defaults holds all of it against a real one."""

import copy
import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import samples
from fleet.manifests import defaults
from fleet.manifests.defaults import images, quantities, rules, shapes, values

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=20,
)


def completed(version: str, kind: str, **fields: Any) -> Any:
    body = {"apiVersion": version, "kind": kind, "metadata": {"name": "a"}, **fields}
    return defaults.completed(body)


def container(**fields: Any) -> Any:
    spec = {"containers": [{"name": "c", "image": "a", **fields}]}
    return completed("v1", "Pod", spec=spec)["spec"]["containers"][0]


def service(**spec: Any) -> Any:
    return completed("v1", "Service", spec=spec)["spec"]


def test_a_deployment_gets_what_nobody_writes():
    template = {"spec": {"containers": [{"name": "c", "image": "a:1"}]}}
    spec = completed("apps/v1", "Deployment", spec={"template": template})["spec"]
    assert spec["replicas"] == 1
    assert spec["strategy"] == {
        "type": "RollingUpdate",
        "rollingUpdate": {"maxUnavailable": "25%", "maxSurge": "25%"},
    }
    pod = spec["template"]["spec"]
    assert (pod["restartPolicy"], pod["terminationGracePeriodSeconds"]) == ("Always", 30)
    assert pod["containers"][0]["imagePullPolicy"] == "IfNotPresent"
    assert "enableServiceLinks" not in pod  # only Pods get that


def test_what_is_written_stays():
    spec = completed("apps/v1", "Deployment", spec={"replicas": 0, "minReadySeconds": 3})["spec"]
    assert (spec["replicas"], spec["minReadySeconds"]) == (0, 3)
    assert container(imagePullPolicy="Never")["imagePullPolicy"] == "Never"


@pytest.mark.parametrize("zero", [None, "", 0])
def test_a_zero_is_nothing_where_the_type_cannot_tell(zero: Any):
    """A probe of no seconds is a probe of one; a number behind a pointer is what it says."""
    probe = container(livenessProbe={"exec": {}, "timeoutSeconds": zero})["livenessProbe"]
    assert probe["timeoutSeconds"] == 1
    made = container(securityContext={"runAsUser": 0, "privileged": False})["securityContext"]
    assert made == {"runAsUser": 0, "privileged": False}


def test_nulls_and_empties_go():
    made = completed("v1", "Pod", spec={"nodeSelector": {}, "hostPID": False, "affinity": {}})
    assert {"nodeSelector", "hostPID"}.isdisjoint(made["spec"])
    assert made["spec"]["affinity"] == {}
    assert completed("v1", "ConfigMap", data=None) == {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "a"},
    }


def test_requests_follow_limits_in_pods_alone():
    resources = {"limits": {"cpu": "1000m", "memory": "1Gi"}, "requests": {"cpu": "0.1"}}
    assert container(resources=resources)["resources"]["requests"] == {
        "cpu": "100m",
        "memory": "1Gi",
    }
    template = {"spec": {"containers": [{"name": "c", "resources": resources}]}}
    job = completed("batch/v1", "Job", spec={"template": template})
    (made,) = job["spec"]["template"]["spec"]["containers"]
    assert made["resources"]["requests"] == {"cpu": "100m"}


def test_a_service_by_its_type():
    plain = service(ports=[{"port": 80}, {"port": 81, "targetPort": "http"}])
    assert [each["targetPort"] for each in plain["ports"]] == [80, "http"]
    assert (plain["type"], plain["sessionAffinity"]) == ("ClusterIP", "None")
    assert "externalTrafficPolicy" not in plain
    assert service(type="NodePort")["externalTrafficPolicy"] == "Cluster"
    assert service(type="LoadBalancer")["allocateLoadBalancerNodePorts"] is True
    assert "internalTrafficPolicy" not in service(type="ExternalName")
    assert service(clusterIP="None")["ipFamilyPolicy"] == "RequireDualStack"
    sticky = service(sessionAffinity="ClientIP")["sessionAffinityConfig"]
    assert sticky == {"clientIP": {"timeoutSeconds": 10800}}


def test_texts_of_a_secret_are_data():
    made = completed("v1", "Secret", data={"a": "eA==", "b": "eQ=="}, stringData={"a": "ü"})
    assert made["data"] == {"a": "w7w=", "b": "eQ=="}
    assert made["type"] == "Opaque"
    assert "stringData" not in made


@pytest.mark.parametrize(
    ("written", "types"),
    [
        ({}, ["Ingress"]),
        ({"egress": []}, ["Ingress"]),
        ({"egress": [{}]}, ["Ingress", "Egress"]),
        ({"egress": [{}], "policyTypes": ["Egress"]}, ["Egress"]),
    ],
)
def test_a_network_policy_names_its_types(written: Any, types: list[str]):
    made = completed("networking.k8s.io/v1", "NetworkPolicy", spec=written)
    assert made["spec"]["policyTypes"] == types


def test_the_status_that_somebody_wrote_is_not_created():
    assert "status" not in completed("apps/v1", "Deployment", spec={}, status={"replicas": 3})


@pytest.mark.parametrize(
    "body",
    [
        {"apiVersion": "example.org/v1", "kind": "Deployment", "metadata": {"a": None}},
        {"apiVersion": "apps/v1", "kind": "Deploiment", "spec": None},
        {"apiVersion": "apps/v1beta1", "kind": "Deployment", "spec": None},
        {"apiVersion": ["apps/v1"], "kind": {"a": "b"}},
        {},
        [],
        None,
        "Pod",
    ],
)
def test_any_other_kind_is_as_it_was(body: Any):
    assert defaults.completed(body) is body


@pytest.mark.parametrize("kind", samples.KINDS)
def test_nothing_written_is_changed_and_a_second_time_adds_nothing(kind: str):
    for body in samples.objects(kind, 10):
        before = copy.deepcopy(body)
        once = defaults.completed(body)
        assert body == before
        made = copy.deepcopy(once)
        assert defaults.completed(once) == made
        assert once == made


@given(st.sampled_from(sorted(samples.KINDS)), st.dictionaries(st.text(max_size=8), JSON), JSON)
def test_whatever_stands_there_is_completed_or_left(kind: str, fields: Any, spec: Any):
    version, _, name = kind.partition(" ")
    body = {**fields, "apiVersion": version, "kind": name.rstrip("-"), "spec": spec}
    before = json.dumps(body)
    made = defaults.completed(body)
    assert json.dumps(body) == before
    assert made["kind"] == name.rstrip("-")


@given(st.sampled_from(sorted(rules.BY_TYPE)), st.dictionaries(st.text(max_size=8), JSON), JSON)
def test_no_rule_fails_on_what_it_does_not_know(name: str, fields: Any, inner: Any):
    """Every field that the type knows holds something that it should not."""
    known = {each.name: inner for each in shapes.fields(name)}
    step = shapes.step(name)
    before = json.dumps([fields, known])
    assert isinstance(step({**fields, **known}), dict)
    assert json.dumps([fields, known]) == before


def test_each_default_belongs_to_a_type_and_each_type_is_known():
    sections = ("core", "apps", "batch", "networking", "resource", "apiextensions", "rbac")
    for name in (*values.BY_TYPE, *rules.BY_TYPE):
        assert shapes.is_type(name), name
    for section in sections:
        for plain in shapes._lines(section):
            for each in shapes.fields(f"{section}.{plain}"):
                assert each.type in ("", "#") or shapes.is_type(each.type), each


@pytest.mark.parametrize(
    ("written", "answer"),
    [
        ("1000m", "1"), ("0.1", "100m"), (2, "2"), (0.5, "500m"), ("1024Mi", "1Gi"), ("1.5Gi", "1536Mi"),
        ("1000", "1k"), ("1000Ki", "1000Ki"), ("1023", "1023"), ("0.5Ki", "512"), ("1e3", "1e3"),
        ("1E3", "1e3"), ("+1", "1"), ("-1500m", "-1500m"), ("1n", "1n"), ("0", "0"), ("0Gi", "0"),
        ("1.", "1"), (".5", "500m"), ("1 Gi", "1 Gi"), ("", ""), (True, True), ([1], [1]),
        ("1" * 41, "1" * 41), ("1e999", "1e999"), ("NaN", "NaN"),
    ],
)  # fmt: skip
def test_quantities_are_written_as_the_server_writes_them(written: Any, answer: Any):
    assert quantities.canonical(written) == answer


def test_a_resource_is_never_smaller_than_a_thousandth():
    assert quantities.of_resource("0.0001") == "1m"
    assert quantities.canonical("0.0001") == "100u"


@given(st.text(max_size=50) | st.floats() | st.integers())
def test_no_text_breaks_a_quantity(written: Any):
    assert quantities.canonical(written) is not None


@pytest.mark.parametrize(
    ("image", "policy"),
    [
        ("nginx", "Always"), ("nginx:latest", "Always"), ("nginx:1", "IfNotPresent"),
        ("localhost:5000/a", "Always"), ("localhost:5000/a:1", "IfNotPresent"),
        (f"a@sha256:{'0' * 64}", "IfNotPresent"), (f"a:latest@sha256:{'0' * 64}", "Always"),
        ("", "IfNotPresent"), ("Nginx", "IfNotPresent"), ("a b", "IfNotPresent"), ("A/b", "Always"),
    ],
)  # fmt: skip
def test_an_image_is_pulled_always_by_its_latest_tag(image: str, policy: str):
    assert images.pull_policy(image) == policy


@pytest.mark.threat(45)
def test_no_image_takes_long():
    started = time.perf_counter()
    for text in ("a-" * 500, "a." * 500 + "!", "a/" * 500 + "A", "[" + ":" * 900):
        images.pull_policy(text)
    assert time.perf_counter() - started < 0.5


@pytest.mark.parametrize(
    ("version", "kind", "fields", "made"),
    [
        ("v1", "ServiceAccount", {"secrets": [{"name": "s", "kind": "Secret"}]}, {"secrets": [{"name": "s"}]}),
        ("coordination.k8s.io/v1", "Lease", {"spec": {"strategy": "OldestEmulationVersion"}}, {"spec": {}}),
    ],
)  # fmt: skip
def test_what_no_server_keeps_is_gone(version: str, kind: str, fields: Any, made: Any):
    found = completed(version, kind, **fields)
    assert {key: found[key] for key in made} == made


@pytest.mark.parametrize(
    ("written", "made"),
    [
        ({"dataSource": {"kind": "Odd", "name": "a"}}, None),
        ({"dataSource": {"kind": "PersistentVolumeClaim", "name": "a"}}, "a"),
        ({"dataSourceRef": {"kind": "Odd", "apiGroup": "b", "name": "a"}}, "a"),
        ({"dataSourceRef": {"kind": "Odd", "name": "a", "namespace": "b"}}, None),
    ],
)
def test_a_claim_names_its_source_twice_or_not_at_all(written: Any, made: str | None):
    spec = completed("v1", "PersistentVolumeClaim", spec=written)["spec"]
    named = [(spec.get(each) or {}).get("name") for each in ("dataSource", "dataSourceRef")]
    assert named == [made, made]


def test_a_hook_of_a_feature_that_is_off_leaves_nothing():
    assert "lifecycle" not in container(lifecycle={"stopSignal": "SIGTERM"})
    assert container(lifecycle={})["lifecycle"] == {}
    kept = container(lifecycle={"stopSignal": "SIGTERM", "preStop": {"sleep": {}}})["lifecycle"]
    assert kept == {"preStop": {"sleep": {"seconds": 0}}}


def of_the_whole(resources: Any, *containers: Any, before: Any = ()) -> Any:
    spec = {"resources": resources, "containers": containers, "initContainers": list(before)}
    spec["containers"] = list(containers)
    return completed("v1", "Pod", spec=spec)["spec"]["resources"].get("requests")


def asking(cpu: str, **fields: Any) -> Any:
    return {"name": "c", "resources": {"requests": {"cpu": cpu}}, **fields}


def test_a_pod_requests_what_its_containers_do_or_its_limits():
    limits = {"limits": {"cpu": "4", "memory": "4Gi", "example.com/x": "1"}}
    assert of_the_whole(limits) == {"cpu": "4", "memory": "4Gi"}
    assert of_the_whole(limits, asking("100m"), asking("0.9"))["cpu"] == "1"
    assert of_the_whole(limits, asking("1"), before=[asking("2")])["cpu"] == "2"
    stays = asking("2", restartPolicy="Always")
    assert of_the_whole(limits, asking("1"), before=[stays, asking("500m")])["cpu"] == "3"
    assert of_the_whole({**limits, "requests": {"cpu": "3"}}, asking("1"))["cpu"] == "3"
    assert of_the_whole({"requests": {}}, asking("1")) is None


def test_what_is_no_quantity_has_no_sum():
    assert quantities.total(["1", "1500m"]) == "2500m"
    assert quantities.total(["1Gi", "1Gi"]) == "2Gi"
    assert quantities.total([]) is None
    assert quantities.total(["1", "much", [2]]) is None
