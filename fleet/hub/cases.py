"""A decision with everything that it was made from, until it is recorded: then as fleet.audit.grounds keeps it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from fleet.audit import drafts, grounds
from fleet.audit.records import Draft
from fleet.gate import candidates
from fleet.hub import drawing
from fleet.judge import judging
from fleet.model import json_values, ledger, names


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """`facts` are those that gates were asked by; None: it is a decree, and nobody asked them."""

    candidate: candidates.Candidate
    judged: judging.Judged = field(repr=False)
    drawn: drawing.Drawn = field(repr=False)
    facts: candidates.Facts | None = field(repr=False)
    how: grounds.How = grounds.How.GATES
    back_to: int = 0
    ran: Mapping[names.Cluster, names.SliceDigest] = field(
        default_factory=dict
    )  # with the release that a rollback goes back to


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    record: Draft
    facts: Mapping[names.Digest, bytes] = field(repr=False)


def recorded(decision: ledger.Decision, case: Case, tools: judging.Tools) -> Recorded:
    """The record of a decision with digests of its inputs, and the facts under theirs."""
    question = case.judged.question
    is_planned = decision.slices_root == case.drawn.plan.slices_root
    data = grounds.encode(
        grounds.kept(
            how=case.how,
            back_to=case.back_to,
            ran=case.ran,
            candidate=case.candidate,
            road=question.road,
            base=question.base,
            upstream=question.upstream,
            facts=case.facts,
            around=case.drawn.around,
            drawn=case.drawn.asked or decision.at,
            numbered=grounds.Numbered(
                release=decision.release,
                slices_root=None if is_planned else decision.slices_root,
                clusters=() if is_planned else decision.clusters,
            ),
        )
    )
    digest = json_values.digest_of_bytes(data)
    record = drafts.decision(decision, inputs(digest, case.judged, tools))
    return Recorded(record=record, facts={digest: data})


def inputs(
    digest: names.Digest, judged: judging.Judged, tools: judging.Tools
) -> json_values.JsonObject:
    base = judged.question.base
    return grounds.inputs(
        digest,
        base=base.commit if base else None,
        policies=judged.policies,
        specs=judged.specs,
        versions={
            **tools.versions,
            "renderer": ", ".join(judged.renderers),
            "schemas": tools.schemas.identity,
        },
    )
