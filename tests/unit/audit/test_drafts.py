"""Each kind of record, as it goes into the chain."""

from typing import Any

import pytest

import approvers
import builders
from fleet.audit import chain, drafts, records
from fleet.model import (
    approving,
    changes,
    health,
    json_values,
    kinds,
    ledger,
    messages,
    names,
    pacing,
)
from fleet.protocol import approvals

CANARY = "canary-s3cret-value"
REFUSED = builders.decision(
    author="Ada\x1b[31m",
    subject="line\nend",
    verdict=ledger.Verdict.REFUSED,
    findings=(builders.finding(),),
    clusters=(names.Cluster("dev-1"),),
)
ROAD = builders.road()
REPORT = builders.report(
    outcomes=(
        changes.Outcome(key=builders.key(), result=changes.Result.FAILED, message="denied"),
        builders.outcome("api", state=health.Health.IN_PROGRESS),
    )
)
STATE = builders.cluster_state()
SIGNED = approvers.BERT.says(approvers.SUBJECT)
APPROVAL = ledger.Approval(
    environment=names.Environment("dev"),
    signed=SIGNED,
    voice=approvals.opened(SIGNED, builders.NOW),
)
DRAFTS: dict[str, tuple[records.Draft, records.Kind, str]] = {
    "decision": (drafts.decision(REFUSED), records.Kind.DECISION, "dev"),
    "dispatch": (
        drafts.dispatch(builders.dispatch(), at=builders.NOW),
        records.Kind.DISPATCH,
        "dev/dev-1",
    ),
    "report": (drafts.report(REPORT, at=builders.NOW), records.Kind.REPORT, "dev/dev-1"),
    "enrolment": (drafts.enrolment(STATE, at=builders.NOW), records.Kind.ENROLMENT, "dev/dev-1"),
    "retirement": (
        drafts.retirement(STATE, at=builders.NOW),
        records.Kind.RETIREMENT,
        "dev/dev-1",
    ),
    "wave": (
        drafts.wave(
            builders.release(7, replaces=pacing.Replaced(release=6, wave=1, of=3)),
            0,
            at=builders.NOW,
        ),
        records.Kind.WAVE,
        "dev",
    ),
    "rollout": (
        drafts.rollout(
            act="pause",
            environment="dev",
            release=0,
            reason="on\nfire",
            by="ada",
            at=builders.NOW,
        ),
        records.Kind.ROLLOUT,
        "dev",
    ),
    "hold": (
        drafts.hold(subject="dev", reason="old\nbook", at=builders.NOW),
        records.Kind.HOLD,
        "dev",
    ),
    "recovery": (
        drafts.recovery(
            reason="old", echoes=[builders.dispatch()], epoch=2, lost={}, at=builders.NOW
        ),
        records.Kind.RECOVERY,
        "book",
    ),
    "alarm": (
        drafts.alarm(
            messages.Witness(
                cluster=names.Cluster("dev-1"),
                environment=names.Environment("dev"),
                uid="u",
                checkpoint="note",
                cosignature="",
                alarm="two histories",
            ),
            at=builders.NOW,
        ),
        records.Kind.ALARM,
        "dev/dev-1",
    ),
    "approval": (drafts.approval(APPROVAL, at=builders.NOW), records.Kind.APPROVAL, "dev"),
    "road": (drafts.road(ROAD, at=builders.NOW), records.Kind.ROAD, "road"),
    "violation": (
        drafts.violations([builders.violation()], at=builders.NOW)[0],
        records.Kind.VIOLATION,
        "dev",
    ),
    "status": (
        drafts.status(builders.status(context="e\x1b2e"), at=builders.NOW),
        records.Kind.STATUS,
        builders.digest("c2"),
    ),
    "quarantine": (
        drafts.quarantine(builders.quarantine(), by="ada", at=builders.NOW),
        records.Kind.QUARANTINE,
        "prod",
    ),
    "break glass": (
        drafts.break_glass(
            builders.break_glass(reason="out\nage"),
            approving.Signed(text="{}", signature="s"),
            at=builders.NOW,
        ),
        records.Kind.BREAK_GLASS,
        "prod",
    ),
    "rebaseline": (
        drafts.rebaseline(builders.rebaseline(reason="a pass\nword")),
        records.Kind.REBASELINE,
        "dev",
    ),
}


