"""A CRD that takes the place of another, and objects that bring what nobody has judged: both are told."""

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import builders
from fleet.model import findings, names
from fleet.policy.crds import swaps
from fleet.policy.relations import check

WEBHOOK = {
    "strategy": "Webhook",
    "webhook": {
        "conversionReviewVersions": ["v1"],
        "clientConfig": {"service": {"name": "a", "namespace": "b"}},
    },
}


def version(name: str, *, served: bool = True, storage: bool = False) -> dict[str, Any]:
    schema = {"openAPIV3Schema": {"type": "object"}}
    return {"name": name, "served": served, "storage": storage, "schema": schema}


def crd(*versions: dict[str, Any], **spec: Any) -> dict[str, Any]:
    whole = {
        "group": "example.com",
        "scope": "Namespaced",
        "names": {"kind": "Gadget", "plural": "gadgets"},
        "versions": list(versions) or [version("v1", storage=True)],
        **spec,
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "gadgets.example.com"},
        "spec": whole,
    }


def told(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    return [f"{'.'.join(each.field)}: {each.message}" for each in swaps.between(before, after)]


@pytest.mark.threat(16)
@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (crd(), crd(scope="Cluster"), "spec.scope: the scope of a CRD in force changes from Namespaced to Cluster"),
        (
            crd(version("v1", storage=True), version("v2")),
            crd(version("v1"), version("v2", storage=True)),
            "spec.versions: the stored version of a CRD in force changes from v1 to v2",
        ),
        (crd(), crd(conversion=WEBHOOK), "spec.conversion: the conversion of a CRD in force changes: None to Webhook"),
        (crd(conversion=WEBHOOK), crd(), "spec.conversion: the conversion of a CRD in force changes: Webhook to None"),
        (
            crd(conversion=WEBHOOK),
            crd(conversion={**WEBHOOK, "webhook": {"clientConfig": {"url": "https://elsewhere.example"}}}),
            "spec.conversion: the conversion of a CRD in force changes: what its webhook is",
        ),
        (
            crd(version("v1", storage=True), version("v2")),
            crd(version("v1", storage=True), version("v2", served=False)),
            "spec.versions: the CRD gadgets.example.com serves v2 no longer",
        ),
        (
            crd(),
            crd(names={"kind": "Widget", "plural": "gadgets"}),
            "spec.names.kind: the kind of a CRD in force changes from Gadget to Widget",
        ),
    ],
)  # fmt: skip
def test_what_a_schema_does_not_show_is_said(
    before: dict[str, Any], after: dict[str, Any], said: str
):
    assert told(before, after) == [said]
    assert all(each.hint for each in swaps.between(before, after))


@pytest.mark.parametrize(
    "after",
    [
        crd(),
        crd(conversion={"strategy": "None"}),
        crd(version("v1", storage=True), version("v2")),
        crd({**version("v1", storage=True), "schema": {"openAPIV3Schema": {"type": "string"}}}),
    ],
)
def test_what_leaves_the_objects_as_they_are_is_not(after: dict[str, Any]):
    assert told(crd(), after) == []


ANYTHING = st.sampled_from([None, 1, "", "a", [], [1], [None], {}, {"name": []}, [{"served": 1}]])


@given(st.sampled_from(["spec", "names", "scope", "versions", "conversion"]), ANYTHING, ANYTHING)
def test_whatever_stands_in_a_crd_is_no_fault_of_ours(part: str, one: Any, other: Any):
    damaged = [copy.deepcopy(crd()), copy.deepcopy(crd())]
    for each, value in zip(damaged, (one, other), strict=True):
        if part == "spec":
            each["spec"] = value
        else:
            each["spec"][part] = value
    assert isinstance(told(*damaged), list)
    assert told(damaged[0], damaged[0]) == []


def of(kind: str, version_: str) -> list[findings.Finding]:
    body = {**builders.body("a", kind=kind), "apiVersion": version_}
    return check.check({names.Cluster("dev-1"): (builders.manifest(document=body),)})


@pytest.mark.threat(48)
@pytest.mark.parametrize(
    ("kind", "version_", "what"),
    [
        ("ExternalSecret", "external-secrets.io/v1", "Secret"),
        ("ExternalSecret", "external-secrets.io/v1beta1", "Secret"),
        ("SealedSecret", "bitnami.com/v1alpha1", "Secret"),
        ("SecretProviderClass", "secrets-store.csi.x-k8s.io/v1", "Secret"),
        ("HelmRelease", "helm.toolkit.fluxcd.io/v2", "objects"),
        ("Kustomization", "kustomize.toolkit.fluxcd.io/v1", "objects"),
        ("Application", "argoproj.io/v1alpha1", "objects"),
        ("ManifestWork", "work.open-cluster-management.io/v1", "objects"),
    ],
)
def test_what_comes_after_the_gate_is_named(kind: str, version_: str, what: str):
    (found,) = of(kind, version_)
    assert (found.rule, found.severity) == ("deferred", findings.Severity.AUDIT)
    assert what in found.message
    assert "policy" in found.hint
    assert (found.field, found.clusters) == (("kind",), ("dev-1",))


@pytest.mark.parametrize(
    ("kind", "version_"),
    [("Application", "app.k8s.io/v1"), ("ExternalSecret", "example.com/v1"), ("Secret", "v1")],
)
def test_a_kind_of_that_name_elsewhere_is_another(kind: str, version_: str):
    assert of(kind, version_) == []
