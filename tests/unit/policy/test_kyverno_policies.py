"""Kyverno's ValidatingPolicy: its own bindings, autogen for what makes Pods, exceptions."""

from typing import Any

import pytest

import foreign
import rulebooks
from fleet.model import findings

PODS, pod, controller = foreign.PODS, foreign.pod, foreign.controller
policy, exception = foreign.validating_policy, foreign.exception
NAMED = "object.spec.containers.all(c, c.name == 'web')"
VERSIONS = ("v1", "v1beta1", "v1alpha1")


def severities(body: dict[str, Any], *documents: dict[str, Any]) -> list[findings.Severity]:
    return [each.severity for each in rulebooks.judge(body, *documents)]


@pytest.mark.parametrize("version", VERSIONS)
def test_it_judges_as_it_is(version: str) -> None:
    written = policy(NAMED, version=version)
    assert rulebooks.parsed(written).findings == ()
    assert rulebooks.judge(pod(), written) == ()
    (found,) = rulebooks.judge(pod(container="other"), written)
    assert (found.rule, found.severity) == ("named", rulebooks.DENY)
    assert found.field == ("spec", "containers", "0", "name")


@pytest.mark.parametrize(
    ("actions", "severity"),
    [
        (["Deny"], rulebooks.DENY),
        (["Audit"], rulebooks.AUDIT),
        (["Warn", "Audit"], rulebooks.WARN),
        (["Audit", "Deny", "Warn"], rulebooks.DENY),
        ([], rulebooks.DENY),
    ],
)
def test_its_actions_say_how_bad_it_is(actions: list[str], severity: findings.Severity) -> None:
    assert severities(pod(container="x"), policy(NAMED, validationActions=actions)) == [severity]


def test_without_a_say_at_admission_it_only_notes() -> None:
    written = policy(NAMED, evaluation={"admission": {"enabled": False}})
    assert severities(pod(container="x"), written) == [rulebooks.AUDIT]


class TestAutogen:
    KINDS = ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob")

    @pytest.mark.parametrize("kind", KINDS)
    def test_what_makes_pods_is_judged_by_its_template(self, kind: str) -> None:
        written = policy(NAMED)
        assert rulebooks.judge(controller(kind, "web"), written) == ()
        (found,) = rulebooks.judge(controller(kind, "x"), written)
        assert (found.rule, found.severity) == ("named", rulebooks.DENY)

    @pytest.mark.parametrize("kind", KINDS)
    def test_may_be_narrowed(self, kind: str) -> None:
        wanted = {"podControllers": {"controllers": ["deployments", "cronjobs"]}}
        found = rulebooks.judge(controller(kind, "x"), policy(NAMED, autogen=wanted))
        assert len(found) == (kind in ("Deployment", "CronJob"))
        none = {"podControllers": {"controllers": []}}
        assert rulebooks.judge(controller(kind, "x"), policy(NAMED, autogen=none)) == ()

    @pytest.mark.parametrize(
        "constraints",
        [
            {"resourceRules": [{**PODS, "resources": ["pods", "services"]}]},
            {"resourceRules": [PODS, PODS]},
            {"resourceRules": [{**PODS, "resourceNames": ["web"]}]},
            {"resourceRules": [PODS], "objectSelector": {"matchLabels": {"a": "b"}}},
            {"resourceRules": [PODS], "namespaceSelector": {"matchLabels": {"a": "b"}}},
            {"resourceRules": [PODS], "excludeResourceRules": [{**PODS, "resources": ["x"]}]},
            {"resourceRules": [{**PODS, "resources": ["*"], "apiGroups": ["batch"]}]},
        ],
    )
    def test_is_for_policies_of_pods_alone(self, constraints: dict[str, Any]) -> None:
        written = policy(NAMED, matchConstraints=constraints)
        assert rulebooks.parsed(written).findings == ()
        assert rulebooks.judge(controller("Deployment", "x"), written) == ()

    def test_name_and_namespace_stay_the_controllers_own(self) -> None:
        labels = "has(object.metadata.labels) && object.metadata.name == 'web'"
        bare = controller("Deployment", "web")
        assert rulebooks.judge(bare, policy("object.metadata.namespace == 'shop'")) == ()
        (found,) = rulebooks.judge(bare, policy(labels))
        assert found.severity is rulebooks.UNKNOWN  # it is the template that has no metadata
        bare["spec"]["template"]["metadata"] = {"labels": {}}
        assert rulebooks.judge(bare, policy(labels)) == ()

    def test_moves_conditions_variables_and_messages(self) -> None:
        written = policy(
            "variables.first == 'web'",
            variables=[{"name": "first", "expression": "object.spec.containers[0].name"}],
            matchConditions=[{"name": "some", "expression": "size(object.spec.containers) > 0"}],
        )
        written["spec"]["validations"][0]["messageExpression"] = "string(variables.first)"
        (found,) = rulebooks.judge(controller("CronJob", "bad"), written)
        assert found.message == "bad"

    def test_a_fault_is_told_once(self) -> None:
        (found,) = rulebooks.parsed(policy("object.spec.(")).findings
        assert found.field == ("spec", "validations", "0", "expression")


