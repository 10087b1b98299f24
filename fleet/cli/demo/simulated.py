"""The stage in memory: the real shells and the real core on simulated git, API servers and time."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from fleet.adapters import schemas, telemetry
from fleet.agent import enrolment, loop
from fleet.agent import state as agents
from fleet.cli import documents, output, pushing
from fleet.cli.commands import auditing, init
from fleet.cli.demo import cast, story
from fleet.cli.demo.stage import Ended, Player
from fleet.hub import loop as hub_loop
from fleet.hub import state as hubs
from fleet.hub.desk import answers, people, releases
from fleet.judge import judging
from fleet.local import offline, promotion, proposals, replaying, rollbacks
from fleet.model import approving, findings, names, objects
from fleet.protocol import approvals, encoding, keys, sshsig
from fleet.simulation import book, clock, faults, memo, repository
from fleet.simulation import people as persons
from fleet.simulation import world as worlds

_SHAPES = schemas.Packaged()
_KINDS = {"Deployment": "apps", "ConfigMap": ""}


async def tell() -> list[tuple[str, float]]:
    stage = Simulated(key=keys.generate())
    await stage.open()
    try:
        return await story.tell(stage)
    finally:
        await stage.world.close()


async def prepare() -> None:
    """Read what threads read, before virtual time begins: it would not wait for them."""
    await _SHAPES.definitions("1.36")


@dataclass(slots=True, kw_only=True)
class Simulated:
    key: keys.SigningKey
    world: worlds.World = field(init=False)
    people: dict[str, persons.Person] = field(default_factory=dict)
    kind: str = "simulated: git, API servers and time are in memory, hub and agents are real"

    async def open(self) -> None:
        self.world = worlds.World(self._hub, _agent)
        shared = init.starter("demo")
        self.world.remote.start("dev", shared)
        for environment in init.ENVIRONMENTS[1:]:
            self.world.remote.branch(environment, at="dev")
        for player in cast.PLAYERS:
            self.world.add_cluster(player.name)
        self.world.hub.start()

    def now(self) -> float:
        return (self.world.clock.now() - clock.START).total_seconds()

    def moment(self, seconds: float) -> datetime:
        return self.world.clock.now() + timedelta(seconds=seconds)

    async def pause(self, seconds: float) -> None:
        await self.world.pass_time(seconds)

    async def enroll(self, player: Player) -> str:
        document = await enrolment.enroll(
            self.world.members[player.name].people("fleetgate"),
            name=names.Cluster(player.name),
            environment=names.Environment(player.environment),
            hub_url="http://hub",
            hub_key=self.key.public,
            labels=dict(player.labels),
        )
        return documents.cluster_yaml(document)

    async def start_agent(self, player: Player) -> None:
        self.world.members[player.name].agent.start()

    async def commit(
        self, branch: str, files: Mapping[str, str | None], message: str, author: str
    ) -> str:
        return self.world.remote.commit(branch, files, message, author)

    async def read(self, branch: str, path: str) -> str:
        return self.world.remote.read(branch, path).decode()

    async def revert(self, branch: str, author: str) -> str:
        return self.world.remote.revert(branch, author)

    async def check(self, branch: str) -> Ended:
        tools = self._tools()
        tip = names.CommitId(self.world.remote.branches[branch])
        found = (await offline.check_commit(names.Environment(branch), tip, None, tools)).findings
        lines = [f"{output.line(each).plain}\n    hint: {each.hint}" for each in found]
        return Ended(code=int(findings.refuses(found)), text="\n".join(lines))

    async def promote(self, source: str, target: str) -> Ended:
        tools = self._tools()
        tips = (await tools.repository.fetch()).branches
        asked = promotion.Asked(source=names.Environment(source), target=names.Environment(target))
        road = await offline.road_of(tips[names.Branch(source)], tools)
        pen = repository.Writer(self.world.remote, cast.ADA)
        offer = await promotion.prepare(asked, tips, road, tools, pen)
        if offer is None or findings.refuses(offer.findings):
            return Ended(code=1, text="nothing to promote")
        await pen.push(offer.branch, offer.commit, offer.tip)
        return Ended(code=0, text="\n".join(pushing.described(offer.changes)))

    async def new_key(self, person: str) -> str:
        self.people[person] = persons.Person(person)
        return self.people[person].line

    async def sign_trust(self, environment: str, text: str, person: str) -> str:
        del environment
        return self.people[person].sign(text.encode(), sshsig.TRUST)

    async def approve(self, environment: str, person: str) -> Ended:
        tools, here = self._tools(), names.Environment(environment)
        tip = names.CommitId(self.world.remote.branches[environment])
        status = await self.ask("status", {})
        release = next(e["release"] for e in status["environments"] if e["name"] == environment)
        asked = proposals.Asked(environment=here, commit=tip, running=release["commit"])
        road = await offline.road_of(tip, tools)
        proposal = await proposals.prepare(asked, road, tools)
        said = approving.Approval(
            kind="Approval",
            subject=proposal.subject,
            expires=self.moment(86_400),
            decision=approving.Decision.APPROVE,
        )
        text = approvals.text(said)
        armor = self.people[person].sign(text.encode(), sshsig.RELEASE)
        signed = encoding.encode(approving.Signed(text=text, signature=armor))
        reply = await self.world.serve(lambda desk: desk.approve(signed))
        lines = pushing.described(proposal.changes)
        return Ended(code=int(reply.status != 200), text="\n".join(lines))

    async def rollback(self, environment: str, reason: str) -> Ended:
        tools, here = self._tools(), names.Environment(environment)
        tips = (await tools.repository.fetch()).branches
        scene = rollbacks.Scene(
            tips=tips,
            road=await offline.road_of(tips[names.Branch(environment)], tools),
            history=releases.read(await self.ask("releases", {"environment": environment})),
        )
        pen = repository.Writer(self.world.remote, cast.BOB)
        asked = rollbacks.Asked(environment=here, reason=reason)
        offer = await rollbacks.prepare(asked, scene, tools, pen)
        await pen.push(offer.branch, offer.commit, offer.tip)
        return Ended(code=0, text="\n".join(pushing.described(offer.changes)))

    async def replay(self, record: str) -> Ended:
        source = book.Book(self.world.shelf, faults.Process(name="auditor"))
        found = await replaying.replay(record, source, self._tools())
        return Ended(code=int(bool(found.differences)), text=auditing.described(found))

    async def ask(self, command: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        return await self.world.ask(command, arguments)

    async def live(
        self, player: Player, kind: str, namespace: str, name: str
    ) -> dict[str, Any] | None:
        port = self.world.members[player.name].people()
        resource = (await port.discover()).resources[_KINDS[kind], kind]
        key = objects.Key(group=_KINDS[kind], kind=kind, namespace=namespace, name=name)
        answer = await port.read(resource, key)
        return dict(answer.live) if answer.live else None

    async def scale(self, player: Player, namespace: str, name: str, replicas: int) -> None:
        port = self.world.members[player.name].people()
        live = await self.live(player, "Deployment", namespace, name) or {}
        resource = (await port.discover()).resources["apps", "Deployment"]
        await port.replace(resource, {**live, "spec": {**live["spec"], "replicas": replicas}})

    async def forbid(self, player: Player, image: str) -> None:
        def denied(_verb: str, key: objects.Key, body: Any) -> str:
            forbidden = key.kind == "Deployment" and image in str(body)
            return f"{image} does not run here" if forbidden else ""

        self.world.members[player.name].server.deny = denied

    def _tools(self) -> judging.Tools:
        """A person's own, on a clone of the remote."""
        alone = faults.Process(name="person")
        return judging.Tools(
            repository=repository.Repository(self.world.remote, {}, alone),
            schemas=_SHAPES,
            memo=memo.Memo({}, alone),
            kustomize=None,
            clock=self.world.clock,
        )

    def _hub(self, ports: worlds.HubPorts) -> worlds.HubLife:
        here = hubs.Hub(
            tools=judging.Tools(
                repository=ports.repository, schemas=_SHAPES, memo=ports.memo, kustomize=None
            ),
            repository=ports.repository,
            book=ports.book,
            clock=ports.clock,
            telemetry=telemetry.Silent(),
            key=self.key,
            session=ports.session,
            settings=hubs.Settings(poll_interval=1.0),
        )
        return worlds.HubLife(
            run=lambda: hub_loop.run(here),
            desk=answers.Desk(here),
            ask=lambda command, arguments: people.answer(here, command, arguments),
        )


async def _agent(ports: worlds.AgentPorts) -> None:
    enrolled = await enrolment.read(ports.cluster)
    await loop.run(
        agents.Agent(
            identity=enrolled.identity,
            key=enrolled.key,
            cluster=ports.cluster,
            link=ports.link,
            clock=ports.clock,
            telemetry=telemetry.Silent(),
            name=ports.name,
            chance=ports.chance,
        )
    )
