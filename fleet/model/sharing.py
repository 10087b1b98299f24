"""Manifests that many clusters share, as numbers: each is looked at once, told apart as the very object in memory."""

from collections.abc import Callable, Hashable

from fleet.model import objects

Share = tuple[objects.Manifest, ...]


class Numbers:
    """Manifests with equal keys have the same number, from 0 on; `first` are the first ones met, by their number."""

    def __init__(self, key: Callable[[objects.Manifest], Hashable]) -> None:
        self._key = key
        self._of_key: dict[Hashable, int] = {}
        self._met: dict[
            int, objects.Manifest
        ] = {}  # held, so that none takes another's place in memory
        self._known: dict[int, int] = {}
        self._shares: dict[int, tuple[Share, list[int]]] = {}
        self.first: list[objects.Manifest] = []

    def of(self, manifests: Share) -> list[int]:
        """The same share is not looked through again."""
        met = self._shares.get(id(manifests))
        if met is None:
            met = self._shares[id(manifests)] = manifests, self._of(manifests)
        return met[1]

    def _of(self, manifests: Share) -> list[int]:
        places = [*map(id, manifests)]
        if fresh := set(places).difference(self._met):
            here = dict(zip(places, manifests, strict=True))
            for place in filter(fresh.__contains__, here):
                self._known[place] = self._number(here[place])
                self._met[place] = here[place]
        return [*map(self._known.__getitem__, places)]

    def _number(self, manifest: objects.Manifest) -> int:
        number = self._of_key.setdefault(self._key(manifest), len(self.first))
        if number == len(self.first):
            self.first.append(manifest)
        return number
