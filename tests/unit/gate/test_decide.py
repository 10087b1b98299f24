"""A decision asks every gate and keeps every reason."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as some

import builders
from fleet.gate import candidates, decide, gates, health
from fleet.model import findings, ledger

Verdict, Gate = ledger.Verdict, ledger.GateState
DEV = builders.upstream(builders.accepted(1, "c1"), builders.accepted(2, "c2"))
STAGING = builders.candidate("c2", environment="staging")
WELL = (builders.cluster_health("dev-1"), builders.cluster_health("dev-2"))


def result(state: Gate) -> ledger.GateResult:
    return ledger.GateResult(gate="a gate", state=state, reason="so")


def states(decision: ledger.Decision) -> dict[str, Gate]:
    return {each.gate: each.state for each in decision.gates}


@pytest.mark.threat(57)
def test_of_no_gates_nothing_is_accepted():
    assert decide.verdict(()) is Verdict.WAITING


@given(some.lists(some.sampled_from(Gate), min_size=1))
def test_refused_before_waiting_before_accepted(found: list[Gate]):
    verdict = decide.verdict(tuple(map(result, found)))
    if Gate.REFUSED in found:
        assert verdict is Verdict.REFUSED
    elif {Gate.WAITING, Gate.ERROR} & set(found):
        assert verdict is Verdict.WAITING
    else:
        assert verdict is Verdict.ACCEPTED


def test_a_clean_commit_of_the_first_environment_is_accepted():
    decision = decide.decide(builders.candidate(), builders.facts())
    assert decision.verdict is Verdict.ACCEPTED
    assert states(decision) == {
        "book": Gate.OPEN,
        "lineage": Gate.OPEN,
        "findings": Gate.OPEN,
        "approvals": Gate.OPEN,
    }


def test_a_promotion_asks_for_the_health_of_upstream_too():
    facts = builders.facts(upstream=DEV, upstream_clusters=WELL)
    decision = decide.decide(STAGING, facts)
    assert decision.verdict is Verdict.ACCEPTED
    assert list(states(decision)) == [
        "book",
        "lineage",
        "findings",
        "upstream health",
        "approvals",
    ]


def test_all_gates_are_listed_although_the_first_already_holds():
    facts = builders.facts(
        upstream=DEV, held="the book is an old copy", findings=(builders.finding(),)
    )
    decision = decide.decide(STAGING, facts)
    assert decision.verdict is Verdict.REFUSED
    assert states(decision) == {
        "book": Gate.WAITING,
        "lineage": Gate.OPEN,
        "findings": Gate.REFUSED,
        "upstream health": Gate.WAITING,
        "approvals": Gate.OPEN,
    }


@pytest.mark.threat(99)
def test_a_held_book_waits_and_names_the_way_out():
    decision = decide.decide(builders.candidate(), builders.facts(held="dev-1 holds a newer one"))
    assert decision.verdict is Verdict.WAITING
    held = next(each for each in decision.gates if each.gate == "book")
    assert (held.reason, held.hint) == ("dev-1 holds a newer one", "fleet hub recover")


@pytest.mark.parametrize(
    ("severity", "verdict"),
    [
        (findings.Severity.DENY, Verdict.REFUSED),
        (findings.Severity.UNKNOWN, Verdict.REFUSED),
        (findings.Severity.WARN, Verdict.ACCEPTED),
        (findings.Severity.AUDIT, Verdict.ACCEPTED),
    ],
)
def test_findings_refuse_by_their_severity(severity: findings.Severity, verdict: Verdict):
    found = (builders.finding(severity=severity),)
    decision = decide.decide(builders.candidate(), builders.facts(findings=found))
    assert decision.verdict is verdict
    assert decision.findings == found


def test_every_finding_is_kept_and_those_that_refuse_are_counted():
    found = tuple(builders.finding(message=f"{n}") for n in range(3))
    found += (builders.finding(severity=findings.Severity.WARN),)
    decision = decide.decide(builders.candidate(), builders.facts(findings=found))
    assert decision.findings == found
    gate = next(each for each in decision.gates if each.gate == "findings")
    assert gate.reason == "3 findings deny it"
    assert decision.commit[:10] in gate.hint


def test_a_decision_says_what_it_is_about():
    candidate = builders.candidate(author="Ada", subject="more replicas")
    decision = decide.decide(candidate, builders.facts())
    copied = [
        (getattr(decision, name), getattr(candidate, name))
        for name in ("environment", "commit", "author", "subject", "content", "rules", "owned")
    ]
    assert all(decided == given_ for decided, given_ in copied)
    assert decision.at == builders.NOW
    assert decision.lineage is ledger.Lineage.ENTRY


@pytest.mark.threat(57)
@pytest.mark.parametrize("kind", list(ledger.Lineage))
def test_every_kind_of_candidate_passes_book_lineage_and_findings(kind: ledger.Lineage):
    concerned = [gate.judge for gate in gates.GATES if kind in gate.concerns]
    assert len(concerned) >= 3
    comes_from_upstream = kind in (ledger.Lineage.PROMOTION, ledger.Lineage.PARTIAL)
    assert (health.gate in concerned) is comes_from_upstream


@pytest.mark.threat(33)
@given(some.text(), some.text())
def test_a_forged_author_changes_no_verdict_and_no_reason(author: str, subject: str):
    facts = builders.facts(upstream=DEV, upstream_clusters=WELL)
    plain = decide.decide(STAGING, facts)
    forged = decide.decide(replace(STAGING, author=author, subject=subject), facts)
    assert (forged.verdict, forged.gates) == (plain.verdict, plain.gates)


CLUSTERS = some.lists(
    some.builds(
        builders.cluster_health,
        some.sampled_from(["dev-1", "dev-2", "dev-3"]),
        runs=some.booleans(),
        healthy=some.booleans(),
        seen=some.sampled_from([None, builders.NOW, builders.later(-301)]),
    ),
    max_size=4,
)


@given(
    CLUSTERS, some.booleans(), some.booleans(), some.lists(some.sampled_from(findings.Severity))
)
def test_accepted_means_that_every_gate_is_open(
    clusters: list[candidates.ClusterHealth],
    descends: bool,
    is_known: bool,
    severities: list[findings.Severity],
):
    candidate = STAGING if is_known else builders.candidate("odd", environment="staging")
    facts = builders.facts(
        upstream=DEV,
        way=candidates.Way(descends=descends),
        upstream_clusters=tuple(clusters),
        findings=tuple(builders.finding(severity=each) for each in severities),
    )
    decision = decide.decide(candidate, facts)
    is_open = all(each.state is Gate.OPEN for each in decision.gates)
    assert (decision.verdict is Verdict.ACCEPTED) is is_open
    assert decide.decide(candidate, facts) == decision
    if is_open:
        assert descends
        assert is_known
        assert not findings.refuses(facts.findings)
        assert any(each.healthy and each.runs_content and each.seen for each in clusters)
