"""1,269 decisions of Kubernetes' own evaluator, on policies and objects that nobody of this project wrote."""

import functools
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from fleet.manifests import declared, scopes
from fleet.model import names, objects
from fleet.policy import decisions, matching, parameters, policies

EVERYTHING = {
    "apiGroups": ["*"],
    "apiVersions": ["*"],
    "resources": ["*"],
    "operations": ["CREATE", "UPDATE"],
}


@pytest.fixture
def cases(shared: Path) -> list[dict[str, Any]]:
    path = shared / "conformance" / "policy-cases.jsonl"
    if not path.is_file():
        pytest.skip(f"no policy cases at {path}")
    return [json.loads(line) for line in path.read_text().splitlines()]


def source() -> objects.Source:
    return objects.Source(path="policies/case.yaml", line=1, blob=names.BlobId("0" * 40))


@functools.cache
def judging(policy: str, params: str) -> policies.PolicySet:
    """The case's policy, completed by what it leaves out: what it matches, and a binding."""
    document, param = json.loads(policy), json.loads(params)
    document["spec"]["matchConstraints"] = {"resourceRules": [EVERYTHING]}
    spec: dict[str, Any] = {
        "policyName": document["metadata"]["name"],
        "validationActions": ["Deny"],
    }
    if param:
        kind = {"apiVersion": param["apiVersion"], "kind": param["kind"]}
        document["spec"]["paramKind"] = kind
        spec["paramRef"] = {
            "name": param["metadata"]["name"],
            "namespace": "default",
            "parameterNotFoundAction": "Deny",
        }
    binding = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": "case"},
        "spec": spec,
    }
    documents = [each for each in (document, binding, param) if each]
    return policies.parse(declared.Rule(value=each, source=source()) for each in documents)


def request(case: dict[str, Any]) -> matching.Request:
    body = case["object"]
    key = objects.key_of(body)
    known = scopes.scopes([])
    is_namespaced = known.is_namespaced(key.group, key.kind) is not False
    namespace = (key.namespace or "default") if is_namespaced else ""
    return matching.Request(
        key=objects.Key(group=key.group, kind=key.kind, namespace=namespace, name=key.name),
        version=body["apiVersion"].rpartition("/")[2],
        resource=known.plural(key),
        body=body,
        namespace_labels=matching.labels_of(namespace, {}) if namespace else None,
        operation=case.get("op", "CREATE"),
    )


def decided(case: dict[str, Any]) -> tuple[decisions.Decision, ...]:
    policy_text = json.dumps(case["policy"][0], sort_keys=True)
    judges = judging(policy_text, json.dumps(case.get("params"), sort_keys=True))
    binding, asked = judges.bindings[0], request(case)
    policy = judges.policies[binding.policy]
    assert matching.matches(policy.form.spec.match_constraints, asked)
    found = parameters.find(binding, asked, judges, scopes.scopes([]))
    assert len(found.values) == 1, found
    return decisions.decide(policy, decisions.bindings(policy, asked, found.values[0]))


def outcome(each: decisions.Decision) -> tuple[str, str, str]:
    """Errors are compared as such: their words are the library's own."""
    is_error = each.evaluation is decisions.Evaluation.ERROR
    return each.evaluation.value, "" if is_error else each.message, each.reason


def wanted(each: dict[str, str]) -> tuple[str, str, str]:
    message = "" if each["Evaluation"] == "error" else each["Message"]
    return each["Evaluation"], message, each["Reason"]


def written(case: dict[str, Any]) -> int:
    """How many of its expressions run the quick way from here on."""
    policy_text = json.dumps(case["policy"][0], sort_keys=True)
    judges = judging(policy_text, json.dumps(case.get("params"), sort_keys=True))
    programs = [
        each.program
        for policy in judges.policies.values()
        for each in policy.all_expressions()
        if each.program is not None
    ]
    assert all(each.quick.write() is not None for each in programs)
    return len(programs)


@pytest.mark.parametrize("is_quick", [False, True], ids=["exactly", "quickly"])
def test_every_case_is_decided_as_kubernetes_decides_it(
    cases: list[dict[str, Any]], is_quick: bool
) -> None:
    if is_quick:
        assert sum(map(written, cases)) > len(cases)
    differing = {}
    for case in cases:
        expected = [wanted(each) for each in case["decisions"][0]["decisions"] or []]
        got = [outcome(each) for each in decided(case)]
        if got != expected:
            differing[case["id"]] = (got, expected)
    assert not differing


def test_the_cases_say_something(cases: list[dict[str, Any]]) -> None:
    seen = Counter(d["Evaluation"] for c in cases for d in c["decisions"][0]["decisions"] or [])
    assert len(cases) == 1269
    assert min(seen["admit"], seen["deny"], seen["error"]) > 20
