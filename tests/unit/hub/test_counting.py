"""What a release changes is counted from slices: each pair of them once, summed over clusters."""

import asyncio

import builders
from fleet.gate import candidates
from fleet.hub import counting
from fleet.judge import memory
from fleet.model import kinds, names
from fleet.plan import rollout
from fleet.plan import slices as cutting


class Shelf:
    """As much of a hub as counting asks for."""

    def __init__(self, *known: cutting.Slice) -> None:
        self.known = {each.digest: each.data for each in known}
        self.asked = 0
        self.book = self
        self.tools = self
        self.aside = memory.inline

    async def slice(self, digest: names.SliceDigest) -> bytes | None:
        self.asked += 1
        return self.known.get(digest)


def cut(*words: str, data: str = "") -> cutting.Slice:
    return cutting.cut(
        builders.manifest(document=builders.body(each, data={"word": data or each}))
        for each in words
    )


def counted(
    before: dict[str, cutting.Slice],
    after: dict[str, cutting.Slice],
    retired: dict[str, kinds.OnRemoval] | None = None,
) -> tuple[candidates.Change, int]:
    base = builders.release(slices={names.Cluster(c): s.digest for c, s in before.items()})
    plan = rollout.Plan(
        environment=names.Environment("dev"),
        slices={names.Cluster(c): s for c, s in after.items()},
        retired={names.Cluster(c): how for c, how in (retired or {}).items()},
        waves=(),
        terms=(),
        slices_root=names.Root(""),
    )
    shelf = Shelf(*before.values())
    found = asyncio.run(counting.change(plan, base if before else None, shelf))  # type: ignore[arg-type]
    return found, shelf.asked


def change(clusters: int, objects_: int, deletions: int) -> candidates.Change:
    return candidates.Change(clusters=clusters, objects=objects_, deletions=deletions)


ONE, TWO = cut("a", "b"), cut("a", "b", "c")


def test_nothing_changes():
    assert counted({"x": ONE}, {"x": ONE}) == (change(0, 0, 0), 0)


def test_the_first_release_brings_everything():
    assert counted({}, {"x": ONE, "y": TWO})[0] == change(2, 5, 0)


def test_an_object_that_comes_changes_or_goes_is_one_on_each_cluster():
    assert counted({"x": ONE, "y": ONE}, {"x": TWO, "y": ONE})[0] == change(1, 1, 0)
    assert counted({"x": TWO, "y": TWO}, {"x": ONE, "y": ONE})[0] == change(2, 2, 2)
    assert counted({"x": ONE}, {"x": cut("a", "b", data="new")})[0] == change(1, 2, 0)


def test_a_cluster_that_leaves_takes_objects_along_only_where_they_are_pruned():
    orphan, prune = kinds.OnRemoval.ORPHAN, kinds.OnRemoval.PRUNE
    assert counted({"x": ONE, "y": ONE}, {"x": ONE}, {"y": orphan})[0] == change(1, 0, 0)
    assert counted({"x": ONE, "y": ONE}, {"x": ONE}, {"y": prune})[0] == change(1, 2, 2)


def test_slices_that_many_clusters_share_are_compared_once():
    before = {f"c-{n}": ONE for n in range(100)}
    after = {f"c-{n}": TWO for n in range(100)}
    assert counted(before, after) == (change(100, 100, 0), 1)
