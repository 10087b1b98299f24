"""Rule 3: the gates of what is in force hold, and the candidate's own: a loosening helps from the next commit on."""

import sys
from typing import Any

import pytest

import builders
from fleet.gate import decide, gates
from fleet.model import ledger

Gate = ledger.GateState
CANDIDATE = builders.candidate("c2", environment="prod")
STAGING = builders.upstream(builders.accepted(1, "c1"), builders.accepted(2, "c2"), name="staging")
IN_FORCE, COMES = "by what is in force", "by this commit itself"


def soak_gate(
    before: dict[str, Any], after: dict[str, Any], began: float
) -> ledger.GateResult | None:
    facts = builders.facts(
        upstream=STAGING,
        upstream_clusters=(builders.cluster_health("s-1"),),
        soak=builders.soak(environment="staging", running=builders.interval(began)),
        sides=(
            builders.side(IN_FORCE, name="prod", gates=before),
            builders.side(COMES, name="prod", gates=after),
        ),
    )
    decision = decide.decide(CANDIDATE, facts)
    return next((each for each in decision.gates if each.gate == "soak"), None)


HOUR, DAY = {"soak": "1h"}, {"soak": "1d"}


@pytest.mark.threat(36)
@pytest.mark.parametrize(
    ("before", "after", "word"),
    [({}, DAY, COMES), (HOUR, DAY, COMES), (DAY, HOUR, IN_FORCE), (DAY, {}, IN_FORCE)],
)
def test_the_harder_side_holds_and_is_named(
    before: dict[str, Any], after: dict[str, Any], word: str
):
    found = soak_gate(before, after, -7200)
    assert found is not None
    assert found.state is Gate.WAITING
    assert found.reason.endswith(f"1d without a gap are asked for ({word})")
    assert found.until == builders.later(86400 - 7200)


def test_where_both_hold_it_the_later_moment_counts_and_both_are_named():
    found = soak_gate(HOUR, DAY, -60)
    assert found is not None
    assert (IN_FORCE in found.reason, COMES in found.reason) == (True, True)
    assert found.until == builders.later(86400 - 60)


def test_where_both_say_the_same_it_is_said_once():
    found = soak_gate(DAY, DAY, -60)
    assert found is not None
    assert IN_FORCE not in found.reason


def test_what_neither_asks_for_is_not_listed():
    assert soak_gate({}, {}, -60) is None


def test_open_is_what_both_sides_let_by():
    found = soak_gate(HOUR, {"soak": "2h"}, -7200)
    assert found is not None
    assert found.state is Gate.OPEN


@pytest.mark.threat(57)
def test_without_settings_nothing_opens():
    facts = builders.facts(sides=())
    decision = decide.decide(builders.candidate(), facts)
    assert decision.verdict is ledger.Verdict.WAITING
    assert [each.state for each in decision.gates] == [Gate.ERROR]


def test_an_owned_change_skips_what_upstream_has_to_show():
    asked = builders.side(name="prod", gates={"soak": "1d", "budget": {"clusters": 1}})
    owned = builders.candidate("c1", owned="o2", environment="prod")
    decision = decide.decide(owned, builders.facts(upstream=STAGING, sides=(asked,)))
    said = [each.gate for each in decision.gates]
    assert decision.lineage is ledger.Lineage.OWNED
    assert "budget" in said
    assert "soak" not in said
    assert "upstream health" not in said


@pytest.mark.parametrize(
    ("kind", "asked"),
    [
        (ledger.Lineage.ROLLBACK, {"approvals", "quarantine", "signatures"}),
        (ledger.Lineage.HOTFIX, {"approvals", "quarantine", "signatures", "statuses", "budget", "windows"}),
        (ledger.Lineage.OWNED, {"approvals", "signatures", "budget", "windows"}),
        (ledger.Lineage.NOTHING, {"approvals"}),
        (
            ledger.Lineage.PROMOTION,
            {"quarantine", "signatures", "statuses", "budget", "windows", "metrics", "soak", "debt",
             "upstream health", "approvals"},
        ),
    ],
)  # fmt: skip
def test_which_gates_concern_which_class(kind: ledger.Lineage, asked: set[str]):
    modules = {
        each.__module__: each for each in (g.judge for g in gates.GATES if kind in g.concerns)
    }
    names_ = {sys.modules[each].GATE for each in modules if hasattr(sys.modules[each], "GATE")}
    assert names_ == {"lineage", *asked}


def test_every_gate_is_in_the_table_once():
    judges = [each.judge for each in gates.GATES]
    assert len(judges) == len(set(judges))
