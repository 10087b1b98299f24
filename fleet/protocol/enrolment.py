"""Proof of possession: an agent signs who it is with its own key, and the `Cluster` document carries both."""

import base64
import binascii
from typing import TYPE_CHECKING

from fleet.model import json_values, names
from fleet.protocol import keys

if TYPE_CHECKING:  # an agent makes the document, and needs nothing of what checks it
    from fleet.model import kinds

_PURPOSE = (
    "fleetgate.dev/enrolment/v1"  # so that no other signature of the key passes for this one
)


def prove(
    *, cluster: names.Cluster, environment: names.Environment, uid: str, key: keys.SigningKey
) -> str:
    signature = key.sign(_claim(cluster, environment, uid, key.public))
    return base64.b64encode(signature).decode("ascii")


def fault_of(cluster: "kinds.Cluster", environment: names.Environment) -> str:
    """What is wrong with a document's key or proof, in words; "" = nothing."""
    spec = cluster.spec
    fault = keys.fault_of(spec.public_key)
    if fault:
        return f"publicKey is {fault}"
    try:
        signature = base64.b64decode(spec.proof, validate=True)
    except (binascii.Error, ValueError):
        return "proof is not base64"
    claim = _claim(names.Cluster(cluster.metadata.name), environment, spec.uid, spec.public_key)
    if not keys.is_signed(spec.public_key, claim, signature):
        return f"proof does not hold for this name, environment {environment}, uid and key"
    return ""


def document(
    *,
    cluster: names.Cluster,
    environment: names.Environment,
    uid: str,
    kubernetes_version: str,
    labels: dict[str, str],
    key: keys.SigningKey,
) -> json_values.JsonObject:
    """The `Cluster` document to commit as clusters/ENVIRONMENT/CLUSTER.yaml."""
    return {
        "apiVersion": names.API_VERSION,
        "kind": "Cluster",
        "metadata": {"name": cluster, **({"labels": labels} if labels else {})},
        "spec": {
            "uid": uid,
            "publicKey": key.public,
            "proof": prove(cluster=cluster, environment=environment, uid=uid, key=key),
            "kubernetesVersion": kubernetes_version,
        },
    }


def _claim(cluster: names.Cluster, environment: names.Environment, uid: str, public: str) -> bytes:
    claim = {"cluster": cluster, "environment": environment, "uid": uid, "publicKey": public}
    return json_values.encode({"purpose": _PURPOSE, **claim})
