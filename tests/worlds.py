"""The real shells in the simulated world, and a small fleet repository for them."""

import asyncio
import contextlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from fleet.agent import enrolment
from fleet.agent import loop as agent_loop
from fleet.agent import state as agents
from fleet.hub import loop as hub_loop
from fleet.hub import state as hubs
from fleet.hub.desk import answers, people
from fleet.judge import judging
from fleet.model import ledger, messages, names, objects
from fleet.ports import schemas
from fleet.protocol import encoding, keys
from fleet.simulation import book as shelves
from fleet.simulation import cluster, faults, memo, repository, world

HUB_KEY = keys.generate()
ROOT = Path(__file__).parents[1]
ENVIRONMENTS = ("dev", "staging", "prod")
CANARY = {"fleetgate.dev/canary": "true"}
WEB = "apps/hello/web.yaml"
GREETING = "apps/hello/greeting.yaml"
BINDING = "policies/disallow-latest-tag/policy.yaml"
_FLEET = """apiVersion: fleetgate.dev/v1alpha1
kind: Fleet
metadata:
  name: small
spec:
  environments:
    - name: dev
    - name: staging
{gates}    - name: prod
"""
DEPLOYMENT = objects.Key(group="apps", kind="Deployment", namespace="hello", name="web")
CONFIG = objects.Key(group="", kind="ConfigMap", namespace="hello", name="greeting")
NAMESPACE = objects.Key(group="", kind="Namespace", namespace="", name="hello")


class Silent:
    """Telemetry that nobody listens to."""

    def span(
        self, name: str, attributes: Mapping[str, str], parent: str = ""
    ) -> contextlib.AbstractContextManager[str]:
        del name, attributes, parent
        return contextlib.nullcontext("")

    def count(self, name: str, attributes: Mapping[str, str], amount: int = 1) -> None: ...

    def gauge(self, name: str, attributes: Mapping[str, str], value: float) -> None: ...

    def exposition(self) -> bytes:
        return b""


class AnyShape:
    """Schemas that know the kinds of the small fleet and ask nothing of them, so that a run costs little."""

    identity = "any shape"

    def versions(self) -> tuple[str, ...]:
        return ("1.36",)

    async def definitions(self, version: str) -> Mapping[str, Any] | None:
        if version not in self.versions():
            return None
        kinds = [("", "v1", "ConfigMap"), ("", "v1", "Namespace"), ("", "v1", "Service"), ("", "v1", "Secret"),
                 ("apps", "v1", "Deployment"), ("apiextensions.k8s.io", "v1", "CustomResourceDefinition")]  # fmt: skip
        gvk = "x-kubernetes-group-version-kind"
        return {
            kind: {"type": "object", gvk: [{"group": group, "version": at, "kind": kind}]}
            for group, at, kind in kinds
        }


def read_before(shapes: schemas.SchemaSource) -> None:
    """Read what a source reads in a thread, which virtual time would not wait for."""
    asyncio.run(_definitions(shapes))


async def _definitions(shapes: schemas.SchemaSource) -> None:
    await shapes.definitions("1.36")


def hub(
    shapes: schemas.SchemaSource | None = None,
    *,
    change: Callable[[hubs.Hub], None] = lambda _: None,
    settings: hubs.Settings | None = None,
) -> world.HubFactory:
    """`change` may spoil the hub before it runs: a mutant."""

    def made(ports: world.HubPorts) -> world.HubLife:
        here = hubs.Hub(
            tools=judging.Tools(
                repository=ports.repository,
                schemas=shapes or AnyShape(),
                memo=ports.memo,
                kustomize=None,
            ),
            repository=ports.repository,
            book=ports.book,
            clock=ports.clock,
            telemetry=Silent(),
            key=HUB_KEY,
            session=ports.session,
            settings=settings or hubs.Settings(poll_interval=2.0),
        )
        change(here)
        return world.HubLife(
            run=lambda: hub_loop.run(here),
            desk=answers.Desk(here),
            ask=lambda command, arguments: people.answer(here, command, arguments),
        )

    return made


def agent(
    *,
    port: Callable[[cluster.Client, str], Any] = lambda client, _: client,
    settings: agents.Settings | None = None,
) -> world.AgentFactory:
    """`port` may put something between the agent (by the name of its process) and its API server: a mutant."""

    async def run(ports: world.AgentPorts) -> None:
        api = port(ports.cluster, ports.name)
        enrolled = await enrolment.read(api)
        here = agents.Agent(
            identity=enrolled.identity,
            key=enrolled.key,
            cluster=api,
            link=ports.link,
            clock=ports.clock,
            telemetry=Silent(),
            name=ports.name,
            chance=ports.chance,
            settings=settings or agents.Settings(),
        )
        await agent_loop.run(here)

    return run


def files(gates: str = "") -> dict[str, bytes]:
    """The example app of this project with one of its policies, and what is written of staging's gates."""
    found = {"fleet.yaml": _FLEET.format(gates=gates).encode()}
    for folder, here in (
        ("deploy/apps/hello", "apps/hello"),
        ("policies/disallow-latest-tag",) * 2,
    ):
        for path in sorted((ROOT / folder).glob("*.yaml")):
            found[f"{here}/{path.name}"] = path.read_bytes()
    return found


