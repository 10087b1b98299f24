"""Each gate by itself: what it lets by, what it holds, what it refuses, and what it says."""

from datetime import timedelta
from typing import Any

import pytest

import builders
from fleet.gate import (
    budgets,
    candidates,
    debts,
    metrics,
    quarantines,
    signatures,
    soaking,
    statuses,
    told,
    windows,
)
from fleet.model import kinds, ledger, names, observed, snapshots

Gate = ledger.GateState
Success, Failure, Pending = observed.Outcome
CANDIDATE = builders.candidate("c2", environment="prod")
UPSTREAM = builders.upstream(builders.accepted(2, "c2"), name="staging")
FULL = {
    "soak": "1h",
    "windows": [
        {"name": "w", "effect": "deny", "timeZone": "Etc/UTC", "start": "2020-01-01T00:00",
         "duration": "1h"},
    ],
    "budget": {"clusters": 1},
    "signatures": {"group": "devs"},
    "statuses": [{"issuer": "ci", "context": "e2e"}],
    "metrics": [{"name": "errors", "url": "http://prometheus:9090", "query": "up", "window": "5m",
                 "mustBe": "below", "bound": 0.01}],
    "debt": {"maxAge": "7d"},
}  # fmt: skip


def facts(**told: Any) -> candidates.Facts:
    return builders.facts(**{"upstream": UPSTREAM, **told})


@pytest.mark.parametrize(
    "gate", [soaking, statuses, metrics, budgets, debts, signatures, windows], ids=lambda g: g.GATE
)
def test_a_gate_that_nobody_asks_for_says_nothing(gate: Any):
    assert gate.gate(CANDIDATE, facts(), builders.gates()) is None


@pytest.mark.threat(57)
@pytest.mark.parametrize(
    "gate", [soaking, statuses, metrics, budgets, signatures], ids=lambda g: g.GATE
)
def test_a_gate_that_knows_nothing_does_not_open(gate: Any):
    found = gate.gate(CANDIDATE, facts(), builders.gates(**FULL))
    assert found.state in (Gate.WAITING, Gate.ERROR)


# Soak.

HOUR = builders.gates(soak="1h")
SOAKS: dict[str, tuple[observed.Soak | None, Gate, float | None]] = {
    "nothing seen": (None, Gate.WAITING, None),
    "never healthy": (builders.soak(is_sick=True), Gate.WAITING, None),
    "just long enough": (builders.soak(running=builders.interval(-3600)), Gate.OPEN, None),
    "a second short": (builders.soak(running=builders.interval(-3599)), Gate.WAITING, 1),
    "long ago, but not confirmed so far": (
        builders.soak(running=builders.interval(-3700, -150)), Gate.WAITING, -100,
    ),
    "the longest was long enough": (
        builders.soak(longest=builders.interval(-9000, -5000)), Gate.OPEN, None,
    ),
    "the longest was not": (
        builders.soak(longest=builders.interval(-5000, -4000)), Gate.WAITING, None,
    ),
    "two that only add up": (
        builders.soak(running=builders.interval(-2000), longest=builders.interval(-6000, -3000)),
        Gate.WAITING, 1600,
    ),
}  # fmt: skip


@pytest.mark.threat(102, 114)
@pytest.mark.parametrize(("soak", "state", "until"), SOAKS.values(), ids=SOAKS.keys())
def test_soak(soak: observed.Soak | None, state: Gate, until: float | None):
    found = soaking.gate(CANDIDATE, facts(soak=soak), HOUR)
    assert found is not None
    assert found.state is state
    assert found.until == (None if until is None else builders.later(until))


def test_soak_counts_only_where_as_many_clusters_were_known_as_are_asked_for():
    known = tuple(builders.cluster_health(f"s-{n}") for n in range(4))
    soak = builders.soak(running=builders.interval(-7200, quorum=2))
    for share, state in (("2", Gate.OPEN), ("50%", Gate.OPEN), ("3", Gate.WAITING)):
        spec = builders.environment("prod", gates={"soak": "1h"}, health={"quorum": share})
        found = soaking.gate(CANDIDATE, facts(soak=soak, upstream_clusters=known), spec)
        assert found is not None
        assert found.state is state


def test_soak_says_how_long_it_was_and_where():
    soak = builders.soak(longest=builders.interval(-5000, -4000))
    found = soaking.gate(CANDIDATE, facts(soak=soak), HOUR)
    assert found is not None
    assert found.reason == (
        "it was healthy in staging for 16m40s at most; 1h without a gap are asked for"
    )
    assert found.hint == "fleet status --environment staging"