@pytest.mark.parametrize(("draft", "kind", "subject"), DRAFTS.values(), ids=DRAFTS.keys())
def test_a_draft_says_what_it_is_about_and_fits_the_chain(
    draft: records.Draft, kind: records.Kind, subject: str
):
    assert (draft.kind, draft.subject, draft.at) == (kind, subject, builders.NOW)
    record = chain.link(draft, chain.START)
    assert chain.verify([record]) is None
    assert json_values.decode(json_values.encode(draft.body)) == draft.body


def test_every_kind_but_the_decree_has_its_draft():
    assert {kind for _, kind, _ in DRAFTS.values()} == set(records.Kind) - {records.Kind.BASELINE}


def body(name: str) -> Any:
    return DRAFTS[name][0].body


def test_a_decision_keeps_every_reason():
    found = body("decision")
    assert (found["verdict"], found["commit"]) == ("refused", REFUSED.commit)
    assert [each["gate"] for each in found["gates"]] == ["findings"]
    assert [each["message"] for each in found["findings"]] == ["wrong"]
    assert found["clusters"] == ["dev-1"]


@pytest.mark.threat(108)
def test_the_first_wave_says_which_rollout_it_replaces():
    assert body("wave") == {
        "release": 7, "wave": 1, "of": 2, "clusters": ["dev-1"], "name": "1", "part": 1, "parts": 1,
        "replaces": {"release": 6, "wave": 1, "of": 3},
    }  # fmt: skip
    replacing = builders.release(7, replaces=pacing.Replaced(release=6, wave=1, of=3))
    assert drafts.wave(replacing, 1, at=builders.NOW).body["replaces"] is None


@pytest.mark.threat(73)
def test_words_of_others_are_escaped():
    assert body("decision")["author"] == r"Ada\x1b[31m"
    assert body("decision")["subject"] == r"line\nend"
    assert body("hold")["reason"] == r"old\nbook"
    assert body("rollout")["reason"] == r"on\nfire"


def test_a_report_tells_each_outcome():
    assert body("report")["outcomes"] == [
        {
            "object": "ConfigMap shop/web",
            "result": "failed",
            "message": "denied",
            "health": "",
            "reason": "",
        },
        {
            "object": "ConfigMap shop/api",
            "result": "created",
            "message": "",
            "health": "InProgress",
            "reason": "",
        },
    ]


@pytest.mark.parametrize(
    ("retire", "told"), [(None, None), (kinds.OnRemoval.PRUNE, "prune")], ids=["stays", "leaves"]
)
def test_a_dispatch_tells_who_leaves(retire: kinds.OnRemoval | None, told: str | None):
    draft = drafts.dispatch(builders.dispatch(retire=retire), at=builders.NOW)
    assert draft.body["retire"] == told


def test_a_recovery_keeps_what_the_agents_had_seen():
    assert body("recovery")["echoes"] == [
        {"cluster": "dev-1", "era": 1, "sequence": 5, "release": 7}
    ]


def test_the_road_is_told_in_order():
    steps = body("road")["steps"]
    assert [each["environment"] for each in steps] == ["dev", "staging", "prod"]
    assert steps[0]["branch"] == "env/dev"


@pytest.mark.threat(76)
def test_no_record_holds_an_envelope_or_a_proof():
    sent = builders.dispatch(statement={"payload": CANARY}, proof=(CANARY,))
    assert CANARY.encode() not in json_values.encode(drafts.dispatch(sent, at=builders.NOW).body)


def test_equal_decisions_make_equal_records():
    one = json_values.encode(drafts.decision(REFUSED).body)
    assert one == json_values.encode(drafts.decision(REFUSED).body)
