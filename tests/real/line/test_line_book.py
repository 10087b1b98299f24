"""A book that is old, lost or empty: agents show it, everything holds, and people say how it goes on."""

import pytest

import lines
from fleet.model import errors, ledger, names

DEV = names.Environment("dev")


@pytest.fixture
async def dev(line: lines.Line) -> lines.Station:
    """dev-1, healthy with the first release."""
    await line.open()
    station = await line.join("dev-1")
    await line.healthy(line.git.tip())
    return station


async def held(line: lines.Line) -> str:
    reason: str = await line.until("everything holds", lambda: line.rows.seal.held)
    return reason


@pytest.mark.threat(99)
async def test_an_old_book_holds_until_it_is_recovered_and_numbers_only_grow(
    line: lines.Line, dev: lines.Station
):
    await line.stop_hub()
    line.save_hub("backup")
    await line.start_hub()
    await line.healthy(line.commit(line.app(a="second")))
    await line.healthy(line.commit(line.app(a="third")))
    before = dev.agent.dispatch
    await line.stop_hub()
    line.restore_hub("backup")
    await line.start_hub()
    assert "dev-1" in await held(line)
    # Nothing is decided, nothing is sent; the agent keeps what it has.
    await line.quiet(1.0)
    assert dev.agent.dispatch == before
    assert "older" not in dev.agent.trouble
    await dev.owner.merge(line.config_path("a"), {"data": {"word": "by hand"}})
    await line.equals(dev.word(line.namespace, "a"), "third")
    tip = line.commit(line.app(a="fourth"))
    await line.judged(tip, "waiting")
    await line.ask("recover")
    await line.healthy(tip)
    after = dev.agent.dispatch
    assert after.era == before.era + 1
    assert (after.sequence, after.release) > (before.sequence, before.release)
    assert await dev.word(line.namespace, "a")() == "fourth"
    assert dev.deleted() == []
    assert (await line.ask("audit verify"))["fault"] == ""


@pytest.mark.threat(98)
@pytest.mark.threat(99)
async def test_a_lost_book_holds_as_soon_as_an_agent_shows_what_it_has(
    line: lines.Line, dev: lines.Station
):
    await line.healthy(line.commit(line.app(a="second")))
    before = dev.agent.dispatch
    await line.stop_hub()
    line.lose_book()
    await line.start_hub()
    await held(line)
    await line.quiet(1.0)
    assert dev.agent.dispatch == before
    await line.ask("recover")
    tip = line.commit(line.app(a="third"))
    await line.healthy(tip)
    after = dev.agent.dispatch
    assert (after.era, after.release) > (before.era, before.release)
    assert dev.deleted() == []
    assert await dev.word(line.namespace, "a")() == "third"


@pytest.mark.threat(98)
async def test_with_an_empty_book_only_the_first_environment_and_promotions_enter(
    line: lines.Line,
):
    await line.open("dev", "staging", "prod")
    for environment in ("dev", "staging", "prod"):
        await line.join(f"{environment}-1", environment)
    for environment in ("dev", "staging", "prod"):
        await line.healthy(line.git.tip(environment), environment)
    # dev goes on alone; then the book is lost, and no agent is awake to show what it has.
    await line.healthy(line.commit(line.app(a="second")))
    for station in line.stations.values():
        await station.stop()
    await line.stop_hub()
    line.lose_book()
    await line.start_hub()
    decision = await line.judged(line.git.tip("dev"), "accepted")
    assert decision.lineage is ledger.Lineage.ENTRY
    for environment in ("staging", "prod"):
        decision = await line.judged(line.git.tip(environment), "waiting", environment)
        expected = "UNADOPTED" if environment == "staging" else "UNDECIDED"
        assert decision.lineage is ledger.Lineage[expected]
    assert "fleet hub baseline" in str(line.decision("staging"))
    await line.quiet()
    assert not any(line.rows.clusters[n].dispatch for n in line.rows.clusters)


async def test_a_baseline_adopts_what_runs_by_decree_and_says_so(line: lines.Line):
    await line.open("dev", "staging")
    await line.join("dev-1")
    # staging is something of its own from the start.
    line.git.run("switch", "--quiet", "staging")
    line.git.commit(line.app(a="older"))
    staging = await line.enroll("staging-1", "staging")
    tip = line.commit({"clusters/staging/staging-1.yaml": staging.document}, "staging")
    await line.judged(tip, "waiting", "staging")
    found = await line.ask("baseline", environments=["staging"])
    assert found == {"accepted": [{"environment": "staging", "commit": tip}]}
    await staging.start()
    await line.healthy(tip, "staging")
    assert await staging.word(line.namespace, "a")() == "older"
    decisions = (await line.ask("audit decisions", environment="staging"))["decisions"]
    assert (decisions[-1]["lineage"], decisions[-1]["release"]) == ("baseline", 1)
    assert decisions[-1]["gates"][0]["reason"] == "accepted by decree"


async def test_there_is_nothing_to_recover_where_nothing_is_held(
    line: lines.Line, dev: lines.Station
):
    with pytest.raises(errors.RefusedError, match="nothing to recover"):
        await line.ask("recover")
    assert dev.agent.dispatch.era == 1


async def test_a_baseline_of_what_cannot_be_cut_is_refused(line: lines.Line):
    await line.open("dev", "staging")
    await line.join("dev-1")
    broken = {"apps/web/a.yaml": "kind: [\n"}
    await line.judged(line.commit(broken, "staging"), "refused", "staging")
    with pytest.raises(errors.RefusedError, match=r"apps/web/a\.yaml"):
        await line.ask("baseline", environments=["staging"])
    with pytest.raises(errors.InputError, match="no environment 'mars'"):
        await line.ask("baseline", environments=["mars"])
    assert names.Environment("staging") not in {
        environment for environment, _ in line.rows.releases
    }


async def test_a_second_hub_in_the_same_folder_is_refused(line: lines.Line):
    await line.open()
    second = lines.Line(folder=line.folder, ground=line.ground, namespace="none")
    with pytest.raises(errors.RefusedError, match="another hub works in"):
        await second.start_hub()


async def test_decisions_survive_the_memo_and_the_mirror(line: lines.Line, dev: lines.Station):
    """Only the book and the key are more than caches."""
    release = line.rows.in_force(DEV)
    await line.stop_hub()
    (line.state.memo).unlink()
    line.lose_mirror()
    await line.start_hub()
    await line.healthy(line.commit(line.app(a="second")))
    assert release is not None
    assert line.rows.in_force(DEV).number == release.number + 1
    assert await dev.word(line.namespace, "a")() == "second"


@pytest.mark.threat(99)
async def test_a_lost_book_that_knows_nobody_is_recovered_by_what_agents_show(
    line: lines.Line, dev: lines.Station
):
    """The echo comes before the first decision, so that the book has not even heard of the cluster."""
    await line.healthy(line.commit(line.app(a="second")))
    before = dev.agent.dispatch
    await line.stop_hub()
    line.lose_book()
    away = line.origin.with_name("away.git")
    line.origin.rename(away)
    line.origin.mkdir()
    await line.start_hub()
    await held(line)
    assert line.rows.clusters == {}
    line.origin.rmdir()
    away.rename(line.origin)
    await line.ask("recover")
    line.nudge()
    await line.until("it is sent anew", lambda: dev.agent.dispatch.era > before.era)
    await line.healthy(line.git.tip())
    assert not line.rows.seal.held
    assert (dev.agent.dispatch.sequence, dev.agent.dispatch.release) > (
        before.sequence,
        before.release,
    )
    assert dev.deleted() == []
