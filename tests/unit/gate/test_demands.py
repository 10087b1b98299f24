"""What fleet.yaml asks for is told in words before any gate is asked; of both sides, each once."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import pytest

import builders
from fleet.gate import demands, gates
from fleet.model import gating, kinds, ledger
from fleet.model.ledger import Lineage
from fleet.plan import rollout

CLUSTERS = [
    builders.cluster("a", labels={"canary": "yes"}),
    builders.cluster("b"),
    builders.cluster("c"),
]


def spec(**fields: Any) -> kinds.EnvironmentSpec:
    return kinds.EnvironmentSpec.model_validate({"name": "prod", **fields})


EVERYTHING = {
    "soak": "24h",
    "approvals": [{"group": "managers", "count": 2}],
    "windows": [{
        "name": "office", "effect": "allow", "timeZone": "Europe/Berlin", "start": "2027-01-04T09:00",
        "duration": "8h", "recurrence": "FREQ=DAILY",
    }],
    "budget": {"clusters": 10, "deletions": 0},
    "signatures": {"group": "people"},
    "statuses": [{"issuer": "ci", "context": "e2e"}],
    "metrics": [{
        "name": "errors", "url": "https://prometheus", "query": "up", "window": "10m",
        "mustBe": "below", "bound": 0.5,
    }],
    "debt": {"maxAge": "72h"},
    "loosening": [{"group": "policy-owners"}],
}  # fmt: skip


def of(
    *specs: kinds.EnvironmentSpec,
    upstream: str = "",
    kind: Lineage = Lineage.PROMOTION,
    loosens: bool = False,
) -> tuple[demands.Demand, ...]:
    terms = rollout.paced(rollout.plan(specs[0], CLUSTERS, {}, {}).terms, kind)
    return demands.of(
        demands.Case(kind=kind, loosens=loosens, specs=specs, terms=terms, upstream=upstream)
    )


def test_every_gate_that_can_be_declared_is_told():
    found = of(spec(gates=EVERYTHING), upstream="staging")
    assert [each.gate for each in found] == [
        "upstream health", "soak", "approvals", "windows", "budget", "budget", "signatures", "statuses",
        "metrics", "debt",
    ]  # fmt: skip
    assert set(EVERYTHING) | {"breakGlass"} == {
        each.alias or name for name, each in gating.Gates.model_fields.items()
    }
    assert "2 people of managers, valid for 7d" in words(found)
    assert "healthy in staging for 1d at a stretch" in words(found)


def words(found: Iterable[demands.Demand]) -> list[str]:
    return [each.words for each in found]


def test_both_sides_count_and_nothing_is_told_twice():
    here = spec(gates={"approvals": [{"group": "a"}, {"group": "b"}]})
    comes = spec(gates={"approvals": [{"group": "b"}, {"group": "c"}]})
    assert [each.split(" of ")[1][0] for each in words(of(here, comes))] == ["a", "b", "c"]


WAVES = [
    {
        "name": "canary",
        "selector": {"matchLabels": {"canary": "yes"}},
        "soak": "1h",
        "approvals": [{"group": "a"}],
    },
    {"name": "rest", "size": "1"},
]
NIGHT = {
    "name": "night", "effect": "deny", "timeZone": "Europe/Berlin", "start": "2027-01-04T20:00",
    "duration": "10h", "recurrence": "FREQ=DAILY", "waves": ["rest"],
}  # fmt: skip


def test_what_a_wave_asks_names_the_wave_once_whatever_parts_it_goes_in():
    found = of(spec(waves=WAVES, gates={"windows": [NIGHT]}))
    assert [(each.gate, each.wave) for each in found] == [
        ("approvals", "canary"), ("soak", "canary"), ("windows", "rest"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "asked"),
    [
        (Lineage.PROMOTION, ["b", "canary approvals", "canary soak", "rest windows"]),
        (Lineage.HOTFIX, ["c", "canary approvals", "rest windows"]),
        (Lineage.ROLLBACK, ["b", "canary approvals"]),
        (Lineage.NOTHING, []),
    ],
)
def test_what_is_asked_depends_on_what_it_is(kind: Lineage, asked: list[str]):
    """As the hub asks it: approvals of hotfixes' own, no soak between waves, no windows on the way back."""
    gates_ = {"approvals": [{"group": "b"}], "windows": [NIGHT]}
    hotfix = {"paths": ["apps/**"], "approvals": [{"group": "c"}]}
    found = of(spec(waves=WAVES, gates=gates_, hotfix=hotfix), kind=kind)
    assert [
        f"{e.wave} {e.gate}" if e.wave else e.words.split(" of ")[1][0] for e in found
    ] == asked


@pytest.mark.threat(37)
@pytest.mark.parametrize(("loosens", "asked"), [(True, True), (False, False)])
def test_owners_of_rules_are_asked_where_it_loosens(loosens: bool, asked: bool):
    found = words(of(spec(gates=EVERYTHING), loosens=loosens))
    assert ("one person of policy-owners, valid for 7d" in found) == asked


def test_a_wave_in_which_no_cluster_is_asks_nothing():
    waves = [{**WAVES[0], "selector": {"matchLabels": {"moon": "yes"}}}, WAVES[1]]
    assert of(spec(waves=waves)) == ()


def test_the_first_environment_asks_nothing_of_an_upstream():
    assert of(builders.environment()) == ()
    assert "soak" not in [each.gate for each in of(spec(gates={"soak": "1h"}))]


SAID = (
    ledger.GateResult(gate="budget", state=ledger.GateState.REFUSED, reason="too much"),
    ledger.GateResult(gate="approvals", state=ledger.GateState.OPEN, reason="nobody was asked"),
)


def test_only_what_is_known_without_a_book_is_answered():
    """And a gate that does not concern the candidate is left out."""
    asked = of(spec(gates=EVERYTHING, waves=WAVES), upstream="staging")
    found = demands.answered(asked, SAID, frozenset({"budget"}))
    assert [(e.gate, e.wave, e.answer and e.answer.reason) for e in found] == [
        ("approvals", "", None), ("budget", "", "too much"), ("budget", "", "too much"),
        ("approvals", "canary", None), ("soak", "canary", None),
    ]  # fmt: skip


@pytest.mark.threat(54)
@pytest.mark.parametrize(
    ("at", "state", "until"),
    [
        ("2027-02-01T19:59:59+01:00", "open", "2027-02-01T20:00:00+01:00"),
        ("2027-02-01T20:00:00+01:00", "waiting", "2027-02-02T06:00:00+01:00"),
    ],
)
def test_windows_of_one_wave_are_asked_at_once(at: str, state: str, until: str):
    both = [spec(waves=WAVES), spec(waves=WAVES, gates={"windows": [NIGHT]})]
    asked = of(*both)
    found = demands.with_windows(asked, both, datetime.fromisoformat(at))
    answers = {(each.gate, each.wave): each.answer for each in found if each.answer}
    (answer,) = answers.values()
    assert list(answers) == [("windows", "rest")]
    assert (answer.state.value, answer.until) == (state, datetime.fromisoformat(until))


def test_the_names_are_those_of_the_gates():
    """So that what the hub says of a gate is found beside what is asked of it."""
    named = {module.GATE for module in vars(gates).values() if hasattr(module, "GATE")}
    assert {each.gate for each in of(spec(gates=EVERYTHING), upstream="staging")} < named