def test_conditions_see_the_namespace_unlike_kubernetes() -> None:
    conditions = [{"name": "shop", "expression": "namespaceObject.metadata.name == 'shop'"}]
    assert severities(pod(), policy("false", matchConditions=conditions)) == [rulebooks.DENY]
    other = [{"name": "other", "expression": "namespaceObject.metadata.name == 'x'"}]
    assert rulebooks.judge(pod(), policy("false", matchConditions=other)) == ()


def test_bind_is_a_word_there() -> None:
    assert rulebooks.judge(pod(), policy("cel.bind(n, object.metadata.name, n == 'web')")) == ()


def test_or_value_of_what_is_no_optional_is_the_value() -> None:
    """Kubernetes calls it an error, and so do rules with validate.cel."""
    expression = (
        "object.spec.containers.orValue([]).size() == 1 && object.spec.?absent.orValue(1) == 1"
    )
    assert rulebooks.judge(pod(), policy(expression)) == ()
    ours = rulebooks.policy(expression)
    assert severities(pod(), ours, rulebooks.binding()) == [rulebooks.UNKNOWN]
    rule = foreign.cluster_policy(
        foreign.cluster_rule(expression), validationFailureAction="Enforce"
    )
    assert severities(pod(), rule) == [rulebooks.UNKNOWN]


def test_references_to_images_are_read_as_kyverno_reads_them() -> None:
    digest = "sha256:" + "0" * 64
    body = pod()
    for reference, said in {
        "nginx": "index.docker.io|library/nginx|latest||latest|false",
        "docker.io/bitnami/nginx:1.2": "index.docker.io|bitnami/nginx|1.2||1.2|false",
        "ghcr.io/a/b": "ghcr.io|a/b|latest||latest|false",
        "localhost:5000/ab:b": "localhost:5000|ab|b||b|false",
        f"ghcr.io/a/b@{digest}": f"ghcr.io|a/b||{digest}|{digest}|true",
        f"a/b:1@{digest}": f"index.docker.io|a/b||{digest}|{digest}|true",
    }.items():
        body["spec"]["containers"][0]["image"] = reference
        parts = (
            "registry()",
            "repository()",
            "tag()",
            "digest()",
            "identifier()",
            "containsDigest()",
        )
        texts = ", ".join(f"string(variables.i.{part})" for part in parts)
        written = policy(
            f"[{texts}].join('|') == '{said}'",
            variables=[{"name": "i", "expression": "image(object.spec.containers[0].image)"}],
        )
        assert rulebooks.judge(body, written) == (), reference


