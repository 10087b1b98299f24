"""Our schema verdict beside a real API server's, on every object of the corpus and on damaged copies of each."""

import asyncio
import copy
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

import corpora
import repositories
from fleet.adapters import schemas
from fleet.adapters.git import working
from fleet.adapters.kubernetes import access, cluster
from fleet.adapters.store import memo
from fleet.cli import wiring
from fleet.converge import stages
from fleet.judge import judging
from fleet.local import offline
from fleet.manifests.schemas import validate
from fleet.model import names, objects
from fleet.ports import cluster as ports

VERSION = "1.36"
BOUTIQUE = "/apps/online-boutique"
# Each part of the corpus that is an application by itself, in a namespace of its own where it names none.
PARTS = {
    "podinfo-one": "/apps/podinfo/kustomize",
    "podinfo-dev": "/apps/podinfo/deploy/overlays/dev",
    "podinfo-staging": "/apps/podinfo/deploy/overlays/staging",
    "podinfo-production": "/apps/podinfo/deploy/overlays/production",
    "podinfo-webapp": "/apps/podinfo/deploy/webapp",
    "podinfo-secure": "/apps/podinfo/deploy/secure",
    "boutique-base": f"{BOUTIQUE}/kustomize",
    "boutique-release": f"{BOUTIQUE}/release",
    "boutique-memorystore": f"{BOUTIQUE}/kustomize/tests/memorystore-with-all-components",
    "boutique-istio": f"{BOUTIQUE}/kustomize/tests/service-mesh-istio-with-all-components",
    "boutique-spanner": f"{BOUTIQUE}/kustomize/tests/spanner-with-all-components",
    "monitoring": "/apps/kube-prometheus/manifests",
}
# Kinds whose definitions the corpus does not bring.
UNKNOWN = {
    "Certificate.cert-manager.io", "ClusterIssuer.cert-manager.io",
    "Gateway.gateway.networking.k8s.io", "HTTPRoute.gateway.networking.k8s.io",
    "ServiceEntry.networking.istio.io", "VirtualService.networking.istio.io",
}  # fmt: skip


Place = tuple[Any, ...]  # of keys and numbers, down to one value


@dataclass(frozen=True)
class Sample:
    """The corpus as one cluster would run it, with what judges it on both sides."""

    manifests: tuple[objects.Manifest, ...]
    schemas: validate.Schemas
    wrong: frozenset[objects.Key]  # by our schema, as the whole line said
    port: cluster.ApiServer
    resources: ports.Discovery

    def is_clean(self, manifest: objects.Manifest) -> bool:
        return not self.schemas.validate(manifest)

    async def accepts(self, manifest: objects.Manifest) -> str:
        """ "" or why the API server does not."""
        resource = self.resources.resources.get((manifest.key.group, manifest.key.kind))
        if resource is None:
            return "not served"
        answer = await self.port.apply(resource, manifest.body, force=True, dry_run=True)
        done = answer.status is ports.Status.DONE
        return "" if done else f"{answer.status.value}: {answer.message}"

    async def verdicts(self, asked: list[objects.Manifest]) -> list[str]:
        gate = asyncio.Semaphore(16)

        async def one(manifest: objects.Manifest) -> str:
            async with gate:
                return await self.accepts(manifest)

        return await asyncio.gather(*(one(each) for each in asked))


@pytest.fixture
async def sample(tmp_path: Path, shared: Path, _ground: Any) -> AsyncIterator[Sample]:
    judged = await _judged(tmp_path, shared)
    manifests = judged.manifests[names.Cluster("dev-1")]
    source = schemas.Packaged()
    definitions = await source.definitions(VERSION)
    assert definitions is not None
    crds = [each.body for each in manifests if _kind(each) == stages.CRD]
    wrong = {each.subject for each in judged.findings if each.rule == "schema"}
    (place,) = _ground.started(["corpus-light"])
    async with cluster.ApiServer(access.found(place.kubeconfig)) as port:
        yield Sample(
            manifests=manifests,
            schemas=validate.Schemas(
                version=VERSION, source=source.identity, definitions=definitions, crds=crds
            ),
            wrong=frozenset(each.key for each in manifests if str(each.key) in wrong),
            port=port,
            resources=await _prepared(port, manifests),
        )


