"""Proof of possession: the document holds for one name, environment, uid and key."""

import base64
from typing import Any

import pytest

import builders
from fleet.model import json_values, kinds, names
from fleet.protocol import enrolment, keys

DEV = names.Environment("dev")
AGENT = keys.generate()


def document(**changed: Any) -> json_values.JsonObject:
    fields: dict[str, Any] = {
        "cluster": names.Cluster("dev-1"),
        "environment": DEV,
        "uid": builders.UID,
        "kubernetes_version": "1.36",
        "labels": {"region": "eu"},
        "key": AGENT,
    }
    return enrolment.document(**{**fields, **changed})


def read(found: json_values.JsonObject) -> kinds.Cluster:
    return kinds.Cluster.model_validate(found)


def test_the_printed_document_can_be_committed():
    cluster = read(document())
    assert enrolment.fault_of(cluster, DEV) == ""
    assert cluster.metadata.name == "dev-1"
    assert cluster.metadata.labels == {"region": "eu"}
    assert cluster.spec.on_removal is kinds.OnRemoval.ORPHAN


def test_without_labels_none_are_printed():
    assert "labels" not in document(labels={})["metadata"]


@pytest.mark.threat(21)
@pytest.mark.parametrize(
    "changed",
    [
        {"cluster": names.Cluster("dev-2")},
        {"environment": names.Environment("prod")},
        {"uid": "another"},
        {"key": keys.generate()},
    ],
    ids=["name", "environment", "uid", "key"],
)
def test_a_proof_of_something_else_does_not_hold(changed: dict[str, Any]):
    mine, other = document(), document(**changed)
    mixed = {**mine, "spec": {**mine["spec"], "proof": other["spec"]["proof"]}}
    assert "proof does not hold" in enrolment.fault_of(read(mixed), DEV)


@pytest.mark.threat(65)
def test_another_signature_of_the_same_key_is_no_proof():
    """The claim names its purpose; the same words without it prove nothing."""
    claim = {
        "cluster": "dev-1",
        "environment": "dev",
        "uid": builders.UID,
        "publicKey": AGENT.public,
    }
    signature = AGENT.sign(json_values.encode(claim))
    found = document()
    proof = base64.b64encode(signature).decode()
    mixed = {**found, "spec": {**found["spec"], "proof": proof}}
    assert "proof does not hold" in enrolment.fault_of(read(mixed), DEV)


def test_the_same_key_proves_the_same():
    assert document() == document()
