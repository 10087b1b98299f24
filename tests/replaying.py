"""Every decision of a simulated world made again from its record (invariant 12)."""

import worlds
from fleet.audit import records
from fleet.judge import judging
from fleet.local import replaying
from fleet.ports import schemas
from fleet.simulation import book, faults, memo, repository, world


def tools(here: world.World, shapes: schemas.SchemaSource | None = None) -> judging.Tools:
    """As of somebody who has the repository and remembers nothing."""
    process = faults.Process(name="auditor")
    return judging.Tools(
        repository=repository.Repository(here.remote, {}, process),
        schemas=shapes or worlds.AnyShape(),
        memo=memo.Memo({}, process),
        kustomize=None,
    )


async def replayed(here: world.World, index: int) -> replaying.Replayed:
    source = book.Book(here.shelf, faults.Process(name="auditor"))
    return await replaying.replay(str(index), source, tools(here))


async def check(here: world.World) -> int:
    """How many there were. Raises AssertionError for one that comes out otherwise."""
    pages = here.shelf.synced
    found = [pages.read(index) for index in range(len(pages.records))]
    decisions = [each.index for each in found if each.kind is records.Kind.DECISION]
    for index in decisions:
        again = await replayed(here, index)
        assert again.differences == (), (index, again.differences)
    return len(decisions)
