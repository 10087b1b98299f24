"""The way back through a running hub: a revert is a rollback, and what it left does not come again by itself."""

import storyline
import worlds
from fleet.model import ledger, names
from fleet.simulation import world

Lineage = ledger.Lineage


async def begin(story: storyline.Story) -> None:
    """A change that is healthy in dev and in staging."""
    here = story.here
    await storyline.two(story)
    worlds.with_image(here, "dev", "1.5.0")
    await story.healthy("dev", "the change in dev")
    worlds.promote(here, "dev", "staging")
    await story.healthy("staging", "the change in staging")


def decided(here: world.World, branch: str) -> ledger.Decision | None:
    found = worlds.decision(here, branch)
    return found if found and found.commit == here.remote.branches[branch] else None


async def rolled_back(story: storyline.Story) -> ledger.Decision:
    story.here.remote.revert("staging")
    await story.healthy("staging", "a revert")
    found = decided(story.here, "staging")
    assert found is not None
    return found


def test_a_revert_is_a_rollback():
    async def tell(story: storyline.Story) -> None:
        found = await rolled_back(story)
        assert (found.lineage, found.back_to) == (Lineage.ROLLBACK, 1)
        assert not worlds.image(story.here, "staging-1").endswith(":1.5.0")
        assert worlds.image(story.here, "dev-1").endswith(":1.5.0")

    storyline.play(storyline.small, begin, tell)


def test_what_a_rollback_left_is_refused_until_it_is_lifted():
    async def tell(story: storyline.Story) -> None:
        here = story.here
        left = worlds.book(here).in_force(names.Environment("staging"))
        await rolled_back(story)
        worlds.promote(here, "dev", "staging")
        await story.until(
            "promoted again to decided", lambda: decided(here, "staging") is not None
        )
        found = decided(here, "staging")
        assert found is not None
        assert found.verdict is ledger.Verdict.REFUSED
        assert [e.gate for e in found.gates if e.state is ledger.GateState.REFUSED] == [
            "quarantine"
        ]
        assert left is not None
        asked = {"environment": "staging", "what": left.content, "reason": "mended", "by": "Ada"}
        await here.ask("lift", asked)
        await story.healthy("staging", "lifted to healthy")
        assert worlds.image(here, "staging-1").endswith(":1.5.0")

    storyline.play(storyline.small, begin, tell)
