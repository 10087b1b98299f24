"""What an approver is asked to sign, worked out on the approver's own machine: no hub is asked (threat 42)."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from fleet.gate import candidates
from fleet.hub import consents
from fleet.judge import judging
from fleet.local import promotion
from fleet.model import approving, findings, kinds, ledger, names
from fleet.plan import rollout, slices
from fleet.policy import leniency


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """`leaving` are clusters that still leave since an earlier release, whose documents are gone already."""

    environment: names.Environment
    commit: names.CommitId
    running: names.CommitId | None
    leaving: Mapping[names.Cluster, kinds.OnRemoval] = field(default_factory=dict)
    wave: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    subject: approving.Subject
    consent: approving.Consent
    retired: Mapping[names.Cluster, kinds.OnRemoval]
    changes: Mapping[names.Cluster, tuple[str, ...]]
    findings: tuple[findings.Finding, ...]
    lifetime: int  # seconds for which an approval counts at most


async def prepare(asked: Asked, road: ledger.Road, tools: judging.Tools) -> Proposal:
    question = judging.Question(
        environment=asked.environment, commit=asked.commit, road=road, base=None, upstream=None
    )
    before = None
    if asked.running is not None:
        before = await judging.judge(replace(question, commit=asked.running), tools)
        question = replace(question, base=candidates.unnumbered(asked.running, before.ids))
    judged = await judging.judge(question, tools)
    retired = {**asked.leaving, **_gone(before, judged)}
    clusters = [each.document for each in judged.declared.clusters]
    plan = rollout.plan(judged.spec, clusters, slices.cut_each(judged.manifests), retired)
    consent = consents.consent_of(judged, plan)
    now = tools.clock.now() if tools.clock else None
    return Proposal(
        subject=consent.subject,
        consent=consent,
        retired=plan.retired,
        changes=promotion.changes(before.manifests if before else {}, judged.manifests),
        findings=leniency.settle(judged.findings, judged.docket, leniency.Moment(now=now)),
        lifetime=min((each.lifetime for each in consent.wanted if each.lifetime), default=0),
    )


def _gone(
    before: judging.Judged | None, judged: judging.Judged
) -> dict[names.Cluster, kinds.OnRemoval]:
    here = {each.document.metadata.name for each in judged.declared.clusters}
    return {
        names.Cluster(each.document.metadata.name): each.document.spec.on_removal
        for each in (before.declared.clusters if before else ())
        if each.document.metadata.name not in here
    }
