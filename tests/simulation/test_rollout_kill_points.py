"""A rollout in parts, paused, resumed and replaced half-way, while one process is killed after each of its effects.

No cluster twice, none forgotten (threat 108): the rules of tests/waverules.py and convergence say so.
"""

import contextlib
import json
import os

import pytest

import invariants
import storyline
import waverules
import worlds
from fleet.model import errors, names
from fleet.simulation import clock, faults, world

CLUSTERS = {"canary": "canary", "eu-1": "eu", "eu-2": "eu", "eu-3": "eu", "us-1": "other"}
WAVES = [
    {"name": "canary", "selector": {"matchLabels": {"tier": "canary"}}, "soak": "1m"},
    {"name": "europe", "selector": {"matchLabels": {"tier": "eu"}}, "size": "2"},
    {"name": "rest"},
]
LIMITS = {
    ("dev", "canary"): waverules.Limit(soak=60),
    ("dev", "europe"): waverules.Limit(at_once=2),
}
EFFECTS = frozenset({"book.write", "book.sync", "repository.keep"})
ALL = os.environ.get("FLEET_KILL_POINTS") == "all"


def fleet() -> bytes:
    document = {"apiVersion": "fleetgate.dev/v1alpha1", "kind": "Fleet", "metadata": {"name": "f"}}
    dev = {"name": "dev", "waves": WAVES, "rollout": {"deadline": "2h"}}
    return json.dumps({**document, "spec": {"environments": [dev]}}).encode()


async def act(story: storyline.Story, what: str) -> None:
    """Said again until the hub has heard it; what was done by a hub that died is done."""
    asked = {"environment": "dev", "wave": "europe", "reason": "because"}
    while True:
        try:
            with contextlib.suppress(errors.RefusedError):
                await story.here.ask(f"rollout {what}", asked)
        except errors.UnreachableError:
            await story.here.pass_time(1.0)
        else:
            return


async def tell(story: storyline.Story) -> None:
    here = story.here
    for name, tier in CLUSTERS.items():
        await worlds.register(here, name, "dev", {"tier": tier})
    here.hub.start()
    await story.healthy("dev", "dev at first")
    worlds.with_image(here, "dev", "1.5.0")
    await story.until("accepted", lambda: worlds.is_accepted(here, "dev"))
    await act(story, "pause")
    await here.pass_time(100.0)
    await act(story, "resume")
    await story.until("a part of europe", lambda: worlds.image(here, "eu-1").endswith(":1.5.0"))
    worlds.with_image(here, "dev", "1.6.0")
    await story.healthy("dev", "the newer one")
    for name in CLUSTERS:
        assert worlds.image(here, name).endswith(":1.6.0")
    await storyline.rest(story)


def told(*plans: faults.Plan) -> world.Post:
    async def main() -> world.Post:
        here = world.World(worlds.hub(), worlds.agent())
        here.remote.start("dev", {**worlds.files(), "fleet.yaml": fleet()})
        watch = invariants.Watch(here)
        watch.waves.limits = LIMITS
        watch.waves.wave_of = lambda _, cluster: {"c": "canary", "e": "europe"}.get(
            cluster[:1], "rest"
        )
        here.hub.plans = list(plans)
        try:
            await tell(storyline.Story(here=here, watch=watch))
            assert worlds.book(here).in_force(names.Environment("dev")) is not None
            return here.hub
        finally:
            await here.close()

    return clock.run(main())


@pytest.mark.threat(94)
@pytest.mark.threat(108)
@pytest.mark.timeout(3600 if ALL else 120)
def test_a_hub_killed_at_any_effect_of_a_rollout_resumes_or_replaces_it_by_record():
    post = told()
    calls = list(post.process.log) if post.process else []
    effects = [n for n, what in enumerate(calls, 1) if what in EFFECTS]
    failed = []
    for place in effects if ALL else effects[::5]:
        try:
            ended = told(faults.crash_after(place)).ended
        except Exception as error:  # noqa: BLE001 - every failing place is told, not the first alone
            failed.append(f"after call {place} ({calls[place - 1]}): {error!r}")
        else:
            failed += [] if ended[:1] == ["crashed"] else [f"did not die at {place}"]
    assert failed == []
    assert len(effects) > 50
