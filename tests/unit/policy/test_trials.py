"""Policies held against examples: our own layout, Kyverno's test files, Gatekeeper's suites."""

import json
from typing import Any

import pytest

import builders
import foreign
import rulebooks
from fleet.policy.trials import cases, runs

PASSED, FAILED, UNKNOWN = cases.State.PASSED, cases.State.FAILED, cases.State.NOT_EVALUATED
SKIPPED = cases.State.SKIPPED
NAMED = "object.spec.containers.all(c, c.name == 'web')"
CONTAINERS = "variables.anyObject.spec.containers.all(c, c.name in variables.params.names)"


def text(*documents: Any) -> bytes:
    return "\n---\n".join(map(json.dumps, documents)).encode()


def run(files: dict[str, bytes]) -> cases.Report:
    return runs.run(files)


def states(files: dict[str, bytes]) -> list[cases.State]:
    return [each.state for each in run(files).cases]


class TestOwn:
    POLICY = text(rulebooks.policy("object.data.word == 'x'"), rulebooks.binding())

    def files(self, *, good: str = "x", bad: str = "y", expect: str = "") -> dict[str, bytes]:
        wrong = builders.body("bad", data={"word": bad})
        wrong["metadata"]["annotations"] = {"fleetgate.dev/expect": expect}
        return {
            "rule/policy.yaml": self.POLICY,
            "rule/tests/good/a.yaml": text(builders.body("good", data={"word": good})),
            "rule/tests/bad/b.yaml": text(wrong),
        }

    def test_good_passes_and_bad_is_denied(self) -> None:
        report = run(self.files())
        assert [(e.name, e.want, e.got, e.state) for e in report.cases] == [
            ("ConfigMap good", "pass", "pass", PASSED),
            ("ConfigMap bad", "fail", "fail", PASSED),
        ]
        assert [(e.title, e.is_covered) for e in report.rules] == [("rule", True)]

    def test_the_other_way_round_fails(self) -> None:
        report = run(self.files(good="y", bad="x"))
        assert [each.state for each in report.cases] == [FAILED, FAILED]
        assert report.has_failed

    def test_a_bad_example_may_say_what_it_is_denied_with(self) -> None:
        assert states(self.files(expect="failed expression")) == [PASSED, PASSED]
        assert states(self.files(expect="something else")) == [PASSED, FAILED]

    def test_what_is_not_evaluated_is_neither(self) -> None:
        broken = text(rulebooks.policy("object.data.("), rulebooks.binding())
        files = {**self.files(), "rule/policy.yaml": broken}
        report = run(files)
        assert [each.state for each in report.cases] == [UNKNOWN, UNKNOWN]
        assert not report.has_failed

    def test_examples_without_a_policy_are_told(self) -> None:
        files = self.files()
        del files["rule/policy.yaml"]
        (case,) = run(files).cases
        assert (case.state, case.message) == (UNKNOWN, "there is no policy here")

    @pytest.mark.parametrize("field", ["apiVersion", "kind", "metadata"])
    @pytest.mark.parametrize("odd", [None, ["x"], 5])
    def test_an_example_that_is_no_object_fails(self, field: str, odd: Any) -> None:
        good = {**builders.body("good", data={"word": "x"}), field: odd}
        first, second = run({**self.files(), "rule/tests/good/a.yaml": text(good)}).cases
        assert (first.state, second.state) == (FAILED, PASSED)
        assert "it is no object that can be read" in first.message

    def test_a_file_that_is_no_yaml_fails(self) -> None:
        assert FAILED in states({**self.files(), "rule/tests/bad/b.yaml": b"a: [\n"})
        assert FAILED in states({**self.files(), "rule/tests/namespaces.yaml": b"a: [\n"})

    def selecting(self, *documents: Any) -> dict[str, bytes]:
        """Bound to Namespaces of level strict, beside these documents about Namespaces."""
        match = {"namespaceSelector": {"matchLabels": {"level": "strict"}}}
        binding = rulebooks.binding(matchResources=match)
        bad = builders.body("bad", data={"word": "y"})
        policy = rulebooks.policy("object.data.word == 'x'")
        return {
            "rule/policy.yaml": text(policy, binding),
            "rule/tests/bad/b.yaml": text(bad),
            "rule/tests/namespaces.yaml": text(*documents),
        }

    def test_the_namespaces_of_examples_have_labels(self) -> None:
        where = builders.body("bad")["metadata"]["namespace"]
        space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": where}}
        strict = {**space, "metadata": {"name": where, "labels": {"level": "strict"}}}
        assert states(self.selecting(strict)) == [PASSED]
        assert states(self.selecting(space)) == [FAILED]

    @pytest.mark.parametrize(
        "odd", [{}, {"kind": "Namespace"}, {"apiVersion": "v1", "kind": "Namespace", "metadata": 3},
                {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "shop"}}]
    )  # fmt: skip
    def test_what_is_no_namespace_is_none(self, odd: Any) -> None:
        assert states(self.selecting(odd)) == [FAILED]

    def test_a_rule_that_only_denies_is_not_covered(self) -> None:
        files = self.files()
        del files["rule/tests/good/a.yaml"]
        (rule,) = run(files).rules
        assert (rule.denies, rule.admits) == (True, False)


