"""Rules that the clusters enforce themselves: delivered as they are written, and as hard in the gate as there."""

import json
from typing import Any

import pytest

import repositories
import rulebooks
from fleet.adapters import schemas
from fleet.judge import judging
from fleet.local import offline
from fleet.model import findings, names, objects

SOURCE = schemas.Packaged()
MARK = {"fleetgate.dev/install": "true", "fleetgate.dev/hint": "choose another word"}
RULE = "policies/rule/policy.yaml"
ON_MAPS = rulebooks.matching(resources=["configmaps"])
EXPRESSION = "object.kind != 'ConfigMap' || !('password' in object.data)"


def rules(*documents: Any) -> str:
    return "\n---\n".join(map(json.dumps, documents))


def policy(name: str = "rule", **spec: Any) -> dict[str, Any]:
    spec = {"matchConstraints": ON_MAPS, "annotations": MARK, **spec}
    return rulebooks.policy(EXPRESSION, name=name, **spec)


def app(repository_of: Any, *documents: Any, **files: str) -> Any:
    return repository_of(
        {
            "apps/web/bundle.yaml": repositories.bundle_text(),
            "apps/web/a.yaml": repositories.config_map(),
            RULE: rules(*documents),
            **files,
        }
    )


async def share(reader: Any) -> dict[str, objects.Manifest]:
    """What comes beside the app."""
    found = await reader.share()
    return {key: each for key, each in found.items() if key != "ConfigMap shop/web"}


async def told(reader: Any) -> list[findings.Finding]:
    tools = judging.Tools(
        repository=reader.local, schemas=SOURCE, memo=reader.memo, kustomize=None
    )
    verdict = await offline.check_commit(names.Environment("dev"), reader.git.tip(), None, tools)
    return [each for each in verdict.findings if each.rule != "registration"]


async def test_a_marked_policy_is_delivered_unchanged_with_its_binding(repository_of: Any):
    written = policy(), rulebooks.binding()
    reader = app(repository_of, *written)
    found = await share(reader)
    assert [each.body for each in found.values()] == list(written)
    assert {each.bundle for each in found.values()} == {"policies"}
    assert {each.source.path for each in found.values()} == {RULE}
    assert await told(reader) == []


async def test_what_is_not_marked_stays_in_the_gate(repository_of: Any):
    other = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}}
    marked = policy("other", annotations={"fleetgate.dev/install": "yes"})
    bindings = rulebooks.binding(), rulebooks.binding("other")
    reader = app(repository_of, policy(annotations={}), marked, *bindings, other)
    assert await share(reader) == {}


async def test_parameters_go_along(repository_of: Any):
    taken = policy(paramKind={"apiVersion": "v1", "kind": "ConfigMap"})
    ref = {"paramRef": {"name": "settings", "parameterNotFoundAction": "Deny"}}
    settings = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "settings"},
        "data": {},
    }
    reader = app(repository_of, taken, rulebooks.binding(**ref), settings)
    assert set(await share(reader)) == {
        "ValidatingAdmissionPolicy.admissionregistration.k8s.io rule",
        "ValidatingAdmissionPolicyBinding.admissionregistration.k8s.io rule",
        "ConfigMap default/settings",
    }


async def test_a_binding_of_another_environment_installs_nothing_here(repository_of: Any):
    elsewhere = rulebooks.binding(environments="prod")
    assert await share(app(repository_of, policy(), elsewhere)) == {}


async def test_of_several_bindings_those_that_count_here_go(repository_of: Any):
    one = {**rulebooks.binding(environments="prod, dev"), "metadata": {"name": "here"}}
    two = {**rulebooks.binding(environments="prod"), "metadata": {"name": "there"}}
    one["metadata"]["annotations"] = {"fleetgate.dev/environments": "prod, dev"}
    two["metadata"]["annotations"] = {"fleetgate.dev/environments": "prod"}
    found = await share(app(repository_of, policy(), one, two))
    assert [each.key.name for each in found.values()] == ["rule", "here"]


async def test_a_list_hides_nothing(repository_of: Any):
    both = {"apiVersion": "v1", "kind": "List", "items": [policy(), rulebooks.binding()]}
    assert len(await share(app(repository_of, both))) == 2


async def test_a_bundle_that_claims_the_same_policy_is_refused(repository_of: Any):
    stripped = {**policy(), "metadata": {"name": "rule"}}
    twice = {"apps/web/policy.yaml": json.dumps(stripped)}
    reader = app(repository_of, policy(), rulebooks.binding(), **twice)
    (claimed,) = [each for each in await told(reader) if each.rule == "ownership"]
    assert "(bundle web)" in claimed.message


@pytest.mark.parametrize("resources", [["secrets"], ["*"], ["leases"]])
async def test_no_agent_is_locked_out_by_what_it_installs(
    resources: list[str], repository_of: Any
):
    wide = policy(matchConstraints=rulebooks.matching(resources=resources))
    reader = app(repository_of, wide, rulebooks.binding())
    (denied,) = [each for each in await told(reader) if each.rule == "install"]
    assert findings.refuses([denied])
    assert str(denied.place).startswith(f"{RULE}:")
    assert "namespaceSelector" in denied.hint


@pytest.mark.parametrize(
    "binding",
    [
        rulebooks.binding("rule", "Audit"),
        rulebooks.binding(
            matchResources={
                "namespaceSelector": {
                    "matchExpressions": [
                        {
                            "key": "kubernetes.io/metadata.name",
                            "operator": "NotIn",
                            "values": ["fleetgate-system"],
                        }
                    ]
                }
            }
        ),
    ],
)
async def test_what_leaves_the_agent_alone_may_be_wide(binding: Any, repository_of: Any):
    wide = policy(matchConstraints=rulebooks.matching(resources=["*"]))
    assert [e for e in await told(app(repository_of, wide, binding)) if e.rule == "install"] == []


async def test_the_gate_is_no_milder_than_the_cluster(repository_of: Any):
    fleet = repositories.FLEET.replace(
        "- name: dev", "- name: dev\n    policies: [{rule: rule, enforcement: warn}]", 1
    )
    bad = repositories.config_map().replace("word:", "password:")
    files = {
        "fleet.yaml": fleet,
        "apps/web/a.yaml": bad,
        "environments/dev/w.yaml": repositories.waiver_text(expires="2999-01-01"),
    }
    reader = app(repository_of, policy(), rulebooks.binding(), **files)
    (denied,) = [each for each in await told(reader) if each.rule == "rule"]
    assert denied.severity is findings.Severity.DENY
    assert "the clusters enforce it themselves" in denied.hint


@pytest.mark.parametrize(
    "odd",
    [
        {"kind": "ValidatingAdmissionPolicy", "metadata": None},
        {"kind": "ValidatingAdmissionPolicy", "metadata": {"annotations": []}},
        {"kind": "ValidatingAdmissionPolicyBinding", "spec": 1},
        {
            "kind": "ValidatingAdmissionPolicy",
            "metadata": {"annotations": MARK},
            "spec": {"paramKind": 1},
        },
        {"kind": "List", "items": [1, None, [], {"kind": []}]},
        {"kind": None, "metadata": {"annotations": {"fleetgate.dev/install": True}}},
    ],
)
async def test_what_is_malformed_installs_nothing(odd: Any, repository_of: Any):
    reader = app(repository_of, odd)
    assert await share(reader) == {}
    await told(reader)
