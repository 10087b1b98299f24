"""Invariant 12: whoever remembers nothing, and judges the same commit by the same facts, comes to the same bytes."""

from dataclasses import replace

import invariants
import worlds
from fleet.gate import decide, lineage
from fleet.hub import consents, drawing, exempting, facts, release
from fleet.hub import state as hubs
from fleet.judge import judging, memory
from fleet.model import ledger, names
from fleet.protocol import encoding
from fleet.simulation import faults, memo


async def check(hub: hubs.Hub, watch: invariants.Watch) -> None:
    """Each environment's tip at this instant. Nobody else decides meanwhile."""
    tips = hub.tips.branches if hub.tips else {}
    for step in facts.road(hub).steps:
        tip = tips.get(step.branch)
        if tip is None or hub.ledger.in_force(step.environment) is None:
            continue
        known = await decided(step.environment, tip, hub)
        anew = await decided(step.environment, tip, forgetful(hub))
        if encoding.encode(known) != encoding.encode(anew):
            watch.say(12, f"{step.environment}: {tip[:10]} is decided in two ways")


async def decided(
    environment: names.Environment, tip: names.CommitId, hub: hubs.Hub
) -> ledger.Decision:
    """As fleet.hub.release decides, and nothing of it is written."""
    judged = await judging.judge(release.question(environment, tip, hub), hub.tools)
    drawn = await drawing.draw(judged, hub)
    candidate = release.candidate_of(judged)
    gathered = await facts.gather(candidate, judged, drawn.findings, hub)
    found = lineage.tell(candidate, gathered)
    gathered = await exempting.settled(found, gathered, judged, hub)
    gathered = await consents.asked(gathered, judged, drawn, found.kind, hub)
    return decide.by(candidate, replace(gathered, change=drawn.change), found)


def forgetful(hub: hubs.Hub) -> hubs.Hub:
    """The same hub with the same book, and with nothing that it has worked out before."""
    tools = judging.Tools(
        repository=hub.tools.repository,
        schemas=worlds.AnyShape(),
        memo=memo.Memo({}, faults.Process(name="anew")),
        kustomize=None,
    )
    return replace(
        hub,
        tools=tools,
        drawn=memory.Last(),
        settled=memory.Last(),
        signed=memory.Last(),
        ways=memory.Last(),
        fleets=memory.Last(),
        exempt=memory.Last(),
        consents={},
    )
