"""Custom resources beside a real API server: the same verdict, the same words, the same completed object."""

import asyncio
import copy
import json
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

import builders
import definitions
from fleet.adapters.kubernetes import access, connection, requests
from fleet.lab import clusters
from fleet.policy.crds import customs

Body = dict[str, Any]
Wire = connection.Connection

CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
RESOURCES = f"/apis/{definitions.GROUP}/{definitions.VERSION}/namespaces/default"
AT_ONCE = 16
# Words of JSON Schema's own, which we say differently; the verdict is compared all the same.
OTHER_WORDS = ("in body must be", "in body should", "some validation rules were not checked")
FIELDS = {name: schema for name, (schema, _) in definitions.FIELDS.items()}
CRD = definitions.crd(
    FIELDS,
    definitions.rule("self.metadata.name != 'root'", message="not by this name"),
    definitions.rule("self.kind == 'Gadget' && self.apiVersion == 'example.com/v1'"),
)


def cases() -> Iterator[tuple[str, Body]]:
    for name, (_, values) in definitions.FIELDS.items():
        for value in values:
            yield name, definitions.resource(**{name: value})
    yield "root", definitions.resource("root")


async def posted(wire: Wire, path: str, body: Body) -> tuple[int, Body]:
    reply = await wire.ask(requests.Request(method="POST", path=path, body=body))
    return reply.status, {} if reply.status == 404 else json.loads(reply.body)


@pytest.fixture
async def wire(lab_clusters: Callable[[int], list[clusters.Cluster]]) -> AsyncIterator[Wire]:
    made = Wire(access.found(lab_clusters(1)[0].kubeconfig))
    yield made
    await made.close()


async def served(wire: Wire, crd: Body) -> None:
    status, answer = await posted(wire, CRDS, crd)
    assert status in (201, 409), answer["message"]
    kind = crd["spec"]["names"]
    for _ in range(200):
        probe = definitions.resource("probe", kind["kind"])
        status, _ = await posted(wire, f"{RESOURCES}/{kind['plural']}?dryRun=All", probe)
        if status in (201, 422):
            return
        await asyncio.sleep(0.05)
    raise AssertionError("the kind is not served")


def judge() -> customs.Schemas:
    return customs.Schemas(
        version="1.36", source="test", definitions={}, brought=customs.Customs([CRD])
    )


def said(answer: Body) -> set[str]:
    causes = answer.get("details", {}).get("causes", [])
    return {
        each["message"] if each["field"] == "<nil>" else f"{each['field']}: {each['message']}"
        for each in causes
        if not any(words in each["message"] for words in OTHER_WORDS)
    }


async def test_each_resource_is_judged_as_the_api_server_judges_it(wire: Wire):
    await served(wire, CRD)
    ours, gate = judge(), asyncio.Semaphore(AT_ONCE)
    seeing = customs.Customs([CRD])

    async def one(name: str, body: Body) -> str:
        async with gate:
            path = f"{RESOURCES}/gadgets?dryRun=All"
            status, answer = await posted(wire, path, body)
        manifest = builders.manifest(document=body)
        found = ours.validate(manifest)
        words = {each.message for each in found}
        theirs = said(answer)
        where = f"{name} {json.dumps(body['spec'])}: "
        if bool(found) is (status == 201):
            return f"{where}the server says {status} {answer.get('message')}, we say {words}"
        if not theirs <= words:
            return f"{where}the server says {theirs}, we say {words}"
        if status == 201 and answer["spec"] != seeing.judged(manifest)["spec"]:
            return f"{where}stored as {answer['spec']}, seen as {seeing.judged(manifest)['spec']}"
        return ""

    wrong = await asyncio.gather(*(one(*case) for case in cases()))
    assert not any(wrong), "\n".join(filter(None, wrong))


async def test_a_crd_is_refused_for_its_rules_as_the_api_server_refuses_it(wire: Wire):
    asked = [*definitions.UNSOUND.items(), *FIELDS.items()]

    async def one(name: str, schema: definitions.Schema) -> str:
        body = definitions.crd({"x": copy.deepcopy(schema)}, kind="Trinket")
        status, answer = await posted(wire, f"{CRDS}?dryRun=All", body)
        found = list(customs.of_definition(body, builders.manifest(document=body).source, ""))
        agrees = bool(found) is (status != 201)
        return "" if agrees else f"{name}: {status} {answer.get('message')}, we say {found}"

    wrong = await asyncio.gather(*(one(*each) for each in asked))
    assert not any(wrong), "\n".join(filter(None, wrong))
