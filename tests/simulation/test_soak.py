"""Soak on the hub's own clock: no gap, no jump and no restart ever fills an interval (11th invariant)."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

import invariants
import repositories
import storyline
import worlds
from fleet.model import ledger, names, observed

SOAK = timedelta(minutes=10)
DEV, STAGING = names.Environment("dev"), names.Environment("staging")


class Soaking(storyline.Story):
    """A change that is healthy in dev, and merged into staging, where it has to wait."""

    began: datetime

    async def begin(self) -> None:
        here = self.here
        await worlds.register(here, "dev-1", "dev")
        await worlds.register(here, "staging-1", "staging")
        here.hub.start()
        await self.healthy("dev", "dev at first")
        await self.until("an adopted staging", self._soaked_once)
        worlds.with_image(here, "dev", "1.5.0")
        await self.healthy("dev", "a change")
        self.began = here.clock.now()
        worlds.promote(here, "dev", "staging")
        await self.until("staging waits", lambda: self.gate() is not None)

    def _soaked_once(self) -> bool:
        return worlds.is_healthy(self.here, "staging")

    def gate(self) -> ledger.GateResult | None:
        """What staging's soak gate says of the tip."""
        decision = worlds.decision(self.here, "staging")
        if decision is None or decision.commit != self.here.remote.branches["staging"]:
            return None
        return next((each for each in decision.gates if each.gate == "soak"), None)

    def intervals(self) -> list[observed.Interval]:
        """Of dev."""
        rows = [r for r in worlds.book(self.here).soaks.values() if r.environment == DEV]
        known = [each for row in rows for each in (row.running, row.longest)]
        return [each for each in known if each is not None]

    async def accepted(self) -> datetime:
        await self.until("accepted", lambda: worlds.is_accepted(self.here, "staging"))
        return self.here.clock.now()

    def check_untouched(self, first: datetime, last: datetime) -> None:
        """No interval holds any of what went on between these."""
        for each in self.intervals():
            assert each.confirmed <= first or each.began >= last, (each, first, last)


def small(soak: str = "10m") -> Soaking:
    here = worlds.small(gates=f"      gates:\n        soak: {soak}\n")
    return Soaking(here=here, watch=invariants.Watch(here))


def run(tell: Callable[[Soaking], Awaitable[None]]) -> None:
    storyline.play(small, Soaking.begin, tell)


@pytest.mark.threat(55)
def test_a_soak_ends_when_it_says_and_not_before():
    async def tell(story: Soaking) -> None:
        gate = story.gate()
        assert gate is not None
        assert gate.state is ledger.GateState.WAITING
        assert gate.until is not None
        assert abs(gate.until - (story.began + SOAK)) < timedelta(seconds=10)
        assert gate.until - timedelta(seconds=1) < await story.accepted()
        assert story.here.clock.now() - gate.until < timedelta(seconds=10)
        await story.healthy("staging", "rolled out")

    run(tell)


@pytest.mark.threat(61, 102)
def test_silence_that_lasts_is_no_health():
    async def tell(story: Soaking) -> None:
        here = story.here
        await here.pass_time(300.0)
        cut = here.clock.now()
        here.members["dev-1"].wire.is_cut = True
        await here.pass_time(1200.0)
        assert not worlds.is_accepted(here, "staging")
        here.members["dev-1"].wire.is_cut = False
        back = here.clock.now()
        assert await story.accepted() >= back + SOAK
        story.check_untouched(cut + timedelta(seconds=60), back)

    run(tell)


def test_a_moment_of_silence_is_within_what_is_known():
    async def tell(story: Soaking) -> None:
        here = story.here
        await here.pass_time(200.0)
        here.members["dev-1"].wire.is_cut = True
        await here.pass_time(60.0)
        here.members["dev-1"].wire.is_cut = False
        assert await story.accepted() < story.began + SOAK + timedelta(seconds=30)

    run(tell)


def test_a_sick_moment_begins_it_anew():
    async def tell(story: Soaking) -> None:
        here = story.here
        await here.pass_time(500.0)
        server = here.members["dev-1"].server
        sick = here.clock.now()
        server.edit("kubelet", worlds.DEPLOYMENT, _unready, "status")
        await story.until("seen", lambda: not _is_running(story))
        row = worlds.book(here).soaks[DEV, _content(story)]
        assert row.is_sick
        server.edit("kubelet", worlds.DEPLOYMENT, _ready, "status")
        well = here.clock.now()
        gate = story.gate()
        assert gate is not None
        assert await story.accepted() >= well + SOAK
        story.check_untouched(sick + timedelta(seconds=60), well)

    run(tell)