class TestKyverno:
    PATH = "named/.kyverno-test/kyverno-test.yaml"

    def files(self, *results: Any, policy: Any = None, **test: Any) -> dict[str, bytes]:
        document = {
            "apiVersion": "cli.kyverno.io/v1alpha1",
            "kind": "Test",
            "metadata": {"name": "named"},
            "policies": ["../named.yaml"],
            "resources": ["pods.yaml"],
            "results": list(results),
            **test,
        }
        pods = [foreign.pod("good"), foreign.pod("bad", container="x")]
        return {
            self.PATH: text(document),
            "named/.kyverno-test/pods.yaml": text(*pods, foreign.controller("Deployment", "x")),
            "named/named.yaml": text(
                policy or foreign.cluster_policy(foreign.cluster_rule(NAMED))
            ),
        }

    @staticmethod
    def result(result: str, *resources: str, **other: Any) -> dict[str, Any]:
        listed = {"resources": list(resources)} if resources else {}
        return {
            "policy": "named",
            "rule": "check",
            "kind": "Pod",
            "result": result,
            **listed,
            **other,
        }

    def test_each_result_on_each_resource_is_a_case(self) -> None:
        asked = (self.result("pass", "good"), self.result("fail", "bad", "shop/bad"))
        report = run(self.files(*asked))
        assert [(e.name, e.state) for e in report.cases] == [
            ("named/check Pod good", PASSED),
            ("named/check Pod bad", PASSED),
            ("named/check Pod shop/bad", PASSED),
        ]
        assert {str(each.place).partition(":")[0] for each in report.cases} == {self.PATH}
        assert [each.is_covered for each in report.rules if each.title == "named/check"] == [True]

    def test_what_is_otherwise_fails(self) -> None:
        asked = (self.result("fail", "good"), self.result("pass", "bad"))
        assert states(self.files(*asked)) == [FAILED, FAILED]

    def test_autogen_counts_as_the_rule(self) -> None:
        for name in ("check", "autogen-check"):
            asked = self.result("fail", "web", kind="Deployment", rule=name)
            assert states(self.files(asked)) == [PASSED]

    def test_no_resources_are_all_of_the_kind(self) -> None:
        assert states(self.files(self.result("fail"))) == [FAILED, PASSED]

    @pytest.mark.parametrize("name", [True, False, 0, 5, ["x"], {"a": "b"}])
    def test_a_resource_whose_name_is_no_text_is_told(self, name: Any) -> None:
        files = self.files(self.result("fail", "y"), self.result("pass", "good"))
        odd = foreign.pod(container="x")
        odd["metadata"]["name"] = name
        path = "named/.kyverno-test/pods.yaml"
        files[path] += b"\n---\n" + text(odd)
        first, *others = run(files).cases
        assert (first.place.path, first.name, first.state) == (path, "Pod", FAILED)
        assert f"metadata.name is {json.dumps(name)}, which is no text" in first.message
        assert [each.state for each in others] == [FAILED, PASSED]

    @pytest.mark.parametrize("name", [True, 5, ["x"], None])
    def test_of_all_resources_those_without_a_name_are_told(self, name: Any) -> None:
        files = self.files(self.result("pass", kind="ConfigMap"))
        odd = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}}
        files["named/.kyverno-test/pods.yaml"] = text(odd)
        assert set(states(files)) == {FAILED}

    @pytest.mark.parametrize(
        ("resources", "said"),
        [
            ([True], "true, which is no text: write it in quotes"),
            (["good", 5], "5, which is no text: write it in quotes"),
            ([["good"]], '["good"], which is no text'),
            ([None], "null, which is no text"),
            (True, "true is no list of names"),
            ({"a": "b"}, '{"a": "b"} is no list of names'),
            ("good", '"good" is no list of names'),
        ],
    )
    def test_names_that_are_no_text_are_told(self, resources: Any, said: str) -> None:
        odd = {**self.result("pass"), "resources": resources}
        first, second = run(self.files(odd, self.result("pass", "good"))).cases
        assert (first.name, first.state, first.message) == (
            "named/check",
            FAILED,
            f"resources: {said}",
        )
        assert second.state is PASSED

    def test_a_review_among_the_resources_is_known_by_its_object(self) -> None:
        review = {
            "apiVersion": "admission.k8s.io/v1",
            "kind": "AdmissionReview",
            "request": {"operation": "CREATE", "object": foreign.pod("asked")},
        }
        asked = self.result("pass", "asked", kind="AdmissionReview")
        files = self.files(asked, self.result("pass", kind="AdmissionReview"))
        files["named/.kyverno-test/pods.yaml"] = text(review)
        assert states(files) == [PASSED, PASSED]

    def test_what_asks_a_cluster_is_said_to(self) -> None:
        policy = foreign.validating_policy("resource.Get('v1', 'pods', 'a', 'b') != null")
        result = {"policy": "named", "kind": "Pod", "resources": ["good"], "result": "pass"}
        (case,) = run(self.files(result, policy=policy)).cases
        assert case.state is UNKNOWN
        assert case.message.startswith(
            "not evaluated: resource asks a cluster for other objects (undeclared reference"
        )

    def test_names_that_are_not_there_fail(self) -> None:
        assert states(self.files(self.result("pass", "absent"))) == [FAILED]
        assert states(self.files(self.result("pass", "other/good"))) == [FAILED]
        assert states(self.files(self.result("pass", "good", policy="absent"))) == [FAILED]
        assert states(self.files(self.result("pass", "good", rule="absent"))) == [FAILED]

    def test_files_that_are_not_there_are_told(self) -> None:
        files = self.files(self.result("pass", "x"), resources=["pods.yaml", "absent.yaml"])
        (case,) = run(files).cases
        assert (case.state, "absent.yaml" in case.message) == (UNKNOWN, True)
        files = self.files(self.result("pass", "good"), policies=["../absent.yaml"])
        assert states(files) == [UNKNOWN]
        files = self.files(self.result("pass", "good"), policies=["../../../../etc/passwd"])
        assert states(files) == [UNKNOWN]

    def test_a_rule_in_another_language_is_told(self) -> None:
        pattern = {**foreign.cluster_rule("true"), "validate": {"pattern": {"a": "b"}}}
        (case,) = run(
            self.files(self.result("pass", "good"), policy=foreign.cluster_policy(pattern))
        ).cases
        assert (case.state, "in a pattern" in case.message) == (UNKNOWN, True)
        mutated = self.result("pass", "good", patchedResource="x.yaml")
        assert states(self.files(mutated)) == [UNKNOWN]

    @pytest.mark.parametrize(
        ("condition", "result", "state"),
        [
            ("object.metadata.name == 'other'", "skip", PASSED),
            ("object.metadata.name == 'other'", "pass", FAILED),
            ("object.spec.absent == 1", "error", PASSED),
            ("object.spec.absent == 1", "fail", PASSED),
            ("object.spec.absent == 1", "pass", FAILED),
        ],
    )
    def test_conditions_skip_and_errors_deny(
        self, condition: str, result: str, state: cases.State
    ) -> None:
        conditions = [{"name": "c", "expression": condition}]
        written = foreign.validating_policy("true", matchConditions=conditions)
        asked = self.result(result, "good", isValidatingPolicy=True, rule="")
        assert states(self.files(asked, policy=written)) == [state]

    def test_what_no_rule_matches_satisfies_who_wants_no_failure(self) -> None:
        services = foreign.cluster_policy(foreign.cluster_rule("false", kinds=["Service"]))
        for result, state in (("pass", PASSED), ("skip", PASSED), ("fail", FAILED)):
            files = self.files(self.result(result, "good"), policy=services)
            assert states(files) == [state]

    def test_kubernetes_own_policies_need_no_binding_there(self) -> None:
        asked = self.result("pass", "good", isValidatingAdmissionPolicy=True, rule="")
        written = rulebooks.policy("object.kind == 'Pod'", name="named")
        assert states(self.files(asked, policy=written)) == [PASSED]

    def test_values_say_more_of_namespaces_and_of_the_request(self) -> None:
        spaces = {"namespaces": [{"kind": "Namespace", "metadata": {
            "name": "shop", "labels": {"tier": "x"}, "annotations": {"a": "b"}}}]}  # fmt: skip
        expression = "namespaceObject.metadata.labels.tier == 'x' && namespaceObject.metadata.annotations.a == 'b'"
        asked = self.result("pass", "good", rule="")
        files = self.files(
            asked, policy=foreign.validating_policy(expression), variables="values.yaml"
        )
        files["named/.kyverno-test/values.yaml"] = text(spaces)
        assert states(files) == [PASSED]
        labels = {"namespaceSelector": [{"name": "shop", "labels": {"tier": "x"}}]}
        selected = foreign.cluster_rule(
            "false", resources={"namespaceSelector": {"matchLabels": {"tier": "x"}}}
        )
        files = self.files(
            self.result("fail", "good"), policy=foreign.cluster_policy(selected), values=labels
        )
        assert states(files) == [PASSED]

    def test_an_update_has_an_old_object(self) -> None:
        expression = "request.operation == 'UPDATE' && oldObject == object"
        every = {"globalValues": {"request.operation": "UPDATE"}}
        one = {"policies": [{"name": "named", "resources": [
            {"name": "good", "values": {"request.operation": "UPDATE"}}]}]}  # fmt: skip
        for values in (every, one):
            files = self.files(
                self.result("pass", "good"),
                policy=foreign.cluster_policy(foreign.cluster_rule(expression)),
                values=values,
            )
            assert states(files) == [PASSED]

    def test_who_asks_may_be_said(self) -> None:
        excluding = foreign.cluster_rule(
            "false", exclude={"any": [{"subjects": [{"kind": "User", "name": "admin"}]}]}
        )
        for user, result in (("admin", "skip"), ("other", "fail")):
            files = self.files(
                self.result(result, "good"),
                policy=foreign.cluster_policy(excluding),
                userinfo="user.yaml",
            )
            files["named/.kyverno-test/user.yaml"] = text({"userInfo": {"username": user}})
            assert states(files) == [PASSED]

    def test_exceptions_skip(self) -> None:
        leave = foreign.exception("named")
        files = self.files(
            self.result("skip", "bad", rule=""),
            policy=foreign.validating_policy("false"),
            exceptions=["leave.yaml"],
        )
        files["named/.kyverno-test/leave.yaml"] = text(leave)
        assert states(files) == [PASSED]

    def test_a_policy_that_does_not_score_warns(self) -> None:
        metadata = {"annotations": {"policies.kyverno.io/scored": "false"}}
        written = foreign.validating_policy("false", metadata=metadata)
        for result, state in (("warn", PASSED), ("fail", FAILED)):
            files = self.files(self.result(result, "good", rule=""), policy=written)
            assert states(files) == [state]

    @pytest.mark.parametrize(
        "change",
        [
            {"results": None},
            {"results": "x"},
            {"results": ["x"]},
            {"results": [{}]},
            {"resources": "x"},
            {"policies": [1, None]},
            {"values": {"policies": ["x", {"resources": [1]}], "namespaces": [1, {}]}},
            {"variables": "absent.yaml"},
            {"userinfo": "pods.yaml"},
            {"checks": [{}]},
        ],
    )
    def test_a_malformed_test_passes_nothing(self, change: dict[str, Any]) -> None:
        files = self.files(self.result("fail", "good"), **change)
        assert PASSED not in states(files)

    @pytest.mark.parametrize("odd", [{"a": "b"}, 5, "x", True])
    def test_results_that_are_no_list_are_told(self, odd: Any) -> None:
        files = self.files()
        document = json.loads(files[self.PATH])
        files[self.PATH] = text({**document, "results": odd})
        (case,) = run(files).cases
        assert (case.state, case.message) == (FAILED, f"results: {json.dumps(odd)} is no list")

    def test_a_test_that_is_no_yaml_fails(self) -> None:
        assert states({self.PATH: b"a: [\n"}) == [FAILED]


