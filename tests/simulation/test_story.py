"""The main job from end to end, with the real shells and core, in virtual time."""

import time

import pytest

import storyline
import worlds
from fleet.adapters import schemas
from fleet.simulation import clock


@pytest.mark.timeout(60)
def test_the_whole_story_takes_minutes_there_and_seconds_here():
    shapes = (
        schemas.Packaged()
    )  # the real ones, read before virtual time begins: threads have none

    async def told() -> tuple[storyline.Story, float]:
        here = worlds.small(worlds.hub(shapes))
        try:
            story = await storyline.tell(here)
            return story, (here.clock.now() - clock.START).total_seconds()
        finally:
            await here.close()

    worlds.read_before(shapes)
    began = time.perf_counter()
    story, passed = clock.run(told())
    assert time.perf_counter() - began < 20.0
    assert passed > 120.0
    assert story.watch.deleted >= 4  # pruned in dev, left in prod-eu
    assert story.took["scaled by hand to put back"] <= 1.0


def test_the_same_seed_gives_the_same_story():
    async def told() -> tuple[dict[str, float], list[str]]:
        here = worlds.small()
        try:
            story = await storyline.tell(here)
            return story.took, [f"{r.kind.value} {r.subject}" for r in story.watch.chain()]
        finally:
            await here.close()

    assert clock.run(told()) == clock.run(told())
