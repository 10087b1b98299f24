"""Clusters that get the very same and are judged in the very same way: one of them stands for all that are like it.

Alike are clusters of one version of Kubernetes to which the same bundles go, and that give the same value to every
variable that one of these bundles asks for.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from fleet.judge import readings
from fleet.manifests import selection, variables
from fleet.model import findings, kinds, names, objects
from fleet.policy import leniency

Item = TypeVar("Item")
Share = tuple[objects.Manifest, ...]
_Labels = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Crowd:
    """`each` has every cluster in the order of its documents, with the one that stands for it."""

    each: Mapping[names.Cluster, names.Cluster]

    def shares(self, found: Mapping[names.Cluster, Item]) -> dict[names.Cluster, Item]:
        """Of every cluster, where there is something of the one that stands for it."""
        return {cluster: found[one] for cluster, one in self.each.items() if one in found}

    def spread(
        self,
        manifests: Mapping[names.Cluster, Share],
        runs: Mapping[names.Cluster, Share],
        docket: leniency.Docket,
        found: Iterable[findings.Finding],
    ) -> dict[str, Any]:
        """What was judged for one of each kind, for all clusters."""
        return {
            "manifests": self.shares(manifests),
            "runs": self.shares(runs),
            "docket": replace(docket, labels=self._labels(docket.labels)),
            "findings": self._named(found),
        }

    def _named(self, found: Iterable[findings.Finding]) -> tuple[findings.Finding, ...]:
        """With all clusters named where one of them was."""
        members: dict[names.Cluster, list[names.Cluster]] = {}
        for cluster, one in self.each.items():
            members.setdefault(one, []).append(cluster)
        return tuple(
            replace(each, clusters=tuple(sorted(c for one in each.clusters for c in members[one])))
            if each.clusters
            else each
            for each in found
        )

    def _labels(
        self, found: Mapping[tuple[names.Cluster, str], Mapping[str, str]]
    ) -> dict[tuple[names.Cluster, str], Mapping[str, str]]:
        subjects: dict[names.Cluster, list[str]] = {}
        for one, subject in found:
            subjects.setdefault(one, []).append(subject)
        return {
            (cluster, subject): found[one, subject]
            for cluster, one in self.each.items()
            for subject in subjects.get(one, ())
        }


async def gathered(
    reading: readings.Reading,
    base: readings.Reading | None,
    files: readings.Files,
    versions: Iterable[str],
) -> tuple[readings.Reading, readings.Reading | None, Crowd | None]:
    """The reading and its base with one cluster of each kind; None where each is one of its kind.

    `base` may be rendered for them as well, as they come and as they were: so its bundles must not tell them apart
    either. `versions` are those known.
    """
    said = reading.declared
    clusters = said.clusters
    called = Counter(each.document.metadata.name for each in clusters)
    known = set(versions)
    if len(called) != len(clusters) or len(clusters) < 2:
        return reading, base, None
    sights = [await _sight(each, files) for each in (reading, base) if each is not None]
    was = {e.document.metadata.name: e.document for e in base.declared.clusters} if base else {}
    first: dict[object, selection.Cluster] = {}
    each: dict[names.Cluster, names.Cluster] = {}
    for cluster in clusters:
        spec, name = cluster.document.spec, names.Cluster(cluster.document.metadata.name)
        seen = tuple(each.of(cluster.document) for each in sights)
        kind = (*seen, sights[-1].of(was[name])) if name in was else seen
        one = first.setdefault(kind if spec.kubernetes_version in known else name, cluster)
        each[name] = names.Cluster(one.document.metadata.name)
    if len(first) == len(clusters):
        return reading, base, None
    few = frozenset(each.values())
    return _only(few, reading), base and _only(few, base), Crowd(each=each)


def _only(few: frozenset[names.Cluster], reading: readings.Reading) -> readings.Reading:
    said = reading.declared
    clusters = tuple(each for each in said.clusters if each.document.metadata.name in few)
    return replace(reading, declared=replace(said, clusters=clusters))


async def _sight(reading: readings.Reading, files: readings.Files) -> "_Sight":
    bundles = reading.declared.bundles
    asked = [await _asked(each, reading, files) for each in bundles]
    return _Sight(bundles, asked, reading.layout.environment)


async def _asked(
    bundle: selection.Bundle, reading: readings.Reading, files: readings.Files
) -> tuple[str, ...]:
    """The variables that a bundle's text names; a cluster may have a value for some of them."""
    if not bundle.document.spec.substitute:
        return ()
    folders = selection.Folders(reading.declared.bundles)
    paths = folders.plain_files(bundle, reading.shared)
    parsed = await files.parsed(reading.snapshot.entries[path] for path in paths)
    documents = (document.value for each in parsed.values() for document in each.documents)
    return tuple(sorted({name for value in documents for name in variables.asked(value)}))


class _Sight:
    """What the bundles see of a cluster."""

    def __init__(
        self,
        bundles: Sequence[selection.Bundle],
        asked: Sequence[tuple[str, ...]],
        environment: names.Environment,
    ) -> None:
        self._bundles, self._asked, self._environment = bundles, asked, environment
        self._by_labels: dict[_Labels, list[int]] = {}

    def of(self, cluster: kinds.Cluster) -> object:
        values = {**cluster.spec.variables, **variables.of_cluster(self._environment, cluster)}
        bundles = tuple(
            (number, *map(values.get, self._asked[number]))
            for number in self._selecting(cluster)
            if self._is_named(number, cluster.metadata.name)
        )
        return cluster.spec.kubernetes_version, bundles

    def _selecting(self, cluster: kinds.Cluster) -> list[int]:
        labels = cluster.metadata.labels
        key = tuple(sorted(labels.items()))
        if key not in self._by_labels:
            self._by_labels[key] = [
                number
                for number, each in enumerate(self._bundles)
                if kinds.selects(each.document.spec.targets, labels)
            ]
        return self._by_labels[key]

    def _is_named(self, number: int, name: str) -> bool:
        named = self._bundles[number].document.spec.targets.clusters
        return named is None or name in named
