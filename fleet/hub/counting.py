"""How much a release changes of the one in force: told by the digests of slices, counted in those that differ."""

from collections.abc import Iterable, Mapping
from typing import Protocol

from fleet.gate import candidates
from fleet.judge import judging
from fleet.model import errors, leaving, names, objects
from fleet.model import slices as form
from fleet.plan import rollout


class Slices(Protocol):
    """A book, as far as its slices are asked for."""

    async def slice(self, digest: names.SliceDigest, /) -> bytes | None: ...


class Shelf(Protocol):
    """As much of a hub as counting asks for."""

    @property
    def tools(self) -> judging.Tools: ...

    @property
    def book(self) -> Slices: ...


class Base(Protocol):
    """What is in force, as far as its slices are asked for."""

    @property
    def slices(self) -> Mapping[names.Cluster, names.SliceDigest]: ...


async def change(plan: rollout.Plan, base: Base | None, hub: Shelf) -> candidates.Change:
    """Summed over clusters; one that leaves counts, and so do its objects where they are deleted."""
    before: Mapping[names.Cluster, names.SliceDigest] = base.slices if base else {}
    after = {cluster: each.digest for cluster, each in plan.slices.items()}
    differing = [c for c in {*before, *after} if before.get(c) != after.get(c)]
    counted: dict[tuple[str | None, str | None], tuple[int, int]] = {}
    totals = []
    for cluster in differing:
        pair = before.get(cluster), after.get(cluster)
        if pair not in counted:
            counted[pair] = await _differences(pair[0], _data(cluster, plan), hub)
        totals.append(counted[pair] if _touches_objects(cluster, plan) else (0, 0))
    return candidates.Change(
        clusters=len(differing),
        objects=sum(changed for changed, _ in totals),
        deletions=sum(deleted for _, deleted in totals),
    )


def _data(cluster: names.Cluster, plan: rollout.Plan) -> bytes:
    return plan.slices[cluster].data if cluster in plan.slices else form.encode(())


def _touches_objects(cluster: names.Cluster, plan: rollout.Plan) -> bool:
    """A cluster that leaves keeps its objects, unless its document said otherwise."""
    return plan.retired.get(cluster) is not leaving.OnRemoval.ORPHAN


async def _differences(old: names.SliceDigest | None, data: bytes, hub: Shelf) -> tuple[int, int]:
    before = b"" if old is None else await hub.book.slice(old)
    if before is None:
        raise errors.BrokenError(f"the book does not have slice {old}, which is in force")
    return await hub.tools.aside(lambda: _counted(before, data))


def _counted(before: bytes, after: bytes) -> tuple[int, int]:
    """Objects that come, change or go, and those that go."""
    was = _bodies(form.decode(before)) if before else {}
    will_be = _bodies(form.decode(after))
    gone = len(was.keys() - will_be.keys())
    return gone + sum(1 for key, body in will_be.items() if was.get(key) != body), gone


def _bodies(items: Iterable[form.Item]) -> dict[objects.Key, object]:
    return {item.key: item.body for item in items}
