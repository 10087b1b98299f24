"""How far a rollout is, wave by wave, as `fleet status` and `fleet rollout status` show it."""

from collections import Counter
from typing import Any

from fleet.hub import halts, members, rollouts, state
from fleet.model import ledger, names, pacing

# How a cluster of a wave stands towards the release, in a word. `broken` failed before it and is not healthy yet.
WORDS = ("healthy", "changing", "failed", "silent", "pending", "paused", "broken", "waiting")


def of(release: ledger.Release, hub: state.Hub) -> dict[str, Any]:
    here = hub.ledger.environments[release.environment]
    before = release.replaces
    known = {each.cluster: each for each in members.of(release, hub)}
    return {
        "rollout": [_part(release, n, known, hub) for n in range(len(release.waves))],
        "next": _next(release, here.wave, hub),
        "failed": _failed(here.failed) if here.failed else None,
        "replaces": (
            {"release": before.release, "wave": before.wave, "of": before.of} if before else None
        ),
    }


def _part(
    release: ledger.Release,
    number: int,
    known: dict[names.Cluster, ledger.ClusterState],
    hub: state.Hub,
) -> dict[str, Any]:
    term = release.term(number)
    is_out = number < hub.ledger.environments[release.environment].wave
    found = [known[each] for each in release.waves[number] if each in known]
    counted = Counter(_word(each, release, hub, is_out=is_out) for each in found)
    return {
        "wave": term.wave,
        "part": term.part,
        "parts": term.parts,
        "out": is_out,
        "clusters": list(release.waves[number]),
        "maxUnavailable": term.max_unavailable,
        "atOnce": term.at_once,
        "soak": term.soak,
        "counts": {word: counted[word] for word in WORDS},
    }


def _word(
    cluster: ledger.ClusterState, release: ledger.Release, hub: state.Hub, *, is_out: bool
) -> str:
    if members.is_healthy(cluster, release):
        return "healthy"
    if cluster.cluster in release.broken:
        return "broken"
    awake = members.is_awake(cluster, release, hub)
    if members.has(cluster, release):
        return (
            ("failed" if members.is_failed(cluster, release) else "changing")
            if awake
            else "silent"
        )
    if halts.on(release.environment, hub, cluster=cluster.cluster, release=release.number):
        return "paused"
    return "waiting" if awake or not is_out else "pending"


def _next(release: ledger.Release, wave: int, hub: state.Hub) -> dict[str, Any] | None:
    """The next part, with all that holds it; None when all are out."""
    if wave >= len(release.waves):
        return None
    told = [(each.why(release, wave, hub), each.stops) for each in rollouts.REASONS]
    return {
        "wave": release.term(wave).wave,
        "part": release.term(wave).part,
        "stopped": [why for why, stops in told if why and stops],
        "waitsFor": [why for why, stops in told if why and not stops],
    }


def _failed(failure: pacing.Failure) -> dict[str, Any]:
    return {
        "reason": failure.reason,
        "since": failure.since.isoformat(),
        "final": failure.final,
    }
