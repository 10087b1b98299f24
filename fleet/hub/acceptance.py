"""What follows from an accepted decision, as one write: the release, its clusters, the road."""

from dataclasses import replace
from datetime import datetime, timedelta

from fleet.audit import drafts, violations
from fleet.gate import windows
from fleet.hub import cases, consents, drawing, footing, state
from fleet.judge import judging
from fleet.manifests import declared
from fleet.model import (
    findings,
    gating,
    json_values,
    kinds,
    ledger,
    messages,
    names,
    observed,
    pacing,
)
from fleet.plan import rollout
from fleet.ports import store
from fleet.protocol import dsse, encoding


def accepted(
    decided: ledger.Decision,
    case: cases.Case,
    trace: str,
    left: tuple[observed.Quarantine, ...],
    hub: state.Hub,
) -> store.Write:
    """`left` is what a rollback goes away from."""
    judged, drawn = case.judged, case.drawn
    decision = _numbered(decided, drawn, hub)
    made = cases.recorded(decision, case, hub.tools)
    record = json_values.digest(made.record.body)
    release = _release(decision, judged, drawn, record, trace, hub)
    changed = violations.between(hub.ledger.violations.values(), decision)
    members = [_member(each, judged, hub) for each in judged.declared.clusters]
    new = [each for each in members if _is_new(each, hub)]
    roads = _road(decision, judged, hub)
    here = environment_of(decision.environment, hub)
    now = replace(
        here,
        decision=decision,
        release=release.number,
        wave=0,
        hold="",
        spell=None,
        failed=None,
    )
    return store.Write(
        records=(
            made.record,
            *drafts.violations(changed, at=decision.at),
            *(drafts.enrolment(each, at=decision.at) for each in new),
            *(drafts.quarantine(each, by=each.by, at=decision.at) for each in left),
            *(drafts.road(seal.road, at=decision.at) for seal in roads if seal.road),
        ),
        rows=(release, now, *changed, *members, *left, *roads),
        slices={each.digest: each.data for each in drawn.plan.slices.values()},
        facts=made.facts,
    )


def environment_of(environment: names.Environment, hub: state.Hub) -> ledger.EnvironmentState:
    blank = ledger.EnvironmentState(environment=environment)
    return hub.ledger.environments.get(environment, blank)


def _numbered(decision: ledger.Decision, drawn: drawing.Drawn, hub: state.Hub) -> ledger.Decision:
    here = environment_of(decision.environment, hub)
    return replace(
        decision,
        release=max(here.release, here.floor) + 1,
        slices_root=drawn.plan.slices_root,
        clusters=tuple(sorted(drawn.plan.slices)),
    )


def _release(
    decision: ledger.Decision,
    judged: judging.Judged,
    drawn: drawing.Drawn,
    record: names.Digest,
    trace: str,
    hub: state.Hub,
) -> ledger.Release:
    asked = judged.spec.rollout
    return ledger.Release(
        environment=decision.environment,
        number=decision.release,
        commit=decision.commit,
        content=decision.content,
        rules=decision.rules,
        owned=decision.owned,
        slices_root=drawn.plan.slices_root,
        statement=_statement(decision, judged, drawn, record, hub),
        slices={cluster: each.digest for cluster, each in drawn.plan.slices.items()},
        retired=drawn.plan.retired,
        waves=drawn.plan.waves,
        objects={cluster: each.objects for cluster, each in drawn.plan.slices.items()},
        permits=judged.declared.permits_only,
        max_deleted_share=drawn.max_deleted_share,
        stale_after=drawn.stale_after,
        accepted=decision.at,
        trace=trace,
        trust=judged.declared.trust,
        consent=consents.settled(judged, drawn.plan, hub),
        waived=tuple(each for each in decision.findings if _is_leant_on(each, decision.at)),
        source=decision.source,
        hotfixes=decision.hotfixes,
        terms=rollout.paced(drawn.plan.terms, decision.lineage),
        windows=_windows(decision, judged),
        broken=tuple(sorted(drawn.broken)),
        deadline=int(asked.deadline.total_seconds()) if asked.deadline else 0,
        rolls_back=asked.on_failure is gating.OnFailure.ROLLBACK,
        replaces=_replaced(decision.environment, hub),
        footing=footing.of(decision, judged, hub),
    )


