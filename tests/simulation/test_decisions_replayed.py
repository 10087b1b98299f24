"""Decisions made again from their records: byte for byte, in worlds where much has happened."""

import replaying
import storyline
import worlds
from fleet.simulation import clock


def test_every_decision_of_the_story_is_made_again_byte_for_byte():
    async def main() -> None:
        here = worlds.small()
        try:
            await storyline.tell(here)
            assert await replaying.check(here) > 8
        finally:
            await here.close()

    clock.run(main())
