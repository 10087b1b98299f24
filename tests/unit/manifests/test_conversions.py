"""Kinds in other versions: what the shipped schemas show of their shapes, and each way back."""

import asyncio
from collections.abc import Iterator, Mapping
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.adapters import schemas
from fleet.manifests import conversions, defaults

Body = dict[str, Any]
Kind = tuple[str, str]
SOURCE = schemas.Packaged()
EXEMPT = frozenset(
    {"admissionregistration.k8s.io", "authentication.k8s.io"}
)  # no policy sees them
SHAPE = ("type", "properties", "items", "additionalProperties", "format")
GVK = "x-kubernetes-group-version-kind"


def served(definitions: Mapping[str, Any]) -> dict[Kind, dict[str, str]]:
    found: dict[Kind, dict[str, str]] = {}
    for name, definition in definitions.items():
        for each in definition.get(GVK, ()):
            is_own = not each["kind"].endswith(("Options", "List", "WatchEvent"))
            if is_own and each["group"] not in EXEMPT:
                found.setdefault((each["group"], each["kind"]), {})[each["version"]] = name
    return {kind: versions for kind, versions in found.items() if len(versions) > 1}


def shape(definitions: Mapping[str, Any], schema: Any, above: tuple[str, ...] = ()) -> Any:
    """What can be written, whatever its types are called."""
    if not isinstance(schema, dict):
        return schema
    name = str(schema.get("$ref", "")).rpartition("/")[2]
    if name:
        return name in above or shape(definitions, definitions[name], (*above, name))
    found = {key: schema[key] for key in SHAPE if key in schema}
    for key in ("items", "additionalProperties"):
        if key in found:
            found[key] = shape(definitions, found[key], above)
    fields = found.get("properties", {})
    found["properties"] = {
        k: shape(definitions, v, above) for k, v in fields.items() if k != "status"
    }
    return found


def pairs() -> Iterator[tuple[str, Kind, str, str, bool]]:
    """Each two versions of a kind that one Kubernetes serves, and whether they look alike."""
    for version in SOURCE.versions():
        definitions = asyncio.run(SOURCE.definitions(version)) or {}
        for kind, names in served(definitions).items():
            shapes = {each: shape(definitions, definitions[name]) for each, name in names.items()}
            for one, other in permutations(names, 2):
                yield version, kind, one, other, shapes[one] == shapes[other]


UNKNOWN = {"PodCertificateRequest", "ResourceSlice"}


def test_every_kind_of_several_versions_is_known_by_its_shape():
    """What looks alike only changes its name; what does not is converted, or said not to be."""
    unlike, seen = set(), set()
    for version, (group, kind), one, other, is_alike in pairs():
        body = {"apiVersion": f"{group}/{one}", "kind": kind, "spec": {}}
        assert (group, other) in conversions.versions(group, kind), (version, group, kind, other)
        made = conversions.converted(body, (group, other))
        seen.add((group, kind))
        if is_alike:
            assert made is not None, (version, kind, one, other)
            assert made["apiVersion"] == f"{group}/{other}"
        else:
            unlike.add(kind)
            assert (made is None) is (kind in UNKNOWN), (version, kind, one, other)
    assert unlike == UNKNOWN | {
        "HorizontalPodAutoscaler", "PriorityLevelConfiguration", "ResourceClaim", "ResourceClaimTemplate",
    }  # fmt: skip
    assert {*conversions.kinds()} - seen == {("", "Event"), ("events.k8s.io", "Event")}


def scaler(version: str, annotations: Any = None, **spec: Any) -> Body:
    metadata = {"name": "a", **({"annotations": annotations} if annotations else {})}
    return {"apiVersion": f"autoscaling/{version}", "kind": "HorizontalPodAutoscaler", "metadata": metadata,
            "spec": {"minReplicas": 1, "maxReplicas": 3, **spec}}  # fmt: skip


def on_cpu(percentage: int) -> Body:
    target = {"type": "Utilization", "averageUtilization": percentage}
    return {"type": "Resource", "resource": {"name": "cpu", "target": target}}


IDENTIFIER = {"name": "m", "selector": {"matchLabels": {"a": "b"}}}
OTHERS: list[Body] = [
    {"type": "Resource", "resource": {"name": "memory", "target": {"type": "AverageValue", "averageValue": "1Gi"}}},
    {"type": "ContainerResource", "containerResource": {
        "name": "cpu", "container": "c", "target": {"type": "Utilization", "averageUtilization": 5}}},
    {"type": "Pods", "pods": {"metric": IDENTIFIER, "target": {"type": "AverageValue", "averageValue": "1"}}},
    {"type": "External", "external": {"metric": IDENTIFIER, "target": {"type": "Value", "value": "1"}}},
    {"type": "External", "external": {
        "metric": {"name": "m"}, "target": {"type": "AverageValue", "averageValue": "1"}}},
    {"type": "Object", "object": {"describedObject": {"kind": "Service", "name": "s", "apiVersion": "v1"},
        "metric": IDENTIFIER, "target": {"type": "Value", "value": "1"}}},
    {"type": "Object", "object": {"describedObject": {"kind": "Service", "name": "s"},
        "metric": {"name": "m"}, "target": {"type": "AverageValue", "averageValue": "1"}}},
]  # fmt: skip
POLICY = {"type": "Pods", "value": 4, "periodSeconds": 15}
BEHAVIOR = {
    "scaleUp": {"stabilizationWindowSeconds": 0, "selectPolicy": "Max", "policies": [POLICY]},
    "scaleDown": {"selectPolicy": "Min", "policies": [POLICY], "tolerance": "50m"},
}


def to(version: str, body: Body) -> Body:
    found = conversions.converted(body, ("autoscaling", version))
    assert found is not None
    return found


