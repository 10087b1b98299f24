"""The main job as a person would do it, chapter by chapter; what must hold is checked after each.

It takes crashes as they come: every wait is for what the world shows, never for what a process says.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeVar

import invariants
import replaying
import worlds
from fleet.model import errors, ledger, names, objects
from fleet.simulation import clock, world

EXTRA = "apps/hello/extra.yaml"
CONFIG = """apiVersion: v1
kind: ConfigMap
metadata:
  name: extra
  namespace: hello
data:
  word: more
"""
EXTRA_KEY = objects.Key(group="", kind="ConfigMap", namespace="hello", name="extra")
_PATIENCE = 900.0  # virtual seconds; a lease of a dead agent alone takes 180


@dataclass(slots=True, kw_only=True)
class Story:
    here: world.World
    watch: invariants.Watch
    took: dict[str, float] = field(default_factory=dict)  # virtual seconds, by chapter

    async def until(self, what: str, holds: Callable[[], bool]) -> None:
        try:
            self.took[what] = await self.here.until(holds, within=_PATIENCE, what=what)
        except errors.UnreachableError as error:
            ended = {why for each in self.watch.posts() for why in each.ended}
            told = [f"{error}", *sorted(ended), *self.here.faults]
            raise errors.UnreachableError("; ".join(told)) from None

    async def healthy(self, environment: str, what: str) -> None:
        await self.until(what, lambda: worlds.is_healthy(self.here, environment))


def small() -> Story:
    """Two environments, dev and staging, where nothing is registered yet."""
    here = worlds.small()
    return Story(here=here, watch=invariants.Watch(here))


async def two(story: Story) -> None:
    """A cluster in each of both, which run healthy what the branches said at first."""
    here = story.here
    await worlds.register(here, "dev-1", "dev")
    await worlds.register(here, "staging-1", "staging")
    here.hub.start()
    await story.healthy("dev", "dev at first")
    await story.healthy("staging", "staging at first")


Told = TypeVar("Told", bound=Story)


def play(made: Callable[[], Told], *chapters: Callable[[Told], Awaitable[None]]) -> None:
    """These chapters alone, in a world of their own; what must hold is checked at the end."""

    async def main() -> None:
        story = made()
        try:
            for chapter in chapters:
                await chapter(story)
            story.watch.check()
            await replaying.check(story.here)
        finally:
            await story.here.close()

    clock.run(main())


async def tell(here: world.World) -> Story:
    """All chapters, to rest. Raises AssertionError where something did not hold."""
    story = Story(here=here, watch=invariants.Watch(here))
    for chapter in CHAPTERS:
        await chapter(story)
        story.watch.check()
    await rest(story)
    return story


async def rest(story: Story) -> None:
    """Without faults for a while everything is as it shall be."""
    await story.here.pass_time(90.0)  # longer than a lease of the agent is renewed
    story.watch.check_converged()


async def start(story: Story) -> None:
    here = story.here
    await worlds.register(here, "dev-1", "dev")
    await worlds.register(here, "staging-1", "staging")
    await worlds.register(here, "prod-canary", "prod", worlds.CANARY)
    await worlds.register(here, "prod-eu", "prod", onRemoval="prune")
    here.hub.start()
    for environment in worlds.ENVIRONMENTS:
        await story.healthy(environment, f"{environment} at first")


async def change(story: Story) -> None:
    before = worlds.image(story.here, "staging-1")
    story.here.remote.commit("dev", {EXTRA: CONFIG}, "One more object")
    worlds.with_image(story.here, "dev", "1.5.0")
    await story.healthy("dev", "commit to healthy in dev")
    assert worlds.image(story.here, "dev-1").endswith(":1.5.0")
    assert worlds.image(story.here, "staging-1") == before


async def promote(story: Story) -> None:
    for source, target in (("dev", "staging"), ("staging", "prod")):
        worlds.promote(story.here, source, target)
        await story.healthy(target, f"promotion to healthy in {target}")
    for cluster in ("staging-1", "prod-canary", "prod-eu"):
        assert worlds.image(story.here, cluster).endswith(":1.5.0")


async def refuse(story: Story) -> None:
    here = story.here
    commit = worlds.with_image(here, "dev", "latest")
    await story.until("commit to refusal", lambda: _is_refused(here, commit))
    decision = worlds.decision(here, "dev")
    assert decision is not None
    assert [(f.rule, str(f.place)) for f in decision.findings] == [
        ("disallow-latest-tag", f"{worlds.WEB}:22:18")
    ]
    await here.pass_time(30.0)
    assert worlds.image(here, "dev-1").endswith(":1.5.0")
    here.remote.revert("dev")
    await story.until("revert to accepted", lambda: worlds.is_accepted(here, "dev"))


async def drift(story: Story) -> None:
    here = story.here
    canary, dev = here.members["prod-canary"].server, here.members["dev-1"].server
    canary.edit("kubectl", worlds.DEPLOYMENT, lambda body: body["spec"].update(replicas=5))
    gone = dev.held[worlds.CONFIG]["metadata"]["uid"]
    await (
        here.members["dev-1"]
        .people()
        .delete(dev.resources()["", "ConfigMap"], worlds.CONFIG, uid=gone)
    )
    await story.until(
        "scaled by hand to put back",
        lambda: canary.held[worlds.DEPLOYMENT]["spec"]["replicas"] == 2,
    )
    await story.until("deleted by hand to made again", lambda: worlds.CONFIG in dev.held)


async def join(story: Story) -> None:
    await worlds.register(story.here, "prod-us", "prod")
    await story.healthy("prod", "registered to healthy")
    assert worlds.image(story.here, "prod-us").endswith(":1.5.0")


async def prune(story: Story) -> None:
    here = story.here
    here.remote.commit("dev", {EXTRA: None}, "One object less")
    held = here.members["dev-1"].server.held
    await story.until("removed from git to gone", lambda: EXTRA_KEY not in held)
    await story.healthy("dev", "removal to healthy")


async def retire(story: Story) -> None:
    here = story.here
    here.remote.commit("prod", {worlds.path_of("prod", "prod-eu"): None}, "prod-eu leaves")
    await story.until(
        "removed from git to retired",
        lambda: worlds.book(here).clusters[names.Cluster("prod-eu")].retired,
    )
    held = here.members["prod-eu"].server.held
    assert worlds.DEPLOYMENT not in held
    assert worlds.NAMESPACE in held, "nobody permitted its deletion"


CHAPTERS: tuple[Callable[[Story], Awaitable[None]], ...] = (
    start,
    change,
    promote,
    refuse,
    drift,
    join,
    prune,
    retire,
)


def _is_refused(here: world.World, commit: names.CommitId) -> bool:
    found = worlds.decision(here, "dev")
    return found is not None and (found.commit, found.verdict) == (commit, ledger.Verdict.REFUSED)
