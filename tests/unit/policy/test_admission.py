"""What an API server does besides the plain case: updates, audit annotations, kinds that are served twice."""

import time
from typing import Any

import pytest

import builders
import definitions
import rulebooks
from fleet.manifests import scopes
from fleet.model import findings
from fleet.policy import documents, evaluate, histories
from fleet.policy.crds import customs

OLD = builders.body("web", data={"word": "old"})
NEW = builders.body("web", data={"word": "new"})


def judged(policy: dict[str, Any], *, old: dict[str, Any] | None) -> tuple[findings.Finding, ...]:
    """With what runs known, or not."""
    manifest = builders.manifest(document=NEW)
    running = {manifest.key: builders.manifest(document=old)} if old else {}
    scene = evaluate.Scene(namespaces={}, scopes=scopes.scopes([]), previous=running)
    bound = rulebooks.parsed(policy, rulebooks.binding())
    return evaluate.evaluate(bound, manifest, scene)


class TestUpdates:
    CHANGED = rulebooks.policy(
        "request.operation == 'UPDATE' && object.data.word == 'new' && oldObject.data.word == 'old'"
    )

    def test_of_what_runs_see_the_old_object(self) -> None:
        assert judged(self.CHANGED, old=OLD) == ()
        assert len(judged(self.CHANGED, old=None)) == 1

    def test_a_rule_for_creations_does_not_speak_of_them(self) -> None:
        only = rulebooks.policy(
            "false", matchConstraints=rulebooks.matching(operations=["CREATE"])
        )
        assert judged(only, old=OLD) == ()
        assert len(judged(only, old=None)) == 1
        updates = rulebooks.policy(
            "false", matchConstraints=rulebooks.matching(operations=["UPDATE"])
        )
        assert len(judged(updates, old=OLD)) == 1
        assert judged(updates, old=None) == ()

    def test_a_label_that_goes_takes_nothing_out_of_sight(self) -> None:
        selecting = rulebooks.matching() | {"objectSelector": {"matchLabels": {"tier": "prod"}}}
        policy = rulebooks.policy("false", matchConstraints=selecting)
        labelled = {**OLD, "metadata": {**OLD["metadata"], "labels": {"tier": "prod"}}}
        assert len(judged(policy, old=labelled)) == 1
        assert judged(policy, old=OLD) == ()
        assert judged(policy, old=None) == ()
        assert TestHistories.heeds(policy, rulebooks.binding())

    def test_what_may_not_change_can_be_said(self) -> None:
        policy = rulebooks.policy("oldObject == null || object.data.word == oldObject.data.word")
        assert len(judged(policy, old=OLD)) == 1
        assert judged(policy, old=NEW) == ()
        assert judged(policy, old=None) == ()


class TestAuditAnnotations:
    @staticmethod
    def notes(value: str, *expressions: str, **spec: Any) -> list[tuple[findings.Severity, str]]:
        written = [{"key": "word", "valueExpression": value}]
        policy = rulebooks.policy(*expressions, auditAnnotations=written, **spec)
        found = rulebooks.judge(NEW, policy, rulebooks.binding())
        return [(each.severity, each.message) for each in found]

    def test_are_shown_whatever_is_decided(self) -> None:
        note = (rulebooks.AUDIT, "word: it is new")
        assert self.notes("'it is ' + object.data.word", "true") == [note]
        assert self.notes("'it is ' + object.data.word") == [note]
        assert self.notes("'it is ' + object.data.word", "false")[1:] == [note]

    @pytest.mark.parametrize("value", ["null", "''", "'  '"])
    def test_that_say_nothing_are_none(self, value: str) -> None:
        assert self.notes(value, "true") == []

    @pytest.mark.parametrize("expressions", [(), ("true",)])
    def test_are_not_made_where_the_policy_does_not_speak(
        self, expressions: tuple[str, ...]
    ) -> None:
        conditions = [{"name": "no", "expression": "false"}]
        assert self.notes("'x'", *expressions, matchConditions=conditions) == []

    def test_that_fail_deny_unless_the_policy_fails_open(self) -> None:
        ((severity, message),) = self.notes("string(object.data.absent)", "true")
        assert severity is rulebooks.UNKNOWN
        assert message.startswith("expression '")
        ((severity, _),) = self.notes("string(object.data.absent)", "true", failurePolicy="Ignore")
        assert severity is rulebooks.WARN

    def test_of_a_long_value_are_cut_off(self) -> None:
        ((_, message),) = self.notes("'" + "x" * 4000 + "'", "true")
        assert len(message) < 1100

    @pytest.mark.threat(20)
    def test_keep_what_a_secret_keeps(self) -> None:
        secret = builders.body("web", kind="Secret", stringData={"key": "canary-5f1c"})
        written = [{"key": "word", "valueExpression": "string(object.stringData.key)"}]
        policy = rulebooks.policy("true", auditAnnotations=written)
        found = rulebooks.judge(secret, policy, rulebooks.binding())
        assert found
        assert "5f1c" not in repr(found)


