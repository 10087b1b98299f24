"""The ready policies on a real API server: it takes in each of them, and judges Pods by the standards as they do."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

import libraries
from fleet.adapters.kubernetes import access, cluster
from fleet.lab import clusters
from fleet.model import names, objects
from fleet.policy import policies
from fleet.ports import cluster as ports

LABEL = "pod-security.kubernetes.io/enforce"
LEVELS = ("baseline", "restricted")
SOURCE = objects.Source(path="pod.yaml", line=1, blob=names.BlobId("0" * 40), index=0)


class Server:
    """Nothing of what is asked of it stays, but for Namespaces."""

    def __init__(self, port: cluster.ApiServer, known: ports.Discovery) -> None:
        self._port, self._known = port, known

    async def would(self, body: dict[str, Any]) -> ports.Answer:
        return await self._port.apply(self._resource(body), body, force=True, dry_run=True)

    async def make(self, body: dict[str, Any]) -> None:
        answer = await self._port.apply(self._resource(body), body, force=True)
        assert answer.status is ports.Status.DONE, answer.message

    def _resource(self, body: dict[str, Any]) -> ports.Resource:
        key = objects.key_of(body)
        return self._known.resources[key.group, key.kind]


@pytest.fixture
async def server(own_cluster: clusters.Cluster) -> AsyncIterator[Server]:
    port = cluster.ApiServer(access.found(own_cluster.kubeconfig))
    try:
        yield Server(port, await port.discover())
    finally:
        await port.aclose()


@pytest.mark.timeout(90, func_only=True)
async def test_an_api_server_takes_in_each_of_them(server: Server) -> None:
    answers = [(each, await server.would(dict(each.value))) for each in libraries.rules()]
    assert len(answers) > 60
    refused = {
        f"{each.source.path}: {each.value['kind']}": answer.message
        for each, answer in answers
        if answer.status is not ports.Status.DONE
    }
    assert refused == {}


def pods(level: str) -> list[tuple[str, dict[str, Any]]]:
    """The pods of all examples of that level, as Pods. No Pod begins with ephemeral containers."""
    folder = libraries.ROOT / f"pod-security-{level}" / "tests"
    found = []
    for path in sorted(folder.glob("*/*.yaml")):
        for value, _ in libraries.documents(path):
            pod = pod_of(value)
            if not pod["spec"].get("ephemeralContainers"):
                found.append((f"{path.stem}/{value['metadata']['name']}", pod))
    return found


def pod_of(value: dict[str, Any]) -> dict[str, Any]:
    where = value if value["kind"] == "Pod" else value.get("template") or value["spec"]
    where = where.get("jobTemplate", {}).get("spec", where)
    template = where.get("template", where)
    metadata = {"name": value["metadata"]["name"]}
    if annotations := template.get("metadata", {}).get("annotations"):
        metadata["annotations"] = annotations
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]}


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.timeout(90, func_only=True)
async def test_its_own_admission_says_the_same_of_every_pod(server: Server, level: str) -> None:
    space = f"library-{level}"
    labels = {LABEL: level}
    await server.make(
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": space, "labels": labels}}
    )
    account = {"name": "default", "namespace": space}
    await server.make({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": account})
    library = libraries.library(f"pod-security-{level}")
    compared = {True: 0, False: 0}
    for name, pod in pods(level):
        pod["metadata"]["namespace"] = space
        answer = await server.would(pod)
        if answer.status is ports.Status.INVALID and "PodSecurity" not in answer.message:
            continue  # it is no Pod at all, whatever its level
        is_denied = bool(denied(library, pod, {space: labels}))
        assert is_denied is (answer.status is ports.Status.DENIED), f"{name}: {answer.message}"
        compared[is_denied] += 1
    assert compared[True] > 20
    assert compared[False] > 8


def denied(
    library: policies.PolicySet, pod: dict[str, Any], spaces: dict[str, dict[str, str]]
) -> list[str]:
    return [each.message for each in libraries.judged(library, pod, SOURCE, spaces=spaces)]
