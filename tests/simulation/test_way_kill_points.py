"""A promotion, a hotfix, a promotion that keeps it, a rollback, a lifted quarantine: killed after each effect."""

import contextlib
import json
import os

import pytest

import invariants
import storyline
import worlds
from fleet.gate import trailers
from fleet.model import errors, ledger, names
from fleet.simulation import clock, faults, world

SCOPE = ("apps/**",)
STAGING = names.Environment("staging")
EFFECTS = frozenset({"book.write", "book.sync", "repository.keep"})
ALL = os.environ.get("FLEET_KILL_POINTS") == "all"


def fleet() -> bytes:
    document = {"apiVersion": "fleetgate.dev/v1alpha1", "kind": "Fleet", "metadata": {"name": "f"}}
    staging = {"name": "staging", "hotfix": {"paths": [*SCOPE]}}
    return json.dumps({**document, "spec": {"environments": [{"name": "dev"}, staging]}}).encode()


def running(here: world.World) -> ledger.Release:
    found = worlds.book(here).in_force(STAGING)
    assert found is not None
    return found


def decision(here: world.World) -> ledger.Decision:
    found = worlds.decision(here, "staging")
    assert found is not None
    return found


async def promoted(story: storyline.Story, tag: str) -> None:
    worlds.with_image(story.here, "dev", tag)
    await story.healthy("dev", f"{tag} in dev")
    here = story.here
    kept = {path for path in (worlds.GREETING,) if running(here).hotfixes}
    here.remote.merge("dev", "staging", takes=lambda p: worlds.is_shared(p) and p not in kept)
    await story.healthy("staging", f"{tag} in staging")


async def tell(story: storyline.Story) -> None:
    here = story.here
    for name in ("dev", "staging"):
        await worlds.register(here, f"{name}-1", name)
    here.hub.start()
    for name in ("dev", "staging"):
        await story.healthy(name, f"{name} at first")
    await promoted(story, "1.5.0")
    text = here.remote.read("staging", worlds.GREETING).replace(b"Hello", b"Quickly")
    message = f"fix\n\n{trailers.HOTFIX}: it burns\n"
    here.remote.commit("staging", {worlds.GREETING: text}, message)
    await story.healthy("staging", "hotfix")
    assert [each.path for each in running(here).hotfixes] == [worlds.GREETING]
    await promoted(story, "1.6.0")
    assert [each.path for each in running(here).hotfixes] == [worlds.GREETING]
    left = running(here)
    here.remote.revert("staging")
    await story.healthy("staging", "rolled back")
    assert running(here).content != left.content
    assert decision(here).lineage is ledger.Lineage.ROLLBACK
    assert (STAGING, left.content) in worlds.book(here).quarantines
    await lifted(story, left.content)
    worlds.with_image(here, "dev", "1.7.0")
    await story.healthy("dev", "1.7.0 in dev")
    await storyline.rest(story)


async def lifted(story: storyline.Story, content: names.ContentId) -> None:
    """Said again until the book has it."""
    asked = {"environment": "staging", "what": content, "reason": "mended", "by": "Ada"}

    def is_lifted() -> bool:
        row = worlds.book(story.here).quarantines[STAGING, content]
        return row.lifted is not None

    while not is_lifted():
        with contextlib.suppress(errors.UnreachableError, errors.RefusedError):
            await story.here.ask("lift", asked)
        await story.here.pass_time(1.0)


def told(*plans: faults.Plan) -> tuple[world.Post, list[str]]:
    """The hub, and what was decided of staging, in order."""

    async def main() -> tuple[world.Post, list[str]]:
        here = world.World(worlds.hub(), worlds.agent())
        here.remote.start("dev", {**worlds.files(), "fleet.yaml": fleet()})
        here.remote.branch("staging", at="dev")
        watch = invariants.Watch(here)
        watch.trees.scope = SCOPE
        here.hub.plans = list(plans)
        try:
            await tell(storyline.Story(here=here, watch=watch))
            releases = [r for (e, _), r in worlds.book(here).releases.items() if e == STAGING]
            return here.hub, [f"{each.number} {each.content}" for each in releases]
        finally:
            await here.close()

    return clock.run(main())


@pytest.mark.threat(94)
@pytest.mark.timeout(3600 if ALL else 120)
def test_a_hub_killed_at_any_effect_decides_each_of_them_once():
    post, decided = told()
    calls = list(post.process.log) if post.process else []
    effects = [n for n, what in enumerate(calls, 1) if what in EFFECTS]
    failed = []
    for place in effects if ALL else effects[::4]:
        try:
            ended, again = told(faults.crash_after(place))
        except Exception as error:  # noqa: BLE001 - every failing place is told, not the first alone
            failed.append(f"after call {place} ({calls[place - 1]}): {error!r}")
        else:
            failed += [] if ended.ended[:1] == ["crashed"] else [f"did not die at {place}"]
            failed += [] if again == decided else [f"{place}: decided {again}, not {decided}"]
    assert failed == []
    assert len(effects) > 50