@pytest.mark.threat(102)
@pytest.mark.parametrize("down", [1200.0, 301.0])
def test_a_hub_that_was_down_for_long_has_seen_nothing(down: float):
    async def tell(story: Soaking) -> None:
        here = story.here
        await here.pass_time(400.0)
        await here.hub.stop()
        stopped = here.clock.now()
        await here.pass_time(down)
        here.hub.start()
        started = here.clock.now()
        assert await story.accepted() >= started + SOAK
        story.check_untouched(stopped, started)

    run(tell)


def test_a_hub_that_is_back_in_time_goes_on():
    async def tell(story: Soaking) -> None:
        here = story.here
        await here.pass_time(400.0)
        here.hub.kill()
        await here.pass_time(10.0)
        assert await story.accepted() < story.began + SOAK + timedelta(seconds=60)

    run(tell)


@pytest.mark.threat(102)
@pytest.mark.parametrize(
    "jump", [timedelta(days=7), timedelta(minutes=4), -timedelta(days=1), -timedelta(minutes=4)]
)
def test_a_clock_that_jumps_breaks_it_and_never_fills_it(jump: timedelta):
    async def tell(story: Soaking) -> None:
        here = story.here
        await here.pass_time(400.0)
        before = here.clock.now()
        here.clock.ahead += jump
        after = here.clock.now()
        assert await story.accepted() >= after + SOAK
        if after > before:
            story.check_untouched(before, after)

    run(tell)


@pytest.mark.threat(114)
def test_what_has_soaked_stays_promotable_while_newer_commits_churn():
    async def tell(story: Soaking) -> None:
        here = story.here
        soaked = here.remote.branches["dev"]
        await here.pass_time(620.0)
        await story.accepted()
        for number in range(3):
            worlds.with_image(here, "dev", f"1.6.{number}")
            await story.healthy("dev", f"churn {number}")
            worlds.promote(here, "dev", "staging")
            await here.pass_time(200.0)
            assert not worlds.is_accepted(here, "staging")
        rows = worlds.book(here).soaks
        first = worlds.book(here).releases
        content = next(r.content for r in first.values() if r.commit == soaked)
        kept = rows[DEV, content]
        assert kept.running is None
        assert kept.longest is not None
        assert kept.longest.length >= SOAK

    run(tell)


def test_a_change_of_owned_paths_keeps_it():
    async def tell(story: Soaking) -> None:
        here = story.here
        await here.pass_time(300.0)
        notes = {"environments/dev/notes.yaml": repositories.waiver_text(expires="2026-01-20")}
        here.remote.commit("dev", notes, "a waiver of its own")
        await story.healthy("dev", "an owned change")
        release = worlds.book(here).in_force(DEV)
        assert release is not None
        assert release.number == 3
        assert await story.accepted() < story.began + SOAK + timedelta(seconds=30)

    run(tell)


def test_a_cluster_that_joins_begins_it_anew_once_it_is_well_and_the_book_shows_that_it_was():
    async def tell(story: Soaking) -> None:
        here = story.here
        await here.pass_time(300.0)
        await worlds.register(here, "dev-2", "dev")
        joined = here.clock.now()
        await story.healthy("dev", "both")
        well = here.clock.now()
        assert well - joined < timedelta(seconds=60)
        at = await story.accepted()
        (row,) = [
            r for r in worlds.book(here).soaks.values() if r.environment == DEV and r.running
        ]
        assert row.running is not None
        assert at >= well + SOAK - timedelta(seconds=10)
        assert row.running.length >= SOAK

    run(tell)


def _content(story: Soaking) -> names.ContentId:
    release = worlds.book(story.here).in_force(DEV)
    assert release is not None
    return release.content


def _is_running(story: Soaking) -> bool:
    row = worlds.book(story.here).soaks.get((DEV, _content(story)))
    return row is not None and row.running is not None


def _unready(body: Any) -> None:
    body["status"] = {**body["status"], "readyReplicas": 0, "availableReplicas": 0,
                      "conditions": [{"type": "Available", "status": "False", "reason": "x"}]}  # fmt: skip


def _ready(body: Any) -> None:
    wanted = body["spec"].get("replicas", 1)
    body["status"] = {**body["status"], "readyReplicas": wanted, "availableReplicas": wanted,
                      "conditions": [{"type": "Available", "status": "True", "reason": "x"}]}  # fmt: skip


def test_a_soak_shorter_than_a_held_poll_ends_on_time():
    """The agents are asked for a sign of life when it is over, though nobody knew of it when they asked."""

    async def tell(story: Soaking) -> None:
        waited = await story.accepted() - story.began
        assert timedelta(seconds=20) <= waited < timedelta(seconds=24)

    storyline.play(lambda: small("20s"), Soaking.begin, tell)
