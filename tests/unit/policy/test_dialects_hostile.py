"""Whatever stands in the documents of other engines: a finding or a policy, never an exception, and soon."""

import copy
import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import builders
import foreign
import rulebooks
from fleet.policy import criteria
from fleet.policy.trials import cases, runs

EXPRESSION = "object.spec.containers.all(c, c.name == 'web')"
CONDITIONS = [{"name": "a", "expression": "true"}]
DOCUMENTS: list[dict[str, Any]] = [
    foreign.validating_policy(
        EXPRESSION,
        matchConditions=CONDITIONS,
        autogen={"podControllers": {"controllers": ["jobs"]}},
        evaluation={"mode": "Kubernetes", "admission": {"enabled": True}},
        validationActions=["Deny"],
        variables=[{"name": "a", "expression": "1"}],
        auditAnnotations=[{"key": "a", "valueExpression": "'b'"}],
    ),
    foreign.cluster_policy(
        foreign.cluster_rule(
            EXPRESSION,
            exclude={"any": [{"resources": {"names": ["x"]}, "subjects": [{"kind": "User", "name": "a"}]}]},
            celPreconditions=CONDITIONS,
            cel={"paramKind": {"apiVersion": "v1", "kind": "ConfigMap"}, "paramRef": {"name": "a"}},
            validate={"failureActionOverrides": [{"action": "Audit", "namespaces": ["a"]}]},
        )
    ),
    foreign.template(EXPRESSION, variables=[{"name": "a", "expression": "1"}], matchCondition=CONDITIONS),
    foreign.constraint(
        match={"kinds": [{"apiGroups": [""], "kinds": ["Pod"]}], "labelSelector": {"matchLabels": {"a": "b"}}},
        enforcementAction="scoped",
        scopedEnforcementActions=[{"action": "deny", "enforcementPoints": [{"name": "*"}]}],
    ),
    foreign.exception("named", matchConditions=CONDITIONS),
    {
        "apiVersion": "kyverno.io/v2",
        "kind": "PolicyException",
        "metadata": {"name": "old"},
        "spec": {
            "exceptions": [{"policyName": "named", "ruleNames": ["*"]}],
            "match": {"any": [{"resources": {"kinds": ["Pod"]}}]},
        },
    },
]  # fmt: skip
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["", "*", "a/b/c/d/e", "(", "Deny", "autogen-", "\x00", "v1/Pod.x/y"]),
    lambda inner: st.lists(inner, max_size=2)
    | st.dictionaries(st.sampled_from(["name", "kind", "any", "expression", "x"]), inner, max_size=2),
    max_leaves=4,
)  # fmt: skip


