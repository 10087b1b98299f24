"""By form: an added gate is none, any other change of gates is a loosening (rule 3)."""

from typing import Any

import pytest

import builders
from fleet.policy import gateforms, leniency

ALLOW = {"name": "work", "effect": "allow", "timeZone": "Etc/UTC", "start": "2026-01-05T09:00",
         "duration": "8h"}  # fmt: skip
DENY = {**ALLOW, "name": "freeze", "effect": "deny"}
E2E = {"issuer": "ci", "context": "e2e"}
ERRORS = {"name": "errors", "url": "http://p:9090", "query": "up", "window": "5m",
          "mustBe": "below", "bound": 1}  # fmt: skip
GLASS = {"group": "leads"}
CASES: dict[str, tuple[dict[str, Any], dict[str, Any], list[str]]] = {
    "nothing": ({}, {}, []),
    "a soak is added": ({}, {"soak": "1h"}, []),
    "a soak goes": ({"soak": "1h"}, {}, ["the soak gate is changed"]),
    "a soak is longer": ({"soak": "1h"}, {"soak": "2h"}, ["the soak gate is changed"]),
    "a freeze is added": ({}, {"windows": [DENY]}, []),
    "a freeze goes": (
        {"windows": [DENY]}, {}, ["the window gate of freeze is gone or changed"],
    ),
    "the first allowed time": ({}, {"windows": [ALLOW]}, []),
    "one more allowed time": (
        {"windows": [ALLOW]}, {"windows": [ALLOW, {**ALLOW, "name": "night"}]},
        ["window night is open besides those that were"],
    ),
    "a freeze for one wave alone": (
        {"windows": [DENY]}, {"windows": [{**DENY, "waves": ["rest"]}]},
        ["the window gate of freeze is gone or changed"],
    ),
    "a status is added": ({}, {"statuses": [E2E]}, []),
    "a status of another issuer": (
        {"statuses": [E2E]}, {"statuses": [{**E2E, "issuer": "me"}]},
        ["the status gate of ci/e2e is gone or changed"],
    ),
    "a bound is moved": (
        {"metrics": [ERRORS]}, {"metrics": [{**ERRORS, "bound": 9}]},
        ["the metric gate of errors is gone or changed"],
    ),
    "fewer approvals": (
        {"approvals": [{"group": "leads", "count": 2}]}, {"approvals": [{"group": "leads"}]},
        ["the approval gate of leads is gone or changed"],
    ),
    "fewer who look at loosenings": (
        {"loosening": [{"group": "leads"}]}, {}, ["the loosening gate of leads is gone or changed"],
    ),
    "approvals are added": ({}, {"approvals": [{"group": "leads"}]}, []),
    "signatures go": ({"signatures": GLASS}, {}, ["the signatures gate is changed"]),
    "debt goes": ({"debt": {"maxAge": "7d"}}, {}, ["the debt gate is changed"]),
    "a budget is added": ({"budget": {"clusters": 3}},
                          {"budget": {"clusters": 3, "objects": 9}}, []),
    "a budget grows": (
        {"budget": {"clusters": 3}}, {"budget": {"clusters": 4}},
        ["the budget of clusters is changed"],
    ),
    "glass to break": ({}, {"breakGlass": GLASS}, ["who may break the glass is changed"]),
    "no glass to break": ({"breakGlass": GLASS}, {}, []),
}  # fmt: skip


@pytest.mark.threat(36, 37)
@pytest.mark.parametrize(("before", "after", "said"), CASES.values(), ids=CASES.keys())
def test_gates(before: dict[str, Any], after: dict[str, Any], said: list[str]):
    found = gateforms.loosenings(builders.gates(**before), builders.gates(**after))
    assert list(found) == said


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ({}, {"health": {"quorum": "3"}}, ["when health counts is changed"]),
        ({"health": {"staleAfter": 60}}, {}, ["when health counts is changed"]),
        ({}, {"hotfix": {"paths": ["apps/**"]}}, ["what may be changed by hotfix is changed"]),
        ({"hotfix": {"paths": ["apps/**"]}}, {}, []),
    ],
)
def test_what_stands_beside_them(before: dict[str, Any], after: dict[str, Any], said: list[str]):
    sides = builders.environment("prod", **before), builders.environment("prod", **after)
    assert list(gateforms.loosenings(*sides)) == said


def test_it_is_told_as_any_loosening():
    def side(**gates: Any) -> leniency.Side:
        return leniency.Side(heard=frozenset(), spec=builders.gates(**gates), waivers=())

    (told,) = leniency.loosenings(side(soak="1h"), side())
    assert told.rule == "loosening"
    assert "the soak gate is changed: that may let through" in told.message