# Statuses.

STATUSES: dict[str, tuple[tuple[observed.Status, ...], Gate]] = {
    "said": ((builders.status(),), Gate.OPEN),
    "failed": ((builders.status(outcome=Failure),), Gate.REFUSED),
    "not done yet": ((builders.status(outcome=Pending),), Gate.WAITING),
    "another issuer": ((builders.status(issuer="CI"),), Gate.WAITING),
    "an issuer with a blank": ((builders.status(issuer="ci "),), Gate.WAITING),
    "another context": ((builders.status(context="e2e/fast"),), Gate.WAITING),
    "another content": ((builders.status("c1"),), Gate.WAITING),
    "a failure elsewhere": (
        (builders.status(), builders.status("c1", outcome=Failure)), Gate.OPEN,
    ),
    "nothing": ((), Gate.WAITING),
}  # fmt: skip


@pytest.mark.threat(55)
@pytest.mark.parametrize(("said", "state"), STATUSES.values(), ids=STATUSES.keys())
def test_statuses(said: tuple[observed.Status, ...], state: Gate):
    spec = builders.gates(statuses=FULL["statuses"])
    found = statuses.gate(CANDIDATE, facts(statuses=said), spec)
    assert found is not None
    assert found.state is state


def test_all_statuses_must_be_there_and_those_that_fail_are_named():
    asked = [{"issuer": "ci", "context": each} for each in ("e2e", "unit", "load")]
    said = (builders.status(), builders.status(context="unit", outcome=Failure))
    found = statuses.gate(CANDIDATE, facts(statuses=said), builders.gates(statuses=asked))
    assert found is not None
    assert (found.state, found.reason) == (Gate.REFUSED, "failed: ci/unit")
    found = statuses.gate(CANDIDATE, facts(statuses=said[:1]), builders.gates(statuses=asked))
    assert found is not None
    assert (found.state, found.reason) == (Gate.WAITING, "not said yet: ci/unit, ci/load")


# Metrics.


def measured(**fields: Any) -> candidates.Measurement:
    return candidates.Measurement(**{"at": builders.NOW, **fields})


METRICS: dict[str, tuple[candidates.Measurement | None, Gate]] = {
    "all below": (measured(lowest=0.0, highest=0.009), Gate.OPEN),
    "one is the bound": (measured(lowest=0.0, highest=0.01), Gate.WAITING),
    "one is above": (measured(lowest=0.0, highest=7.0), Gate.WAITING),
    "no value": (measured(), Gate.WAITING),
    "NaN": (measured(lowest=0.0, highest=0.0, odd=True), Gate.WAITING),
    "no answer": (measured(trouble="refused"), Gate.ERROR),
    "never asked": (None, Gate.WAITING),
    "a minute ago": (measured(at=builders.later(-60), lowest=0.0, highest=0.0), Gate.OPEN),
    "too long ago": (measured(at=builders.later(-61), lowest=0.0, highest=0.0), Gate.WAITING),
    "tomorrow": (measured(at=builders.later(9), lowest=0.0, highest=0.0), Gate.WAITING),
}


@pytest.mark.threat(57)
@pytest.mark.parametrize(("found", "state"), METRICS.values(), ids=METRICS.keys())
def test_metrics(found: candidates.Measurement | None, state: Gate):
    spec = builders.gates(metrics=FULL["metrics"])
    (asked,) = spec.gates.metrics
    known = {} if found is None else {metrics.key(asked): found}
    result = metrics.gate(CANDIDATE, facts(measurements=known), spec)
    assert result is not None
    assert result.state is state


def test_a_metric_may_have_to_be_above():
    spec = builders.gates(metrics=[{**FULL["metrics"][0], "mustBe": "above", "bound": 5}])
    (asked,) = spec.gates.metrics
    for lowest, state in ((5.0, Gate.WAITING), (5.1, Gate.OPEN)):
        known = {metrics.key(asked): measured(lowest=lowest, highest=9.0)}
        result = metrics.gate(CANDIDATE, facts(measurements=known), spec)
        assert result is not None
        assert result.state is state


def test_what_is_measured_changes_no_word_of_a_decision():
    spec = builders.gates(metrics=FULL["metrics"])
    key = metrics.key(spec.gates.metrics[0])
    said = {
        metrics.gate(
            CANDIDATE, facts(measurements={key: measured(lowest=0.0, highest=high)}), spec
        )
        for high in (0.5, 0.6)
    }
    assert len(said) == 1


# Budget.

