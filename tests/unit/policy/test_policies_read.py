"""What the rule documents of a commit say, and what is unsound in them."""

from collections.abc import Callable
from typing import Any

import pytest

import builders
import rulebooks
from fleet.model import findings, names
from fleet.policy import policies

Change = Callable[[dict[str, Any]], object]


def faults(*documents: dict[str, Any]) -> list[tuple[tuple[str, ...], str]]:
    return [(each.field, each.message) for each in rulebooks.parsed(*documents).findings]


def test_sound_rules_have_no_findings() -> None:
    found = rulebooks.parsed(rulebooks.policy("true"), rulebooks.binding())
    assert (list(found.policies), [each.policy for each in found.bindings]) == (["rule"], ["rule"])
    assert found.findings == ()


UNSOUND: list[tuple[str, Change, tuple[str, ...]]] = [
    ("no expression", lambda p: p["spec"]["validations"][0].clear(), ("validations", "0", "expression")),
    ("empty", lambda p: p["spec"]["validations"][0].update(expression=" "), ("validations", "0", "expression")),
    ("no number", lambda p: p["spec"]["validations"][0].update(expression=1), ("validations", "0", "expression")),
    ("unknown field", lambda p: p["spec"].update(validatoins=[]), ("validatoins",)),
    ("python's name", lambda p: p["spec"].update(failure_policy="Ignore"), ("failure_policy",)),
    ("word", lambda p: p["spec"].update(failurePolicy="fail"), ("failurePolicy",)),
    ("no constraints", lambda p: p["spec"].pop("matchConstraints"), ("matchConstraints",)),
    ("null constraints", lambda p: p["spec"].update(matchConstraints=None), ("matchConstraints",)),
    ("no rules", lambda p: p["spec"].update(matchConstraints={}), ("matchConstraints", "resourceRules")),
    ("no validations", lambda p: p["spec"].pop("validations"), ()),
    (
        "no operations",
        lambda p: p["spec"].update(matchConstraints=rulebooks.matching(operations=[])),
        ("matchConstraints", "resourceRules", "0", "operations"),
    ),
    ("blank", lambda p: p["spec"]["validations"][0].update(message=" "), ("validations", "0", "message")),
    (
        "more than a star",
        lambda p: p["spec"].update(matchConstraints=rulebooks.matching(resources=["*", "pods"])),
        ("matchConstraints", "resourceRules", "0"),
    ),
    (
        "no values",
        lambda p: p["spec"]["matchConstraints"].update(
            objectSelector={"matchExpressions": [{"key": "a", "operator": "In"}]}
        ),
        ("matchConstraints",),
    ),
    (
        "selector",
        lambda p: p["spec"]["matchConstraints"].update(objectSelector={"matchLabel": {}}),
        ("matchConstraints", "objectSelector", "matchLabel"),
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "field"), [each[1:] for each in UNSOUND], ids=[e[0] for e in UNSOUND]
)
def test_an_unsound_policy_is_a_finding_at_its_field(
    change: Change, field: tuple[str, ...]
) -> None:
    policy = rulebooks.policy("true")
    change(policy)
    found = rulebooks.parsed(policy, rulebooks.binding()).findings
    assert [(each.severity, each.field) for each in found] == [
        (rulebooks.UNKNOWN, ("spec", *field))
    ]


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        ({"validations": [{"expression": "object.spec."}]}, ("validations", "0", "expression")),
        ({"validations": [{"expression": "object.spec.on"}]}, ("validations", "0", "expression")),
        ({"validations": [{"expression": "'yes'"}]}, ("validations", "0", "expression")),
        ({"validations": [{"expression": "nobody.knows"}]}, ("validations", "0", "expression")),
        ({"validations": [{"expression": "params == 1"}]}, ("validations", "0", "expression")),
        ({"validations": [{"expression": "variables.no"}]}, ("validations", "0", "expression")),
        ({"validations": [{"expression": "authorizer.grope('') != null"}]}, ("validations", "0", "expression")),
        ({"validations": [{"expression": "true", "messageExpression": "authorizer.path('/').check('x').reason()"}]},
         ("validations", "0", "messageExpression")),
        ({"validations": [{"expression": "true", "messageExpression": "1"}]},
         ("validations", "0", "messageExpression")),
        ({"variables": [{"name": "a", "expression": "("}]}, ("variables", "0", "expression")),
        ({"variables": [{"name": "a", "expression": "variables.b"}, {"name": "b", "expression": "1"}]},
         ("variables", "0", "expression")),
        ({"matchConditions": [{"name": "a", "expression": "1"}]}, ("matchConditions", "0", "expression")),
        ({"variables": [{"name": "a", "expression": "true"}],
          "matchConditions": [{"name": "a", "expression": "variables.a"}]},
         ("matchConditions", "0", "expression")),
        ({"auditAnnotations": [{"key": "a", "valueExpression": "1"}]}, ("auditAnnotations", "0", "valueExpression")),
    ],
)  # fmt: skip
def test_an_expression_that_does_not_compile_is_not_evaluated(
    spec: dict[str, Any], field: tuple[str, ...]
) -> None:
    found = rulebooks.parsed(rulebooks.policy("true", **spec), rulebooks.binding()).findings
    assert [(each.severity, each.field) for each in found] == [
        (rulebooks.UNKNOWN, ("spec", *field))
    ]
    assert found[0].message


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        ({"validationActions": []}, ("spec", "validationActions")),
        ({"validationActions": ["deny"]}, ("spec", "validationActions", "0")),
        ({"validationActions": ["Deny", "Warn"]}, ("spec",)),
        ({"validationActions": ["Warn", "Warn"]}, ("spec",)),
        ({"paramRef": {"name": "a"}}, ("spec", "paramRef", "parameterNotFoundAction")),
        ({"paramRef": {"parameterNotFoundAction": "Deny"}}, ("spec", "paramRef")),
        ({"policyName": "other"}, ("spec", "policyName")),
    ],
)
def test_an_unsound_binding_is_a_finding_at_its_field(
    spec: dict[str, Any], field: tuple[str, ...]
) -> None:
    found = rulebooks.parsed(rulebooks.policy("true"), rulebooks.binding(**spec)).findings
    refusing = [each for each in found if each.severity is rulebooks.UNKNOWN]
    assert [each.field for each in refusing] == [field]


