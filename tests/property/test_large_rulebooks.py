"""Rules without measure: a thousand policies, expressions that all fail, parameters that nobody has. All is told."""

import time
from typing import Any

import pytest

import builders
import rulebooks
from fleet.audit.reports import results
from fleet.manifests import scopes
from fleet.model import findings, names
from fleet.policy import evaluate, policies

MANY = 1000
OBJECTS = [builders.manifest(f"m{n}") for n in range(10)]
SCENE = evaluate.Scene(namespaces={}, scopes=scopes.scopes([]))
_SECONDS = 12.0  # of processor time, for all of it: a hundredth of that is usual for an object


def rulebook(*expressions: str, **spec: Any) -> list[dict[str, Any]]:
    """A thousand policies that all say this."""
    bound = spec.pop("bound", {})
    return [
        document
        for n in range(MANY)
        for document in (
            rulebooks.policy(*expressions, name=f"rule-{n}", **spec),
            rulebooks.binding(f"rule-{n}", **bound),
        )
    ]


def judged(documents: list[dict[str, Any]]) -> list[findings.Finding]:
    started = time.process_time()
    read = rulebooks.parsed(*documents)
    assert read.findings == ()
    bound = policies.for_environment(read, names.Environment("dev"))
    found = [each for one in OBJECTS for each in evaluate.evaluate(bound, one, SCENE)]
    assert time.process_time() - started < _SECONDS
    return found


def test_a_thousand_policies_that_hold_find_nothing():
    assert judged(rulebook("has(object.metadata.name)")) == []


ABSENT = {
    "paramKind": {"apiVersion": "v1", "kind": "ConfigMap"},
    "bound": {"paramRef": {"name": "gone", "parameterNotFoundAction": "Deny"}},
}


@pytest.mark.parametrize(
    ("documents", "severity", "words"),
    [
        (rulebook("false"), findings.Severity.DENY, "failed expression: false"),
        (rulebook("object.nope.nope == 1"), findings.Severity.UNKNOWN, "no such key: nope"),
        (rulebook("true", **ABSENT), findings.Severity.UNKNOWN, "hold no ConfigMap gone in"),
    ],
    ids=["denials", "errors", "parameters"],
)
def test_ten_thousand_findings_are_all_there_and_short(
    documents: list[dict[str, Any]], severity: findings.Severity, words: str
):
    found = judged(documents)
    assert len(found) == MANY * len(OBJECTS)
    assert {each.severity for each in found} == {severity}
    assert all(words in each.message and len(each.message) < 300 for each in found)
    assert len(results.most_broken(found)) == results.MOST
