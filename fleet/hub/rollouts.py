"""Waves: who may have the release by now, and when the next wave opens.

A wave opens when no reason of the table holds it. The same table is asked again for each cluster that comes for the
release after its wave has opened: one that was away gets it only if its wave might open now.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

from fleet.audit import drafts
from fleet.gate import windows
from fleet.hub import consents, failures, footing, glass, halts, members, state
from fleet.model import errors, findings, gating, leaving, ledger, names
from fleet.policy import leniency
from fleet.ports import store


async def advance(environment: names.Environment, hub: state.Hub) -> bool:
    """Open the next wave, or note how the rollout stands. True when something was written."""
    async with state.writing(hub):
        release = hub.ledger.in_force(environment)
        if release is None or hub.ledger.seal.held:
            return False
        step = following(release, hub)
        if step is not None:
            await state.write(hub, step)
        return step is not None


def following(release: ledger.Release, hub: state.Hub) -> store.Write | None:
    """The next step of a release; None while there is none. Without clusters nothing is ever healthy (rule 6)."""
    here = hub.ledger.environments[release.environment]
    if here.wave and release.healthy is None:
        noted = failures.noted(release, good=not unready(release, here.wave, hub), hub=hub)
        if noted is not None:
            return noted
    if here.wave < len(release.waves):
        return None if held(release, here.wave, hub) else opened(release, here, hub)
    if release.healthy is None and is_good(release, hub):
        return store.Write(rows=(replace(release, healthy=hub.clock.now()),))
    return None


def unbooked(_: ledger.Release, _number: int, hub: state.Hub) -> str:
    return hub.ledger.seal.held


def halted(release: ledger.Release, number: int, hub: state.Hub) -> str:
    found = halts.on(
        release.environment, hub, wave=release.term(number).wave, release=release.number
    )
    return "; ".join(map(halts.words, found))


def failed(release: ledger.Release, _: int, hub: state.Hub) -> str:
    return failures.failed(release, hub)


def taken_back(release: ledger.Release, _: int, hub: state.Hub) -> str:
    """A waiver that let it through has ended, or a newer commit takes it back."""
    now = hub.clock.now()
    for each in release.waived:
        if each.waived is not None and each.waived.until <= now:
            return f"waiver {each.waived.waiver} ended {each.waived.until.isoformat()}"
    decision = hub.ledger.environments[release.environment].decision
    if decision is None or decision.commit == release.commit:
        return ""
    denied = {leniency.identity(e) for e in decision.findings if findings.refuses([e])}
    back = [e for e in release.waived if e.waived and leniency.identity(e) in denied]
    names_ = sorted({each.waived.waiver for each in back if each.waived})
    return f"{decision.commit[:10]} takes back {', '.join(names_)}" if names_ else ""


def lapsed(release: ledger.Release, _: int, hub: state.Hub) -> str:
    """An approval that let it through has ended or was taken back (threat 43)."""
    return consents.lapsed(release, hub)


def closed(release: ledger.Release, number: int, hub: state.Hub) -> str:
    """Of the windows in force and those that came with it, all must be open for this wave, now (threat 54)."""
    broken = glass.broken(release.environment, hub)
    now, wave = hub.clock.now(), release.term(number).wave
    sides = ([gating.Window.model_validate(each) for each in side] for side in release.windows)
    try:
        found = windows.laid(sides, now, wave, broken)
    except errors.InputError as error:
        return str(error)
    return "" if found.is_open else found.reason


def unapproved(release: ledger.Release, number: int, hub: state.Hub) -> str:
    term = release.term(number)
    asked = [
        gating.Approvals.model_construct(
            group=each.group,
            count=each.count,
            expires=timedelta(seconds=each.expires),
            unsigned=each.unsigned,
        )
        for each in term.approvals
    ]
    lacks = consents.wave_lacks(release, term.wave, asked, hub)
    return f"wave {term.wave}: {lacks}" if lacks else ""


def unready(release: ledger.Release, number: int, hub: state.Hub) -> str:
    """Which wave that is out does not allow the next; one cluster at least must be healthy with the release."""
    if number == 0:
        return ""
    out = members.outstanding(release, hub)
    for name, term in {release.term(n).wave: release.term(n) for n in range(number)}.items():
        wave = {each.cluster for each in members.of_wave(name, release, hub)}
        told = {e.cluster: members.unsettled(e, release, hub) for e in out if e.cluster in wave}
        waits = [f"{cluster}: {why}" for cluster, why in told.items() if why]
        if len(waits) > term.max_unavailable:
            more = f" and {len(waits) - 1} more" if len(waits) > 1 else ""
            return f"wave {name}: {waits[0]}{more}"
    awake = [each for each in out if members.is_awake(each, release, hub)]
    if any(members.is_healthy(each, release) for each in awake):
        return ""
    return "no cluster of the waves that are out is awake and healthy with it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why a wave may not open, in words; "" = it may as far as this goes."""

    why: Callable[[ledger.Release, int, state.Hub], str]
    stops: bool  # it does not pass by itself: somebody must act
    keeps_back: bool  # also a cluster whose wave is out, and that has not got the release yet


