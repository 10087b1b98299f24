"""Policies that judge nothing since no Namespace at hand has the labels that they select by."""

from typing import Any

import builders
import rulebooks
from fleet.manifests import scopes
from fleet.model import findings, names
from fleet.policy import coverage, unreached

DEV = names.Environment("dev")
STRICT = {"namespaceSelector": {"matchLabels": {"level": "strict"}}}
EITHER = {
    "namespaceSelector": {
        "matchExpressions": [{"key": "level", "operator": "NotIn", "values": ["lax"]}]
    }
}
PODS = rulebooks.matching(resources=["pods"])


def found(*rules: Any, beside: Any = ()) -> list[findings.Finding]:
    book = rulebooks.parsed(*rules)
    manifests = [builders.manifest(document=each) for each in (builders.body(), *beside)]
    known = scopes.scopes([])
    counted = coverage.judged({names.Cluster("a"): tuple(manifests)}, book, DEV, known, {})
    return list(unreached.check(manifests, book, known, {rule for rule, _ in counted}))


def bound(*selecting: Any, **spec: Any) -> list[Any]:
    bindings = [
        {**rulebooks.binding(matchResources=each), "metadata": {"name": f"b{n}"}}
        for n, each in enumerate(selecting)
    ]
    return [rulebooks.policy("false", **spec), *bindings]


def test_each_selector_is_named() -> None:
    (one,) = found(*bound(STRICT, {"namespaceSelector": {"matchLabels": {"a": "b", "c": "d"}}}))
    assert (one.rule, one.severity, one.place.path) == (
        "rule",
        findings.Severity.AUDIT,
        "policies/rule.yaml",
    )
    assert one.message == (
        "it judges none of these objects: its namespaceSelector (level=strict, a=b and c=d) "
        "selects no Namespace of theirs"
    )


def test_one_binding_that_reaches_an_object_is_enough() -> None:
    assert found(*bound(STRICT, {})) == []
    assert found(*bound(EITHER)) == []


def test_a_policy_may_select_by_itself() -> None:
    (one,) = found(*bound({}, matchConstraints={**rulebooks.matching(), **STRICT}))
    assert "level=strict" in one.message


def test_a_namespace_that_has_the_label_is_enough() -> None:
    space = builders.body("shop", kind="Namespace", namespace="")
    space["metadata"]["labels"] = {"level": "strict"}
    assert found(*bound(STRICT), beside=[space]) == []


def test_a_policy_on_other_kinds_is_silent() -> None:
    assert found(*bound(STRICT, matchConstraints=PODS)) == []
    pod = builders.body("web", kind="Pod")
    (one,) = found(*bound(STRICT, matchConstraints=PODS), beside=[pod])
    assert one.rule == "rule"


def test_many_selectors_are_counted() -> None:
    many = [{"namespaceSelector": {"matchLabels": {"level": f"l{n}"}}} for n in range(7)]
    (one,) = found(*bound(*many))
    assert "level=l3 and 3 more)" in one.message
    assert "level=l4" not in one.message


def test_expressions_are_named_too() -> None:
    never = {
        "namespaceSelector": {
            "matchExpressions": [
                {"key": "a", "operator": "Exists"},
                {"key": "b", "operator": "In", "values": ["x", "y"]},
            ]
        }
    }
    (one,) = found(*bound(never))
    assert "(a Exists and b In ['x', 'y'])" in one.message