def test_a_target_on_cpu_is_a_metric():
    found = to("v2", scaler("v1", targetCPUUtilizationPercentage=60))
    assert found["spec"] == {"minReplicas": 1, "maxReplicas": 3, "metrics": [on_cpu(60)]}
    assert to("v1", found)["spec"]["targetCPUUtilizationPercentage"] == 60


def test_without_any_metric_it_is_the_default():
    assert to("v2", scaler("v1"))["spec"]["metrics"] == [on_cpu(80)]


def test_what_the_first_version_has_no_words_for_goes_into_annotations_and_comes_back():
    whole = scaler("v2", {"mine": "x"}, metrics=[*OTHERS, on_cpu(60)], behavior=BEHAVIOR)
    first = to("v1", whole)
    assert set(first["metadata"]["annotations"]) == {
        "mine",
        "autoscaling.alpha.kubernetes.io/metrics",
        "autoscaling.alpha.kubernetes.io/behavior",
    }
    assert set(first["spec"]) == {"minReplicas", "maxReplicas", "targetCPUUtilizationPercentage"}
    assert to("v2", first) == whole


@pytest.mark.parametrize("kept", ["{", "[1, null]", "null", '"x"', "[" * 100_000, "{}", 5])
def test_what_an_annotation_keeps_may_be_anything(kept: Any):
    names = ("metrics", "behavior", "conditions")
    held = {f"autoscaling.alpha.kubernetes.io/{each}": kept for each in names}
    found = to("v2", scaler("v1", held))
    assert found["spec"]["metrics"] == [on_cpu(80)]
    assert "annotations" not in found["metadata"]


def level(version: str, **limited: Any) -> Body:
    return {"apiVersion": f"flowcontrol.apiserver.k8s.io/{version}", "kind": "PriorityLevelConfiguration",
            "metadata": {"name": "a"}, "spec": {"type": "Limited", "limited": limited}}  # fmt: skip


def test_shares_are_assured_or_nominal():
    found = conversions.converted(
        level("v1beta2", assuredConcurrencyShares=5), ("flowcontrol.apiserver.k8s.io", "v1")
    )
    assert found is not None
    assert found["spec"]["limited"]["nominalConcurrencyShares"] == 5
    assert found["spec"]["limited"]["lendablePercent"] == 0  # the later version's own default
    back = conversions.converted(found, ("flowcontrol.apiserver.k8s.io", "v1beta1"))
    assert back is not None
    assert back["spec"]["limited"]["assuredConcurrencyShares"] == 5


def test_no_share_at_all_is_remembered_beside_it():
    group = "flowcontrol.apiserver.k8s.io"
    found = conversions.converted(level("v1", nominalConcurrencyShares=0), (group, "v1beta3"))
    assert found is not None
    assert list(found["metadata"]["annotations"].values()) == [""]
    back = conversions.converted(found, (group, "v1"))
    assert back is not None
    assert "annotations" not in back["metadata"]


def test_a_request_of_devices_is_moved_in_and_out():
    request = {"name": "a", "deviceClassName": "c", "count": 2}
    any_of = {"name": "b", "firstAvailable": [{"name": "x", "deviceClassName": "c"}]}
    body = {"apiVersion": "resource.k8s.io/v1beta1", "kind": "ResourceClaim",
            "spec": {"devices": {"requests": [request, any_of]}}}  # fmt: skip
    found = conversions.converted(body, ("resource.k8s.io", "v1beta2"))
    assert found is not None
    exactly = {"deviceClassName": "c", "count": 2}
    assert found["spec"]["devices"]["requests"] == [{"name": "a", "exactly": exactly}, any_of]
    assert conversions.converted(found, ("resource.k8s.io", "v1beta1")) == body
    template = {**body, "kind": "ResourceClaimTemplate", "spec": {"spec": body["spec"]}}
    made = conversions.converted(template, ("resource.k8s.io", "v1beta2"))
    assert made is not None
    assert made["spec"]["spec"]["devices"]["requests"][0]["exactly"]["count"] == 2
    assert conversions.converted(made, ("resource.k8s.io", "v1beta1")) == template


def test_an_event_speaks_of_the_same_in_other_words():
    event = {
        "apiVersion": "v1",
        "kind": "Event",
        "involvedObject": {"kind": "Pod"},
        "message": "m",
        "count": 2,
    }
    found = conversions.converted(event, ("events.k8s.io", "v1"))
    assert found == {"apiVersion": "events.k8s.io/v1", "kind": "Event", "regarding": {"kind": "Pod"},
                     "note": "m", "deprecatedCount": 2}  # fmt: skip
    assert conversions.converted(found, ("", "v1")) == event


def test_nobody_knows_other_kinds_or_versions():
    assert conversions.converted(scaler("v1"), ("autoscaling", "v9")) is None
    assert conversions.converted({"apiVersion": "v1", "kind": "Pod"}, ("", "v1")) is None
    assert conversions.versions("apps", "Deployment") == ()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(["spec", "metadata", "annotations", "metrics", "behavior", "limited", "devices", "requests",
                         "exactly", "resource", "target", "type", "name", "object", "scaleUp", "policies"]),
        inner,
    ),
    max_leaves=15,
)  # fmt: skip


@given(JSON, st.sampled_from(sorted(conversions.kinds())), st.data())
def test_no_body_breaks_a_conversion(written: Any, kind: Kind, data: st.DataObject):
    served = st.sampled_from(conversions.versions(*kind))
    (group, version), wanted = data.draw(served), data.draw(served)
    about = {"apiVersion": f"{group}/{version}" if group else version, "kind": kind[1]}
    body = {**(written if isinstance(written, dict) else {}), **about}
    before = repr(body)
    conversions.converted(defaults.completed(body), wanted)
    assert repr(body) == before
