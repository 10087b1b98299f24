"""A rewritten branch is let in by an act about just that tip: recorded, and judged like any other after it."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

import storyline
import worlds
from fleet.audit import records
from fleet.model import errors, ledger, names
from fleet.simulation import clock, world

Lineage = ledger.Lineage
DEV, STAGING = names.Environment("dev"), names.Environment("staging")


async def begin(story: storyline.Story) -> None:
    here = story.here
    await storyline.two(story)
    worlds.with_image(here, "dev", "1.5.0")
    await story.healthy("dev", "1.5.0 in dev")
    worlds.promote(here, "dev", "staging")
    await story.healthy("staging", "1.5.0 in staging")


def run(tell: Callable[[storyline.Story], Awaitable[None]]) -> None:
    storyline.play(storyline.small, begin, tell)


async def let_in(here: world.World, commit: str, environment: str = "staging", **more: str) -> Any:
    said = {"environment": environment, "commit": commit, "reason": "a password", "by": "Ada"}
    return await here.ask("rebaseline", {**said, **more})


async def rewritten(story: storyline.Story, commit: names.CommitId) -> None:
    await story.until("it holds", lambda: decided(story.here, commit) is not None)
    found = decided(story.here, commit)
    assert found is not None
    assert (found.verdict, found.lineage) == (ledger.Verdict.WAITING, Lineage.REWRITE)
    (gate,) = [each for each in found.gates if each.gate == "lineage"]
    assert f"fleet hub rebaseline staging {commit[:10]}" in gate.hint


def decided(here: world.World, commit: str) -> ledger.Decision | None:
    found = worlds.decision(here, "staging")
    return found if found and found.commit == commit else None


def acts(story: storyline.Story) -> list[dict[str, Any]]:
    return [r.body for r in story.watch.chain() if r.kind is records.Kind.REBASELINE]


@pytest.mark.threat(23)
def test_it_holds_until_somebody_lets_it_in_and_the_record_says_who_and_why():
    async def tell(story: storyline.Story) -> None:
        here = story.here
        base = here.remote.branches["staging"]
        commit = here.remote.orphan("staging")
        await rewritten(story, commit)
        await here.pass_time(60.0)
        assert not worlds.is_accepted(here, "staging")
        assert await let_in(here, commit[:10]) == {
            "environment": "staging", "commit": commit, "base": base,
        }  # fmt: skip
        await story.healthy("staging", "let in")
        found = decided(here, commit)
        assert found is not None
        assert found.lineage is Lineage.NOTHING
        assert "Ada (as someone) let this in: a password" in " ".join(
            each.reason for each in found.gates
        )
        assert acts(story) == [
            {"commit": commit, "base": base, "reason": "a password", "by": "Ada (as someone)"}
        ]
        worlds.with_image(here, "dev", "1.6.0")
        await story.healthy("dev", "1.6.0 in dev")
        worlds.promote(here, "dev", "staging")
        await story.healthy("staging", "what follows is a promotion")

    run(tell)


@pytest.mark.threat(23)
def test_what_is_let_in_is_told_by_its_content():
    async def tell(story: storyline.Story) -> None:
        here = story.here
        before = worlds.book(here).releases[STAGING, 1].commit
        running = worlds.book(here).in_force(STAGING)
        assert running is not None
        here.remote.force("staging", before)
        await rewritten(story, before)
        await let_in(here, before)
        await story.healthy("staging", "let in")
        found = decided(here, before)
        assert found is not None
        assert found.lineage is Lineage.ROLLBACK
        assert (STAGING, running.content) in worlds.book(here).quarantines

    run(tell)


@pytest.mark.threat(23)
def test_what_never_was_accepted_upstream_is_not_let_in_by_it():
    async def tell(story: storyline.Story) -> None:
        here = story.here
        here.remote.orphan("staging")
        commit = worlds.with_image(here, "staging", "6.6.6")
        await rewritten(story, commit)
        await let_in(here, commit)
        await story.until("refused", lambda: is_refused(here, commit))
        await here.pass_time(60.0)
        assert worlds.image(here, "staging-1").endswith(":1.5.0")

    run(tell)


def is_refused(here: world.World, commit: str) -> bool:
    found = decided(here, commit)
    return found is not None and found.verdict is ledger.Verdict.REFUSED


def test_acts_that_are_none_are_refused_and_leave_no_trace():
    async def tell(story: storyline.Story) -> None:
        here = story.here
        running = here.remote.branches["staging"]
        with pytest.raises(errors.RefusedError, match="nothing to let in"):
            await let_in(here, running)
        commit = here.remote.orphan("staging")
        await rewritten(story, commit)
        dev = here.remote.branches["dev"]
        for words, kind, said in (
            ({"commit": dev}, errors.RefusedError, "is not the tip of staging's branch"),
            ({"commit": running}, errors.RefusedError, "is not the tip of staging's branch"),
            ({"commit": "f" * 40}, errors.RefusedError, "is not the tip of staging's branch"),
            ({"environment": "dev"}, errors.RefusedError, "is not the tip of dev's branch"),
            ({"commit": "abcdef1"}, errors.InputError, "write the whole commit id"),
            ({"commit": ""}, errors.InputError, "no commit"),
            ({"commit": "--all"}, errors.InputError, "no commit"),
            ({"environment": "moon"}, errors.InputError, "no environment"),
            ({"reason": " "}, errors.InputError, "say why"),
            ({"by": "\x1b[31m"}, errors.InputError, "names nobody"),
        ):
            with pytest.raises(kind, match=said):
                await let_in(here, **{"commit": commit, **words})
        assert acts(story) == []
        await here.pass_time(30.0)
        assert not worlds.is_accepted(here, "staging")

    run(tell)


@pytest.mark.threat(25)
def test_a_tip_that_came_later_is_not_what_was_let_in():
    async def tell(story: storyline.Story) -> None:
        here = story.here
        first = here.remote.orphan("staging")
        await rewritten(story, first)
        here.remote.is_down = True
        second = here.remote.commit("staging", {"environments/staging/note.txt": "a note"}, "note")
        here.hub.kill()
        await here.pass_time(10.0)
        here.remote.is_down = False
        await rewritten(story, second)
        with pytest.raises(errors.RefusedError, match="is not the tip"):
            await let_in(here, first)
        await let_in(here, second)
        await story.healthy("staging", "the second is let in")
        found = decided(here, second)
        assert found is not None
        assert found.lineage is Lineage.OWNED

    run(tell)


def test_twice_is_once():
    async def tell(story: storyline.Story) -> None:
        here = story.here
        here.remote.orphan("staging")
        commit = worlds.with_image(here, "staging", "6.6.6")  # so that it stays refused
        await rewritten(story, commit)
        await let_in(here, commit)
        with pytest.raises(
            errors.RefusedError, match="was let in already, by Ada \\(as someone\\) at"
        ):
            await let_in(here, commit, reason="once more")
        assert len(acts(story)) == 1

    run(tell)


@pytest.mark.threat(94)
def test_it_survives_a_hub_that_is_killed_right_after():
    async def tell(story: storyline.Story) -> None:
        here = story.here
        commit = here.remote.orphan("staging")
        await rewritten(story, commit)
        await let_in(here, commit)
        here.hub.kill()
        await story.healthy("staging", "let in, by another life")
        found = decided(here, commit)
        assert found is not None
        assert found.lineage is Lineage.NOTHING
        assert len(acts(story)) == 1

    run(tell)


@pytest.mark.threat(23)
def test_it_is_over_once_something_else_is_in_force():
    async def tell(story: storyline.Story) -> None:
        here = story.here
        base = here.remote.branches["staging"]
        here.remote.orphan("staging")
        evil = worlds.with_image(here, "staging", "6.6.6")
        await rewritten(story, evil)
        await let_in(here, evil)
        await story.until("refused", lambda: is_refused(here, evil))
        here.remote.force("staging", base)
        mended = here.remote.commit("staging", {"environments/staging/note.txt": "a note"}, "note")
        await story.healthy("staging", "mended")
        here.remote.force("staging", evil)
        await rewritten(story, evil)
        assert decided(here, mended) is None

    run(tell)


def test_where_nothing_was_accepted_a_decree_is_named():
    async def tell() -> None:
        here = worlds.small()
        here.remote.orphan("staging")
        worlds.with_image(here, "staging", "6.6.6")
        here.hub.start()
        try:
            await here.until(lambda: worlds.is_accepted(here, "dev"), within=60.0)
            with pytest.raises(errors.RefusedError, match="nothing was accepted") as refused:
                await let_in(here, here.remote.branches["staging"])
            assert refused.value.hint == "fleet hub baseline"
        finally:
            await here.close()

    clock.run(tell())
