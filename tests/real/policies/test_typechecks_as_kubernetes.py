"""Our warnings about a policy beside those that Kubernetes' own controller writes into its status."""

import asyncio
import re
from typing import Any

import pytest

import rulebooks
from fleet.adapters import schemas
from fleet.adapters.kubernetes import access, cluster
from fleet.lab import clusters
from fleet.manifests import scopes
from fleet.manifests.schemas import validate
from fleet.model import names, objects
from fleet.policy import forms, policies, typechecks
from fleet.ports import cluster as ports

DEPLOYMENTS = rulebooks.matching(apiGroups=["apps"], apiVersions=["v1"], resources=["deployments"])
TEXTS = (
    "object.spec.replcas > 1",
    "object.spec.replicas > 'a'",
    "object.spec.replicas > 1",
    "object.metadata.namespace == 'a'",
    "object.metadata.__namespace__ == 'a'",
    "object.metadata.creationTimestamp == 'a'",
    "object.metadata.labels['a'] == 1",
    "object.kind == 1",
    "has(object.spec.nope)",
    "object.?spec.?nope.hasValue()",
    "oldObject == null || oldObject.spec.x == 1",
    "object.spec.template.metadata.labels.all(k, k == 1)",
    "object.spec.template.spec.containers[0].securityContext.privileged == 'x'",
    "object.spec.template.spec.containers.all(c, c.imge == '')",
    "object.spec.strategy.rollingUpdate.maxSurge == 1.5",
    "params.data.x == 1",
    "params.dta.x == '1'",
    "variables.v > 1",
    "variables.v > 'a'",
    "dyn(object).spec.zzz == 1",
    "object.spec['replicas'] == 1",
    "'spec' in object",
)
# Kubernetes hides fields whose schema has no single type, and calls each use of them wrong; here they are open.
ONLY_THERE = (
    "object.spec.template.spec.containers.all(c, c.resources.limits['cpu'] == '1')",
    "object.metadata.managedFields[0].fieldsV1.x == 1",
)
POLICY = rulebooks.policy(
    *TEXTS,
    *ONLY_THERE,
    name="typed",
    matchConstraints=DEPLOYMENTS,
    paramKind={"apiVersion": "v1", "kind": "ConfigMap"},
    variables=[{"name": "v", "expression": "object.spec.replicas"}],
)
_WARNING = re.compile(r"ERROR: <input>:1:\d+: (.*)")
_TYPE = re.compile(r"\w*Deployment\w*(\.\w+)*")


def text_of(field: str) -> str:
    index = int(re.findall(r"\d+", field)[0])
    return str(POLICY["spec"]["validations"][index]["expression"])


async def theirs(made: clusters.Cluster) -> dict[str, str]:
    port = cluster.ApiServer(access.found(made.kubeconfig))
    key = objects.key_of(POLICY)
    try:
        resource = (await port.discover()).resources[forms.API_GROUP, forms.POLICY]
        assert (await port.apply(resource, POLICY, force=True)).status is ports.Status.DONE
        while True:
            live = (await port.read(resource, key)).live or {}
            status = live.get("status") or {}
            if status.get("observedGeneration") == live["metadata"]["generation"]:
                break
            await asyncio.sleep(0.1)
        await port.delete(resource, key, uid=live["metadata"]["uid"])
    finally:
        await port.aclose()
    warnings = status["typeChecking"]["expressionWarnings"]
    return {text_of(each["fieldRef"]): _WARNING.findall(each["warning"])[0] for each in warnings}


async def ours() -> dict[str, str]:
    source = schemas.Packaged()
    definitions = await source.definitions("1.36") or {}
    made = validate.Schemas(
        version="1.36", source=source.identity, definitions=definitions, crds=[]
    )
    known = typechecks.Known(
        identity=made.identity, kinds=made.kinds, schema=made.schema, scopes=scopes.scopes([])
    )
    bound = policies.for_environment(
        rulebooks.parsed(POLICY, rulebooks.binding("typed")), names.Environment("dev")
    )
    found = typechecks.check(bound.policies["typed"], known)
    said = re.compile(r"of Deployment.apps: (.*) \(at character \d+\)")
    return {text_of(each.field[2]): said.findall(each.message)[0] for each in found}


def plain(warnings: dict[str, Any]) -> dict[str, str]:
    """Without the names that types have there and here."""
    names_of_ours = re.compile(r"object \w+")
    return {
        text: _TYPE.sub("object", names_of_ours.sub("object", said))
        for text, said in warnings.items()
    }


@pytest.mark.timeout(60, func_only=True)
async def test_the_same_expressions_are_warned_of(full_cluster: clusters.Cluster):
    wanted = plain(await theirs(full_cluster))
    assert all(wanted.pop(text) for text in ONLY_THERE)
    assert plain(await ours()) == wanted
    assert len(wanted) > 12
