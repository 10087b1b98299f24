"""The audit log and its witnesses on a real cluster: cosigned, kept, and loud when a history does not go on."""

from pathlib import Path

import pytest

import lines
from commands import fleet
from fleet.agent import witnessing
from fleet.protocol import checkpoints

pytestmark = pytest.mark.timeout(120, func_only=True)


async def cosigned(line: lines.Line) -> int:
    """How many records the one agent has cosigned, once it has."""

    async def found() -> int:
        (here,) = (await line.ask("audit checkpoints"))["clusters"]
        return int(here["records"])

    count: int = await line.until("the log is cosigned", found)
    return count


@pytest.fixture
async def dev(line: lines.Line) -> lines.Station:
    await line.open()
    station = await line.join("dev-1")
    await line.healthy(line.git.tip())
    return station


async def test_an_agent_keeps_and_cosigns_what_it_saw_of_the_log(
    line: lines.Line, dev: lines.Station, tmp_path: Path
):
    assert await cosigned(line) > 0
    shown = await fleet("audit", "checkpoints", "--state", line.state.root)
    assert (shown.code, "dev-1" in shown.out) == (0, True)
    kept = await fleet("agent", "checkpoint", "--kubeconfig", dev.kubeconfig)
    assert kept.code == 0, kept.said
    seen = checkpoints.read(kept.out, line.hub.key.public)
    agents, hubs = tmp_path / "agent.txt", tmp_path / "hub.txt"
    agents.write_text(kept.out)
    hubs.write_text((await line.ask("audit checkpoints"))["checkpoint"])
    same = await fleet("audit", "compare", agents, hubs, "--state", line.state.root)
    assert (same.code, "one history" in same.out) == (0, True), same.said
    verified = await line.ask("audit verify", checkpoint=kept.out)
    assert verified["fault"] == ""
    assert verified["records"] >= seen.size


@pytest.mark.threat(99)
async def test_a_book_restored_from_a_backup_is_seen_by_the_log_alone(
    line: lines.Line, dev: lines.Station
):
    """No dispatch is newer than the copy: what is lost is a refusal."""
    await cosigned(line)
    await line.stop_hub()
    line.save_hub("backup")
    await line.start_hub()
    bad = line.commit(line.app(a="rude"))
    await line.judged(bad, "refused")
    before = await cosigned(line)

    async def newer() -> bool:
        return await cosigned(line) > before

    await line.until("the refusal is cosigned too", newer)
    await line.stop_hub()
    line.restore_hub("backup")
    await line.start_hub()
    held = await line.until("everything holds", lambda: line.rows.seal.held)
    assert "saw another audit log" in held
    await line.ask("recover")
    await line.judged(bad, "refused")
    await line.healthy(line.commit(line.app(a="fine")))

    async def anew() -> list[str]:
        _, found = await witnessing.read(dev.owner.port)
        return [each["outcome"] for each in found]

    assert await line.until("it noted the recovery", anew) == ["begun anew"]
    quiet = await fleet("agent", "checkpoint", "--kubeconfig", dev.kubeconfig)
    assert quiet.code == 0, "a recovery that is recorded is no alarm"
    assert checkpoints.read(quiet.out, line.hub.key.public).epoch == 2
