"""The different manifests among those of all clusters, each with what it replaces: what a court looks at, once.

In which clusters they are is worked out when something is found.
"""

import itertools
from collections.abc import Callable, Collection, Iterable, Mapping

from fleet.model import names, objects, sharing

Old = objects.Manifest | None  # what an object replaces; None = nothing, or nobody asks
Share = Mapping[names.Cluster, tuple[objects.Manifest, ...]]
Identity = tuple[names.Digest, objects.Source, str]
_Pair = tuple[int, int | None]  # a manifest and what it replaces, as numbers


def was(old: Old) -> str:
    return "" if old is None else f"/was/{old.digest}"


class Numbering:
    """Numbers of manifests and of their keys, for all courts of one judgement."""

    def __init__(self) -> None:
        self._numbers = sharing.Numbers(lambda each: (each.digest, each.source, each.piece))
        self._keys: list[int] = []  # of manifests by their number: equal keys have the same
        self._numbered: dict[objects.Key, int] = {}
        self.first = self._numbers.first

    def pairs(
        self, share: sharing.Share, runs: sharing.Share | None
    ) -> Iterable[tuple[int, int | None]]:
        """Each manifest with what it replaces."""
        here = self._numbers.of(share)
        if not runs:
            return zip(here, itertools.repeat(None), strict=False)
        before = self._numbers.of(runs)
        for each in self.first[len(self._keys) :]:
            self._keys.append(self._numbered.setdefault(each.key, len(self._numbered)))
        key = self._keys.__getitem__
        known = dict(zip(map(key, before), before, strict=True))
        return zip(here, map(known.get, map(key, here)), strict=True)


class Distinct:
    """`heeds` says of which manifests it matters what they replace; `whole` are pieces that nobody need look at."""

    def __init__(
        self,
        share: Share,
        runs: Share,
        heeds: Callable[[objects.Manifest], bool],
        whole: Collection[str],
        numbering: Numbering,
    ) -> None:
        self._share, self._runs, self._numbering = share, runs, numbering
        self._pairs_of: dict[Identity, set[_Pair]] = {}
        self._clusters_of: dict[_Pair, list[names.Cluster]] = {}
        self.each: dict[Identity, tuple[objects.Manifest, Old]] = {}
        pairs: dict[_Pair, None] = {}
        for cluster in share:
            pairs.update(dict.fromkeys(self._pairs(cluster)))
        for here, before in pairs:
            manifest = numbering.first[here]
            if manifest.piece not in whole:
                old = None if before is None else numbering.first[before]
                old = old if old is not None and heeds(manifest) else None
                identity = (manifest.digest, manifest.source, was(old))
                self.each[identity] = manifest, old
                self._pairs_of.setdefault(identity, set()).add((here, before))

    def _pairs(self, cluster: names.Cluster) -> Iterable[_Pair]:
        return self._numbering.pairs(self._share[cluster], self._runs.get(cluster))

    def where(self, identity: Identity) -> list[names.Cluster]:
        if not self._clusters_of:
            for cluster in self._share:
                for pair in self._pairs(cluster):
                    self._clusters_of.setdefault(pair, []).append(cluster)
        pairs = self._pairs_of[identity]
        if len(pairs) == 1:
            return self._clusters_of[min(pairs)]
        found = {cluster for pair in pairs for cluster in self._clusters_of[pair]}
        return [cluster for cluster in self._share if cluster in found]
