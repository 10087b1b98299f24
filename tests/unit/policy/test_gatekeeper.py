"""Gatekeeper's templates with CEL and their constraints."""

from typing import Any

import pytest

import builders
import foreign
import rulebooks
from fleet.model import findings

template, constraint = foreign.template, foreign.constraint
CONTAINERS = "variables.anyObject.spec.containers.all(c, c.name in variables.params.names)"


def pod(container: str = "x", **metadata: Any) -> dict[str, Any]:
    return foreign.pod(container=container, **metadata)


def severities(body: dict[str, Any], *documents: dict[str, Any]) -> list[findings.Severity]:
    return [each.severity for each in rulebooks.judge(body, *documents)]


def test_a_constraint_judges_with_its_parameters() -> None:
    rules = (template(CONTAINERS), constraint())
    assert rulebooks.parsed(*rules).findings == ()
    assert rulebooks.judge(pod("web"), *rules) == ()
    (found,) = rulebooks.judge(pod(), *rules)
    assert (found.rule, found.severity) == ("Named/web-only", rulebooks.DENY)


def test_each_constraint_is_a_rule_of_its_own() -> None:
    more = constraint("x-only", parameters={"names": ["x"]}, enforcementAction="warn")
    rules = (template(CONTAINERS), constraint(), more)
    assert [each.rule for each in rulebooks.judge(pod(), *rules)] == ["Named/web-only"]
    assert [each.rule for each in rulebooks.judge(pod("web"), *rules)] == ["Named/x-only"]


def test_conditions_variables_and_messages() -> None:
    written = template(
        "variables.first == 'web'",
        variables=[{"name": "first", "expression": "object.spec.containers[0].name"}],
        matchCondition=[{"name": "pods", "expression": "request.kind.kind == 'Pod'"}],
    )
    source = written["spec"]["targets"][0]["code"][0]["source"]
    source["validations"][0]["messageExpression"] = "'not ' + variables.first"
    (found,) = rulebooks.judge(pod(), written, constraint())
    assert found.message == "not x"
    assert rulebooks.judge(builders.body(), written, constraint()) == ()


def test_a_constraint_without_parameters_has_null() -> None:
    bare = constraint()
    del bare["spec"]["parameters"]
    assert rulebooks.judge(pod(), template("variables.params == null"), bare) == ()


def test_defaults_of_the_schema_count() -> None:
    names = {"type": "array", "default": ["x"]}
    rules = template(CONTAINERS, schema={"properties": {"names": names}})
    assert rulebooks.judge(pod(), rules, constraint(parameters={})) == ()
    assert severities(pod("web"), rules, constraint(parameters={})) == [rulebooks.DENY]
    assert rulebooks.judge(pod("web"), rules, constraint()) == ()


@pytest.mark.parametrize(
    ("spec", "severity"),
    [
        ({}, rulebooks.DENY),
        ({"enforcementAction": "deny"}, rulebooks.DENY),
        ({"enforcementAction": "warn"}, rulebooks.WARN),
        ({"enforcementAction": "dryrun"}, rulebooks.AUDIT),
        (
            {
                "enforcementAction": "scoped",
                "scopedEnforcementActions": [
                    {"action": "deny", "enforcementPoints": [{"name": "audit.gatekeeper.sh"}]},
                    {"action": "warn", "enforcementPoints": [{"name": "vap.k8s.io"}]},
                ],
            },
            rulebooks.WARN,
        ),
        (
            {
                "enforcementAction": "scoped",
                "scopedEnforcementActions": [
                    {"action": "deny", "enforcementPoints": [{"name": "*"}]}
                ],
            },
            rulebooks.DENY,
        ),
        ({"enforcementAction": "scoped"}, rulebooks.AUDIT),
    ],
)
def test_its_action_says_how_bad_it_is(spec: dict[str, Any], severity: findings.Severity) -> None:
    assert severities(pod(), template("false"), constraint(**spec)) == [severity]


