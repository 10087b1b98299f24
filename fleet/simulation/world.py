"""A whole fleet in memory: one git remote, one hub, any number of clusters with their agents, on virtual time.

The shells come from outside as two factories, because nothing here knows them. A process that ends, by a crash or
otherwise, is started anew after `pause`, as Kubernetes or systemd would, over what has survived of it.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypeVar

from fleet.model import errors
from fleet.ports import answers
from fleet.simulation import book, clock, cluster, faults, link, memo, repository, server

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True, kw_only=True)
class HubPorts:
    """What one life of a hub is given."""

    repository: repository.Repository
    book: book.Book
    memo: memo.Memo
    clock: clock.VirtualClock
    session: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HubLife:
    """What a hub's factory gives back: its loop, its desk for agents, and its ear for people's commands."""

    run: Callable[[], Awaitable[None]]
    desk: answers.Answers
    ask: Callable[[str, Mapping[str, Any]], Awaitable[dict[str, Any]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentPorts:
    """What one life of an agent is given."""

    cluster: cluster.Client
    link: link.Link
    clock: clock.VirtualClock
    name: str
    chance: Callable[[], float]


HubFactory: TypeAlias = Callable[[HubPorts], HubLife]
AgentFactory: TypeAlias = Callable[[AgentPorts], Awaitable[None]]  # until it ends
Life: TypeAlias = Callable[[faults.Process], Awaitable[None]]


@dataclass(slots=True, kw_only=True)
class Post:
    """A place where a process runs, life after life. `plans` are those of its next lives; after them nothing fails."""

    name: str
    life: Life = field(repr=False)
    pause: float = 2.0  # seconds between two lives
    plans: list[faults.Plan] = field(default_factory=list)
    on_death: Callable[[], None] = lambda: None
    restarts: bool = True
    lives: int = 0
    ended: list[str] = field(default_factory=list)  # why each life was over, in words
    process: faults.Process | None = None
    _keeper: "asyncio.Task[None] | None" = None

    def start(self) -> None:
        self._keeper = asyncio.get_running_loop().create_task(self._keep())

    async def stop(self) -> None:
        """An orderly end: the process is cancelled and may still clean up."""
        keeper, self._keeper = self._keeper, None
        if keeper is not None:
            keeper.cancel()
            await asyncio.wait({keeper})

    def kill(self) -> None:
        """As by kill -9; it is started again."""
        if self.process is not None:
            self.process.die()

    async def _keep(self) -> None:
        while self.restarts or not self.lives:
            self.lives += 1
            plan = self.plans.pop(0) if self.plans else faults.nothing
            self.process = faults.Process(
                name=f"{self.name}-{self.lives}", plan=plan, on_death=self.on_death
            )
            self.ended.append(await self._live(self.process))
            self.process.die()
            await asyncio.sleep(self.pause)

    async def _live(self, process: faults.Process) -> str:
        async def live() -> None:
            await self.life(process)

        task = process.start(live())
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError:
            task.cancel()
            await asyncio.wait({task})
            process.die()  # with it end the requests that it has not answered yet
            if process.tasks:
                await asyncio.wait(process.tasks)
            raise
        if process.is_dead or task.cancelled():
            return "crashed"
        error = task.exception()
        return repr(error) if error else "came to its end"


@dataclass(slots=True, kw_only=True)
class Member:
    """One cluster with its API server, its agent's line to the hub, its agent, and the clock that the agent reads."""

    server: server.Server
    wire: link.Wire
    agent: Post
    clock: clock.VirtualClock

    def people(self, manager: str = "kubectl") -> cluster.Client:
        """The way of a person, or of another program, to this cluster."""
        return cluster.Client(self.server, faults.Process(name=manager), manager)