class TestGatekeeper:
    PATH = "named/suite.yaml"

    def files(self, *listed: Any, template: Any = None, **test: Any) -> dict[str, bytes]:
        suite = {
            "apiVersion": "test.gatekeeper.sh/v1alpha1",
            "kind": "Suite",
            "metadata": {"name": "named"},
            "tests": [
                {
                    "name": "web",
                    "template": "template.yaml",
                    "constraint": "samples/constraint.yaml",
                    "cases": list(listed),
                    **test,
                }
            ],
        }
        return {
            self.PATH: text(suite),
            "named/template.yaml": text(template or foreign.template(CONTAINERS)),
            "named/samples/constraint.yaml": text(foreign.constraint()),
            "named/samples/good.yaml": text(foreign.pod()),
            "named/samples/bad.yaml": text(foreign.pod(container="x")),
        }

    @staticmethod
    def case(file: str, *assertions: Any, **other: Any) -> dict[str, Any]:
        return {
            "name": file,
            "object": f"samples/{file}.yaml",
            "assertions": list(assertions),
            **other,
        }

    @pytest.mark.parametrize("odd", [{"violations": 5}, 5, "x", True])
    def test_what_is_no_list_is_told(self, odd: Any) -> None:
        said = f"{json.dumps(odd)} is no list"
        for files, field in (
            (self.files({**self.case("good"), "assertions": odd}), "assertions"),
            (self.files(cases=odd), "cases"),
            (self.files(), "tests"),
        ):
            if field == "tests":
                files[self.PATH] = text({**json.loads(files[self.PATH]), "tests": odd})
            (case,) = run(files).cases
            assert (case.state, case.message) == (FAILED, f"{field}: {said}")

    @pytest.mark.parametrize(
        ("file", "assertion", "state"),
        [
            ("good", {"violations": "no"}, PASSED),
            ("good", {"violations": False}, PASSED),
            ("good", {"violations": 0}, PASSED),
            ("good", {"violations": "yes"}, FAILED),
            ("bad", {"violations": "yes"}, PASSED),
            ("bad", {"violations": True}, PASSED),
            ("bad", {"violations": 1}, PASSED),
            ("bad", {"violations": 2}, FAILED),
            ("bad", {}, PASSED),
            ("bad", {"message": "failed expression.*names"}, PASSED),
            ("bad", {"message": "something else"}, FAILED),
            ("bad", {"violations": "no", "message": "something else"}, PASSED),
            ("bad", {"violations": "perhaps"}, FAILED),
            ("bad", {"message": "("}, FAILED),
            ("bad", "x", FAILED),
        ],
    )
    def test_assertions(self, file: str, assertion: Any, state: cases.State) -> None:
        assert states(self.files(self.case(file, assertion))) == [state]

    def test_all_must_hold_and_none_is_no_violations(self) -> None:
        both = ({"violations": "yes"}, {"message": "something else"})
        assert states(self.files(self.case("bad", *both))) == [FAILED]
        assert states(self.files(self.case("good"), self.case("bad"))) == [PASSED, FAILED]

    def test_a_review_says_what_is_asked(self) -> None:
        template = foreign.template(
            "request.operation == 'UPDATE' && oldObject.metadata.name == 'web' && request.userInfo.username == 'me'"
        )
        review = {
            "apiVersion": "admission.k8s.io/v1",
            "kind": "AdmissionReview",
            "request": {
                "operation": "UPDATE",
                "object": foreign.pod(),
                "oldObject": foreign.pod(),
                "userInfo": {"username": "me"},
            },
        }
        files = self.files(self.case("update", {"violations": "no"}), template=template)
        files["named/samples/update.yaml"] = text(review)
        assert states(files) == [PASSED]

    def test_a_deletion_has_an_old_object_only(self) -> None:
        template = foreign.template("object == null && variables.anyObject.metadata.name == 'x'")
        review = {
            "apiVersion": "admission.k8s.io/v1",
            "kind": "AdmissionReview",
            "request": {"operation": "DELETE", "oldObject": foreign.pod(name="x")},
        }
        files = self.files(self.case("gone"), template=template)
        files["named/samples/gone.yaml"] = text(review)
        assert states(files) == [PASSED]

    def test_rego_is_told(self) -> None:
        rego = foreign.template(code=[{"engine": "Rego", "source": {}}])
        (case,) = run(self.files(self.case("good"), template=rego)).cases
        assert (case.state, "Rego" in case.message) == (UNKNOWN, True)

    def test_what_is_skipped_is_counted(self) -> None:
        assert states(self.files(self.case("good", skip=True))) == [SKIPPED]
        assert states(self.files(self.case("good"), skip=True)) == [SKIPPED]

    def test_an_invalid_constraint_is_one_that_is_refused(self) -> None:
        files = self.files(invalid=True)
        assert states(files) == [UNKNOWN]
        files["named/samples/constraint.yaml"] = text(foreign.constraint(match={"x": 1}))
        assert states(files) == [PASSED]

    def test_namespaces_of_the_inventory_count(self) -> None:
        space = builders.body("shop", kind="Namespace", namespace="")
        space["metadata"]["labels"] = {"tier": "x"}
        files = self.files(
            self.case("bad", {"violations": "yes"}, inventory=["samples/space.yaml"])
        )
        match = {"namespaceSelector": {"matchLabels": {"tier": "x"}}}
        files["named/samples/constraint.yaml"] = text(foreign.constraint(match=match))
        files["named/samples/space.yaml"] = text(space)
        assert states(files) == [PASSED]
        del files["named/samples/space.yaml"]
        assert states(files) == [FAILED]

    @pytest.mark.parametrize(
        "tests", [None, "x", ["x"], [{}], [{"cases": ["x"]}], [{"cases": [{}]}]]
    )
    def test_a_malformed_suite_passes_nothing(self, tests: Any) -> None:
        files = self.files()
        suite = json.loads(files[self.PATH])
        files[self.PATH] = text({**suite, "tests": tests})
        assert PASSED not in states(files)

    @pytest.mark.parametrize("content", [b"", b"x", b"- a\n", b"kind: Pod\n", b"a: [\n"])
    def test_what_is_no_object_fails(self, content: bytes) -> None:
        files = {**self.files(self.case("good")), "named/samples/good.yaml": content}
        assert states(files) == [FAILED]
