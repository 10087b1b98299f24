"""Registered clusters, each held against all others (one name, one key, one UID, one environment)."""

import base64
from typing import Any

import pytest

import builders
from fleet.model import findings, kinds, ledger, names
from fleet.plan import registration
from fleet.protocol import keys

DEV = names.Environment("dev")


def messages(*clusters: kinds.Cluster, known: tuple[ledger.ClusterState, ...] = ()) -> list[str]:
    declared = [builders.declaration(each) for each in clusters]
    return [each.message for each in registration.check(declared, DEV, known)]


def respelled(cluster: kinds.Cluster, **spec: Any) -> kinds.Cluster:
    return cluster.model_copy(update={"spec": cluster.spec.model_copy(update=spec)})


def test_documents_as_enroll_prints_them_are_fine():
    assert messages(builders.cluster("a"), builders.cluster("b")) == []


@pytest.mark.threat(21)
def test_one_key_in_two_clusters_names_the_other_file():
    agent = keys.generate()
    first, second = builders.cluster("a", agent=agent), builders.cluster("b", agent=agent)
    assert messages(first, second) == ["its publicKey is already in clusters/dev/a.yaml:1"]


@pytest.mark.threat(21)
def test_one_uid_in_two_clusters_names_the_other_file():
    first, second = builders.cluster("a", uid="same"), builders.cluster("b", uid="same")
    assert messages(first, second) == ["its uid is already in clusters/dev/a.yaml:1"]


@pytest.mark.threat(21)
@pytest.mark.parametrize(
    ("elsewhere", "message"),
    [
        ({"name": "dev-1"}, "its name is already that of dev-1 of prod"),
        ({"uid": "the-uid"}, "its uid is already that of prod-1 of prod"),
        ({"public_key": True}, "its publicKey is already that of prod-1 of prod"),
    ],
)
def test_a_cluster_belongs_to_one_environment(elsewhere: dict[str, Any], message: str):
    cluster = builders.cluster("dev-1", uid="the-uid")
    if elsewhere.get("public_key"):
        elsewhere = {"public_key": cluster.spec.public_key}
    other = builders.cluster_state(
        elsewhere.pop("name", "prod-1"), environment="prod", **elsewhere
    )
    assert messages(cluster, known=(other,)) == [message]


def test_a_cluster_that_has_left_elsewhere_may_come():
    cluster = builders.cluster("dev-1", uid="the-uid")
    left = builders.cluster_state("dev-1", environment="prod", uid="the-uid", retired=True)
    assert messages(cluster, known=(left,)) == []


def test_a_cluster_is_not_held_against_itself():
    cluster = builders.cluster("dev-1")
    itself = builders.cluster_state(
        "dev-1", uid=cluster.spec.uid, public_key=cluster.spec.public_key
    )
    assert messages(cluster, known=(itself,)) == []


LOW_ORDER = {
    "zero": bytes(32),
    "one": b"\x01" + bytes(31),
    "minus one": bytes.fromhex("ec" + "ff" * 30 + "7f"),
    "order eight": bytes.fromhex(
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"
    ),
    "one, written beyond the prime": bytes.fromhex("ee" + "ff" * 30 + "7f"),
}


@pytest.mark.threat(21)
@pytest.mark.parametrize("raw", LOW_ORDER.values(), ids=LOW_ORDER.keys())
def test_a_key_for_which_anybody_could_sign_is_refused(raw: bytes):
    weak = respelled(builders.cluster(), public_key=base64.b64encode(raw).decode())
    assert messages(weak) == ["publicKey is a point of low order: anybody could sign for it"]


OTHER = builders.cluster("dev-2")
WRONG = {
    "proof of another cluster": {"proof": OTHER.spec.proof},
    "key of another cluster": {"public_key": OTHER.spec.public_key},
    "another uid": {"uid": "another"},
    "proof of zeros": {"proof": base64.b64encode(bytes(64)).decode()},
    "proof that is too short": {"proof": base64.b64encode(bytes(63)).decode()},
    "proof that is empty": {"proof": ""},
    "proof that is no base64": {"proof": "*"},
    "proof that is not ASCII": {"proof": "ü"},
    "key that is no base64": {"public_key": "*"},
    "key that is too short": {"public_key": base64.b64encode(bytes(31)).decode()},
    "key with a line end": {"public_key": OTHER.spec.public_key + "\n"},
}


@pytest.mark.threat(21)
@pytest.mark.parametrize("changed", WRONG.values(), ids=WRONG.keys())
def test_a_bad_proof_is_refused(changed: dict[str, str]):
    found = registration.check(
        [builders.declaration(respelled(builders.cluster(), **changed))], DEV, ()
    )
    assert len(found) == 1
    assert findings.refuses(found)
    assert str(found[0].place) == "clusters/dev/dev-1.yaml:1"
    assert found[0].subject == "Cluster dev-1"
    assert "fleet agent enroll" in found[0].hint


@pytest.mark.threat(21)
def test_a_proof_holds_in_its_environment_only():
    copied = builders.cluster("prod-1", environment="prod")
    assert messages(copied) == ["proof does not hold for this name, environment dev, uid and key"]


def test_labels_variables_and_version_need_no_new_proof():
    cluster = builders.cluster(variables={"a": "b"}, onRemoval="prune", labels={"region": "eu"})
    assert messages(cluster) == []


def test_all_faults_are_told_at_once():
    agent = keys.generate()
    first = builders.cluster("a", agent=agent, uid="same")
    second = respelled(builders.cluster("b", agent=agent, uid="same"), proof="*")
    assert len(messages(first, second)) == 3
