"""The whole line for tests: a git repository as people use it, a hub with its HTTP server, agents at API servers.

Hub and agents run in the test's own loop, wired as the command line wires them, so a test may look at all they know.
"""

import asyncio
import contextlib
import inspect
import json
import shutil
import textwrap
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import repositories
from fleet.adapters import clock, telemetry
from fleet.adapters.git import mirror
from fleet.adapters.http import admin, client, limits, server
from fleet.adapters.kubernetes import access, cluster, connection, credentials, requests
from fleet.agent import enrolment
from fleet.agent import loop as agent_loop
from fleet.agent import state as agents
from fleet.cli import documents, hosting, wiring
from fleet.converge import inventory
from fleet.hub import loop as hub_loop
from fleet.hub import state as hubs
from fleet.hub.desk import answers, people, standing
from fleet.lab import clusters
from fleet.model import ledger, names
from fleet.protocol import keys

Found = TypeVar("Found")
Files = Mapping[str, str | bytes | None]

_PATIENCE = 40.0  # seconds, also on a machine that has much else to do
_SETTINGS = hubs.Settings(shortest_interval=0.02)
_OWN = f"/api/v1/namespaces/{inventory.NAMESPACE}"
_LEASES = f"/apis/coordination.k8s.io/v1/namespaces/{inventory.NAMESPACE}/leases"
POLICY = """
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: polite}
spec:
  failurePolicy: Fail
  matchConstraints:
    resourceRules:
    - {apiGroups: [""], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [configmaps]}
  validations:
  - expression: "!has(object.data) || !('word' in object.data) || object.data.word != 'rude'"
    message: be polite
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: polite}
spec: {policyName: polite, validationActions: [Deny]}
"""


def fleet_yaml(*environments: str, stale_after: int = 300, share: float = 0.5) -> str:
    listed = "".join(
        f"  - name: {name}\n"
        f"    guard: {{maxDeletedShare: {share}}}\n"
        f"    health: {{staleAfter: {stale_after}}}\n"
        for name in environments
    )
    head = "apiVersion: fleetgate.dev/v1alpha1\nkind: Fleet\nmetadata: {name: example}\n"
    return f"{head}spec:\n  environments:\n{listed}"


def namespace_text(name: str) -> str:
    return f"apiVersion: v1\nkind: Namespace\nmetadata: {{name: {name}}}\n"


def permit_text(spec: str) -> str:
    head = "apiVersion: fleetgate.dev/v1alpha1\nkind: Permit\nmetadata: {name: leave}\nspec:\n"
    spec = f"reason: a test\nexpires: 2999-01-01T00:00:00Z\n{textwrap.dedent(spec)}"
    return head + textwrap.indent(spec, "  ")


class Wire(connection.Connection):
    """Remembers what an API server was asked, watches included; `fault` may refuse a request before it is sent."""

    def __init__(self, found: credentials.Access) -> None:
        super().__init__(found)
        self.asked: list[tuple[str, str]] = []
        self.fault: Callable[[requests.Request], None] = lambda _: None

    async def ask(self, request: requests.Request) -> connection.Reply:
        self.asked.append((request.method, request.path))
        self.fault(request)
        return await super().ask(request)

    @contextlib.asynccontextmanager
    async def stream(self, request: requests.Request) -> AsyncIterator[connection.Stream]:
        self.asked.append(("WATCH", request.path))
        self.fault(request)
        async with super().stream(request) as found:
            yield found

    def sent(self, *methods: str) -> list[str]:
        """The paths, without their queries."""
        return [path.partition("?")[0] for method, path in self.asked if method in methods]