def small(
    hub_factory: world.HubFactory | None = None,
    agent_factory: world.AgentFactory | None = None,
    *,
    gates: str = "",
) -> world.World:
    """Three branches that say the same, and a hub that does not run yet."""
    here = world.World(hub_factory or hub(), agent_factory or agent())
    here.remote.start("dev", files(gates))
    for name in ENVIRONMENTS[1:]:
        here.remote.branch(name, at="dev")
    return here


async def enroll(
    here: world.World,
    name: str,
    environment: str,
    labels: Mapping[str, str] | None = None,
    *,
    pinned: str = "",
    **more: Any,
) -> str:
    """Its Cluster document; the API server is made if there is none."""
    member = here.members.get(name) or here.add_cluster(name)
    document = await enrolment.enroll(
        member.people("fleet-cli"),
        name=names.Cluster(name),
        environment=names.Environment(environment),
        hub_url="http://hub",
        hub_key=HUB_KEY.public,
        labels=dict(labels or {}),
        trust=pinned,
    )
    return json.dumps({**document, "spec": {**document["spec"], **more}})


async def register(
    here: world.World,
    name: str,
    environment: str,
    labels: Mapping[str, str] | None = None,
    **more: Any,
) -> world.Member:
    """Enrolled, committed, and its agent runs."""
    document = await enroll(here, name, environment, labels, **more)
    here.remote.commit(environment, {path_of(environment, name): document}, f"Register {name}")
    here.members[name].agent.start()
    return here.members[name]


def person(here: world.World) -> judging.Tools:
    """Somebody's own tools, on a clone of the remote."""
    alone = faults.Process(name="person")
    return judging.Tools(
        repository=repository.Repository(here.remote, {}, alone),
        schemas=AnyShape(),
        memo=memo.Memo({}, alone),
        kustomize=None,
        clock=here.clock,
    )


def path_of(environment: str, cluster: str) -> str:
    return f"clusters/{environment}/{cluster}.yaml"


def promote(here: world.World, source: str, target: str) -> names.CommitId:
    return here.remote.merge(source, target, takes=is_shared)


def is_shared(path: str) -> bool:
    return not path.startswith(("clusters/", "environments/", "trust/"))


def with_image(here: world.World, branch: str, tag: str) -> names.CommitId:
    """A commit that changes the tag of the one image."""
    before, _, after = here.remote.read(branch, WEB).decode().partition("hello/web:")
    text = f"{before}hello/web:{tag}\n{after.partition(chr(10))[2]}"
    return here.remote.commit(branch, {WEB: text}, f"hello {tag}")


def image(here: world.World, cluster: str) -> str:
    """Without its digest."""
    live = here.members[cluster].server.held.get(DEPLOYMENT)
    written = live["spec"]["template"]["spec"]["containers"][0]["image"] if live else ""
    return written.partition("@")[0]


def book(here: world.World) -> ledger.Ledger:
    """What the hub's disk says."""
    pages = here.shelf.synced
    known = _READ.get(here)
    if known is None or known[0] != (id(pages), pages.writes):
        known = _READ[here] = (id(pages), pages.writes), _ledger(pages)
    return known[1]


_READ: WeakKeyDictionary[world.World, tuple[tuple[int, int], ledger.Ledger]] = WeakKeyDictionary()


def _ledger(pages: shelves.Pages) -> ledger.Ledger:
    found = ledger.Ledger()
    for (kind, _), value in pages.rows.items():
        row = _ROWS.get(value)
        if row is None:
            row = _ROWS[value] = encoding.decode(ledger.KINDS[kind], value)
        found.take(row)
    while len(_ROWS) > 20_000:
        _ROWS.clear()
    return found


_ROWS: dict[bytes, ledger.Row] = {}  # equal bytes, equal rows


def decision(here: world.World, environment: str) -> ledger.Decision | None:
    found = book(here).environments.get(names.Environment(environment))
    return found.decision if found else None


def is_accepted(here: world.World, environment: str) -> bool:
    """The tip of the branch is accepted."""
    found = decision(here, environment)
    tip = here.remote.branches[environment]
    return found is not None and (found.commit, found.verdict) == (tip, ledger.Verdict.ACCEPTED)


def is_healthy(here: world.World, environment: str) -> bool:
    """Accepted, and every cluster of the environment has reported this release healthy."""
    if not is_accepted(here, environment):
        return False
    read = book(here)
    release = read.in_force(names.Environment(environment))
    clusters = [
        c for c in read.clusters.values() if c.environment == environment and not c.retired
    ]
    return release is not None and all(_is_well(c.report, release) for c in clusters)


def _is_well(report: messages.Report | None, release: ledger.Release) -> bool:
    if report is None or report.release != release.number:
        return False
    return report.applied and report.health.value == "Current"
