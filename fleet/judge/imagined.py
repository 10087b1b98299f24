"""Clusters that nobody registered, so that a commit can be judged where there is none yet."""

from dataclasses import replace

from fleet.judge import readings
from fleet.manifests import declared
from fleet.model import findings, kinds, names

NAME = names.Cluster("any-cluster")

Cluster = declared.Declaration[kinds.Cluster]


def with_clusters(reading: readings.Reading, versions: tuple[str, ...]) -> readings.Reading:
    """Its own, or one of the newest of the versions that are known, where it has none."""
    said = reading.declared
    if said.clusters:
        return reading
    return replace(reading, declared=replace(said, clusters=(cluster(NAME, versions[-1]),)))


def cluster(name: str, version: str) -> Cluster:
    """As if a cluster without labels, of that version of Kubernetes, were registered."""
    spec = {"uid": name, "publicKey": "", "proof": "", "kubernetesVersion": version}
    document = kinds.Cluster.model_validate(
        {
            "apiVersion": kinds.API_VERSION,
            "kind": "Cluster",
            "metadata": {"name": name},
            "spec": spec,
        }
    )
    return declared.Declaration(document=document, place=findings.Place(path=declared.FLEET_FILE))


def is_one(known: Cluster) -> bool:
    return known.document.metadata.name == NAME
