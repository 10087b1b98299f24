"""How the clusters of a release stand towards it, each by its last report and its last sign of life.

Offline clusters are pending: they hold nobody up. One that went silent after it was sent the release, and before it was
healthy with it, is no such cluster: the release itself may have cut it off.
"""

from datetime import timedelta

from fleet.hub import halts, state
from fleet.model import health, ledger, names


def is_awake(cluster: ledger.ClusterState, release: ledger.Release, hub: state.Hub) -> bool:
    seen = state.last_sign(hub, cluster)
    return seen is not None and hub.clock.now() - seen <= timedelta(seconds=release.stale_after)


def is_healthy(cluster: ledger.ClusterState, release: ledger.Release) -> bool:
    """By its last report, of this very release."""
    report = cluster.report
    if report is None or report.release != release.number:
        return False
    return report.retired or (report.applied and report.health is health.Health.CURRENT)


def is_failed(cluster: ledger.ClusterState, release: ledger.Release) -> bool:
    """By this release: what failed before it does not count."""
    report = cluster.report
    if report is None or report.release != release.number or cluster.cluster in release.broken:
        return False
    return report.health is health.Health.FAILED


def has(cluster: ledger.ClusterState, release: ledger.Release) -> bool:
    """Whether it was sent this release, or its farewell of it."""
    last = cluster.dispatch
    return last is not None and (last.release, last.retire) == (release.number, cluster.retire)


def outstanding(release: ledger.Release, hub: state.Hub) -> list[ledger.ClusterState]:
    """The clusters of those waves of the release that are out."""
    wave = hub.ledger.environments[release.environment].wave
    out = {cluster for clusters in release.waves[:wave] for cluster in clusters}
    return [each for each in of(release, hub) if each.cluster in out]


def of(release: ledger.Release, hub: state.Hub) -> list[ledger.ClusterState]:
    known = state.clusters_of(hub.ledger, release.environment)
    return [
        each for each in known if each.cluster in release.slices or each.cluster in release.retired
    ]


def part_of(cluster: names.Cluster, release: ledger.Release) -> int | None:
    """The number of the part that it is in, from 0."""
    return next((n for n, members in enumerate(release.waves) if cluster in members), None)


def of_wave(name: str, release: ledger.Release, hub: state.Hub) -> list[ledger.ClusterState]:
    """All clusters of a wave, in whatever part of it."""
    members = {
        cluster
        for n, clusters in enumerate(release.waves)
        for cluster in clusters
        if release.term(n).wave == name
    }
    return [each for each in of(release, hub) if each.cluster in members]


def unsettled(cluster: ledger.ClusterState, release: ledger.Release, hub: state.Hub) -> str:
    """Why a cluster whose wave is out is not done with the release; "" = it is, or it counts for nothing."""
    if is_healthy(cluster, release) or cluster.cluster in release.broken:
        return ""
    awake = is_awake(cluster, release, hub)
    if has(cluster, release):
        return _unwell(cluster, release) if awake else "went silent before it was healthy"
    if _is_halted(cluster, release, hub) or not (awake or _may_be_awake(release, hub)):
        return ""
    return "does not have it yet" if awake else "was not heard of yet since the hub began"


def _may_be_awake(release: ledger.Release, hub: state.Hub) -> bool:
    """A hub that has just begun has not been asked by everyone who is there."""
    stale = timedelta(seconds=release.stale_after)
    return hub.started is not None and timedelta() <= hub.clock.now() - hub.started < stale


def _is_halted(cluster: ledger.ClusterState, release: ledger.Release, hub: state.Hub) -> bool:
    return bool(
        halts.on(release.environment, hub, cluster=cluster.cluster, release=release.number)
    )


def _unwell(cluster: ledger.ClusterState, release: ledger.Release) -> str:
    report = cluster.report
    if report is None or report.release != release.number:
        return "has not reported it yet"
    worst = next(iter(report.outcomes), None)
    if worst is None:
        return f"{report.health.value} yet"
    reason = worst.assessed.reason if worst.assessed else ""
    return f"{worst.key}: {worst.message or reason or report.health.value}"


def is_changing(cluster: ledger.ClusterState, release: ledger.Release) -> bool:
    """It was sent the release and is not healthy with it: it counts against its wave's size."""
    is_exempt = cluster.cluster in release.broken
    return has(cluster, release) and not is_healthy(cluster, release) and not is_exempt
