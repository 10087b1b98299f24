"""Every kind of record, as it goes into the chain. Bodies are JSON for people and programs; no secrets, no slices."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from fleet.audit import records
from fleet.audit import violations as life
from fleet.model import (
    approving,
    changes,
    findings,
    json_values,
    ledger,
    messages,
    names,
    observed,
)
from fleet.protocol import checkpoints


def decision(
    decided: ledger.Decision, inputs: json_values.JsonObject | None = None
) -> records.Draft:
    """`inputs` as fleet.audit.grounds has them."""
    body = {
        "environment": decided.environment,
        "commit": decided.commit,
        "author": findings.escaped(decided.author),
        "subject": findings.escaped(decided.subject),
        "verdict": decided.verdict.value,
        "lineage": decided.lineage.value,
        "content": decided.content,
        "rules": decided.rules,
        "owned": decided.owned,
        "release": decided.release,
        "slicesRoot": decided.slices_root,
        "clusters": list(decided.clusters),
        "gates": [gate(each) for each in decided.gates],
        "source": decided.source,
        "backTo": decided.back_to,
        "hotfixes": [_hotfix(each) for each in decided.hotfixes],
        "findings": [life.finding_as_json(each) for each in decided.findings],
        "inputs": inputs,
    }
    return _draft(records.Kind.DECISION, decided.environment, decided.at, body)


def dispatch(sent: messages.Dispatch, *, at: datetime) -> records.Draft:
    body = {
        "cluster": sent.cluster,
        "environment": sent.environment,
        "release": sent.release,
        "slice": sent.slice,
        "era": sent.era,
        "sequence": sent.sequence,
        "expires": sent.expires.isoformat(),
        "retire": sent.retire.value if sent.retire else None,
    }
    return _draft(records.Kind.DISPATCH, f"{sent.environment}/{sent.cluster}", at, body)


def report(told: messages.Report, *, at: datetime) -> records.Draft:
    body = {
        "cluster": told.cluster,
        "environment": told.environment,
        "number": told.number,
        "release": told.release,
        "slice": told.slice,
        "health": told.health.value,
        "applied": told.applied,
        "objects": told.objects,
        "kubernetes": told.kubernetes,
        "outcomes": [_outcome(each) for each in told.outcomes],
        "repairs": [_outcome(each) for each in told.repairs],
        "stale": told.stale,
        "retired": told.retired,
    }
    return _draft(records.Kind.REPORT, f"{told.environment}/{told.cluster}", at, body)


def enrolment(cluster: ledger.ClusterState, *, at: datetime) -> records.Draft:
    body = {
        "cluster": cluster.cluster,
        "environment": cluster.environment,
        "uid": cluster.uid,
        "publicKey": cluster.public_key,
        "kubernetesVersion": cluster.kubernetes_version,
    }
    return _draft(records.Kind.ENROLMENT, f"{cluster.environment}/{cluster.cluster}", at, body)


def retirement(cluster: ledger.ClusterState, *, at: datetime) -> records.Draft:
    body = {"cluster": cluster.cluster, "environment": cluster.environment}
    return _draft(records.Kind.RETIREMENT, f"{cluster.environment}/{cluster.cluster}", at, body)


def wave(release: ledger.Release, number: int, *, at: datetime) -> records.Draft:
    """Of the part of that number, from 0; the first one tells what it replaces."""
    term, before = release.term(number), release.replaces
    replaced = (
        {"release": before.release, "wave": before.wave, "of": before.of} if before else None
    )
    body = {
        "release": release.number,
        "wave": number + 1,
        "of": len(release.waves),
        "clusters": list(release.waves[number]),
        "name": term.wave,
        "part": term.part,
        "parts": term.parts,
        "replaces": replaced if number == 0 else None,
    }
    return _draft(records.Kind.WAVE, release.environment, at, body)


def rollout(
    *,
    act: str,
    environment: str,
    release: int,
    reason: str,
    at: datetime,
    wave: str = "",
    cluster: str = "",
    by: str = "",
    final: bool = False,
) -> records.Draft:
    """What happened to a rollout or was done to it: failed, recovered, pause, resume, abort."""
    body = {
        "act": act,
        "environment": environment,
        "wave": wave,
        "cluster": cluster,
        "release": release,
        "reason": findings.escaped(reason),
        "by": findings.escaped(by),
        "final": final,
    }
    return _draft(records.Kind.ROLLOUT, environment or "fleet", at, body)


def approval(row: ledger.Approval, *, at: datetime) -> records.Draft:
    said = row.voice.said
    body = {
        "environment": row.environment,
        "decision": said.decision.value,
        "key": row.voice.key,
        "text": row.signed.text,
        "signature": row.signed.signature,
    }
    return _draft(records.Kind.APPROVAL, row.environment, at, body)


def hold(*, subject: str, reason: str, at: datetime) -> records.Draft:
    return _draft(records.Kind.HOLD, subject, at, {"reason": findings.escaped(reason)})


def alarm(told: messages.Witness, *, at: datetime) -> records.Draft:
    """An agent saw two histories of this log, or one that went back."""
    body = {
        "cluster": told.cluster,
        "environment": told.environment,
        "reason": findings.escaped(told.alarm),
        "seen": told.checkpoint,
    }
    return _draft(records.Kind.ALARM, f"{told.environment}/{told.cluster}", at, body)


def recovery(
    *,
    reason: str,
    echoes: Iterable[messages.Dispatch],
    epoch: int,
    lost: Mapping[names.Cluster, checkpoints.Checkpoint],
    at: datetime,
) -> records.Draft:
    """With it an epoch of the log begins; `lost` are the checkpoints of earlier ones that it does not go on from."""
    seen = [
        {"cluster": e.cluster, "era": e.era, "sequence": e.sequence, "release": e.release}
        for e in echoes
    ]
    logs = [
        {"cluster": c, "epoch": e.epoch, "size": e.size, "root": e.root.hex()}
        for c, e in sorted(lost.items())
    ]
    body = {"held": reason, "echoes": seen, "epoch": epoch, "lost": logs}
    return _draft(records.Kind.RECOVERY, "book", at, body)


def road(found: ledger.Road, *, at: datetime) -> records.Draft:
    steps = [{"environment": each.environment, "branch": each.branch} for each in found.steps]
    return _draft(records.Kind.ROAD, "road", at, {"steps": steps, "owned": list(found.owned)})


def status(said: observed.Status, *, at: datetime) -> records.Draft:
    body = {
        "issuer": findings.escaped(said.issuer),
        "context": findings.escaped(said.context),
        "content": said.content,
        "state": said.outcome.value,
        "said": said.said.isoformat(),
    }
    return _draft(records.Kind.STATUS, said.content, at, body)


def quarantine(row: observed.Quarantine, *, by: str, at: datetime) -> records.Draft:
    """Set or lifted; `by` is who did that."""
    body = {
        "content": row.content,
        "reason": findings.escaped(row.reason),
        "by": findings.escaped(by),
        "lifted": row.lifted.isoformat() if row.lifted else None,
    }
    return _draft(records.Kind.QUARANTINE, row.environment, at, body)


def break_glass(
    row: observed.BreakGlass, signed: approving.Signed, *, at: datetime
) -> records.Draft:
    body = {
        "reason": findings.escaped(row.reason),
        "by": findings.escaped(row.by),
        "until": row.until.isoformat(),
        "count": row.count,
        "text": signed.text,
        "signature": signed.signature,
    }
    return _draft(records.Kind.BREAK_GLASS, row.environment, at, body)


def rebaseline(row: observed.Rebaseline) -> records.Draft:
    body = {
        "commit": row.commit,
        "base": row.base,
        "reason": findings.escaped(row.reason),
        "by": findings.escaped(row.by),
    }
    return _draft(records.Kind.REBASELINE, row.environment, row.since, body)


def violations(changed: Iterable[ledger.Violation], *, at: datetime) -> tuple[records.Draft, ...]:
    return tuple(
        _draft(records.Kind.VIOLATION, each.environment, at, life.as_json(each))
        for each in changed
    )


def gate(result: ledger.GateResult) -> dict[str, Any]:
    """As records, status and explanations alike have it."""
    return {
        "gate": result.gate,
        "state": result.state.value,
        "reason": result.reason,
        "hint": result.hint,
        "until": result.until.isoformat() if result.until else None,
    }


def _hotfix(hotfix: ledger.Hotfix) -> dict[str, str]:
    return {
        "path": findings.escaped(hotfix.path),
        "commit": hotfix.commit,
        "reason": findings.escaped(hotfix.reason),
        "since": hotfix.since.isoformat(),
        "basedOn": hotfix.based_on,
        "fixed": hotfix.fixed,
    }


def _outcome(outcome: changes.Outcome) -> dict[str, Any]:
    found = outcome.assessed
    return {
        "object": str(outcome.key),
        "result": outcome.result.value,
        "message": outcome.message,
        "health": found.health.value if found else "",
        "reason": found.reason if found else "",
    }


def _draft(
    kind: records.Kind, subject: str, at: datetime, body: json_values.JsonObject
) -> records.Draft:
    return records.Draft(kind=kind, subject=subject, at=at, body=body)
