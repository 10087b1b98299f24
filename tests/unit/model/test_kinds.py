"""Our own kinds: strict documents, and selectors as Kubernetes means them."""

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

import builders
from fleet.model import kinds

LABELS = {"region": "eu", "tier": "gold"}


def expression(key: str, operator: str, *values: str) -> dict[str, Any]:
    return {"matchExpressions": [{"key": key, "operator": operator, "values": list(values)}]}


@pytest.mark.parametrize(
    ("selector", "selected"),
    [
        ({}, True),
        ({"matchLabels": {"region": "eu"}}, True),
        ({"matchLabels": {"region": "us"}}, False),
        ({"matchLabels": {"region": "eu", "tier": "silver"}}, False),
        ({"matchLabels": {"zone": ""}}, False),
        (expression("region", "In", "us", "eu"), True),
        (expression("region", "In", "us"), False),
        (expression("zone", "In", "a"), False),
        (expression("region", "NotIn", "us"), True),
        (expression("region", "NotIn", "eu"), False),
        (expression("zone", "NotIn", "a"), True),
        (expression("region", "Exists"), True),
        (expression("zone", "Exists"), False),
        (expression("zone", "DoesNotExist"), True),
        (expression("region", "DoesNotExist"), False),
        ({"matchLabels": {"region": "eu"}, **expression("tier", "In", "silver")}, False),
        ({"matchLabels": {"region": "eu"}, **expression("tier", "In", "gold")}, True),
    ],
)
def test_selectors_mean_what_they_mean_in_kubernetes(selector: dict[str, Any], selected: bool):
    assert kinds.selects(kinds.Selector.model_validate(selector), LABELS) is selected


def document(kind: str, spec: dict[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": kinds.API_VERSION,
        "kind": kind,
        "metadata": {"name": "a"},
        "spec": spec,
    }


FLEET = {"environments": [{"name": "dev"}]}
PERMIT = {"reason": "move", "expires": "2026-03-01T13:00:00+01:00"}


@pytest.mark.parametrize(
    ("kind", "spec"),
    [("Fleet", FLEET), ("Permit", PERMIT), ("Bundle", {}), ("Bundle", {"targets": {}})],
)
def test_a_minimal_document_is_read(kind: str, spec: dict[str, Any]):
    assert kinds.KINDS[kind].model_validate(document(kind, spec)).kind == kind


WRONG = {
    "unknown field": ("Bundle", {"paths": "."}),
    "boolean in words": ("Bundle", {"substitute": "true"}),
    "number as text": ("Bundle", {"variables": {"replicas": 3}}),
    "no environment": ("Fleet", {"environments": []}),
    "33 environments": ("Fleet", {"environments": [{"name": f"e{i}"} for i in range(33)]}),
    "share above one": (
        "Fleet",
        {"environments": [{"name": "a", "guard": {"maxDeletedShare": 1.1}}]},
    ),
    "share that is no number": (
        "Fleet",
        {"environments": [{"name": "a", "guard": {"maxDeletedShare": float("nan")}}]},
    ),
    "never stale": ("Fleet", {"environments": [{"name": "a", "health": {"staleAfter": 0}}]}),
    "no reason": ("Permit", {**PERMIT, "reason": ""}),
    "no end": ("Permit", {"reason": "move"}),
    "an end without zone": ("Permit", {**PERMIT, "expires": "2026-03-01T13:00:00"}),
    "an end that is no time": ("Permit", {**PERMIT, "expires": "tomorrow"}),
    "unknown operator": ("Bundle", {"targets": expression("a", "Matches", "b")}),
}


@pytest.mark.parametrize(("kind", "spec"), WRONG.values(), ids=WRONG.keys())
def test_a_document_is_read_strictly(kind: str, spec: dict[str, Any]):
    with pytest.raises(ValidationError):
        kinds.KINDS[kind].model_validate(document(kind, spec))


@pytest.mark.parametrize("version", ["1.36", "1.9"])
def test_a_minor_version_of_kubernetes(version: str):
    assert builders.cluster(kubernetesVersion=version).spec.kubernetes_version == version


@pytest.mark.parametrize("version", ["v1.36", "1.36.3", "1", "1.36\n", "2.0", "1.1234"])
def test_anything_else_is_no_minor_version(version: str):
    with pytest.raises(ValidationError):
        builders.cluster(kubernetesVersion=version)


def test_a_permit_ends_at_one_moment_whatever_its_zone():
    permit = kinds.Permit.model_validate(document("Permit", PERMIT))
    assert permit.spec.expires == datetime(2026, 3, 1, 12, tzinfo=UTC)
