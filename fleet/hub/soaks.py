"""How long each environment has been healthy with what it runs: looked at each turn, written as it goes on.

A turn's look is held in memory; the book has each beginning and end at once, and between them a moment that is at most
a part of `stale_after` old, so a hub that comes back in time goes on where it was.
"""

import asyncio
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from fleet.gate import health as gates
from fleet.gate import intervals
from fleet.hub import inforce, members, state
from fleet.model import health, ledger, messages, names, observed
from fleet.ports import store

_JUMP = timedelta(seconds=2)  # by which the clock may be set without a word
_LONGEST_CHECKPOINT = timedelta(seconds=60)


def of(
    environment: names.Environment, content: names.ContentId, hub: state.Hub
) -> observed.Soak | None:
    """As of the last look."""
    place = environment, content
    return hub.soaks.get(place) or hub.ledger.soaks.get(place)


def leant_on(decision: ledger.Decision, hub: state.Hub) -> tuple[observed.Soak, ...]:
    """What is written with an accepted decision, so that the book shows what it rested on."""
    road = hub.ledger.seal.road
    upstream = road.before(decision.environment) if road else None
    row = hub.soaks.get((upstream, decision.content)) if upstream else None
    return (row,) if row is not None else ()


def has_jumped(hub: state.Hub) -> bool:
    """Whether the clock and the time that passes differ since this was last asked: then nobody knows what went by."""
    now = hub.clock.now(), asyncio.get_running_loop().time()
    before, hub.pace = hub.pace, now
    if before is None:
        return False
    passed = timedelta(seconds=now[1] - before[1])
    return abs((now[0] - before[0]) - passed) > _JUMP


async def observe(environment: names.Environment, hub: state.Hub, *, jumped: bool) -> None:
    """One look at an environment; what began or ended by it is durable on return."""
    shares = await inforce.quorums(environment, hub)
    async with state.writing(hub):
        followed = list(_followed(environment, shares, hub, jumped=jumped))
        rows = tuple(each for each in followed if _is_worth(each, hub))
        if rows:
            await state.write(hub, store.Write(rows=rows))
        for each in followed:
            hub.soaks[each.environment, each.content] = each
        for place in [*hub.soaks]:
            if place[0] == environment and hub.soaks[place].running is None:
                del hub.soaks[place]  # the book has it


def broken(report: messages.Report, hub: state.Hub) -> tuple[observed.Soak, ...]:
    """What a report ends that is not healthy: written with it, since the next look may already find it well again."""
    content = _content(report.environment, report.release, hub)
    row = of(report.environment, content, hub) if content else None
    is_well = report.applied and report.health is health.Health.CURRENT
    if content is None or row is None or row.running is None or is_well:
        return ()
    hub.soaks.pop((report.environment, content), None)
    return (replace(intervals.ended(row), is_sick=True),)


def edge(environment: names.Environment, hub: state.Hub) -> datetime | None:
    """When the environment after this one may go on by its soak: a sign of life just then is worth asking for."""
    after = inforce.after(environment, hub)
    here = hub.ledger.environments.get(after) if after else None
    return state.soak_edge(here) if here else None


def _followed(
    environment: names.Environment, shares: Iterable[str], hub: state.Hub, *, jumped: bool
) -> Iterator[observed.Soak]:
    """Of what runs by this look; of what ran before, that it is over."""
    release = hub.ledger.in_force(environment)
    content = release.content if release else None
    for row in [*hub.ledger.soaks.values()]:
        if row.environment == environment and row.running and row.content != content:
            yield intervals.ended(of(environment, row.content, hub) or row)
    if release is None:
        return
    blank = observed.Soak(environment=environment, content=release.content)
    row = of(environment, release.content, hub) or blank
    found = intervals.follow(row, _look(release, shares, hub, jumped=jumped))
    if found != blank:
        yield found


def _look(
    release: ledger.Release, shares: Iterable[str], hub: state.Hub, *, jumped: bool
) -> intervals.Look:
    known = [
        each
        for each in state.clusters_of(hub.ledger, release.environment)
        if each.cluster in release.slices
    ]
    awake = [each for each in known if members.is_awake(each, release, hub)]
    signs = [state.last_sign(hub, each) for each in awake]
    return intervals.Look(
        now=hub.clock.now(),
        signs=tuple(each for each in signs if each is not None),
        is_healthy=_are_healthy(awake, release, hub),
        quorum=max((gates.needed(each, len(known)) for each in shares), default=1),
        stale_after=timedelta(seconds=release.stale_after),
        has_jumped=jumped,
    )


def _are_healthy(
    awake: list[ledger.ClusterState], release: ledger.Release, hub: state.Hub
) -> bool | None:
    """By their last reports of this content, under whatever number: an owned change keeps what runs."""
    reports = [each.report for each in awake]
    running = [
        each
        for each in reports
        if each is not None and _content(release.environment, each.release, hub) == release.content
    ]
    if any(not (each.applied and each.health is health.Health.CURRENT) for each in running):
        return False
    return True if running and len(running) == len(reports) else None


def _content(
    environment: names.Environment, number: int, hub: state.Hub
) -> names.ContentId | None:
    release = hub.ledger.releases.get((environment, number))
    return release.content if release else None


def _is_worth(row: observed.Soak, hub: state.Hub) -> bool:
    """Whether the book has to know: anything but that an interval goes on, and that now and then."""
    known = hub.ledger.soaks.get((row.environment, row.content))
    if known is None or known.running is None or row.running is None:
        return known != row
    if replace(row, running=known.running) != known or row.running.began != known.running.began:
        return True
    release = hub.ledger.in_force(row.environment)
    pause = timedelta(seconds=release.stale_after / 4) if release else _LONGEST_CHECKPOINT
    return row.running.confirmed - known.running.confirmed >= min(pause, _LONGEST_CHECKPOINT)
