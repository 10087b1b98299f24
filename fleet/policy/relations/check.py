"""All rules over the objects of each cluster; clusters that get the same are looked at once."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace

from fleet.model import findings, names, objects
from fleet.policy.relations import collisions, deferred, missing, selections
from fleet.policy.relations.index import Index, References

Share = tuple[objects.Manifest, ...]
NAMES = (
    "collision",
    "deferred",
    "reference",
    "scaling",
    "selection",
)  # of the rules, as findings have them
RULES: tuple[Callable[[Index], Iterable[findings.Finding]], ...] = (
    missing.check,
    selections.check,
    collisions.addresses,
    collisions.scaling,
    deferred.check,
)


def check(manifests: Mapping[names.Cluster, Share]) -> list[findings.Finding]:
    found: list[findings.Finding] = []
    known: References = {}
    for share, clusters in _alike(manifests):
        index = Index(share, known)
        for rule in RULES:
            found += [replace(each, clusters=clusters) for each in rule(index)]
    return found


def _alike(
    manifests: Mapping[names.Cluster, Share],
) -> Iterator[tuple[Share, tuple[names.Cluster, ...]]]:
    if len(manifests) == 1:
        yield from ((share, (cluster,)) for cluster, share in manifests.items())
        return
    groups: dict[tuple[tuple[str, str, int], ...], list[names.Cluster]] = {}
    for cluster, share in manifests.items():
        said = tuple((each.digest, each.source.path, each.source.line) for each in share)
        groups.setdefault(said, []).append(cluster)
    for clusters in groups.values():
        yield manifests[clusters[0]], tuple(clusters)