class Between(client.Link):
    """The line to the hub with somebody on it, who sees and may change what a poll brings."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.seen: list[bytes] = []
        self.sent: list[tuple[str, bytes]] = []
        self.tamper: Callable[[bytes | None], bytes | None] = lambda data: data

    async def poll(self, envelope: bytes) -> bytes | None:
        self.sent.append(("v1/poll", envelope))
        found = await super().poll(envelope)
        if found is not None:
            self.seen.append(found)
        return self.tamper(found)

    async def fetch(self, envelope: bytes) -> bytes | None:
        self.sent.append(("v1/fetch", envelope))
        return await super().fetch(envelope)

    async def report(self, envelope: bytes) -> int:
        self.sent.append(("v1/report", envelope))
        return await super().report(envelope)


class Owner:
    """Somebody with all rights in a cluster, past fleet."""

    def __init__(self, kubeconfig: Path) -> None:
        self.port = cluster.ApiServer(access.found(kubeconfig))

    async def ask(self, method: str, path: str, body: Any = None, kind: str = requests.JSON):
        request = requests.Request(method=method, path=path, body=body, type=kind)
        reply = await self.port._wire.ask(request)
        return reply.status, json.loads(reply.body or b"null")

    async def read(self, path: str) -> dict[str, Any] | None:
        status, found = await self.ask("GET", path)
        assert status in (200, 404), found
        return found if status == 200 else None

    async def must(self, method: str, path: str, body: Any = None, kind: str = requests.JSON):
        status, found = await self.ask(method, path, body, kind)
        assert status < 300, found
        return found

    async def merge(self, path: str, change: Any, manager: str = "hand") -> dict[str, Any]:
        """As `kubectl patch` or `kubectl edit` would."""
        kind = "application/merge-patch+json"
        return await self.must("PATCH", f"{path}?fieldManager={manager}", change, kind)

    async def own(self, path: str, body: Any, manager: str) -> dict[str, Any]:
        """As another controller would, by server-side apply."""
        return await self.must(
            "PATCH", f"{path}?fieldManager={manager}&force=true", body,
            "application/apply-patch+yaml",
        )  # fmt: skip

    async def make(self, namespace: str, name: str, word: str, **labels: str) -> dict[str, Any]:
        """A ConfigMap that fleet did not create, with its Namespace."""
        await self.ask("POST", "/api/v1/namespaces", {"metadata": {"name": namespace}})
        body = {"metadata": {"name": name, "labels": labels}, "data": {"word": word}}
        return await self.must("POST", f"/api/v1/namespaces/{namespace}/configmaps", body)

    async def forget_fleet(self) -> None:
        """As if no agent had ever been there; what agents made stays, as objects of nobody."""
        for path in (f"{_OWN}/secrets", _LEASES):
            await self.must("DELETE", path)

    async def close(self) -> None:
        await self.port.aclose()


@dataclass
class Station:
    """One cluster with its agent, which can be stopped and started anew."""

    name: names.Cluster
    environment: names.Environment
    kubeconfig: Path
    owner: Owner
    ground: str  # the lab's name for it
    document: str = ""
    enrolled: enrolment.Enrolled | None = None
    state: agents.Agent | None = None
    wire: Wire | None = None
    link: Between | None = None
    task: "asyncio.Task[None] | None" = None

    @property
    def agent(self) -> agents.Agent:
        assert self.state is not None
        return self.state

    @property
    def asked(self) -> Wire:
        assert self.wire is not None
        return self.wire

    @property
    def between(self) -> Between:
        assert self.link is not None
        return self.link

    async def start(self) -> None:
        port = cluster.ApiServer(found := access.found(self.kubeconfig))
        port._wire = self.wire = Wire(found)
        self.enrolled = enrolled = self.enrolled or await enrolment.read(port)
        self.link = Between(enrolled.hub_url)
        self.state = agents.Agent(
            identity=enrolled.identity,
            key=enrolled.key,
            cluster=port,
            link=self.link,
            clock=clock.SystemClock(),
            telemetry=telemetry.Silent(),
            name=f"{self.name}-{time.monotonic_ns()}",
            settings=agents.Settings(
                poll_wait=20,
                shortest_pause=0.05,
                longest_pause=0.5,
                hub_pause=0.5,  # however long a busy machine needs until the hub knows it
                cluster_pause=2.0,
                report_pause=0.02,
                log_pause=0.2,
            ),
        )
        self.task = asyncio.create_task(agent_loop.run(self.state), name=f"agent {self.name}")

    async def stop(self) -> None:
        task, self.task = self.task, None
        try:
            if task is not None:
                await _ended(task)
        finally:
            for line in (self.wire, self.link):
                if line is not None:
                    await line.close()

    def word(self, namespace: str, name: str) -> Callable[[], Awaitable[str | None]]:
        """What the live ConfigMap says."""

        async def read() -> str | None:
            found = await self.live(namespace, name)
            return found["data"]["word"] if found else None

        return read

    def touched(self, *methods: str) -> list[str]:
        """What the agent wrote or deleted, besides what it keeps for itself."""
        sent = self.asked.sent(*(methods or ("PATCH", "POST", "PUT", "DELETE")))
        return [path for path in sent if not path.startswith((_OWN, _LEASES))]

    def deleted(self) -> list[str]:
        return self.touched("DELETE")

    async def live(self, namespace: str, name: str) -> dict[str, Any] | None:
        return await self.owner.read(config_path(namespace, name))


def config_path(namespace: str, name: str) -> str:
    return f"/api/v1/namespaces/{namespace}/configmaps/{name}"


@dataclass
class Line:
    folder: Path
    ground: Callable[[int], list[clusters.Cluster]]
    namespace: str  # of this test alone, since clusters are used again
    environments: tuple[str, ...] = ("dev",)
    settings: hubs.Settings = _SETTINGS
    stations: dict[str, Station] = field(default_factory=dict)
    hub: Any = None  # the hub's state while it runs
    port: int = 0
    _git: repositories.Git | None = None
    _running: contextlib.AsyncExitStack | None = None
    _task: "asyncio.Task[None] | None" = None

    # The repository.

    @property
    def git(self) -> repositories.Git:
        assert self._git is not None
        return self._git

    @property
    def origin(self) -> Path:
        return self.folder / "fleet.git"

    @property
    def state(self) -> wiring.StateFolder:
        return wiring.StateFolder(root=self.folder / "hub")

    async def open(self, *environments: str, fleet: str = "", files: Files | None = None) -> None:
        """A repository with these environments and one app of two ConfigMaps, and a hub over it."""
        self.environments = environments or ("dev",)
        first, *others = self.environments
        self._git = repositories.Git(self.folder / "fleet", first)
        text = fleet or fleet_yaml(*self.environments)
        policy = {"policies/polite.yaml": POLICY}
        self.git.commit({"fleet.yaml": text, **policy, **self.app(), **(files or {})}, "the fleet")
        for branch in others:
            self.git.run("branch", branch)
        head = f"--initial-branch={first}"
        self.git.run("init", "--quiet", "--bare", head, str(self.origin))
        self.git.run("remote", "add", "origin", str(self.origin))
        self.git.run("push", "--quiet", "origin", *self.environments)
        await self.start_hub()

    def app(self, **words: str) -> Files:
        words = {"a": "hello", "b": "world"} | words
        made = {
            f"apps/web/{name}.yaml": self.config_map(name, word) for name, word in words.items()
        }
        space = {"apps/web/namespace.yaml": namespace_text(self.namespace)}
        return {"apps/web/bundle.yaml": repositories.bundle_text(), **space, **made}

    def config_map(self, name: str, word: str) -> str:
        return repositories.config_map(name, self.namespace, word)

    def config_path(self, name: str) -> str:
        return config_path(self.namespace, name)

    def commit(
        self, files: Files | None = None, branch: str = "dev", message: str = "a change"
    ) -> names.CommitId:
        """Committed and pushed; the hub hears of it at once."""
        self.git.run("switch", "--quiet", branch)
        self.git.commit(files or {}, message)
        return self.push(branch)

    def push(self, *branches: str, force: bool = False) -> names.CommitId:
        options = ("--force",) if force else ()
        whole = [f"refs/heads/{branch}:refs/heads/{branch}" for branch in branches]
        self.git.run("push", "--quiet", *options, "origin", *whole)
        self.nudge()
        return self.git.tip(f"refs/heads/{branches[-1]}")

    def remote(self, *words: str) -> str:
        """git in the bare repository, as on its host."""
        found = self.git.run("-C", str(self.origin), *words)
        self.nudge()
        return found

    def nudge(self) -> None:
        if self.hub is not None:
            self.hub.fetch_now = True
            self.hub.wake.set()

    # The hub.

    async def start_hub(self) -> None:
        stack = contextlib.AsyncExitStack()
        options = hosting.HubOptions(
            repo=str(self.origin),
            folder=self.state,
            access=mirror.Access(),
            kustomize=None,
            hub=self.settings,
        )
        self.hub = await stack.enter_async_context(hosting.hub(options, telemetry.Silent()))
        bounds = limits.Limits(stop_seconds=0.05)  # polls that are held open end with the test
        web = server.Server(answers.Desk(self.hub), f"127.0.0.1:{self.port}", bounds=bounds)
        self.port = await web.start()
        stack.push_async_callback(web.stop)
        hub = self.hub
        await stack.enter_async_context(
            admin.serve(
                self.state.socket, lambda asked, given, by: people.answer(hub, asked, given, by)
            )
        )
        self._task = asyncio.create_task(hub_loop.run(self.hub), name="hub")
        self._running = stack

    async def stop_hub(self) -> None:
        if self._task is not None and self._running is not None:
            try:
                await _ended(self._task)
            finally:
                await self._running.aclose()
        self._task = self._running = self.hub = None

    def save_hub(self, name: str) -> None:
        """A copy of the state folder of a stopped hub, as a backup has it."""
        shutil.copytree(self.state.root, self.folder / name)

    def restore_hub(self, name: str) -> None:
        shutil.rmtree(self.state.root)
        shutil.copytree(self.folder / name, self.state.root)

    def lose_book(self) -> None:
        for path in self.state.root.glob("book.sqlite*"):
            path.unlink()

    def lose_mirror(self) -> None:
        shutil.rmtree(self.state.mirror)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def rows(self) -> ledger.Ledger:
        return self.hub.ledger

    async def ask(self, command: str, **arguments: Any) -> dict[str, Any]:
        return await admin.ask(self.state.socket, command, arguments)

    def decision(self, environment: str = "dev") -> ledger.Decision | None:
        here = self.rows.environments.get(names.Environment(environment))
        return here.decision if here else None

    async def decided(self, commit: str, environment: str = "dev") -> ledger.Decision:
        """The decision on this very commit."""

        def found() -> ledger.Decision | None:
            decision = self.decision(environment)
            return decision if decision and decision.commit == commit else None

        return await self.until(f"{environment} decides on {commit[:10]}", found)

    async def judged(self, commit: str, verdict: str, environment: str = "dev"):
        """The decision on this commit, once it is so."""

        def found() -> ledger.Decision | None:
            decision = self.decision(environment)
            is_it = decision and (decision.commit, decision.verdict.value) == (commit, verdict)
            return decision if is_it else None

        return await self.until(f"{environment}: {commit[:10]} is {verdict}", found)

    async def healthy(self, commit: str, environment: str = "dev") -> ledger.Release:
        """The release of this commit, once all its waves are out and good, and every agent that runs has it."""

        def found() -> ledger.Release | None:
            release = self.rows.in_force(names.Environment(environment))
            is_it = release and release.commit == commit and release.healthy
            return release if release and is_it and self._is_everywhere(release) else None

        return await self.until(f"{environment} is healthy with {commit[:10]}", found)

    def _is_everywhere(self, release: ledger.Release) -> bool:
        """Not asked of those whose agent is stopped."""
        awake = [each.name for each in self.stations.values() if each.task is not None]
        reports = [self.rows.clusters[name].report for name in awake if name in release.slices]
        return all(each is not None and each.release == release.number for each in reports)

    # The clusters.

    async def join(
        self, name: str, environment: str = "dev", labels: Mapping[str, str] | None = None
    ) -> Station:
        """Enrolled, committed, running."""
        station = await self.enroll(name, environment, labels)
        path = f"clusters/{environment}/{name}.yaml"
        self.commit({path: station.document}, environment, f"register {name}")
        await station.start()
        return station

    async def enroll(
        self, name: str, environment: str, labels: Mapping[str, str] | None = None
    ) -> Station:
        place = self.ground(len(self.stations) + 1)[-1]
        owner = Owner(place.kubeconfig)
        station = self.stations[name] = Station(
            name=names.Cluster(name),
            environment=names.Environment(environment),
            kubeconfig=place.kubeconfig,
            owner=owner,
            ground=place.name,
        )
        await owner.forget_fleet()
        document = await enrolment.enroll(
            owner.port,
            name=station.name,
            environment=station.environment,
            hub_url=self.url,
            hub_key=self.hub_key,
            labels=dict(labels or {}),
        )
        station.document = documents.cluster_yaml(document)
        return station

    @property
    def hub_key(self) -> str:
        return keys.from_pem(self.state.key.read_bytes()).public

    # Waiting.

    async def until(
        self, what: str, holds: Callable[[], Found | Awaitable[Found]], seconds: float = _PATIENCE
    ) -> Any:
        """What `holds` found, as soon as it is true of anything."""
        deadline = time.monotonic() + seconds
        while True:
            self._check_alive()
            found = holds()
            if inspect.isawaitable(found):
                found = await found
            if found:
                return found
            assert time.monotonic() < deadline, f"not within {seconds} s: {what}\n{self.told()}"
            await asyncio.sleep(0.02)

    async def equals(self, read: Callable[[], Awaitable[Found]], wanted: Found) -> None:
        async def holds() -> bool:
            return await read() == wanted

        await self.until(f"it becomes {wanted!r}", holds)

    async def quiet(self, seconds: float = 0.5) -> None:
        """Time in which what must not happen could happen."""
        await asyncio.sleep(seconds)
        self._check_alive()

    def told(self) -> str:
        """Where everything stands, for whoever reads a failure."""
        said = [json.dumps(standing.of(self.hub))] if self.hub else ["no hub runs"]
        for each in self.stations.values():
            if each.state is not None:
                troubles = [f"{k}: {v.message}" for k, v in each.state.troubles.items()]
                said.append(f"{each.name}: hub {each.state.trouble!r}, troubles {troubles}")
        return "\n".join(said)

    def _check_alive(self) -> None:
        for task in (self._task, *(each.task for each in self.stations.values())):
            if task is not None and task.done():
                task.result()
                raise AssertionError(f"{task.get_name()} ended by itself")

    async def close(self) -> None:
        """Everything is closed, also when one of them ended badly, which is said last."""
        async with contextlib.AsyncExitStack() as stack:
            stack.push_async_callback(self.stop_hub)
            for station in self.stations.values():
                stack.push_async_callback(station.owner.close)
                stack.push_async_callback(station.stop)


async def _ended(task: "asyncio.Task[None]") -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
