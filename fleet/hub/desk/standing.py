"""Where everything stands, as one JSON value: what `fleet status` shows and other programs may rely on."""

from datetime import datetime
from typing import Any

from fleet.audit import drafts
from fleet.hub import glass, halts, members, rollouts, state
from fleet.hub.desk import progress
from fleet.model import errors, findings, ledger, messages, names, pacing

# How a cluster may stand towards what its environment runs, in a word.
STATES = (
    "registered", "offline", "leaving", "waits for its wave", "kept back", "healthy", "converging",
)  # fmt: skip


def of(hub: state.Hub) -> dict[str, Any]:
    """The shape is documented in docs/cli.md and only grows within v1alpha1."""
    road = hub.ledger.seal.road
    return {
        "held": hub.ledger.seal.held,
        "repository": {
            "fetched": hub.fetched.isoformat() if hub.fetched else None,
            "trouble": hub.trouble,
        },
        "environments": [_environment(step, hub) for step in (road.steps if road else ())],
        "halts": [_halt(each) for each in halts.live(hub)],
        "alarms": [
            {"cluster": cluster, "since": since.isoformat(), "reason": findings.escaped(reason)}
            for cluster, (since, reason) in sorted(hub.alarms.items())
        ],
    }


def _halt(halt: pacing.Halt) -> dict[str, Any]:
    return {
        "act": halt.act.value,
        "environment": halt.environment,
        "wave": halt.wave,
        "cluster": halt.cluster,
        "release": halt.release,
        "reason": halt.reason,
        "by": halt.by,
        "at": halt.at.isoformat(),
    }


def _environment(step: ledger.Step, hub: state.Hub) -> dict[str, Any]:
    here = hub.ledger.environments.get(step.environment)
    release = hub.ledger.in_force(step.environment)
    return {
        "name": step.environment,
        "branch": step.branch,
        "hold": here.hold if here else "",
        "release": _release(release, here, hub) if release and here else None,
        "candidate": _candidate(here.decision) if here and here.decision else None,
        "waivers": _waivers(step.environment, hub),
        "quarantined": _quarantined(step.environment, hub),
        "brokenGlass": _broken_glass(step.environment, hub),
        "clusters": [
            _cluster(each, release, hub)
            for each in state.clusters_of(hub.ledger, step.environment)
        ],
    }


def _quarantined(environment: names.Environment, hub: state.Hub) -> list[dict[str, Any]]:
    return [
        {
            "content": each.content,
            "reason": each.reason,
            "by": each.by,
            "since": each.since.isoformat(),
        }
        for each in hub.ledger.quarantines.values()
        if each.environment == environment and each.lifted is None
    ]


def _broken_glass(environment: names.Environment, hub: state.Hub) -> dict[str, Any] | None:
    """While it lasts."""
    found = glass.broken(environment, hub)
    if found is None:
        return None
    return {"reason": found.reason, "by": found.by, "until": found.until.isoformat()}


def _waivers(environment: names.Environment, hub: state.Hub) -> list[dict[str, Any]]:
    """What is waived and when it comes back; what came back already is `ended`. The next end is first."""
    found: dict[tuple[str, datetime], list[findings.Finding]] = {}
    for each in hub.ledger.violations.values():
        waived = each.finding.waived
        if each.environment == environment and each.until is None and waived is not None:
            found.setdefault((waived.waiver, waived.until), []).append(each.finding)
    return [
        _waiver(part, is_ended=until <= hub.clock.now())
        for (_, until), part in sorted(found.items(), key=lambda each: each[0][::-1])
    ]


def _waiver(found: list[findings.Finding], *, is_ended: bool) -> dict[str, Any]:
    waived = found[0].waived
    if waived is None:
        raise errors.BrokenError("what is not waived was sorted among the waived")
    return {
        "name": waived.waiver,
        "owner": waived.owner,
        "reason": waived.reason,
        "ticket": waived.ticket,
        "until": waived.until.isoformat(),
        "ended": is_ended,
        "path": findings.escaped(waived.place.path),
        "line": waived.place.line,
        "findings": [
            {
                "rule": each.rule,
                "subject": each.subject,
                "message": each.message,
                "path": findings.escaped(each.place.path),
                "line": each.place.line,
                "clusters": list(each.clusters),
            }
            for each in sorted(found, key=lambda each: (each.place, each.rule, each.message))
        ],
    }


def _release(
    release: ledger.Release, here: ledger.EnvironmentState, hub: state.Hub
) -> dict[str, Any]:
    return {
        "number": release.number,
        "commit": release.commit,
        "content": release.content,
        "accepted": release.accepted.isoformat(),
        "waves": len(release.waves),
        "wavesOut": here.wave,
        "stopped": rollouts.stopped(release, hub) if here.wave < len(release.waves) else "",
        "healthy": here.wave == len(release.waves) and rollouts.is_good(release, hub),
        **progress.of(release, hub),
    }


def _candidate(decision: ledger.Decision) -> dict[str, Any]:
    return {
        "commit": decision.commit,
        "subject": decision.subject,
        "author": decision.author,
        "verdict": decision.verdict.value,
        "lineage": decision.lineage.value,
        "waitsFor": [
            drafts.gate(each) for each in decision.gates if each.state is not ledger.GateState.OPEN
        ],
        "findings": len(decision.findings),
    }


def _cluster(
    cluster: ledger.ClusterState, release: ledger.Release | None, hub: state.Hub
) -> dict[str, Any]:
    report = cluster.report
    seen = state.last_sign(hub, cluster)
    return {
        "name": cluster.cluster,
        "release": cluster.release,
        "reported": report.release if report else 0,
        "health": report.health.value if report else "Unknown",
        "applied": bool(report and report.applied),
        "seen": seen.isoformat() if seen else None,
        "state": _state(cluster, release, hub),
        "keptBack": _kept_back(cluster, release, hub),
        "kubernetes": report.kubernetes if report else "",
        "objects": report.objects if report else 0,
        "unwell": _unwell(report),
    }


def _unwell(report: messages.Report | None) -> list[dict[str, str]]:
    return [
        {
            "object": str(each.key),
            "result": each.result.value,
            "message": each.message,
            "health": each.assessed.health.value if each.assessed else "",
            "reason": each.assessed.reason if each.assessed else "",
        }
        for each in (report.outcomes if report else ())
    ]


def _kept_back(
    cluster: ledger.ClusterState, release: ledger.Release | None, hub: state.Hub
) -> str:
    """Why it is not sent the release, though its wave is out."""
    if release is None or cluster.release != release.number or members.has(cluster, release):
        return ""
    return rollouts.kept_back(cluster, release, hub)


def _state(cluster: ledger.ClusterState, release: ledger.Release | None, hub: state.Hub) -> str:
    """One word for people: how the cluster stands towards what its environment runs."""
    if release is None:
        return "registered"
    if not members.is_awake(cluster, release, hub):
        return "offline"
    if cluster.retire is not None:
        return "leaving"
    if cluster.release != release.number:
        return "waits for its wave"
    if _kept_back(cluster, release, hub):
        return "kept back"
    return "healthy" if members.is_healthy(cluster, release) else "converging"