def _windows(
    decision: ledger.Decision, judged: judging.Judged
) -> tuple[tuple[json_values.JsonObject, ...], ...]:
    """Of the settings in force and of those that come: a tightening holds at once, a loosening not yet (rule 3).

    Decrees and ways back pass them before each wave, as they pass the gate of that name.
    """
    if decision.lineage in windows.PASSING:
        return ()
    known = [tuple(map(gating.written, spec.gates.windows)) for spec in judged.specs]
    return tuple(each for n, each in enumerate(known) if each and each not in known[:n])


def _replaced(environment: names.Environment, hub: state.Hub) -> pacing.Replaced | None:
    """The rollout that this one cuts short."""
    running = hub.ledger.in_force(environment)
    if running is None or running.healthy is not None:
        return None
    out = hub.ledger.environments[environment].wave
    return pacing.Replaced(release=running.number, wave=out, of=len(running.waves))


def _is_leant_on(finding: findings.Finding, at: datetime) -> bool:
    """Whether a waiver that could still end, or be taken back, let it through. The way back leans on none."""
    waived = finding.waived
    is_waived = finding.severity is findings.Severity.WAIVED
    return is_waived and waived is not None and waived.until > at


def _statement(
    decision: ledger.Decision,
    judged: judging.Judged,
    drawn: drawing.Drawn,
    record: names.Digest,
    hub: state.Hub,
) -> json_values.JsonObject:
    """What every agent of this release is shown as proof that it was accepted."""
    statement = messages.Statement(
        environment=decision.environment,
        release=decision.release,
        commit=decision.commit,
        content=decision.content,
        rules=decision.rules,
        owned=decision.owned,
        slices_root=drawn.plan.slices_root,
        policies=judged.policies,
        gates=judged.declared.gates,
        renderers=judged.renderers,
        decision=record,
        expires=decision.at + timedelta(seconds=hub.settings.statement_lifetime),
    )
    return dsse.sign(dsse.STATEMENT, encoding.encode(statement), hub.key)


def _member(
    cluster: declared.Declaration[kinds.Cluster], judged: judging.Judged, hub: state.Hub
) -> ledger.ClusterState:
    """The cluster's row by its document; what it runs and was sent stays until its wave opens."""
    spec, metadata = cluster.document.spec, cluster.document.metadata
    name = names.Cluster(metadata.name)
    blank = ledger.ClusterState(
        environment=judged.question.environment,
        cluster=name,
        uid=spec.uid,
        public_key=spec.public_key,
        labels=metadata.labels,
        kubernetes_version=spec.kubernetes_version,
    )
    known = hub.ledger.clusters.get(name)
    if known is None:
        return blank
    if (known.uid, known.public_key) != (spec.uid, spec.public_key) or known.retired:
        return replace(blank, era=known.era, sequence=known.sequence)
    if known.retire is not None:  # its farewell is taken back: nothing is sent until its wave
        known = replace(known, release=0, retire=None, dispatch=None, envelope=None)
    return replace(known, labels=metadata.labels, kubernetes_version=spec.kubernetes_version)


def _is_new(member: ledger.ClusterState, hub: state.Hub) -> bool:
    known = hub.ledger.clusters.get(member.cluster)
    return known is None or known.retired or known.public_key != member.public_key


def _road(
    decision: ledger.Decision, judged: judging.Judged, hub: state.Hub
) -> tuple[ledger.Seal, ...]:
    """A new road, when the environment that is last on the present one accepts it (rule 12)."""
    present, fleet = judged.question.road, judged.declared.fleet
    wanted = declared.road_of(fleet) if fleet else present
    if wanted == present or present.steps[-1].environment != decision.environment:
        return ()
    return (replace(hub.ledger.seal, road=wanted),)
