"""Waves: who may have the release by now, and when the next wave opens.

A wave opens when at least one cluster of those already out has reported this release, and all of them that are awake
are healthy with it. Offline clusters are pending: they hold nobody up and catch up when they return.
"""

from dataclasses import replace
from datetime import timedelta

from fleet.audit import drafts
from fleet.hub import consents, state
from fleet.model import findings, health, ledger, names
from fleet.policy import leniency
from fleet.ports import store


async def advance(environment: names.Environment, hub: state.Hub) -> bool:
    """Open the next wave, or note that the release is healthy everywhere. True when something was written."""
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
    is_first = here.wave == 0 and bool(release.waves)
    if not is_first and not is_good(release, hub):
        return None
    if here.wave < len(release.waves):
        return None if stopped(release, hub) else opened(release, here, hub)
    if release.healthy is None:
        return store.Write(rows=(replace(release, healthy=hub.clock.now()),))
    return None


def stopped(release: ledger.Release, hub: state.Hub) -> str:
    """Why no wave of it opens any more, in words: what let it through has ended, or a newer commit takes it back."""
    now = hub.clock.now()
    for each in release.waived:
        if each.waived is not None and each.waived.until <= now:
            return f"waiver {each.waived.waiver} ended {each.waived.until.isoformat()}"
    lapsed = consents.lapsed(release, hub)
    if lapsed:
        return lapsed
    decision = hub.ledger.environments[release.environment].decision
    if decision is None or decision.commit == release.commit:
        return ""
    denied = {leniency.identity(e) for e in decision.findings if findings.refuses([e])}
    back = [e for e in release.waived if e.waived and leniency.identity(e) in denied]
    names_ = sorted({each.waived.waiver for each in back if each.waived})
    return f"{decision.commit[:10]} takes back {', '.join(names_)}" if names_ else ""


def is_good(release: ledger.Release, hub: state.Hub) -> bool:
    """Whether the waves that are out allow the next step."""
    out = [each for each in outstanding(release, hub) if is_awake(each, release, hub)]
    return bool(out) and all(is_healthy(each, release) for each in out)


def outstanding(release: ledger.Release, hub: state.Hub) -> list[ledger.ClusterState]:
    """The clusters of those waves of the release that are out."""
    wave = hub.ledger.environments[release.environment].wave
    out = {cluster for clusters in release.waves[:wave] for cluster in clusters}
    known = state.clusters_of(hub.ledger, release.environment)
    return [each for each in known if each.cluster in out]


def is_awake(cluster: ledger.ClusterState, release: ledger.Release, hub: state.Hub) -> bool:
    seen = state.last_sign(hub, cluster)
    return seen is not None and hub.clock.now() - seen <= timedelta(seconds=release.stale_after)


def is_healthy(cluster: ledger.ClusterState, release: ledger.Release) -> bool:
    """By its last report, of this very release."""
    report = cluster.report
    if report is None or report.release != release.number:
        return False
    return report.retired or (report.applied and report.health is health.Health.CURRENT)


def opened(release: ledger.Release, here: ledger.EnvironmentState, hub: state.Hub) -> store.Write:
    """The next wave as one write: its clusters get the release as what they shall run.

    One that has left meanwhile may be another environment's by now.
    """
    wave = release.waves[here.wave]
    draft = drafts.wave(
        environment=release.environment,
        release=release.number,
        wave=here.wave + 1,
        of=len(release.waves),
        clusters=wave,
        at=hub.clock.now(),
    )
    known = [hub.ledger.clusters[cluster] for cluster in wave]
    moved = [moved_on(each, release) for each in known if each.environment == here.environment]
    return store.Write(records=(draft,), rows=(replace(here, wave=here.wave + 1), *moved))


def moved_on(cluster: ledger.ClusterState, release: ledger.Release) -> ledger.ClusterState:
    return replace(cluster, release=release.number, retire=release.retired.get(cluster.cluster))
