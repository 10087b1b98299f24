"""Policies whose expressions run the quick way: the same decisions, variables evaluated in place among them."""

import dataclasses
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import builders
import rulebooks
from fleet.manifests import scopes
from fleet.policy import applying, decisions, documents, forms, matching


def _compiled(validation: str, **variables: str) -> documents.Policy:
    spec = {"variables": [{"name": n, "expression": text} for n, text in variables.items()]}
    bound = rulebooks.parsed(rulebooks.policy(validation, **spec), rulebooks.binding())
    (policy,) = bound.policies.values()
    assert not any(each.fault for each in policy.all_expressions())
    return policy


def _asked(body: dict[str, Any]) -> matching.Request:
    known = scopes.scopes([])
    return matching.request(builders.manifest(document=body), {}, known, body)


def _decided(policy: documents.Policy, body: dict[str, Any]) -> list[tuple[str, str]]:
    found = decisions.decide(policy, decisions.bindings(policy, _asked(body), None))
    return [(each.evaluation.value, each.message) for each in found]


def _written(policy: documents.Policy) -> int:
    programs = [each.program for each in policy.all_expressions() if each.program]
    return sum(each.quick.write() is not None for each in programs)


_BODIES = [
    builders.body("web", data=data)
    for data in ({}, {"x": "a"}, {"x": "", "y": "b"}, {"list": ["a", "b"]}, {"list": []})
]


@pytest.mark.parametrize(
    ("validation", "variables"),
    [
        ("variables.a == 'a'", {"a": "object.data.x"}),
        ("variables.a", {"a": "has(object.data.x)"}),
        ("variables.b.exists(e, e in variables.a)", {"a": "['a']", "b": "object.data.?list.orValue([])"}),
        ("variables.b.all(e, variables.a != e)", {"a": "object.data.x", "b": "object.data.?list.orValue([])"}),
        ("true || variables.a", {"a": "object.data.nope == 1"}),
        ("variables.a || true", {"a": "object.data.nope == 1"}),
        ("variables.a || variables.a", {"a": "object.data.nope == 1"}),
        ("variables.c == 2", {"a": "dyn(1)", "b": "variables.a + variables.a", "c": "variables.b"}),
        ("variables.a.orValue('b') == 'b'", {"a": "object.data.?x"}),
        ("variables.a.hasValue() && variables.a.value() == 'a'", {"a": "object.data.?x"}),
        ("[1, 2].all(variables, variables > 0) && variables.a", {"a": "true"}),
        ("[object].all(object, variables.a == '')", {"a": "object.data.x"}),
        ("has(variables.a) && variables.a == 'a'", {"a": "object.data.x"}),
        ("variables.?a.orValue('') == 'a'", {"a": "object.data.x"}),
        ("(has(object.data.x) ? variables.a : variables.b) == 'a'", {"a": "object.data.x", "b": "'a'"}),
        ("variables.b", {"a": "object.data.map(k, k)", "b": "variables.a.exists(k, k == 'x')"}),
    ],
)  # fmt: skip
def test_variables_in_place_decide_as_variables_by_name(
    validation: str, variables: dict[str, str]
) -> None:
    policy = _compiled(validation, **variables)
    exactly = [_decided(policy, body) for body in _BODIES]
    assert _written(policy) == 1 + len(variables)
    assert [_decided(policy, body) for body in _BODIES] == exactly


def test_a_variable_is_evaluated_where_it_is_asked_for_and_once() -> None:
    """A loop over it costs its evaluation once, or the budget would not last."""
    policy = _compiled(
        "lists.range(100).all(i, variables.all > 0)",
        all="lists.range(1000).map(x, x + 1).sum()",
    )
    assert _written(policy) == 2
    assert _decided(policy, _BODIES[0]) == [("admit", "")]


def test_variables_that_double_stay_small() -> None:
    chain = {"v0": "size(object.data)"}
    for n in range(40):
        chain[f"v{n + 1}"] = f"object.data.all(k, variables.v{n} + variables.v{n} >= 0) ? 1 : 2"
    start = time.process_time()
    policy = _compiled("variables.v40 == 1", **chain)
    assert _written(policy) == 42
    assert {_decided(policy, body)[0][0] for body in _BODIES} == {"admit"}
    assert time.process_time() - start < 10


_WORDS = st.sampled_from([["*"], [""], ["apps"], ["", "apps"]])
_RULES = st.lists(
    st.builds(
        forms.ResourceRule,
        apiGroups=_WORDS,
        apiVersions=st.sampled_from([["*"], ["v1"], ["v1beta1"]]),
        resources=st.sampled_from([["*"], ["*/*"], ["configmaps"], ["deployments", "namespaces"]]),
        operations=st.sampled_from([["*"], ["CREATE"], ["UPDATE"]]),
        resourceNames=st.sampled_from([[], ["web"], ["api"]]),
        scope=st.sampled_from(["*", "Namespaced", "Cluster"]),
    ),
    max_size=2,
)
_SELECTORS = st.sampled_from([{}, {"matchLabels": {"a": "b"}}])
_CRITERIA = st.builds(
    lambda **fields: forms.MatchResources.model_validate(fields),
    resourceRules=_RULES,
    excludeResourceRules=_RULES,
    objectSelector=_SELECTORS,
    namespaceSelector=_SELECTORS,
    matchPolicy=st.sampled_from(["Exact", "Equivalent"]),
)
_OBJECTS = [
    builders.body("web", data={}),
    builders.body("api", data={}),
    {**builders.body("web", kind="Deployment", spec={}), "apiVersion": "apps/v1"},
    {**builders.body("web", kind="Deployment", spec={}), "apiVersion": "apps/v1beta1"},
    builders.body("shop", kind="Namespace", namespace=""),
]


@given(_CRITERIA, _CRITERIA)
def test_the_index_says_what_matching_says(
    constraints: forms.MatchResources, resources: forms.MatchResources
) -> None:
    bound = rulebooks.parsed(rulebooks.policy("true"), rulebooks.binding())
    (policy,), (binding,) = bound.policies.values(), bound.bindings
    spec = policy.form.spec.model_copy(update={"match_constraints": constraints})
    policy = _with_form(policy, spec)
    binding = _with_form(
        binding, binding.form.spec.model_copy(update={"match_resources": resources})
    )
    index = applying.Index({policy.name: policy}, [binding])
    for body in [*_OBJECTS, *_OBJECTS]:
        asked = _asked(body)
        wanted = matching.matches(constraints, asked) and matching.matches(resources, asked)
        assert any(rule.speaks_of(asked) for rule in index.rules(asked)) is wanted


def _with_form(document: Any, spec: Any) -> Any:
    return dataclasses.replace(document, form=document.form.model_copy(update={"spec": spec}))


def test_the_index_keeps_the_order_of_bindings() -> None:
    bound = rulebooks.parsed(
        rulebooks.policy("true"),
        *({**rulebooks.binding(), "metadata": {"name": name}} for name in ("b", "a", "c")),
    )
    rules = bound.index.rules(_asked(_OBJECTS[0]))
    assert [rule.binding.name for rule in rules] == ["b", "a", "c"]
