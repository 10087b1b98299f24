"""Enrolment: the agent's key is made in the cluster's keeping and never leaves it; a `Cluster` document comes out."""

import base64
from dataclasses import dataclass

from fleet.agent import keeping
from fleet.converge import inventory
from fleet.model import errors, json_values, names, objects
from fleet.ports import cluster
from fleet.protocol import enrolment, keys, trusted

SECRET = "agent"  # noqa: S105 - the name of one
_NAMESPACES = cluster.Resource(
    group="",
    version="v1",
    kind="Namespace",
    plural="namespaces",
    namespaced=False,
    versions=("v1",),
)
_KEY = objects.Key(group="", kind="Secret", namespace=inventory.NAMESPACE, name=SECRET)


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolled:
    """Who the agent is, and where its hub is. `hub_ca` is PEM, "" = the system's authorities."""

    identity: trusted.Identity
    key: keys.SigningKey
    hub_url: str
    hub_ca: str = ""


async def enroll(
    port: cluster.Cluster,
    *,
    name: names.Cluster,
    environment: names.Environment,
    hub_url: str,
    hub_key: str,
    hub_ca: str = "",
    labels: dict[str, str] | None = None,
    trust: str = "",
) -> json_values.JsonObject:
    """The document to commit. Asked again for the same cluster and hub, it comes from the same key.

    Raises errors.RefusedError when the cluster is already enrolled as another.
    """
    _check_words(name, environment, hub_key)
    if trust and not names.is_digest(trust):
        raise errors.InputError("the trust file's digest is sha256: and 64 hexadecimal digits")
    found = await port.identity()
    identity = trusted.Identity(
        cluster=name, environment=environment, uid=found.uid, hub_key=hub_key, trust=trust
    )
    enrolled = Enrolled(identity=identity, key=keys.generate(), hub_url=hub_url, hub_ca=hub_ca)
    kept = await _kept(port, enrolled)
    return enrolment.document(
        cluster=name,
        environment=environment,
        uid=found.uid,
        kubernetes_version=minor(found.version),
        labels=labels or {},
        key=kept.key,
    )


async def read(port: cluster.Cluster) -> Enrolled:
    """Raises errors.InputError for a cluster that is not enrolled."""
    answer = await port.read(keeping.SECRETS, _KEY)
    if answer.status is cluster.Status.ABSENT:
        raise errors.InputError(
            "this cluster is not enrolled", hint="run: fleet agent enroll --help"
        )
    if answer.status is not cluster.Status.DONE or answer.live is None:
        raise errors.UnreachableError(f"cannot read the agent's identity: {answer.message}")
    return _decoded(answer.live)


def minor(version: str) -> str:
    """Of "v1.36.3": "1.36"."""
    return ".".join(version.removeprefix("v").split(".")[:2])


async def _kept(port: cluster.Cluster, enrolled: Enrolled) -> Enrolled:
    await _clear(port, enrolled.identity)
    namespace = {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": inventory.NAMESPACE},
    }
    for resource, body in ((_NAMESPACES, namespace), (keeping.SECRETS, _encoded(enrolled))):
        answer = await port.create(resource, body)
        if answer.status not in (cluster.Status.DONE, cluster.Status.CONFLICT):
            raise errors.RefusedError(f"cannot enroll: {answer.message}")
    kept = await read(port)
    if kept.identity != enrolled.identity or kept.hub_url != enrolled.hub_url:
        raise errors.RefusedError(
            f"this cluster is already enrolled as {kept.identity.cluster} of "
            f"{kept.identity.environment} with hub {kept.hub_url}",
            hint=f"to begin anew, delete Secret {inventory.NAMESPACE}/{SECRET}; the old key then opens nothing",
        )
    return kept


async def _clear(port: cluster.Cluster, identity: trusted.Identity) -> None:
    """A dispatch for whoever was enrolled here before is believed by nobody, and would stand in the way."""
    if (await port.read(keeping.SECRETS, _KEY)).status is not cluster.Status.ABSENT:
        return
    keeper = keeping.Keeper(port)
    try:
        await keeper.read_pointer(identity)
    except (errors.RefusedError, errors.BrokenError):
        await keeper.drop_pointer()


def _check_words(name: str, environment: str, hub_key: str) -> None:
    for what, word in (("cluster", name), ("environment", environment)):
        if not names.is_label(word):
            raise errors.InputError(f"{what} {word!r} is no DNS-1123 label")
    fault = keys.fault_of(hub_key)
    if fault:
        raise errors.InputError(f"the hub's key is {fault}", hint="print it with: fleet hub key")


def _encoded(enrolled: Enrolled) -> json_values.JsonObject:
    identity = enrolled.identity
    words = {
        "cluster": identity.cluster,
        "environment": identity.environment,
        "uid": identity.uid,
        "hubKey": identity.hub_key,
        "hubUrl": enrolled.hub_url,
        "hubCa": enrolled.hub_ca,
        "key": enrolled.key.pem().decode(),
        **({"trust": identity.trust} if identity.trust else {}),
    }
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": SECRET, "namespace": inventory.NAMESPACE},
        "type": "fleetgate.dev/agent",
        "data": {k: base64.b64encode(v.encode()).decode() for k, v in words.items()},
    }


def _decoded(secret: json_values.JsonObject) -> Enrolled:
    try:
        words = {k: base64.b64decode(v).decode() for k, v in (secret.get("data") or {}).items()}
        return Enrolled(
            identity=trusted.Identity(
                cluster=names.Cluster(words["cluster"]),
                environment=names.Environment(words["environment"]),
                uid=words["uid"],
                hub_key=words["hubKey"],
                trust=words.get("trust", ""),
            ),
            key=keys.from_pem(words["key"].encode()),
            hub_url=words["hubUrl"],
            hub_ca=words["hubCa"],
        )
    except (KeyError, ValueError) as error:
        raise errors.BrokenError(f"Secret {inventory.NAMESPACE}/{SECRET} is damaged") from error