@pytest.mark.parametrize(("group", "other"), [("", "events.k8s.io"), ("events.k8s.io", "")])
def test_an_event_is_the_same_in_both_of_its_groups(group: str, other: str) -> None:
    version = f"{group}/v1" if group else "v1"
    event = {**builders.body("web", kind="Event"), "apiVersion": version}
    rule = rulebooks.matching(apiGroups=[other], resources=["events"])
    policy = rulebooks.policy("false", matchConstraints=rule)
    assert len(rulebooks.judge(event, policy, rulebooks.binding())) == 1
    exact = rulebooks.policy("false", matchConstraints={**rule, "matchPolicy": "Exact"})
    assert rulebooks.judge(event, exact, rulebooks.binding()) == ()
    pods = {**builders.body("web", kind="Pod"), "apiVersion": version}
    assert rulebooks.judge(pods, policy, rulebooks.binding()) == ()


class TestNamespaces:
    POLICY = rulebooks.policy("namespaceObject.metadata.?annotations[?'team'].orValue('') == 'x'")

    def judged(self, notes: dict[str, dict[str, str]]) -> tuple[findings.Finding, ...]:
        known = scopes.scopes([])
        scene = evaluate.Scene(namespaces={}, scopes=known, annotations=notes)
        bound = rulebooks.parsed(self.POLICY, rulebooks.binding())
        assert evaluate.looks_at_namespaces(bound)
        return evaluate.evaluate(bound, builders.manifest(document=NEW), scene)

    def test_are_seen_with_their_annotations(self) -> None:
        assert self.judged({"shop": {"team": "x"}}) == ()
        assert len(self.judged({"other": {"team": "x"}})) == 1
        assert len(self.judged({"shop": {"team": 1}})) == 1  # type: ignore[dict-item]  # nobody has looked yet

    def test_are_not_looked_at_by_most(self) -> None:
        assert not evaluate.looks_at_namespaces(rulebooks.parsed(rulebooks.policy("true")))


