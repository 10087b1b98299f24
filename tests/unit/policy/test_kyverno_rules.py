"""Kyverno's ClusterPolicy and Policy: rules with validate.cel; those in other languages are named."""

from typing import Any

import pytest

import builders
import foreign
import rulebooks
from fleet.model import findings

rule, policy, pod = foreign.cluster_rule, foreign.cluster_policy, foreign.pod
NAMED = "object.spec.containers.all(c, c.name == 'web')"


def severities(body: dict[str, Any], *documents: dict[str, Any]) -> list[findings.Severity]:
    return [each.severity for each in rulebooks.judge(body, *documents)]


def denies(body: dict[str, Any], *rules: dict[str, Any], **spec: Any) -> bool:
    return severities(body, policy(*rules, **spec)) == [rulebooks.DENY]


def test_a_rule_is_a_policy_of_its_own() -> None:
    other = {**rule("object.metadata.name != 'web'"), "name": "other"}
    written = policy(rule(NAMED, validate={"message": "name it web"}), other)
    assert rulebooks.parsed(written).findings == ()
    one, two = rulebooks.judge(pod(container="x"), written)
    assert (one.rule, one.message) == ("named/check", "name it web")
    assert one.field == ("spec", "containers", "0", "name")
    assert two.rule == "named/other"


@pytest.mark.parametrize(
    ("spec", "severity"),
    [
        ({"validationFailureAction": "Enforce"}, rulebooks.DENY),
        ({"validationFailureAction": "enforce"}, rulebooks.DENY),
        ({"validationFailureAction": "Audit"}, rulebooks.AUDIT),
        ({"validationFailureAction": None}, rulebooks.AUDIT),
        ({"validationFailureAction": "Audit", "emitWarning": True}, rulebooks.WARN),
        ({"admission": False}, rulebooks.AUDIT),
    ],
)
def test_the_action_says_how_bad_it_is(spec: dict[str, Any], severity: findings.Severity) -> None:
    assert severities(pod(), policy(rule("false"), **spec)) == [severity]


def test_a_rules_own_action_is_before_the_policys() -> None:
    own = rule("false", validate={"failureAction": "Audit"})
    assert severities(pod(), policy(own)) == [rulebooks.AUDIT]


@pytest.mark.parametrize(
    ("override", "severity"),
    [
        ({"namespaces": ["sh*"]}, rulebooks.AUDIT),
        ({"namespaces": ["other"]}, rulebooks.DENY),
        ({"namespaceSelector": {"matchLabels": {"tier": "dev"}}}, rulebooks.AUDIT),
        ({"namespaceSelector": {"matchLabels": {"tier": "prod"}}}, rulebooks.DENY),
        (
            {"namespaces": ["shop"], "namespaceSelector": {"matchLabels": {"tier": "prod"}}},
            rulebooks.DENY,
        ),
    ],
)
def test_namespaces_may_have_an_action_of_their_own(
    override: dict[str, Any], severity: findings.Severity
) -> None:
    overrides = [{"action": "Audit", **override}, {"action": "Enforce", "namespaces": ["shop"]}]
    labels = {"shop": {"tier": "dev"}}
    for written in (
        policy(rule("false"), validationFailureActionOverrides=overrides[:1]),
        policy(rule("false", validate={"failureActionOverrides": overrides})),
    ):
        found = rulebooks.judge(pod(), written, namespaces=labels)
        assert [each.severity for each in found] == [severity]


@pytest.mark.parametrize(
    ("kinds", "is_meant"),
    [
        (["Pod"], True),
        (["v1/Pod"], True),
        (["*/Pod"], True),
        (["*"], True),
        (["*/*"], True),
        (["Po?"], True),
        (["v2/Pod"], False),
        (["apps/v1/Pod"], False),
        (["Pod/status"], False),
        (["Pod.status"], False),
        (["v1/Pod/exec"], False),
        (["Deployment", "v1/Pod"], True),
        (["Deployment"], False),
    ],
)
def test_kinds_are_patterns_of_group_version_kind_and_subresource(
    kinds: list[str], is_meant: bool
) -> None:
    assert denies(pod(), rule("false", kinds=kinds)) is is_meant


def test_a_kind_has_its_group() -> None:
    for kinds, is_meant in (
        (["networking.k8s.io/v1/Ingress"], True),
        (["networking.k8s.io/*/Ingress"], True),
        (["extensions/v1/Ingress"], False),
    ):
        body = {**builders.body(kind="Ingress"), "apiVersion": "networking.k8s.io/v1"}
        assert denies(body, rule("false", kinds=kinds)) is is_meant


