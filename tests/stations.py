"""One agent at its simulated API server, with a hub that is a drawer: each of its steps is called by the test."""

import asyncio
import base64
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import builders
import worlds
from fleet.agent import (
    keeping,
    loop,
    polling,
    reconcile,
    reporting,
    sight,
    state,
)
from fleet.converge import inventory
from fleet.model import json_values, messages, names, objects, slices
from fleet.ports import cluster as api
from fleet.protocol import keys, trusted
from fleet.simulation import clock, cluster, faults, served, server

Body = dict[str, Any]
NOTHING = "nothing"
WIDGETS = objects.Key(group="example.com", kind="Widget", namespace="default", name="one")


def config(name: str, word: str = "hello", **metadata: Any) -> Body:
    body = builders.body(name, namespace="default", data={"word": word})
    return {**body, "metadata": {**body["metadata"], **metadata}}


def key(name: str) -> objects.Key:
    return builders.key(name, namespace="default")


def definition(*versions: str) -> Body:
    served_as = [{"name": v, "served": True, "storage": v == versions[0]} for v in versions]
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "widgets.example.com"},
        "spec": {
            "group": "example.com", "scope": "Namespaced", "versions": served_as,
            "names": {"kind": "Widget", "plural": "widgets"},
        },
    }  # fmt: skip


CRD = objects.key_of(definition("v1"))


def widget() -> Body:
    metadata = {"name": "one", "namespace": "default"}
    return {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": metadata, "size": 3}


@dataclass
class Drawer:
    """Implements ports.hub_link.HubLink: what was put in is what comes out."""

    envelope: bytes | None = None
    slices: dict[str, bytes] = field(default_factory=dict)
    next: str = ""  # digest of the slice that fetch gives

    async def session(self) -> str:
        return "s"

    async def poll(self, _: bytes) -> bytes | None:
        envelope, self.envelope = self.envelope, None
        return envelope

    async def fetch(self, _: bytes) -> bytes | None:
        return self.slices.get(self.next)

    async def report(self, _: bytes) -> int:
        return 0


@dataclass
class Station:
    """One API server, and the agent's present life there."""

    time: clock.VirtualClock = field(default_factory=clock.VirtualClock)
    link: Drawer = field(default_factory=Drawer)
    own: keys.SigningKey = field(default_factory=keys.generate)
    sequence: int = 0

    def __post_init__(self) -> None:
        self.server = server.Server(name="dev-1", now=self.time.now)
        home = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "fleetgate-system"}}
        self.server.create("kubectl", served.BUILT_IN["", "Namespace"], home)
        self.live()

    def live(self) -> None:
        """A new process: nothing is left but what is in the cluster."""
        self.process = faults.Process(name="agent")
        self.agent = state.Agent(
            identity=trusted.Identity(
                cluster=names.Cluster("dev-1"), environment=names.Environment("dev"),
                uid=self.server.uid, hub_key=builders.HUB.public,
            ),
            key=self.own, cluster=cluster.Client(self.server, self.process), link=self.link,
            clock=self.time, telemetry=worlds.Silent(), name="agent", chance=lambda: 0.0,
        )  # fmt: skip
        self.keeper = keeping.Keeper(self.agent.cluster)
        self.watches = sight.Watches(agent=self.agent)

    async def begin(self) -> None:
        await loop.take_up(self.agent, self.keeper)
        self.watches.follow()
        await self.watches.all_synced()

    async def again(self) -> None:
        """Killed and started."""
        self.watches.end()
        self.process.die()
        self.live()
        await self.begin()

    def put(self, *bodies: Body, takeover: bool = False, **fields: Any) -> None:
        """Into the drawer: the next dispatch."""
        items = [
            slices.Item(
                key=objects.key_of(body), body=body, bundle=names.Bundle("b"), takeover=takeover
            )
            for body in bodies
        ]
        leaves = fields.get("retire")
        data = slices.farewell(leaves) if leaves else slices.encode(items)
        digest = slices.digest(data)
        self.sequence += 1
        sent = builders.dispatch(
            {names.Cluster("dev-1"): digest}, uid=self.server.uid, sequence=self.sequence,
            stated={"release": self.sequence, "expires": builders.later(10**9)},
            **{"issued": self.time.now(), "expires": builders.later(10**8),
               "max_deleted_share": 1.0, **fields},
        )  # fmt: skip
        self.link.envelope = json_values.encode(builders.envelope(sent))
        self.link.slices, self.link.next = {digest: data}, digest

    async def send(self, *bodies: Body, **fields: Any) -> None:
        self.put(*bodies, **fields)
        await polling.once(self.agent, self.keeper)

    async def turn(self) -> None:
        await reconcile.reconcile(self.agent, self.keeper, self.watches)

    def word(self, name: str) -> str:
        live = self.server.held.get(key(name))
        return str(live["data"]["word"]) if live else NOTHING

    def before(self, verb: str, name: str, deed: Callable[[], Any]) -> None:
        """Once, while the API server is asked for this: something else happens first."""

        def instead(asked: str, about: objects.Key) -> api.Answer | None:
            if (asked, about.name) == (verb, name):
                self.server.instead = lambda _verb, _key: None
                deed()
            return None

        self.server.instead = instead

    def adopt_now(self, *bodies: Body, **fields: Any) -> None:
        """A newer dispatch is taken up at this very instant; it is stored already."""
        self.put(*bodies, **fields)
        pointer = self.server.held[builders.key("pointer", "Secret", "fleetgate-system")]
        document = json_values.decode(base64.b64decode(pointer["data"]["pointer"]))
        document["envelope"] = json_values.decode(self.link.envelope or b"")
        pointer["data"] = {"pointer": base64.b64encode(json_values.encode(document)).decode()}
        held = trusted.admit(
            self.link.envelope or b"", self.agent.identity, self.agent.held, self.time.now()
        )
        data = self.link.slices[self.link.next]
        polling.adopt(self.agent, held, trusted.open_slice(data, held.dispatch.slice))

    def stored(self) -> dict[objects.Key, inventory.Member]:
        kept = self.server.held[builders.key("inventory", "Secret", "fleetgate-system")]
        return inventory.decode(base64.b64decode(kept["data"]["members"]))

    def report(self) -> messages.Report:
        made = reporting.made(self.agent)
        assert made is not None
        return made


@contextlib.asynccontextmanager
async def station(*bodies: Body) -> AsyncIterator[Station]:
    """With these objects applied."""
    here = Station()
    await here.begin()
    await here.send(*bodies)
    await here.turn()
    assert not here.agent.troubles
    try:
        yield here
    finally:
        here.watches.end()
        await asyncio.sleep(1)


def alone(test: Callable[[], Any]) -> Callable[[], None]:
    """On virtual time."""

    def run() -> None:
        clock.run(test())

    run.__name__ = test.__name__
    return run