CHANGE = candidates.Change(clusters=3, objects=40, deletions=2)
BUDGETS: dict[str, tuple[dict[str, int], str]] = {
    "all within": ({"clusters": 3, "objects": 40, "deletions": 2}, ""),
    "clusters": ({"clusters": 2}, "3 clusters change, 2 may"),
    "objects": ({"objects": 39}, "40 objects change, 39 may"),
    "deletions": ({"deletions": 0}, "2 objects go, 0 may"),
    "all at once": (
        {"clusters": 1, "deletions": 1}, "3 clusters change, 1 may; 2 objects go, 1 may",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("asked", "reason"), BUDGETS.values(), ids=BUDGETS.keys())
def test_budget(asked: dict[str, int], reason: str):
    found = budgets.gate(CANDIDATE, facts(change=CHANGE), builders.gates(budget=asked))
    assert found is not None
    assert found.state is (Gate.REFUSED if reason else Gate.OPEN)
    assert not reason or found.reason == reason


# Debt.


def hotfix(seconds: float, environment: str = "prod") -> candidates.OpenHotfix:
    return candidates.OpenHotfix(
        environment=names.Environment(environment),
        commit=builders.commit(f"hotfix {seconds}"),
        paths=("apps/a.yaml", "apps/b.yaml", "apps/c.yaml", "apps/d.yaml"),
        since=builders.later(seconds),
    )


DEBTS: dict[str, tuple[tuple[candidates.OpenHotfix, ...], Gate]] = {
    "none": ((), Gate.OPEN),
    "as old as may be": ((hotfix(-7 * 86400),), Gate.OPEN),
    "older": ((hotfix(-10), hotfix(-7 * 86400 - 1)), Gate.WAITING),
    "of another environment": ((hotfix(-9 * 86400, "staging"),), Gate.OPEN),
}


@pytest.mark.parametrize(("hotfixes", "state"), DEBTS.values(), ids=DEBTS.keys())
def test_debt(hotfixes: tuple[candidates.OpenHotfix, ...], state: Gate):
    spec = builders.gates(debt={"maxAge": "7d"})
    found = debts.gate(CANDIDATE, facts(open_hotfixes=hotfixes), spec)
    assert found is not None
    assert found.state is state


def test_debt_names_the_oldest():
    spec = builders.gates(debt={"maxAge": "1h"})
    known = (hotfix(-7200), hotfix(-9000))
    found = debts.gate(CANDIDATE, facts(open_hotfixes=known), spec)
    assert found is not None
    assert known[1].commit[:10] in found.reason
    assert "apps/c.yaml and 1 more" in found.reason


# Quarantine.

QUARANTINES: dict[str, tuple[observed.Quarantine | None, bool]] = {
    "none": (None, False),
    "this content here": (builders.quarantine(), True),
    "another content": (builders.quarantine("c1"), False),
    "elsewhere": (builders.quarantine(environment="staging"), False),
    "lifted": (builders.quarantine(lifted=builders.NOW), False),
}


@pytest.mark.parametrize(("row", "is_held"), QUARANTINES.values(), ids=QUARANTINES.keys())
def test_quarantine(row: observed.Quarantine | None, is_held: bool):
    for kind in (ledger.Lineage.ENTRY, ledger.Lineage.PROMOTION, ledger.Lineage.ROLLBACK):
        found = quarantines.gate(CANDIDATE, facts(quarantine=row), told.Told(kind=kind))
        assert (found is not None and found.state is Gate.REFUSED) is is_held
        assert not found or "it lost orders" in found.reason


ABOVE: dict[str, tuple[observed.Quarantine, ledger.Lineage, bool]] = {
    "a promotion": (
        builders.quarantine(environment="dev"), ledger.Lineage.PROMOTION, True,
    ),
    "a part": (builders.quarantine("c9", environment="dev"), ledger.Lineage.PARTIAL, True),
    "a rollback": (builders.quarantine(environment="dev"), ledger.Lineage.ROLLBACK, False),
    "a hotfix": (builders.quarantine(environment="dev"), ledger.Lineage.HOTFIX, False),
    "lifted": (
        builders.quarantine(environment="dev", lifted=builders.NOW),
        ledger.Lineage.PROMOTION, False,
    ),
    "here": (builders.quarantine("c9"), ledger.Lineage.PROMOTION, False),
}  # fmt: skip


@pytest.mark.parametrize(("row", "kind", "is_held"), ABOVE.values(), ids=ABOVE.keys())
def test_what_is_quarantined_on_its_way_is_not_promoted(
    row: observed.Quarantine, kind: ledger.Lineage, is_held: bool
):
    found = quarantines.gate(CANDIDATE, facts(quarantined_above=(row,)), told.Told(kind=kind))
    assert (found is not None) is is_held
    if found is not None:
        assert (found.state, "quarantined in dev since" in found.reason) == (Gate.REFUSED, True)
        assert found.hint == f"fleet hub lift dev {row.content} --reason WHY"


def coming_back(environment: str, word: str = "c9") -> candidates.ComingBack:
    row = builders.quarantine(word, environment=environment)
    return candidates.ComingBack(quarantine=row, paths=("a", "b"), count=7)


COMING: dict[str, tuple[str, ledger.Lineage, bool]] = {
    "here": ("prod", ledger.Lineage.ENTRY, True),
    "here, by a rollback": ("prod", ledger.Lineage.ROLLBACK, True),
    "above": ("dev", ledger.Lineage.PROMOTION, True),
    "above, by a rollback": ("dev", ledger.Lineage.ROLLBACK, False),
    "above, by a hotfix": ("dev", ledger.Lineage.HOTFIX, False),
}


@pytest.mark.parametrize(("environment", "kind", "is_held"), COMING.values(), ids=COMING.keys())
def test_paths_that_come_back_as_they_were_left(
    environment: str, kind: ledger.Lineage, is_held: bool
):
    row = coming_back(environment)
    found = quarantines.gate(CANDIDATE, facts(coming_back=(row,)), told.Told(kind=kind))
    assert (found is not None) is is_held
    if found is not None:
        assert found.reason.startswith("a, b and 5 more as quarantined")
        assert found.hint == f"fleet hub lift {environment} {row.quarantine.content} --reason WHY"


def test_what_is_held_by_its_whole_content_is_not_told_again_by_its_paths():
    known = facts(quarantine=builders.quarantine(), coming_back=(coming_back("prod", "c2"),))
    found = quarantines.gate(CANDIDATE, known, told.Told(kind=ledger.Lineage.ENTRY))
    assert found is not None
    assert found.reason.count("it lost orders") == 1


def test_a_quarantine_here_and_one_above_are_both_told():
    known = facts(
        quarantine=builders.quarantine(),
        quarantined_above=(builders.quarantine(environment="dev", reason="it is slow"),),
    )
    found = quarantines.gate(CANDIDATE, known, told.Told(kind=ledger.Lineage.PROMOTION))
    assert found is not None
    assert "it lost orders" in found.reason
    assert "it is slow" in found.reason


# Signatures.

STEP = snapshots.Step(commit=builders.commit("step"), parents=(), paths=())
SIGNERS: dict[str, tuple[dict[names.CommitId, str] | None, Gate]] = {
    "both": ({STEP.commit: "ada", CANDIDATE.commit: "bob"}, Gate.OPEN),
    "a step is not": ({CANDIDATE.commit: "ada"}, Gate.REFUSED),
    "the tip is not": ({STEP.commit: "ada"}, Gate.REFUSED),
    "by somebody else": ({STEP.commit: "ada", CANDIDATE.commit: "eve"}, Gate.REFUSED),
    "by a name that is almost one": ({STEP.commit: "ada", CANDIDATE.commit: "Bob"}, Gate.REFUSED),
    "no trust file": (None, Gate.WAITING),
}


@pytest.mark.threat(40)
@pytest.mark.parametrize(("signers", "state"), SIGNERS.values(), ids=SIGNERS.keys())
def test_signatures(signers: dict[names.CommitId, str] | None, state: Gate):
    told = facts(
        signers=signers,
        way=candidates.Way(steps=(STEP,)),
        groups={"devs": frozenset({"ada", "bob"})},
    )
    found = signatures.gate(CANDIDATE, told, builders.gates(signatures={"group": "devs"}))
    assert found is not None
    assert found.state is state


def test_an_empty_group_has_signed_nothing():
    told = facts(signers={CANDIDATE.commit: "ada"}, groups={"devs": frozenset()})
    found = signatures.gate(CANDIDATE, told, builders.gates(signatures={"group": "devs"}))
    assert found is not None
    assert found.state is Gate.WAITING


def test_spans_of_time_are_said_as_they_are_written():
    spec = kinds.EnvironmentSpec.model_validate({"name": "prod", "gates": {"soak": "1d1h"}})
    assert spec.gates.soak == timedelta(days=1, hours=1)
    found = soaking.gate(CANDIDATE, facts(), spec)
    assert found is not None
    assert "1d1h without a gap" in found.reason