@pytest.mark.parametrize(
    "reference",
    ["", "A/b", "a", "ghcr.io/", "ghcr.io/a:", "a b", "ab@sha256:0", "ab:t@x@y", "x" * 256],
)
def test_what_is_no_reference_is_an_error(reference: str) -> None:
    body = pod()
    body["spec"]["containers"][0]["image"] = reference
    assert rulebooks.judge(body, policy("!isImage(object.spec.containers[0].image)")) == ()
    found = rulebooks.judge(body, policy("image(object.spec.containers[0].image).tag() == ''"))
    assert [each.severity for each in found] == [rulebooks.UNKNOWN]


def test_kubernetes_has_no_such_functions() -> None:
    for expression in ("isImage('a')", "image('ab').tag() == 'latest'"):
        (found,) = rulebooks.parsed(rulebooks.policy(expression), rulebooks.binding()).findings
        assert "undeclared reference" in found.message


def test_a_namespaced_policy_speaks_of_its_own_namespace() -> None:
    kind = "NamespacedValidatingPolicy"
    own = policy("false", kind=kind, metadata={"namespace": "shop"})
    other = policy("false", kind=kind, metadata={"namespace": "other"})
    assert severities(pod(), own, other) == [rulebooks.DENY]
    assert rulebooks.judge(pod(), other) == ()


def test_an_annotation_is_made_where_it_denies() -> None:
    notes = [{"key": "who", "valueExpression": "'by ' + object.metadata.name"}]
    assert rulebooks.judge(pod(), policy("true", auditAnnotations=notes)) == ()
    denied, noted = rulebooks.judge(pod(), policy("false", auditAnnotations=notes))
    assert (denied.severity, noted.severity) == (rulebooks.DENY, rulebooks.AUDIT)
    assert noted.message == "who: by web"


def test_json_is_not_ours_to_judge() -> None:
    (found,) = rulebooks.parsed(policy("true", evaluation={"mode": "JSON"})).findings
    assert found.severity is rulebooks.WARN
    assert "not evaluated" in found.message


@pytest.mark.parametrize(
    ("expression", "library"),
    [
        ("resource.Get('v1', 'configmaps', 'a', 'b').data.x == '1'", "resource"),
        ("http.Get('http://example.org').x == 1", "http"),
        ("globalContext.Get('x', '') == 1", "globalContext"),
        ("images.containers.all(i, i == 'x')", "images"),
        ("image.GetMetadata('x').os == 'linux'", "images"),
    ],
)
def test_kyvernos_own_libraries_are_named(expression: str, library: str) -> None:
    (found,) = rulebooks.parsed(policy(expression)).findings
    assert found.severity is rulebooks.UNKNOWN
    assert found.message.startswith(f"not evaluated: {library}")
    assert severities(pod(), policy(expression)) == [rulebooks.UNKNOWN]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"validationActions": ["Enforce"]}, ("spec", "validationActions")),
        ({"validationActions": "Deny"}, ("spec", "validationActions")),
        ({"rules": []}, ("spec", "rules")),
        ({"matchConstraints": {}}, ("spec", "matchConstraints", "resourceRules")),
        ({"validations": [{}]}, ("spec", "validations", "0", "expression")),
        ({"variables": [{"name": "a-b", "expression": "1"}]}, ("spec", "variables", "0", "name")),
        ({"matchConditions": "x"}, ("spec", "matchConditions")),
    ],
)
def test_what_is_unsound_is_refused_where_it_stands(
    change: dict[str, Any], field: tuple[str, ...]
) -> None:
    found = rulebooks.parsed(policy("true", **change)).findings
    assert [(each.severity, each.field) for each in found] == [(rulebooks.UNKNOWN, field)]


def test_two_of_a_name_are_refused() -> None:
    found = rulebooks.parsed(policy("true"), policy("false")).findings
    assert {each.severity for each in found} == {rulebooks.UNKNOWN}
    assert "already in" in found[0].message


