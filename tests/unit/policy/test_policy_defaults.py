"""Policies judge the completed object where the caller says so, and point at the written one."""

from typing import Any

import rulebooks
from fleet.manifests import defaults, parse
from fleet.model import findings, names, objects

DEPLOYMENT = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "web", "namespace": "shop"},
    "spec": {"template": {"spec": {"containers": [{"name": "c", "image": "a"}]}}},
}
BOUND = rulebooks.binding()


def as_admitted(manifest: objects.Manifest) -> Any:
    return defaults.completed(manifest.body)


def found(expression: str, body: Any = DEPLOYMENT) -> tuple[findings.Finding, ...]:
    return rulebooks.judge(body, rulebooks.policy(expression), BOUND, judged=as_admitted)


def test_a_policy_sees_defaults() -> None:
    assert found("object.spec.replicas == 1") == ()
    assert found("object.spec.template.spec.containers.all(c, has(c.resources))") == ()
    (error,) = rulebooks.judge(DEPLOYMENT, rulebooks.policy("object.spec.replicas == 1"), BOUND)
    assert "no such key: replicas" in error.message


def test_a_finding_about_a_default_points_at_the_nearest_written_parent() -> None:
    (pull,) = found("object.spec.template.spec.containers.all(c, c.imagePullPolicy != 'Always')")
    assert pull.field == ("spec", "template", "spec", "containers", "0", "imagePullPolicy")
    text = (
        b"apiVersion: apps/v1\nkind: Deployment\nspec:\n  template:\n    spec:\n      containers:\n"
        b"      - name: c\n        image: a\n"
    )
    assert parse.documents(text, "a.yaml", names.BlobId("0")).findings == ()
    assert parse.locate(text, "a.yaml", 1, pull.field) == findings.Place(
        path="a.yaml", line=7, column=9
    )


def test_labels_that_a_job_takes_from_its_template_are_selected_by() -> None:
    template = {"metadata": {"labels": {"app": "shop"}}, "spec": {}}
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "j", "namespace": "n"},
           "spec": {"template": template}}  # fmt: skip
    selecting = {**rulebooks.matching(), "objectSelector": {"matchLabels": {"app": "shop"}}}
    policy = rulebooks.policy("false", matchConstraints=selecting)
    assert len(rulebooks.judge(job, policy, BOUND, judged=as_admitted)) == 1
    assert rulebooks.judge(job, policy, BOUND) == ()


def test_no_text_of_a_secret_gets_out_through_its_data() -> None:
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "namespace": "n"},
              "stringData": {"password": "hunter2-canary"}}  # fmt: skip
    telling = {"expression": "false", "messageExpression": "string(object.data.password)"}
    (said,) = rulebooks.judge(secret, rulebooks.policy(telling), BOUND, judged=as_admitted)
    assert said.message == "***"