REASONS: tuple[Reason, ...] = (
    Reason(why=unbooked, stops=True, keeps_back=True),
    Reason(why=halted, stops=True, keeps_back=True),
    Reason(why=failed, stops=True, keeps_back=True),
    Reason(why=taken_back, stops=True, keeps_back=True),
    Reason(why=lapsed, stops=True, keeps_back=True),
    Reason(why=footing.quarantined, stops=True, keeps_back=True),
    Reason(why=footing.failing, stops=True, keeps_back=True),
    Reason(why=closed, stops=False, keeps_back=True),
    Reason(why=unapproved, stops=False, keeps_back=True),
    Reason(why=unready, stops=False, keeps_back=False),
    Reason(why=failures.soaked, stops=False, keeps_back=False),
)


def held(release: ledger.Release, number: int, hub: state.Hub) -> str:
    """All reasons why the wave of that number may not open."""
    return "; ".join(told for each in REASONS if (told := each.why(release, number, hub)))


def stopped(release: ledger.Release, hub: state.Hub) -> str:
    """Why no wave of it opens any more until somebody acts."""
    wave = hub.ledger.environments[release.environment].wave
    number = min(wave, max(len(release.waves) - 1, 0))
    found = (each.why(release, number, hub) for each in REASONS if each.stops)
    return "; ".join(filter(None, found))


def is_good(release: ledger.Release, hub: state.Hub) -> bool:
    """Whether all clusters of the waves that are out are healthy with it, but for those that are away."""
    out = [e for e in members.outstanding(release, hub) if members.is_awake(e, release, hub)]
    return bool(out) and all(members.is_healthy(each, release) for each in out)


def opened(release: ledger.Release, here: ledger.EnvironmentState, hub: state.Hub) -> store.Write:
    """The next wave as one write: its clusters get the release as what they shall run.

    One that has left meanwhile may be another environment's by now.
    """
    wave = release.waves[here.wave]
    draft = drafts.wave(release, here.wave, at=hub.clock.now())
    known = [hub.ledger.clusters[cluster] for cluster in wave]
    moved = [moved_on(each, release) for each in known if each.environment == here.environment]
    now = replace(here, wave=here.wave + 1, spell=None)
    return store.Write(records=(draft,), rows=(now, *moved))


def moved_on(cluster: ledger.ClusterState, release: ledger.Release) -> ledger.ClusterState:
    return replace(cluster, release=release.number, retire=release.retired.get(cluster.cluster))


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """What a cluster is sent: a release, or how to leave by it."""

    release: ledger.Release
    retire: leaving.OnRemoval | None


def errand(cluster: ledger.ClusterState, hub: state.Hub) -> Errand | None:
    """What a cluster may be sent now: the release of its wave, or again what it was sent last."""
    due = wanted(cluster, cluster.release, hub)
    if due is None:
        return None
    if members.has(cluster, due) or not kept_back(cluster, due, hub):
        return Errand(release=due, retire=cluster.retire)
    last = cluster.dispatch
    before = wanted(cluster, last.release, hub) if last else None
    return Errand(release=before, retire=last.retire) if before and last else None


def wanted(cluster: ledger.ClusterState, number: int, hub: state.Hub) -> ledger.Release | None:
    """That release, unless the cluster's agent has seen a later one that the book has lost."""
    release = hub.ledger.releases.get((cluster.environment, number))
    floor = hub.ledger.environments[cluster.environment].floor if release else 0
    return release if release is not None and release.number > floor else None


def kept_back(cluster: ledger.ClusterState, release: ledger.Release, hub: state.Hub) -> str:
    """Why a cluster whose wave is out is not sent the release."""
    number = members.part_of(cluster.cluster, release)
    if number is None or hub.ledger.in_force(release.environment) != release:
        return f"release {release.number} was replaced"
    halt = halts.on(release.environment, hub, cluster=cluster.cluster, release=release.number)
    found = [
        *(halts.words(each) for each in halt if each.cluster),
        *(each.why(release, number, hub) for each in REASONS if each.keeps_back),
        crowded(cluster, release, number, hub),
    ]
    return "; ".join(filter(None, found))


def crowded(
    cluster: ledger.ClusterState, release: ledger.Release, number: int, hub: state.Hub
) -> str:
    """Those that come back all at once go one after the other, as many as their wave's size allows."""
    term = release.term(number)
    if not term.at_once or cluster.cluster in release.broken:
        return ""
    wave = members.of_wave(term.wave, release, hub)
    changing = sum(members.is_changing(each, release) for each in wave)
    if changing < term.at_once + term.max_unavailable:
        return ""
    return f"{changing} clusters of wave {term.wave} are changing already"