def test_environments_count_as_for_any_binding() -> None:
    written = policy("false", metadata={"annotations": {"fleetgate.dev/environments": "prod"}})
    assert rulebooks.judge(pod(), written, environment="dev") == ()
    assert len(rulebooks.judge(pod(), written, environment="prod")) == 1
    empty = policy("false", metadata={"annotations": {"fleetgate.dev/environments": ""}})
    assert findings.refuses(rulebooks.parsed(empty).findings)


class TestExceptions:
    CONDITIONS = ({"name": "web", "expression": "object.metadata.name == 'web'"},)

    def test_exempt_what_meets_their_conditions(self) -> None:
        leave = exception("named", matchConditions=list(self.CONDITIONS))
        assert rulebooks.parsed(policy("false"), leave).findings == ()
        assert rulebooks.judge(pod(), policy("false"), leave) == ()
        assert severities(pod("other"), policy("false"), leave) == [rulebooks.DENY]

    def test_are_for_the_policies_that_they_name(self) -> None:
        assert severities(pod(), policy("false"), exception("x")) == [rulebooks.DENY]
        other = exception("named")
        other["spec"]["policyRefs"][0]["kind"] = "ImageValidatingPolicy"
        assert severities(pod(), policy("false"), other) == [rulebooks.DENY]

    def test_are_part_of_what_a_policy_says(self) -> None:
        """So that a new one is a loosening like any other change."""
        plain = rulebooks.parsed(policy("false"))
        loose = rulebooks.parsed(policy("false"), exception("named"))
        assert plain.digest != loose.digest

    @pytest.mark.parametrize("field", ["expiresAt", "validations"])
    def test_that_say_more_than_is_evaluated_exempt_nothing(self, field: str) -> None:
        leave = exception("named", **{field: ["x"]})
        (found,) = rulebooks.parsed(policy("false"), leave).findings
        assert "not evaluated" in found.message
        assert severities(pod(), policy("false"), leave) == [rulebooks.DENY]

    def test_whose_condition_fails_exempt_nothing(self) -> None:
        broken = [{"name": "a", "expression": "object.spec.absent == 1"}]
        leave = exception("named", matchConditions=broken)
        assert severities(pod(), policy("false"), leave) == [rulebooks.DENY]
        wrong = exception("named", matchConditions=[{"name": "a", "expression": "("}])
        assert findings.refuses(rulebooks.parsed(policy("true"), wrong).findings)
        assert severities(pod(), policy("false"), wrong) == [rulebooks.DENY]

    ALLOWED = (
        "object.spec.containers.all(c, c.name in exceptions.allowedValues || c.name == 'web')"
    )

    def test_may_let_pass_some_values_alone(self) -> None:
        body = pod(container="x")
        assert severities(body, policy(self.ALLOWED)) == [rulebooks.DENY]
        leave = exception("named", allowedValues=["x"], matchConditions=list(self.CONDITIONS))
        assert rulebooks.parsed(policy(self.ALLOWED), leave).findings == ()
        assert rulebooks.judge(body, policy(self.ALLOWED), leave) == ()
        assert severities(pod("other", "x"), policy(self.ALLOWED), leave) == [rulebooks.DENY]
        assert severities(pod(container="y"), policy(self.ALLOWED), leave) == [rulebooks.DENY]
        images = exception("named", images=["x"])
        assert severities(body, policy(self.ALLOWED), images) == [rulebooks.DENY]

    @pytest.mark.parametrize("field", ["images", "allowedValues"])
    def test_whose_values_are_malformed_are_refused(self, field: str) -> None:
        leave = exception("named", **{field: [1]})
        (found,) = rulebooks.parsed(policy("false"), leave).findings
        assert (found.severity, found.field) == (rulebooks.UNKNOWN, ("spec", field, "0"))
        assert severities(pod(), policy("false"), leave) == [rulebooks.DENY]