def test_two_of_a_name_are_refused_and_both_places_are_named() -> None:
    twice = (rulebooks.policy("true"), rulebooks.policy("false"))
    assert faults(*twice, rulebooks.binding()) == [
        (("metadata", "name"), "rule is already in policies/rule.yaml:1")
    ]
    both = (rulebooks.binding(), rulebooks.binding(environments="prod"))
    assert len(faults(rulebooks.policy("true"), *both)) == 1


def test_a_policy_that_nothing_binds_is_pointed_out() -> None:
    (found,) = rulebooks.parsed(rulebooks.policy("true")).findings
    assert found.severity is findings.Severity.WARN
    assert "no binding" in found.message


@pytest.mark.parametrize(
    ("version", "kind"),
    [
        ("admissionregistration.k8s.io/v1beta1", "ValidatingAdmissionPolicy"),
        ("admissionregistration.k8s.io/v1", "ValidatingAdmisionPolicy"),
        ("admissionregistration.k8s.io/v1", "MutatingAdmissionPolicy"),
        ("policies.kyverno.io/v1alpha1", "ImageValidatingPolicy"),
        ("kyverno.io/v1", "ClusterPolicy"),
        ("templates.gatekeeper.sh/v1", "ConstraintTemplate"),
    ],
)
def test_what_looks_like_a_policy_is_never_passed_over(version: str, kind: str) -> None:
    document = {**rulebooks.policy("true"), "apiVersion": version, "kind": kind}
    assert findings.refuses(rulebooks.parsed(document).findings)


def test_a_list_hides_no_policy() -> None:
    inner = {"kind": "List", "items": [rulebooks.policy("false"), rulebooks.binding()]}
    outer = {"apiVersion": "v1", "kind": "ValidatingAdmissionPolicyList", "items": [inner]}
    found = rulebooks.parsed(outer)
    assert (list(found.policies), len(found.bindings)) == (["rule"], 1)
    broken = {"kind": "List", "items": [rulebooks.policy("(")]}
    (fault, _) = rulebooks.parsed(broken).findings
    assert fault.field == ("items", "0", "spec", "validations", "0", "expression")


def bound(environment: str, *documents: dict[str, Any]) -> policies.PolicySet:
    return policies.for_environment(rulebooks.parsed(*documents), names.Environment(environment))


def test_a_binding_counts_where_its_annotation_says() -> None:
    rules = (rulebooks.policy("true"), rulebooks.binding(environments="prod, staging"))
    assert len(bound("prod", *rules).bindings) == len(bound("staging", *rules).bindings) == 1
    assert bound("dev", *rules).bindings == ()
    assert bound("dev", *rules).policies == {}


def test_an_annotation_that_names_no_environment_is_refused() -> None:
    assert faults(rulebooks.policy("true"), rulebooks.binding(environments=" , ")) == [
        (
            ("metadata", "annotations", "fleetgate.dev/environments"),
            "fleetgate.dev/environments names none",
        )
    ]


class TestDigest:
    RULES = (rulebooks.policy("true"), rulebooks.binding())

    def test_is_of_what_the_rules_say_and_not_of_their_order_or_place(self) -> None:
        forth = rulebooks.parsed(*self.RULES)
        moved = [rulebooks.rule(each, path="policies/x.yaml") for each in reversed(self.RULES)]
        assert policies.parse(moved).digest == forth.digest

    def test_differs_when_anything_that_judges_differs(self) -> None:
        params = {"apiVersion": "v1", "kind": "ConfigMap"}
        with_params = (rulebooks.policy("true", paramKind=params), rulebooks.binding())
        sets = [
            self.RULES,
            (rulebooks.policy("false"), rulebooks.binding()),
            (rulebooks.policy("true"), rulebooks.binding("rule", "Warn")),
            with_params,
            (*with_params, builders.body("settings", data={"a": "b"})),
            (*with_params, builders.body("settings", data={"a": "c"})),
        ]
        assert len({bound("dev", *each).digest for each in sets}) == len(sets)

    def test_of_an_environment_ignores_what_does_not_count_there(self) -> None:
        more = (
            rulebooks.policy("false", name="more"),
            rulebooks.binding("more", environments="prod"),
        )
        settings = builders.body("settings")
        assert (
            bound("dev", *self.RULES, *more, settings).digest == bound("dev", *self.RULES).digest
        )
        assert bound("prod", *self.RULES, *more).digest != bound("prod", *self.RULES).digest