async def _judged(folder: Path, shared: Path) -> judging.Judged:
    files = {
        path: data
        for name in ("podinfo", "online-boutique", "kube-prometheus")
        for path, data in corpora.read(shared, name).items()
    }
    for name, path in PARTS.items():
        spec = f"{{path: {path}, namespace: {name}}}"
        files[f"bundles/{name}/bundle.yaml"] = repositories.bundle_text(name, spec).encode()
    git = repositories.Git(folder / "fleet")
    own = {"fleet.yaml": repositories.FLEET, "clusters/dev/1.yaml": repositories.cluster_text()}
    git.commit({**files, **own})
    remembered = memo.Memo(folder / "memo.sqlite")
    tools = judging.Tools(
        repository=working.Local(git.folder),
        schemas=schemas.Packaged(),
        memo=remembered,
        kustomize=await asyncio.to_thread(wiring.renderer_of, None),
    )
    try:
        verdict = await offline.check_commit(names.Environment("dev"), git.tip(), None, tools)
    finally:
        remembered.close()
    assert {each.rule for each in verdict.findings} <= {"schema", "registration"}
    return verdict.judged


async def _prepared(
    port: cluster.ApiServer, manifests: tuple[objects.Manifest, ...]
) -> ports.Discovery:
    """Namespaces and CRDs are really there: without them the API server would judge nothing."""
    found = await port.discover()
    spaces = {each.key.namespace for each in manifests} - {""}
    bodies = [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": each}} for each in spaces
    ]
    bodies += [dict(each.body) for each in manifests if _kind(each) == stages.CRD]
    for body in bodies:
        key = objects.key_of(body)
        answer = await port.apply(found.resources[key.group, key.kind], body, force=True)
        assert answer.status is ports.Status.DONE, answer.message
    wanted = {
        (each.body["spec"]["group"], each.body["spec"]["names"]["kind"])
        for each in manifests
        if _kind(each) == stages.CRD
    }
    while not wanted <= found.resources.keys():
        await asyncio.sleep(0.2)
        found = await port.discover()
    return found


def _kind(manifest: objects.Manifest) -> tuple[str, str]:
    return manifest.key.group, manifest.key.kind


async def test_what_we_call_clean_an_api_server_accepts(sample: Sample):
    said = await sample.verdicts(list(sample.manifests))
    refused = {str(each.key): why for each, why in zip(sample.manifests, said, strict=True) if why}
    assert len(sample.manifests) == 456
    assert {str(each) for each in sample.wrong} == refused.keys()
    assert {each.partition(" ")[0] for each in refused} == UNKNOWN
    assert set(refused.values()) == {"not served"}


async def test_damaged_copies_are_refused_by_both(sample: Sample):
    known = [each for each in sample.manifests if each.key not in sample.wrong]
    damaged = [(place, copied) for each in known for place, copied in _damaged(each)]
    said = await sample.verdicts([copied for _, copied in damaged])
    judged = [
        (each.key.name, place, sample.is_clean(each), not why)
        for (place, each), why in zip(damaged, said, strict=True)
    ]
    assert len(judged) > 2500
    assert {(name, place) for name, place, ours, theirs in judged if theirs and not ours} == set()
    missed = [(name, place) for name, place, ours, theirs in judged if ours and not theirs]
    # That a default fits the schema around it is seen by the API server alone.
    assert {place[-1] for _, place in missed} == {"default"}
    assert sorted(name for name, _ in missed) == [
        "scrapeconfigs.monitoring.coreos.com",
        "scrapeconfigs.monitoring.coreos.com",
        "servicemonitors.monitoring.coreos.com",
    ]


def _damaged(manifest: objects.Manifest) -> Iterator[tuple[Place, objects.Manifest]]:
    """A field too many, and some values of another type, from the first to the last."""
    for place in ((), ("spec",)):
        if isinstance(_at(manifest.body, place), dict):
            more = (*place, "fleetKnowsNot")
            yield more, _with(manifest, more, "x")
    leaves = [
        each
        for each in _leaves(manifest.body)
        if each[0] not in ("apiVersion", "kind", "metadata")
    ]
    for step in range(0, len(leaves), max(1, len(leaves) // 6)):
        yield leaves[step], _with(manifest, leaves[step], {"a": {"b": "c"}})


def _leaves(value: Any, place: Place = ()) -> Iterator[Place]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _leaves(inner, (*place, key))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _leaves(inner, (*place, number))
    else:
        yield place


def _at(value: Any, place: Place) -> Any:
    for step in place:
        value = value.get(step) if isinstance(value, dict) else value[step]
    return value


def _with(manifest: objects.Manifest, place: Place, value: Any) -> objects.Manifest:
    body = copy.deepcopy(dict(manifest.body))
    _at(body, place[:-1])[place[-1]] = value
    return replace(manifest, body=body)
