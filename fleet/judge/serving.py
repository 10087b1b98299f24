"""What clusters would run by a commit, and what they run already, each worked out once a judgement."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from fleet.judge import readings, rendering, verdicts
from fleet.manifests import declared, scopes
from fleet.model import kinds, names, objects
from fleet.policy.crds import customs


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """What clusters would run, and the kinds that its CRDs bring."""

    rendered: rendering.Rendered = field(repr=False)
    scopes: scopes.Scopes
    brought: customs.Customs


async def served(reading: readings.Reading, kitchen: rendering.Kitchen) -> Served:
    rendered = await rendering.render(reading, kitchen)
    crds = crds_of(reading.declared, rendered.manifests)
    return Served(rendered=rendered, scopes=scopes.scopes(crds), brought=customs.Customs(crds))


class Running:
    """What runs, on the clusters that the candidate knows: worked out when somebody asks for it, and once.

    `told` is what anyone was told of what its clusters hold already, `known` what was made of that commit when it was
    judged itself.
    """

    def __init__(
        self,
        reading: readings.Reading,
        base: readings.Reading,
        known: verdicts.Share | None,
        kitchen: rendering.Kitchen,
    ) -> None:
        self.reading = _on_clusters_of(reading, base)
        self.told: verdicts.Share = {}
        self._base = base
        self._known = known
        self._kitchen = kitchen
        self._served: Served | None = None

    async def served(self) -> Served:
        if self._served is None:
            self._served = await served(self.reading, self._kitchen)
        return self._served

    async def rendered(self) -> rendering.Rendered:
        return (await self.served()).rendered

    async def previous(self) -> verdicts.Share:
        """On the clusters that were there, as they were: on others everything is new."""
        if not self.told:
            self.told = self._known or await self._as_it_was()
        return self.told

    async def _as_it_was(self) -> verdicts.Share:
        if _documents(self.reading) == _documents(self._base):
            return (await self.rendered()).manifests
        return (await rendering.render(self._base, self._kitchen)).manifests


def _on_clusters_of(reading: readings.Reading, base: readings.Reading) -> readings.Reading:
    """What runs, as the clusters that the candidate knows would get it: also those that come."""
    return replace(base, declared=replace(base.declared, clusters=reading.declared.clusters))


def _documents(reading: readings.Reading) -> list[kinds.Cluster]:
    return [each.document for each in reading.declared.clusters]


def crds_of(
    said: declared.Declared, manifests: Mapping[names.Cluster, tuple[objects.Manifest, ...]]
) -> list[Mapping[str, object]]:
    unique = {
        each.digest: each.body
        for share in manifests.values()
        for each in share
        if each.key.kind == "CustomResourceDefinition"
    }
    return [*(each.value for each in said.crds), *unique.values()]
