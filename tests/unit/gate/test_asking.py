"""What fleet.yaml asks for is told in words before any gate is asked; of both sides, each once."""

from typing import Any

import builders
from fleet.gate import asking
from fleet.model import gating, kinds


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
}  # fmt: skip


def test_every_gate_that_can_be_declared_is_told():
    found = asking.of(spec(gates=EVERYTHING), upstream="staging")
    assert [each.gate for each in found] == [
        "upstream health", "soak", "approvals", "window", "budget", "budget", "signatures", "status",
        "metric", "debt",
    ]  # fmt: skip
    assert set(EVERYTHING) | {"breakGlass"} == {
        each.alias or name for name, each in gating.Gates.model_fields.items()
    }
    assert "2 people of managers" in next(e.words for e in found if e.gate == "approvals")


def test_both_sides_count_and_nothing_is_told_twice():
    here = spec(gates={"approvals": [{"group": "a"}, {"group": "b"}]})
    comes = spec(gates={"approvals": [{"group": "b"}, {"group": "c"}]})
    words = [each.words.split(" of ")[1][0] for each in asking.of(here, comes, upstream="")]
    assert words == ["a", "b", "c"]


def test_what_a_wave_asks_names_the_wave():
    waves = [{"name": "canary", "soak": "1h", "approvals": [{"group": "a"}]}]
    found = asking.of(spec(waves=waves), upstream="")
    assert [(each.gate, each.wave) for each in found] == [
        ("soak", "canary"), ("approvals", "canary"),
    ]  # fmt: skip


def test_the_first_environment_asks_nothing_of_an_upstream():
    assert asking.of(builders.environment(), upstream="") == ()
