"""Whether the clusters' own API servers would take in a policy: an older one does not know all of the language.

The gate knows it all, so nothing is let through; but a policy that such a cluster cannot hold is judged here alone.
"""

from collections.abc import Iterator, Mapping

from fleet.cel import history
from fleet.model import findings, names
from fleet.policy import documents, policies

Versions = Mapping[str, tuple[names.Cluster, ...]]  # by minor version, as in "1.30"


def check(bound: policies.PolicySet, versions: Versions) -> Iterator[findings.Finding]:
    """One finding for each expression and version, on what it needs most."""
    for version, clusters in versions.items():
        minor = int(version.rpartition(".")[2])
        for policy in bound.policies.values():
            yield from _of_policy(policy, minor, clusters)


def _of_policy(
    policy: documents.Policy, minor: int, clusters: tuple[names.Cluster, ...]
) -> Iterator[findings.Finding]:
    if policy.dialect is not documents.KUBERNETES:
        return  # another engine compiles it, not the API server
    for each in policy.all_expressions():
        needs = each.program.needs if each.program else ()
        unknown = [need for need in needs if not history.is_known(need, minor)]
        if unknown:
            newest = unknown[0].minor
            yield findings.Finding(
                rule=policy.name,
                severity=findings.Severity.WARN,
                message=f"Kubernetes 1.{minor} would refuse this expression: it does not know "
                + ", ".join(need.word for need in unknown),
                place=policy.source.place,
                hint=f"API servers take it from 1.{newest + 1} on; until then only this gate judges by it",
                field=each.path,
                clusters=clusters,
            )
