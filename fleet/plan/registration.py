"""Registered clusters, each held against all others (threat 21): one name, one key, one UID, one environment."""

from collections.abc import Container, Iterable, Iterator

from fleet.manifests import declared
from fleet.model import findings, kinds, ledger, names

Cluster = declared.Declaration[kinds.Cluster]


def check(
    clusters: Iterable[Cluster],
    environment: names.Environment,
    known: Iterable[ledger.ClusterState],
    proven: Container[str] = (),
) -> tuple[findings.Finding, ...]:
    """`known` are the clusters of the book, of whatever environment; `proven` those whose proofs are known to hold."""
    elsewhere = [each for each in known if each.environment != environment and not each.retired]
    listed = list(clusters)
    found = [
        finding
        for each in listed
        for finding in (
            *(() if each.document.metadata.name in proven else _proof(each, environment)),
            *_elsewhere(each, elsewhere),
        )
    ]
    return (*found, *_among(listed))


def _proof(cluster: Cluster, environment: names.Environment) -> Iterator[findings.Finding]:
    from fleet.protocol import (
        enrolment,
    )  # its cryptography takes longer to load than all else here

    fault = enrolment.fault_of(cluster.document, environment)
    if fault:
        hint = "take the document as `fleet agent enroll` printed it, or enroll again"
        yield _finding(cluster, fault, hint)


def _elsewhere(
    cluster: Cluster, elsewhere: list[ledger.ClusterState]
) -> Iterator[findings.Finding]:
    spec = cluster.document.spec
    for other in elsewhere:
        for what, is_same in (
            ("name", other.cluster == cluster.document.metadata.name),
            ("uid", other.uid == spec.uid),
            ("publicKey", other.public_key == spec.public_key),
        ):
            if is_same:
                where = f"{other.cluster} of {other.environment}"
                yield _finding(cluster, f"its {what} is already that of {where}", "remove one")


def _among(clusters: list[Cluster]) -> Iterator[findings.Finding]:
    first: dict[tuple[str, str], Cluster] = {}
    for cluster in clusters:
        spec = cluster.document.spec
        for what, value in (("uid", spec.uid), ("publicKey", spec.public_key)):
            other = first.setdefault((what, value), cluster)
            if other is not cluster:
                yield _finding(cluster, f"its {what} is already in {other.place}", "remove one")


def _finding(cluster: Cluster, message: str, hint: str) -> findings.Finding:
    name = cluster.document.metadata.name
    return findings.deny(
        "registration", cluster.place, message, hint=hint, subject=f"Cluster {name}"
    )
