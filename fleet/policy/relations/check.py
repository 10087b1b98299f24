"""All rules over the objects of each cluster; clusters that get the same are looked at once."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace

from fleet.model import findings, json_values, names, objects, sharing
from fleet.policy.relations import collisions, deferred, missing, selections, sketches
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
    """Clusters whose objects differ in nothing that a relation asks of them."""
    if len(manifests) == 1:
        yield from ((share, (cluster,)) for cluster, share in manifests.items())
        return
    numbers = sharing.Numbers(_said)
    groups: dict[tuple[int, ...], list[names.Cluster]] = {}
    for cluster, share in manifests.items():
        groups.setdefault(tuple(numbers.of(share)), []).append(cluster)
    for clusters in groups.values():
        yield manifests[clusters[0]], tuple(clusters)


def _said(manifest: objects.Manifest) -> tuple[str, str, int]:
    """By its sketch: values from the data of ConfigMaps, as each cluster may have its own, tell none apart."""
    sketch = manifest.sketch if manifest.sketch is not None else sketches.sketch(manifest)
    digest = manifest.digest if sketch is None else json_values.digest(sketch)
    return digest, manifest.source.path, manifest.source.line