class TestHistories:
    """Only for rules that can tell an update from a creation anyone asks what runs."""

    @staticmethod
    def heeds(*documents: dict[str, Any], body: dict[str, Any] = NEW) -> bool:
        scene = evaluate.Scene(namespaces={}, scopes=scopes.scopes([]))
        bound = rulebooks.parsed(*documents)
        return evaluate.heeds_update(bound, builders.manifest(document=body), scene)

    @pytest.mark.parametrize(
        "expression",
        [
            "oldObject == null",
            "request.operation == 'UPDATE'",
            "request . operation == 'UPDATE'",
            "request.?operation.orValue('') == 'UPDATE'",
            "has(request.operation)",
            "dyn(request)['operation'] == 'UPDATE'",
            "[request].exists(r, r.operation == 'UPDATE')",
            "dyn(request.options) == null",
        ],
    )
    def test_are_asked_for_by_what_sees_them(self, expression: str) -> None:
        assert self.heeds(rulebooks.policy(expression), rulebooks.binding())
        asking = {"expression": "false", "messageExpression": f"string({expression})"}
        assert self.heeds(rulebooks.policy(asking), rulebooks.binding())
        condition = [{"name": "a", "expression": expression}]
        assert self.heeds(rulebooks.policy("true", matchConditions=condition), rulebooks.binding())

    @pytest.mark.parametrize(
        "expression",
        [
            "object.data.word == 'new'",
            "request.name == 'web'",
            "request.?namespace.orValue('') == 'shop'",
            "request.kind.kind == 'ConfigMap'",
            "has(object.boldObject)",
        ],
    )
    def test_are_not_by_others(self, expression: str) -> None:
        assert not self.heeds(rulebooks.policy(expression), rulebooks.binding())

    @pytest.mark.parametrize(
        ("matching", "expected"),
        [
            ({"operations": ["CREATE"]}, True),
            ({"operations": ["UPDATE", "DELETE"]}, True),
            ({"operations": ["CREATE", "UPDATE"]}, False),
            ({"operations": ["*"]}, False),
            ({"operations": ["DELETE"]}, False),
            ({"operations": ["CREATE"], "resources": ["secrets"]}, False),
        ],
    )
    def test_are_asked_for_by_what_matches_one_operation(
        self, matching: dict[str, Any], expected: bool
    ) -> None:
        rules = rulebooks.matching(**matching)
        policy = rulebooks.policy("true", matchConstraints=rules)
        assert self.heeds(policy, rulebooks.binding()) is expected
        binding = rulebooks.binding(matchResources=rules)
        assert self.heeds(rulebooks.policy("true"), binding) is expected

    def test_are_asked_for_by_what_leaves_one_operation_out(self) -> None:
        left = rulebooks.matching(operations=["UPDATE"])["resourceRules"]
        rules = {**rulebooks.matching(), "excludeResourceRules": left}
        assert self.heeds(rulebooks.policy("true", matchConstraints=rules), rulebooks.binding())

    def test_are_not_asked_for_by_a_policy_that_nothing_binds(self) -> None:
        assert not self.heeds(rulebooks.policy("oldObject == null"))

    @pytest.mark.threat(44)
    def test_of_blanks_by_the_million_are_told_at_once(self) -> None:
        text = "request" + " " * 1_000_000 + "." + " " * 1_000_000 + "name"
        started = time.perf_counter()
        histories.matter(_of(text), _bound())
        assert time.perf_counter() - started < 2


def _of(text: str) -> documents.Policy:
    return next(iter(rulebooks.parsed(rulebooks.policy(text)).policies.values()))


def _bound() -> documents.Binding:
    return rulebooks.parsed(rulebooks.binding()).bindings[0]