def places(value: Any, where: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    return [where, *(place for key, each in inner for place in places(each, (*where, key)))]


def changed(value: Any, where: tuple[Any, ...], new: Any) -> Any:
    if not where:
        return new
    found = copy.copy(value)
    found[where[0]] = changed(value[where[0]], where[1:], new)
    return found


def spoiled(documents: list[dict[str, Any]], data: st.DataObject) -> list[Any]:
    """Two places of one document are something else."""
    which = data.draw(st.integers(0, len(documents) - 1))
    document = documents[which]
    for _ in range(2):
        where = data.draw(st.sampled_from([each for each in places(document) if len(each) > 0]))
        document = changed(document, where, data.draw(ANYTHING))
    return [*documents[:which], document, *documents[which + 1 :]]


POD = foreign.pod(container="x")


@given(data=st.data())
def test_a_spoiled_document_is_a_finding_or_a_policy(data: st.DataObject) -> None:
    documents = spoiled(DOCUMENTS, data)
    rulebooks.judge(POD, *documents)
    rulebooks.judge(foreign.controller("CronJob", "x"), *documents)


@given(data=st.data())
def test_spoiled_tests_are_cases(data: st.DataObject) -> None:
    kyverno = {
        "apiVersion": "cli.kyverno.io/v1alpha1",
        "kind": "Test",
        "policies": ["policy.yaml"],
        "resources": ["pod.yaml"],
        "values": {
            "namespaces": [{"kind": "Namespace", "metadata": {"name": "shop", "labels": {"a": "b"}}}],
            "policies": [{"name": "named", "resources": [{"name": "web", "values": {"request.operation": "UPDATE"}}]}],
        },
        "results": [{"policy": "named", "kind": "Pod", "resources": ["web"], "result": "fail"}],
    }  # fmt: skip
    suite = {
        "apiVersion": "test.gatekeeper.sh/v1alpha1",
        "kind": "Suite",
        "tests": [{"template": "t.yaml", "constraint": "c.yaml", "cases": [
            {"name": "a", "object": "pod.yaml", "inventory": ["pod.yaml"], "assertions": [{"violations": "yes"}]}]}],
    }  # fmt: skip
    test, other, pod = spoiled([kyverno, suite, POD], data)
    files = {
        "kyverno-test.yaml": test,
        "suite.yaml": other,
        "pod.yaml": pod,
        "policy.yaml": DOCUMENTS[0],
        "t.yaml": DOCUMENTS[2],
        "c.yaml": DOCUMENTS[3],
    }
    report = runs.run({path: json.dumps(each).encode() for path, each in files.items()})
    assert all(isinstance(each, cases.Case) for each in report.cases)


@pytest.mark.parametrize(
    "pattern", ["*a" * 200, "?*" * 200, "*" * 10_000, "a*" * 300 + "b", "*?" * 100 + "x"]
)
def test_no_pattern_is_slow(pattern: str) -> None:
    started = time.perf_counter()
    assert criteria.is_like([pattern], "a" * 20_000) in (True, False)
    assert time.perf_counter() - started < 2


@pytest.mark.parametrize(
    ("pattern", "word", "fits"),
    [
        ("*", "", True),
        ("a*", "abc", True),
        ("*c", "abc", True),
        ("a*c", "abc", True),
        ("a*b", "abcb", True),
        ("a*b*c", "a-b-b-c", True),
        ("*ab*ab", "abab", True),
        ("*ab*ab", "ab", False),
        ("a?c", "abc", True),
        ("a?c", "ac", False),
        ("?*", "", False),
        ("a.c", "abc", False),
        ("[a]", "a", False),
        ("", "", True),
        ("", "a", False),
    ],
)
def test_patterns(pattern: str, word: str, fits: bool) -> None:
    assert criteria.is_like([pattern], word) is fits


@pytest.mark.parametrize("odd", [True, 1, 1.5, None, ["x"], {"x": "y"}])
def test_what_is_no_text_is_like_no_pattern(odd: Any) -> None:
    assert not criteria.has_like({"a*": "*"}, {"a": odd})
    assert criteria.has_like({"a*": "*"}, {"a": odd, "ab": "x"})
    assert criteria.has_like({}, {"a": odd})


@pytest.mark.parametrize("field", ["labels", "annotations"])
def test_an_object_with_an_odd_label_is_not_selected(field: str) -> None:
    wanted = {"annotations": {"a*": "*"}}
    if field == "labels":
        wanted = {"selector": {"matchLabels": {"a*": "*"}}}
    policy = foreign.cluster_policy(foreign.cluster_rule("false", resources=wanted))
    assert [each.rule for each in rulebooks.judge(foreign.pod(**{field: {"a": "x"}}), policy)]
    assert not rulebooks.judge(foreign.pod(**{field: {"a": 1}}), policy)


def test_many_documents_are_read_soon() -> None:
    started = time.perf_counter()
    many = [foreign.validating_policy("true", metadata={"name": f"p{n}"}) for n in range(100)]
    found = rulebooks.parsed(*many, *many)
    assert len(found.policies) == 300
    assert time.perf_counter() - started < 10


def test_what_is_no_policy_at_all_is_left_alone() -> None:
    assert rulebooks.parsed(builders.body("x"), {"apiVersion": 1, "kind": []}, {}).findings == ()
