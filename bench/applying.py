"""1,000 objects from a pushed commit to all applied on a real API server, beside raw apply of the same bytes."""

import asyncio
import statistics
import sys
from dataclasses import dataclass

from bench import line, processes, results

ROUNDS = 5  # alternating
# Goals: applying at most so many times raw; the rest at most so many seconds.
_RATIO, _REST = 1.3, 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """Seconds of each phase."""

    accepted: float  # pushed -> judged and accepted
    here: float  # -> signed, fetched, verified and stored by the agent
    applied: float  # -> every object applied, and the inventory durable
    reported: float  # -> the hub's record of the report that says so

    @property
    def whole(self) -> float:
        return self.accepted + self.here + self.applied + self.reported


def run(report: results.Report) -> None:
    ways, raws = asyncio.run(_measured())
    raw = statistics.median(raws)
    applied = statistics.median(each.applied for each in ways)
    whole = statistics.median(each.whole for each in ways)
    section = report.section(f"{line.OBJECTS:,} objects, commit pushed to all applied")
    section.row("raw apply, 16 in flight", f"{raw:.2f} s", _each(raws))
    for name in ("accepted", "here", "applied", "reported"):
        found = [getattr(each, name) for each in ways]
        section.row(_TITLES[name], f"{statistics.median(found):.2f} s", _each(found))
    section.row("applying against raw", f"{applied / raw:.2f}x", f"goal {_RATIO}x")
    section.row("the whole way", f"{whole:.2f} s", _each([each.whole for each in ways]))
    rest = statistics.median(each.whole - each.applied for each in ways)
    section.row("the whole way but applying", f"{rest:.2f} s", f"goal {_REST:.0f} s")


_TITLES = {
    "accepted": "pushed to accepted (the hub hears of it at its next poll, every 0.5 s)",
    "here": "accepted to stored by the agent",
    "applied": "stored to all applied",
    "reported": "applied to recorded by the hub",
}


async def _measured() -> tuple[list[Way], list[float]]:
    ways, raws = [], []
    async with line.ground() as ground:
        for number in range(ROUNDS):
            ways.append(await _fleet(ground, f"fleet-{number}"))
            raws.append(await _raw(ground, f"raw-{number}"))
            print(f"  raw {raws[-1]:.2f}, {ways[-1]}", flush=True)
    return ways, raws


async def _fleet(ground: line.Ground, name: str) -> Way:
    async with line.laid(ground, name) as laid:
        return await way(laid)


async def way(laid: line.Line) -> Way:
    commit, pushed = await laid.push(line.files())
    await laid.reported(line.OBJECTS)
    accepted = laid.said("hub", f"{commit[:10]} is accepted", pushed)
    here = laid.said(f"agent-{laid.player.name}", f"is here: {line.OBJECTS} objects", accepted)
    applied = laid.said(f"agent-{laid.player.name}", "is applied", here)
    reported = await laid.recorded(applied)
    return Way(
        accepted=accepted - pushed,
        here=here - accepted,
        applied=applied - here,
        reported=reported - applied,
    )


async def _raw(ground: line.Ground, name: str) -> float:
    async with line.cluster(ground, name) as made:
        file = ground.folder / "bodies.jsonl"
        line.write_bodies(file)
        words = (sys.executable, "-m", "bench.raw", str(made.kubeconfig), str(file))
        used = await asyncio.to_thread(processes.run, words)
        return float(used.out)


def _each(seconds: list[float]) -> str:
    return "each run: " + ", ".join(f"{one:.2f}" for one in seconds)
