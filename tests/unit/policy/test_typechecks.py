"""Fields that no object can have, found in the policy before any object is judged."""

import asyncio
from typing import Any

import pytest

import builders
import libraries
import rulebooks
from fleet.adapters import schemas
from fleet.manifests import scopes
from fleet.manifests.schemas import validate
from fleet.model import findings, names
from fleet.policy import policies, typechecks

WIDGET = {
    **builders.body("widgets.example.com", kind="CustomResourceDefinition"),
    "apiVersion": "apiextensions.k8s.io/v1",
    "spec": {
        "group": "example.com", "scope": "Namespaced",
        "names": {"kind": "Widget", "plural": "widgets"},
        "versions": [{"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": {
            "type": "object",
            "properties": {"spec": {"type": "object", "properties": {
                "size": {"type": "integer"}, "left-open": {"type": "object"},
                "port": {"x-kubernetes-int-or-string": True},
                "more": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
            }}},
        }}}],
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def known() -> typechecks.Known:
    source = schemas.Packaged()
    definitions = asyncio.run(source.definitions("1.36")) or {}
    made = validate.Schemas(
        version="1.36", source=source.identity, definitions=definitions, crds=[WIDGET]
    )
    return typechecks.Known(
        identity=made.identity,
        kinds=made.kinds,
        schema=made.schema,
        scopes=scopes.scopes([WIDGET]),
    )


def of(group: str, *resources: str) -> dict[str, Any]:
    return rulebooks.matching(apiGroups=[group], apiVersions=["v1"], resources=list(resources))


DEPLOYMENTS, WIDGETS = of("apps", "deployments"), of("example.com", "widgets")
PODS = {
    "resourceRules": [
        *of("", "pods")["resourceRules"],
        *of("apps", "deployments")["resourceRules"],
    ]
}


def check(known: typechecks.Known, match: Any, *texts: Any, **spec: Any) -> list[findings.Finding]:
    document = rulebooks.policy(*texts, matchConstraints=match, **spec)
    judging = policies.for_environment(
        rulebooks.parsed(document, rulebooks.binding()), names.Environment("dev")
    )
    return [each for p in judging.policies.values() for each in typechecks.check(p, known)]


def messages(known: typechecks.Known, match: Any, *texts: Any, **spec: Any) -> list[str]:
    return [each.message for each in check(known, match, *texts, **spec)]


def test_a_misspelt_field_is_found_with_its_name(known: typechecks.Known):
    (found,) = check(known, DEPLOYMENTS, "object.spec.replcas > 1")
    assert found.severity is findings.Severity.WARN
    assert found.message == "of Deployment.apps: undefined field 'replcas' (at character 12)"
    assert found.hint == "did you mean replicas?"
    assert found.field == ("spec", "validations", "0", "expression")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("object.spec.replicas > 'a'", "found no matching overload for '_>_'"),
        ("oldObject == null || oldObject.spec.x == 1", "undefined field 'x'"),
        ("has(object.spec.nope)", "undefined field 'nope'"),
        ("object.?spec.?nope.hasValue()", "undefined field 'nope'"),
        ("object.metadata.labels['a'] == 1", "found no matching overload for '_==_'"),
        ("object.spec.template.spec.containers.all(c, c.imge != '')", "undefined field 'imge'"),
    ],
)
def test_what_no_deployment_is(known: typechecks.Known, text: str, said: str):
    (message,) = messages(known, DEPLOYMENTS, text)
    assert said in message


@pytest.mark.parametrize(
    "text",
    [
        "object.spec.replicas > 1",
        "object.metadata.namespace == object.metadata.__namespace__",
        "object.spec.template.spec.containers.all(c, c.resources.limits['cpu'] == '1')",
        "object.spec.strategy.rollingUpdate.maxSurge == 1.5",
        "object.spec.template.spec.containers.all(c, c.?securityContext.?privileged.orValue(false))",
        "dyn(object).spec.anything == 1",
        "object.spec.template.spec.containers[0].livenessProbe.httpGet.port == 'a'",
    ],
)
def test_what_a_deployment_may_be(known: typechecks.Known, text: str):
    assert messages(known, DEPLOYMENTS, text) == []


def test_of_several_kinds_only_what_none_has(known: typechecks.Known):
    pod = {
        "name": "pod",
        "expression": "has(object.spec.template) ? object.spec.template.spec : object.spec",
    }
    assert messages(known, PODS, "variables.pod.containers.size() > 0", variables=[pod]) == []
    (message,) = messages(known, PODS, "object.spec.neither == 1")
    assert "of Pod, Deployment.apps: undefined field 'neither'" in message


def test_lists_of_several_kinds_may_be_joined(known: typechecks.Known):
    text = (
        "(object.spec.containers + object.spec.ephemeralContainers)"
        ".all(c, c.?targetContainerName.orValue('') == '')"
    )
    assert messages(known, of("", "pods"), text) == []


def test_variables_carry_their_types(known: typechecks.Known):
    count = {"name": "count", "expression": "object.spec.replicas"}
    (message,) = messages(known, DEPLOYMENTS, "variables.count == 'a'", variables=[count])
    assert "'_==_' applied to '(int, string)'" in message
    wrong = {"name": "count", "expression": "object.spec.nope"}
    (found,) = check(known, DEPLOYMENTS, "variables.count == 'a'", variables=[wrong])
    assert found.field == ("spec", "variables", "0", "expression")


def test_messages_and_params_are_typed_too(known: typechecks.Known):
    kind = {"apiVersion": "v1", "kind": "ConfigMap"}
    says = {"expression": "params.dta.x == '1'", "messageExpression": "'a' + object.spec.replicas"}
    found = check(known, DEPLOYMENTS, says, paramKind=kind)
    assert [(each.field[-1], each.hint) for each in found] == [
        ("expression", "did you mean data?"),
        ("messageExpression", ""),
    ]


@pytest.mark.parametrize(
    ("text", "is_right"),
    [
        ("object.spec.size == 1", True),
        ("object.spec.size == 'a'", False),
        ("object.spec.sise == 1", False),
        ("object.spec.left__dash__open.anything == 1", True),
        ("object.spec.port == 'http' || object.spec.port == 80", True),
        ("object.spec.more.of.this == 1", True),
    ],
)
def test_custom_resources_by_their_definition(known: typechecks.Known, text: str, is_right: bool):
    assert (messages(known, WIDGETS, text) == []) is is_right


@pytest.mark.parametrize("match", [of("apps", "*"), of("*", "deployments"), of("", "nothings")])
def test_what_names_no_kind_is_not_checked(known: typechecks.Known, match: Any):
    assert messages(known, match, "object.spec.replcas > 1") == []


def test_nothing_is_said_of_the_ready_policies(known: typechecks.Known):
    library = libraries.library()
    assert [each for p in library.policies.values() for each in typechecks.check(p, known)] == []


def test_a_schema_that_contains_itself_ends(known: typechecks.Known):
    crds = rulebooks.matching(
        apiGroups=["apiextensions.k8s.io"],
        apiVersions=["v1"],
        resources=["customresourcedefinitions"],
    )
    deep = "object.spec.versions[0].schema.openAPIV3Schema" + ".not" * 50
    assert messages(known, crds, f"has({deep}.type)") == []
    assert len(messages(known, crds, f"has({deep}.tipe)")) == 1