class World:
    """To be made and used inside `clock.run`. Close it at the end."""

    def __init__(self, hub: HubFactory, agent: AgentFactory, *, seed: int = 1) -> None:
        self._hub_factory, self._agent_factory = hub, agent
        self._chance = random.Random(seed)  # noqa: S311 - jitter that is the same in each run
        self.clock = clock.VirtualClock()
        self.remote = repository.Remote(now=self.clock.now)
        self.shelf = book.Shelf()
        self.memo: dict[str, bytes] = {}
        self.kept: dict[str, Any] = {}
        self.members: dict[str, Member] = {}
        self.hub = Post(name="hub", life=self._hub_life, on_death=self.shelf_loses_tail)
        self.faults: list[str] = []  # what no shell may let happen: errors that it did not expect
        self.on_change: Callable[[server.Change], None] = lambda _: None
        self.on_exchange: Callable[[str, link.Exchange], None] = lambda _cluster, _exchange: None
        self._life: HubLife | None = None
        asyncio.get_running_loop().set_exception_handler(self._unexpected)

    def add_cluster(self, name: str, **settings: Any) -> Member:
        """An API server with nothing on it; its agent runs once `start_agent` was called."""
        target = server.Server(
            name=name,
            now=self.clock.now,
            on_change=lambda change: self.on_change(change),  # noqa: PLW0108 - whoever listens by then
            **settings,
        )
        wire = link.Wire(hub=self, on_exchange=lambda exchange: self.on_exchange(name, exchange))

        async def life(process: faults.Process) -> None:
            await self._agent_factory(
                AgentPorts(
                    cluster=cluster.Client(target, process),
                    link=link.Link(wire, process),
                    clock=self.members[name].clock,
                    name=process.name,
                    chance=self._chance.random,
                )
            )

        self.members[name] = Member(
            server=target,
            wire=wire,
            agent=Post(name=f"agent-{name}", life=life),
            clock=self.clock,
        )
        return self.members[name]

    def succeed(self) -> Post:
        """Another hub takes over from one that is only taken for dead, and answers from now on; the old one."""
        old, self.hub = (
            self.hub,
            Post(name="successor", life=self._hub_life, on_death=self.shelf_loses_tail),
        )
        old.restarts = False
        if old.process is not None:
            old.process.on_death = lambda: None  # the power stays on
        self.hub.start()
        return old

    async def serve(self, question: link.Question) -> answers.Reply:
        """The hub's address: answered by whichever hub lives, as a part of its process."""
        return await self._inside(lambda life: question(life.desk))

    async def ask(
        self, command: str, arguments: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """What a person asks of the hub."""
        return await self._inside(lambda life: life.ask(command, arguments or {}))

    async def until(
        self, holds: Callable[[], bool], *, within: float = 600.0, what: str = ""
    ) -> float:
        """Let the world go on until this holds; the virtual seconds that it took.

        Raises errors.UnreachableError when it does not come to hold within that many seconds.
        """
        began = asyncio.get_running_loop().time()
        while not holds():
            if asyncio.get_running_loop().time() - began > within:
                raise errors.UnreachableError(
                    f"{what or 'it'} did not happen within {within:.0f} s"
                )
            await asyncio.sleep(0.1)
        return asyncio.get_running_loop().time() - began

    async def pass_time(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def close(self) -> None:
        for member in self.members.values():
            await member.agent.stop()
        await self.hub.stop()

    def shelf_loses_tail(self) -> None:
        self._life = None
        self.shelf.drop_tail()

    async def _hub_life(self, process: faults.Process) -> None:
        ports = HubPorts(
            repository=repository.Repository(self.remote, self.kept, process),
            book=book.Book(self.shelf, process),
            memo=memo.Memo(self.memo, process),
            clock=self.clock,
            session=process.name,
        )
        self._life = self._hub_factory(ports)
        await self._life.run()

    async def _inside(self, work: Callable[[HubLife], Awaitable[Result]]) -> Result:
        """As a task of the hub's own: it goes on when whoever asked is gone, and ends when the hub does."""
        life, process = self._life, self.hub.process
        if life is None or process is None or not self._is_up():
            raise errors.UnreachableError("nobody serves there")

        async def done() -> Result:
            return await work(life)

        task = process.start(done())
        await asyncio.wait({task})
        error = None if task.cancelled() else task.exception()
        if not self._is_up() or task.cancelled() or isinstance(error, faults.Crash):
            raise errors.UnreachableError("the hub broke off")
        if error is None or isinstance(error, errors.FleetError):
            return task.result()
        self.faults.append(repr(error))
        raise errors.UnreachableError("the hub failed at this")

    def _is_up(self) -> bool:
        return self.hub.process is not None and not self.hub.process.is_dead

    def _unexpected(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if error is not None and not isinstance(error, faults.Crash):
            self.faults.append(repr(error))