@pytest.mark.parametrize(
    ("resources", "is_meant"),
    [
        ({"name": "w*"}, True),
        ({"name": "x*"}, False),
        ({"names": ["x", "w?b"]}, True),
        ({"namespaces": ["shop", "x"]}, True),
        ({"namespaces": ["x"]}, False),
        ({"selector": {"matchLabels": {"app": "web"}}}, True),
        ({"selector": {"matchLabels": {"a*": "?*"}}}, True),
        ({"selector": {"matchLabels": {"app": "x"}}}, False),
        ({"selector": {"matchExpressions": [{"key": "app", "operator": "Exists"}]}}, True),
        ({"annotations": {"team": "*"}}, True),
        ({"annotations": {"absent": "*"}}, False),
        ({"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "shop"}}}, True),
        ({"namespaceSelector": {"matchLabels": {"tier": "x"}}}, False),
        ({"operations": ["CREATE", "UPDATE"]}, True),
        ({"operations": ["DELETE"]}, False),
    ],
)
def test_what_a_filter_says_of_an_object_all_counts(
    resources: dict[str, Any], is_meant: bool
) -> None:
    body = pod(labels={"app": "web"}, annotations={"team": "shop"})
    assert denies(body, rule("false", resources=resources)) is is_meant
    excluding = rule("false", exclude={"any": [{"resources": {"kinds": ["Pod"], **resources}}]})
    assert denies(body, excluding) is not is_meant


def test_filters_are_joined_by_any_all_or_neither() -> None:
    pods, named = {"resources": {"kinds": ["Pod"]}}, {"resources": {"names": ["other"]}}
    for match, is_meant in (
        ({"any": [pods, named]}, True),
        ({"all": [pods, named]}, False),
        ({"resources": {"kinds": ["Pod"]}}, True),
        ({"resources": {"kinds": ["Pod"], "name": "other"}}, False),
        ({}, False),
    ):
        assert denies(pod(), {**rule("false"), "match": match}) is is_meant


def test_conditions_variables_and_message_expressions() -> None:
    written = rule(
        "variables.first == 'x'",
        cel={"variables": [{"name": "first", "expression": "object.spec.containers[0].name"}]},
        celPreconditions=[{"name": "web", "expression": "object.metadata.name == 'web'"}],
    )
    written["validate"]["cel"]["expressions"][0]["messageExpression"] = "'not ' + variables.first"
    (found,) = rulebooks.judge(pod(), policy(written))
    assert found.message == "not web"
    assert rulebooks.judge(pod("other"), policy(written)) == ()


def test_parameters_are_found_as_bindings_find_them() -> None:
    cel = {
        "paramKind": {"apiVersion": "v1", "kind": "ConfigMap"},
        "paramRef": {"name": "words", "namespace": "rules"},
    }
    written = policy(rule("object.metadata.name in params.data.names.split(',')", cel=cel))
    words = builders.body("words", namespace="rules", data={"names": "web,shop"})
    assert rulebooks.judge(pod(), written, words) == ()
    assert severities(pod("x"), written, words) == [rulebooks.DENY]
    assert severities(pod(), written) == [rulebooks.UNKNOWN]


class TestAutogen:
    @pytest.mark.parametrize("kind", ["Deployment", "Job", "CronJob", "StatefulSet"])
    def test_what_makes_pods_is_judged_by_its_template(self, kind: str) -> None:
        assert not denies(foreign.controller(kind, "web"), rule(NAMED))
        assert denies(foreign.controller(kind, "x"), rule(NAMED))

    def test_is_told_by_an_annotation(self) -> None:
        key = "pod-policies.kyverno.io/autogen-controllers"
        for value, is_meant in (("Deployment", (True, False)), ("none", (False, False)),
                                ("CronJob,Job", (False, True)), ("all", (True, True))):  # fmt: skip
            metadata = {"annotations": {key: value}}
            found = tuple(
                denies(body, rule(NAMED), metadata=metadata)
                for body in (
                    foreign.controller("Deployment", "x"),
                    foreign.controller("CronJob", "x"),
                )
            )
            assert found == is_meant

    @pytest.mark.parametrize(
        "change",
        [
            {"kinds": ["Pod", "Deployment"]},
            {"resources": {"names": ["web"]}},
            {"resources": {"selector": {"matchLabels": {"a": "b"}}}},
            {"resources": {"annotations": {"a": "b"}}},
            {"exclude": {"any": [{"resources": {"names": ["a"]}}]}},
            {"exclude": {"any": [{"resources": {"kinds": ["Service"]}}]}},
        ],
    )
    def test_is_not_where_the_filters_would_not_fit(self, change: dict[str, Any]) -> None:
        assert not denies(foreign.controller("CronJob", "x"), rule(NAMED, **change))

    def test_keeps_filters_that_fit(self) -> None:
        namespaces = rule(NAMED, exclude={"any": [{"resources": {"namespaces": ["shop"]}}]})
        assert not denies(foreign.controller("Deployment", "x"), namespaces)
        namespaces["exclude"]["any"][0]["resources"]["namespaces"] = ["other"]
        assert denies(foreign.controller("Deployment", "x"), namespaces)


class TestUsers:
    """Nobody knows who will ask."""

    SUBJECTS = ({"kind": "User", "name": "system:*"},)

    def test_a_rule_for_some_is_held_against_all(self) -> None:
        written = rule("false")
        written["match"]["any"][0]["subjects"] = list(self.SUBJECTS)
        (found,) = rulebooks.parsed(policy(written)).findings
        assert (found.severity, "users" in found.message) == (rulebooks.WARN, True)
        assert denies(pod(), written)

    def test_nobody_is_excluded(self) -> None:
        written = rule("false", exclude={"any": [{"subjects": list(self.SUBJECTS)}]})
        (found,) = rulebooks.parsed(policy(written)).findings
        assert (found.severity, "users" in found.message) == (rulebooks.WARN, True)
        assert denies(pod(), written)


def test_a_policy_of_a_namespace_speaks_of_that_alone() -> None:
    assert denies(pod(), rule("false"), kind="Policy", metadata={"namespace": "shop"})
    assert not denies(pod(), rule("false"), kind="Policy", metadata={"namespace": "other"})


@pytest.mark.parametrize(
    ("part", "severity", "word"),
    [
        ({"validate": {"pattern": {"spec": {}}}}, rulebooks.UNKNOWN, "pattern"),
        ({"validate": {"anyPattern": [{}]}}, rulebooks.UNKNOWN, "patterns"),
        ({"validate": {"deny": {"conditions": {}}}}, rulebooks.UNKNOWN, "deny"),
        ({"validate": {"foreach": [{}]}}, rulebooks.UNKNOWN, "foreach"),
        ({"validate": {"podSecurity": {"level": "x"}}}, rulebooks.UNKNOWN, "podSecurity"),
        ({"validate": {"assert": {"a": 1}}}, rulebooks.UNKNOWN, "assertion"),
        ({"verifyImages": [{}]}, rulebooks.UNKNOWN, "verifyImages"),
        ({"mutate": {"patchStrategicMerge": {}}}, rulebooks.WARN, "mutate"),
        ({"generate": {"kind": "x"}}, rulebooks.WARN, "generate"),
        ({"validate": {}}, rulebooks.UNKNOWN, "no validate.cel"),
    ],
)
def test_other_languages_are_named(
    part: dict[str, Any], severity: findings.Severity, word: str
) -> None:
    other = {"name": "other", "match": {"any": [{"resources": {"kinds": ["Pod"]}}]}, **part}
    (found,) = rulebooks.parsed(policy(other, rule("false"))).findings
    assert (found.rule, found.severity) == ("named/other", severity)
    assert "not evaluated" in found.message
    assert word in found.message
    assert found.field[:3] == ("spec", "rules", "0")
    assert denies(pod(), other, rule("false"))


def test_what_a_cel_rule_takes_from_elsewhere_is_named() -> None:
    for name in ("preconditions", "context"):
        (found,) = rulebooks.parsed(policy(rule("true", **{name: [{"name": "x"}]}))).findings
        assert (found.severity, found.field) == (rulebooks.UNKNOWN, ("spec", "rules", "0", name))


CEL = ("validate", "cel")
MATCHED = ("match", "any", "0", "resources")
OVERRIDE = {"failureActionOverrides": [{"action": "x"}]}
CONDITION = [{"name": "a", "expression": "1"}]


@pytest.mark.parametrize(
    ("rules", "field"),
    [
        ([], ()),
        ("x", ()),
        (["x"], ("rules", "0")),
        ([rule("(")], ("rules", "0", *CEL, "expressions", "0", "expression")),
        ([rule("true", cel={"expressions": []})], ()),
        ([rule("true", cel={"expresions": []})], ("rules", "0", *CEL, "expresions")),
        ([rule("true", resources={"kind": "x"})], ("rules", "0", *MATCHED, "kind")),
        ([rule("true", resources={"kinds": "Pod"})], ("rules", "0", *MATCHED, "kinds")),
        (
            [rule("true", celPreconditions=CONDITION)],
            ("rules", "0", "celPreconditions", "0", "expression"),
        ),
        (
            [rule("true", validate=OVERRIDE)],
            ("rules", "0", "validate", "failureActionOverrides", "0", "action"),
        ),
    ],
)
def test_what_is_unsound_is_refused_where_it_stands(rules: Any, field: tuple[str, ...]) -> None:
    document = policy()
    document["spec"]["rules"] = rules
    found = rulebooks.parsed(document).findings
    assert (rulebooks.UNKNOWN, ("spec", *field)) in [(each.severity, each.field) for each in found]


class TestExceptions:
    @staticmethod
    def exception(*names: str, **spec: Any) -> dict[str, Any]:
        return {
            "apiVersion": "kyverno.io/v2",
            "kind": "PolicyException",
            "metadata": {"name": "leave", "namespace": "shop"},
            "spec": {
                "exceptions": [{"policyName": "named", "ruleNames": list(names)}],
                "match": {"any": [{"resources": {"kinds": ["Pod"], "names": ["web*"]}}]},
                **spec,
            },
        }

    def test_exempt_from_the_rules_that_they_name(self) -> None:
        for names in (("check",), ("*",), ("autogen-check",)):
            assert rulebooks.judge(pod(), policy(rule("false")), self.exception(*names)) == ()
        other = self.exception("other")
        assert severities(pod(), policy(rule("false")), other) == [rulebooks.DENY]
        assert severities(pod("x"), policy(rule("false")), self.exception("*")) == [rulebooks.DENY]

    def test_for_users_exempt_nobody(self) -> None:
        leave = self.exception("*", match={"any": [{"subjects": [{"kind": "User", "name": "a"}]}]})
        assert severities(pod(), policy(rule("false")), leave) == [rulebooks.DENY]

    def test_that_say_more_than_is_evaluated_exempt_nothing(self) -> None:
        leave = self.exception("*", conditions={"any": []})
        (found,) = rulebooks.parsed(policy(rule("false")), leave).findings
        assert "not evaluated" in found.message
        assert severities(pod(), policy(rule("false")), leave) == [rulebooks.DENY]


@pytest.mark.parametrize(
    ("group", "kind", "severity"),
    [
        ("policies.kyverno.io/v1", "MutatingPolicy", rulebooks.WARN),
        ("policies.kyverno.io/v1", "NamespacedMutatingPolicy", rulebooks.WARN),
        ("policies.kyverno.io/v1", "GeneratingPolicy", rulebooks.WARN),
        ("policies.kyverno.io/v1", "DeletingPolicy", rulebooks.WARN),
        ("policies.kyverno.io/v1", "ImageValidatingPolicy", rulebooks.UNKNOWN),
        ("kyverno.io/v2", "ClusterCleanupPolicy", rulebooks.WARN),
        ("kyverno.io/v2", "SomethingNew", rulebooks.UNKNOWN),
        ("mutations.gatekeeper.sh/v1", "Assign", rulebooks.WARN),
        ("config.gatekeeper.sh/v1alpha1", "Config", rulebooks.UNKNOWN),
    ],
)
def test_every_document_of_these_engines_is_named(
    group: str, kind: str, severity: findings.Severity
) -> None:
    document = {"apiVersion": group, "kind": kind, "metadata": {"name": "other"}, "spec": {}}
    (found,) = rulebooks.parsed(document).findings
    assert (found.severity, "not evaluated" in found.message) == (severity, True)


@pytest.mark.parametrize(
    ("version", "kind"),
    [
        ("cli.kyverno.io/v1alpha1", "Test"),
        ("cli.kyverno.io/v1alpha1", "Values"),
        ("chainsaw.kyverno.io/v1alpha1", "Test"),
        ("test.gatekeeper.sh/v1alpha1", "Suite"),
    ],
)
def test_their_tests_judge_nothing(version: str, kind: str) -> None:
    document = {"apiVersion": version, "kind": kind, "metadata": {"name": "a"}}
    assert rulebooks.parsed(document).findings == ()