class TestVersions:
    """A policy sees an object in the version that it names."""

    SCALER: dict[str, Any] = {  # noqa: RUF012
        "apiVersion": "autoscaling/v1",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"maxReplicas": 3, "targetCPUUtilizationPercentage": 60},
    }

    @staticmethod
    def crd(strategy: str | None) -> dict[str, Any]:
        crd = definitions.crd({"x": definitions.whole(definitions.rule("self >= oldSelf"))})
        first = crd["spec"]["versions"][0]
        crd["spec"]["versions"] = [first, {**first, "name": "v2", "storage": False}]
        if strategy:
            crd["spec"]["conversion"] = {"strategy": strategy}
        return crd

    @staticmethod
    def judged(
        body: dict[str, Any],
        policy: dict[str, Any],
        old: dict[str, Any] | None = None,
        crds: tuple[dict[str, Any], ...] = (),
    ) -> list[tuple[findings.Severity, str]]:
        manifest, brought = builders.manifest(document=body), customs.Customs(crds)
        scene = evaluate.Scene(
            namespaces={},
            scopes=scopes.scopes(crds),
            judged=brought.judged,
            kinds=brought,
            previous={manifest.key: builders.manifest(document=old)} if old else {},
        )
        bound = rulebooks.parsed(policy, rulebooks.binding())
        found = evaluate.evaluate(bound, manifest, scene)
        return [(each.severity, each.message) for each in found]

    @staticmethod
    def on(version: str, *expressions: Any, **more: Any) -> dict[str, Any]:
        rules = {**rulebooks.matching(apiVersions=[version]), **more}
        return rulebooks.policy(*expressions, matchConstraints=rules)

    def test_are_converted_as_an_api_server_would(self) -> None:
        told = {
            "expression": "false",
            "messageExpression": "string(object.spec.metrics[0].resource.target.averageUtilization)",
        }
        assert self.judged(self.SCALER, self.on("v2", told)) == [(rulebooks.DENY, "60")]
        told["messageExpression"] = "string(object.spec.targetCPUUtilizationPercentage)"
        assert self.judged(self.SCALER, self.on("v1", told)) == [(rulebooks.DENY, "60")]
        assert self.judged(self.SCALER, self.on("v2", "false", matchPolicy="Exact")) == []

    def test_that_are_named_first_are_taken(self) -> None:
        rules = [*rulebooks.matching(apiVersions=["v2"])["resourceRules"]]
        rules += rulebooks.matching(apiVersions=["v2beta2"])["resourceRules"]
        policy = rulebooks.policy(
            "object.apiVersion == 'autoscaling/v2'", matchConstraints={"resourceRules": rules}
        )
        assert self.judged(self.SCALER, policy) == []
        rules.reverse()
        assert len(self.judged(self.SCALER, policy)) == 1

    @pytest.mark.threat(53)
    def test_that_nobody_serves_are_no_way_out(self) -> None:
        assert len(self.judged(self.SCALER, self.on("v9", "false"))) == 1

    @pytest.mark.parametrize("strategy", [None, "None"], ids=["unsaid", "said"])
    def test_of_custom_resources_differ_in_name(self, strategy: str | None) -> None:
        body = definitions.resource(x=1)
        crds = (self.crd(strategy),)
        policy = self.on("v2", "object.apiVersion == 'example.com/v2' && object.spec.x == 1")
        assert self.judged(body, policy, crds=crds) == []
        assert (
            self.judged(body, self.on("v2", "request.requestKind.version == 'v1'"), crds=crds)
            == []
        )

    def test_that_a_webhook_converts_are_not_evaluated(self) -> None:
        body = definitions.resource(x=1)
        crds = (self.crd("Webhook"),)
        ((severity, message),) = self.judged(body, self.on("v2", "true"), crds=crds)
        assert severity is rulebooks.UNKNOWN
        assert message.startswith("not evaluated: the policy speaks of Gadget in example.com/v2")
        assert self.judged(body, self.on("v1", "true"), crds=crds) == []

    def test_of_what_runs_are_converted_too(self) -> None:
        new = {**definitions.resource(x=2), "apiVersion": "example.com/v2"}
        old = definitions.resource(x=1)
        policy = self.on(
            "v2", "oldObject.apiVersion == object.apiVersion && oldObject.spec.x == 1"
        )
        assert self.judged(new, policy, old, (self.crd(None),)) == []
        ((severity, message),) = self.judged(new, policy, old, (self.crd("Webhook"),))
        assert severity is rulebooks.UNKNOWN
        assert "what runs is written in another version than example.com/v2" in message
        blind = self.on("v2", "object.spec.x == 2")
        assert self.judged(new, blind, old, (self.crd("Webhook"),)) == []

    def test_of_what_runs_are_not_guessed_for_the_rules_of_a_crd(self) -> None:
        new = builders.manifest(
            document={**definitions.resource(x=2), "apiVersion": "example.com/v2"}
        )
        old = builders.manifest(document=definitions.resource(x=3))
        for strategy, said in (
            (None, "Invalid value: 2"),
            ("Webhook", "not evaluated: what runs"),
        ):
            (found,) = customs.Customs([self.crd(strategy)]).faults(new, old)
            assert said in str(found)
            assert found.is_verdict is (strategy is None)

    def test_are_part_of_what_a_verdict_was_computed_from(self) -> None:
        manifest = builders.manifest(document=definitions.resource(x=1))
        said = {
            customs.Customs([self.crd(each)]).identity(manifest) for each in ("None", "Webhook")
        }
        said.add(customs.Customs([definitions.crd({"x": definitions.whole()})]).identity(manifest))
        assert len(said) == 3
