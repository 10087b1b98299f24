"""Reports: how the cluster stands, said as it changes; what the hub has not confirmed is said again."""

import logging
from dataclasses import replace

from fleet.agent import pauses, sealing, sight, state
from fleet.model import changes, errors, health, messages, objects

_log = logging.getLogger("fleet.agent")
MOST = 200  # outcomes of one report; the worst first


async def run(agent: state.Agent) -> None:
    """Until cancelled. What was not looked at yet is unknown, so nothing is said of it before."""
    await agent.informed.wait()
    pause = pauses.Pause(agent.settings.shortest_pause, agent.settings.hub_pause, agent.chance)
    while True:
        await pauses.until(agent.news, _until_stale(agent), agent.clock)
        await agent.clock.sleep(agent.settings.report_pause)
        agent.news.clear()
        try:
            await once(agent)
        except (errors.UnreachableError, errors.RefusedError) as error:
            _log.debug("report: %s", error)
            agent.session = ""
            agent.news.set()
            await agent.clock.sleep(pause.next())
        else:
            pause.reset()


def _until_stale(agent: state.Agent) -> float:
    """Seconds until the dispatch expires, which is news by itself."""
    if agent.dispatch is None or state.is_stale(agent, agent.clock.now()):
        return 3600.0
    return (agent.dispatch.expires - agent.clock.now()).total_seconds()


async def once(agent: state.Agent) -> None:
    """Say it if it is news. Repairs are kept until the hub has them."""
    report = made(agent)
    if report is None or _same(report, agent.last):
        return
    agent.number = report.number
    told = await agent.link.report(await sealing.sealed(agent, report))
    if told > report.number:
        agent.number = told  # the hub remembers more than we do: an earlier life of this agent
        agent.news.set()
        return
    labels = {"health": report.health.value, "release": str(report.release)}
    with agent.telemetry.span("reported", labels, report.trace):
        agent.confirmed, agent.last = told, report
    for outcome in report.repairs:
        if agent.repairs.get(outcome.key) == outcome:
            del agent.repairs[outcome.key]


def made(agent: state.Agent) -> messages.Report | None:
    """The next report; None before there is a dispatch."""
    dispatch, identity = agent.dispatch, agent.identity
    if dispatch is None:
        return None
    return messages.Report(
        cluster=identity.cluster,
        environment=identity.environment,
        uid=identity.uid,
        # By the clock, so that no number of an earlier life of this agent is taken for this one.
        number=max(agent.number + 1, int(agent.clock.now().timestamp() * 1000)),
        era=dispatch.era,
        sequence=dispatch.sequence,
        slice=dispatch.slice,
        release=dispatch.release,
        at=agent.clock.now(),
        health=overall(agent),
        applied=agent.is_applied,
        outcomes=outcomes(agent),
        objects=len(agent.wanted),
        kubernetes=agent.kubernetes,
        retired=agent.is_retired,
        stale=state.is_stale(agent, agent.clock.now()),
        repairs=tuple(agent.repairs.values())[:MOST],
        trace=dispatch.trace,
    )


def overall(agent: state.Agent) -> health.Health:
    """The worst of all objects; a slice without objects is Current once it is applied."""
    if agent.troubles:
        return health.Health.FAILED
    if not agent.wanted:
        return health.Health.CURRENT if agent.is_applied else health.Health.IN_PROGRESS
    return health.worst(_assessment(agent, key).health for key in agent.wanted)


def outcomes(agent: state.Agent) -> tuple[changes.Outcome, ...]:
    """Everything that is not simply as it should be: what failed first, then what is unwell."""
    failed = sorted(agent.troubles.values(), key=lambda each: each.key)
    unwell = [
        changes.Outcome(key=key, result=changes.Result.UNCHANGED, assessed=assessed)
        for key in sorted(agent.wanted)
        if key not in agent.troubles
        and (assessed := _assessment(agent, key)).health is not health.Health.CURRENT
    ]
    return (*failed, *unwell)[:MOST]


def _assessment(agent: state.Agent, key: objects.Key) -> health.Assessment:
    """What is out of sight may be otherwise by now."""
    reason = agent.blind.get((key.group, key.kind))
    if reason is not None:
        return health.Assessment(health=health.Health.UNKNOWN, reason=reason)
    return agent.assessed.get(key) or sight.not_found()


def _same(one: messages.Report, other: messages.Report | None) -> bool:
    return other is not None and replace(one, number=other.number, at=other.at) == other
