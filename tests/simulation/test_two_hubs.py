"""Two hubs at one book: one that was paused, past the time after which another took its place, and goes on."""

import pytest

import invariants
import storyline
import worlds
from fleet.simulation import clock, faults

WRITES = ("book.write", "book.sync", "repository.keep", "repository.fetch")


@pytest.mark.threat(101)
@pytest.mark.parametrize("call", WRITES)
@pytest.mark.parametrize("after", [1, 2, 3])
def test_the_hub_that_was_paused_writes_nothing_and_ends(call: str, after: int):
    """It is stopped before its next call of that name, while a commit is under way."""
    left = [0]  # calls of that name until it is paused

    def paused(_: int, what: str) -> faults.Fault | None:
        left[0] -= what == call
        return faults.Fault.DELAY if what == call and left[0] == 0 else None

    async def main() -> None:
        here = worlds.small()
        story = storyline.Story(here=here, watch=invariants.Watch(here))
        here.hub.plans.append(paused)
        await storyline.start(story)
        first = here.hub.process
        assert first is not None
        first.delay, left[0] = 120.0, after
        worlds.with_image(here, "dev", "1.5.0")
        await here.pass_time(5.0)
        old = here.succeed()
        await story.healthy("dev", "by the successor")
        written = here.shelf.seen().head()
        await here.pass_time(300.0)
        assert here.shelf.seen().head() == written
        assert ["another hub has taken" in each for each in old.ended] == [True]
        story.watch.check()
        await here.close()

    clock.run(main())