@pytest.mark.parametrize(
    ("match", "is_meant"),
    [
        ({"kinds": [{"apiGroups": [""], "kinds": ["Pod"]}]}, True),
        ({"kinds": [{"apiGroups": ["*"], "kinds": ["*"]}]}, True),
        ({"kinds": [{"kinds": ["Pod"]}]}, True),
        ({"kinds": [{"apiGroups": ["apps"], "kinds": ["Pod"]}]}, False),
        ({"kinds": [{"apiGroups": [""], "kinds": ["Service"]}]}, False),
        ({"namespaces": ["sh*"]}, True),
        ({"namespaces": ["*-system"]}, False),
        ({"excludedNamespaces": ["sh*"]}, False),
        ({"excludedNamespaces": ["kube-*"]}, True),
        ({"scope": "Namespaced"}, True),
        ({"scope": "Cluster"}, False),
        ({"scope": "*"}, True),
        ({"labelSelector": {"matchLabels": {"app": "web"}}}, True),
        ({"labelSelector": {"matchExpressions": [{"key": "a", "operator": "Exists"}]}}, False),
        ({"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "shop"}}}, True),
        ({"namespaceSelector": {"matchLabels": {"a": "b"}}}, False),
        ({"name": "we*"}, True),
        ({"name": "x*"}, False),
        ({"source": "Original"}, True),
        ({"source": "Generated"}, False),
    ],
)
def test_match_says_what_it_is_for(match: dict[str, Any], is_meant: bool) -> None:
    found = rulebooks.judge(pod(labels={"app": "web"}), template("false"), constraint(match=match))
    assert bool(found) is is_meant


def test_a_namespace_is_in_itself() -> None:
    space = builders.body("shop", kind="Namespace", namespace="")
    for match, is_meant in (
        ({"namespaces": ["shop"]}, True),
        ({"excludedNamespaces": ["shop"]}, False),
        ({"scope": "Cluster"}, True),
        ({"scope": "Namespaced"}, False),
    ):
        found = rulebooks.judge(space, template("false"), constraint(match=match))
        assert bool(found) is is_meant
    role = builders.body("r", kind="ClusterRole", namespace="")
    role = {**role, "apiVersion": "rbac.authorization.k8s.io/v1"}
    for match in ({"namespaces": ["shop"]}, {"excludedNamespaces": ["shop"]}):
        assert rulebooks.judge(role, template("false"), constraint(match=match))


def test_rego_is_named_and_its_constraints_too() -> None:
    rego = template(code=[{"engine": "Rego", "source": {"rego": "package x"}}])
    one, two = rulebooks.parsed(rego, constraint()).findings
    assert (one.rule, two.rule) == ("named", "Named/web-only")
    assert findings.refuses([one])
    assert findings.refuses([two])
    assert "not evaluated" in one.message
    assert "Rego" in one.message
    assert "not evaluated" in two.message


def test_a_constraint_without_a_template_is_refused_and_a_template_without_one_pointed_out() -> (
    None
):
    (found,) = rulebooks.parsed(constraint()).findings
    assert (found.severity, found.field) == (rulebooks.UNKNOWN, ("kind",))
    (found,) = rulebooks.parsed(template("true")).findings
    assert found.severity is rulebooks.WARN


SOURCE = ("spec", "targets", "0", "code", "0", "source")


def with_variable(name: str, expression: str = "1") -> dict[str, Any]:
    return template("true", variables=[{"name": name, "expression": expression}])


@pytest.mark.parametrize(
    ("documents", "field"),
    [
        ((template("("), constraint()), (*SOURCE, "validations", "0", "expression")),
        ((with_variable("a", "("), constraint()), (*SOURCE, "variables", "0", "expression")),
        ((with_variable("a-b"), constraint()), (*SOURCE, "variables", "0", "name")),
        ((with_variable("params"), constraint()), ("spec",)),
        ((template("true", more=1), constraint()), (*SOURCE, "more")),
        ((template(), constraint()), ("spec",)),
        ((template("true"), constraint(match={"kind": []})), ("spec", "match", "kind")),
        ((template("true"), constraint(match={"namespaces": "x"})), ("spec", "match", "namespaces")),
        ((template("true"), constraint(enforcementAction="x")), ("spec", "enforcementAction")),
        ((template("true"), constraint(), constraint()), ("metadata", "name")),
        ((template("true"), template("true"), constraint()), ("metadata", "name")),
        ((template("true", failurePolicy="x"), constraint()), (*SOURCE, "failurePolicy")),
    ],
)  # fmt: skip
def test_what_is_unsound_is_refused_where_it_stands(
    documents: tuple[dict[str, Any], ...], field: tuple[str, ...]
) -> None:
    found = rulebooks.parsed(*documents).findings
    assert (rulebooks.UNKNOWN, field) in [(each.severity, each.field) for each in found]


@pytest.mark.parametrize("spec", [None, [], "x", {"targets": []}, {"targets": "x", "crd": 1}])
def test_a_malformed_template_is_a_finding(spec: Any) -> None:
    document = {**template("true"), "spec": spec}
    assert findings.refuses(rulebooks.parsed(document, constraint()).findings)


def test_constraints_may_be_parameters_of_kubernetes_own_policies() -> None:
    """As in what Gatekeeper writes itself from a template."""
    kind = {"apiVersion": "constraints.gatekeeper.sh/v1beta1", "kind": "Named"}
    policy = rulebooks.policy("params.spec.parameters.names == ['web']", paramKind=kind)
    reference = {"name": "web-only", "namespace": "default", "parameterNotFoundAction": "Deny"}
    bound = rulebooks.binding(paramRef=reference)
    assert rulebooks.parsed(policy, bound, constraint()).findings == ()
    assert rulebooks.judge(pod(), policy, bound, constraint()) == ()
