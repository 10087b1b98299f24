"""Health against kstatus' own cases."""

import json
from pathlib import Path

import yaml

from fleet.converge import health


def assessed(text: str) -> str:
    # Some of the cases have duplicate keys, which our own reading refuses.
    return health.assess(yaml.safe_load(text)).health.value


def test_every_case_of_kstatus_is_assessed_as_kstatus_does(shared: Path) -> None:
    cases = json.loads((shared / "conformance" / "kstatus.json").read_text())
    assert len(cases) == 52
    # NotFound is what an absent object is: nobody assesses one.
    differing = {
        case["test"]: (assessed(case["yaml"]), case["status"])
        for case in cases
        if assessed(case["yaml"]) != case["status"]
    }
    assert differing == {}


def test_what_is_not_current_says_why() -> None:
    live = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "generation": 2},
        "spec": {"replicas": 3},
        "status": {"observedGeneration": 2, "replicas": 3, "updatedReplicas": 1},
    }
    assert "1" in health.assess(live).reason
