"""What one running agent holds: its ports, what it was sent, and what it has seen of its cluster."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from fleet.converge import fields
from fleet.converge import inventory as lists
from fleet.model import changes, health, messages, names, objects, slices
from fleet.ports import clock, hub_link, telemetry
from fleet.ports import cluster as api
from fleet.protocol import keys, trusted


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How an agent runs; times in seconds."""

    in_flight: int = 16  # requests to the API server at once
    poll_wait: int = 50  # that the hub may hold a poll open
    shortest_pause: float = 1.0  # before something that failed is tried again; doubles
    longest_pause: float = 300.0
    hub_pause: float = (
        60.0  # the longest before a hub that is away, or does not know us yet, is asked again
    )
    cluster_pause: float = 30.0  # likewise an API server that is away
    report_pause: float = 0.2  # in which changes are gathered into one report
    established_wait: float = 30.0  # for a CustomResourceDefinition to be served
    log_pause: float = 60.0  # between two looks at how the hub's audit log goes on
    lease_renewal: float = 60.0  # between two renewals of the lease against a second agent


@dataclass(slots=True, kw_only=True)
class Agent:
    identity: trusted.Identity
    key: keys.SigningKey
    cluster: api.Cluster
    link: hub_link.HubLink
    clock: clock.Clock
    telemetry: telemetry.Telemetry
    name: str  # of this process, for the lease
    settings: Settings = Settings()
    chance: Callable[[], float] = random.random  # for jitter
    # What is stored in the cluster, as it was last read or written.
    held: trusted.Held | None = None
    wanted: dict[objects.Key, slices.Item] = field(default_factory=dict)
    digests: dict[objects.Key, names.Digest] = field(default_factory=dict)
    bodies: dict[tuple[objects.Key, names.Digest], slices.Item] = field(default_factory=dict)
    inventory: dict[objects.Key, lists.Member] = field(default_factory=dict)
    # What was seen and done since this process began.
    kubernetes: str = ""
    resources: api.Discovery | None = None
    seen: dict[objects.Key, fields.Seen] = field(default_factory=dict)
    assessed: dict[objects.Key, health.Assessment] = field(default_factory=dict)
    troubles: dict[objects.Key, changes.Outcome] = field(default_factory=dict)
    blind: dict[tuple[str, str], str] = field(default_factory=dict)  # kinds unwatched, and why
    rival: tuple[str, datetime] | None = None  # another's lease: its version, since when it is so
    repairs: dict[objects.Key, changes.Outcome] = field(default_factory=dict)
    is_incomplete: bool = False  # a dispatch is held whose stored slice was damaged
    is_applied: bool = False
    is_retired: bool = False
    number: int = 0  # of the last report made
    confirmed: int = 0  # number of the last report that the hub holds
    last: messages.Report | None = None
    session: str = ""  # the hub's
    counter: int = 0
    trouble: str = ""  # with the hub, in words
    informed: asyncio.Event = field(default_factory=asyncio.Event)  # the cluster was seen, once
    work: asyncio.Event = field(default_factory=asyncio.Event)
    news: asyncio.Event = field(default_factory=asyncio.Event)
    asking: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def dispatch(self) -> messages.Dispatch | None:
        return self.held.dispatch if self.held else None


def is_stale(agent: Agent, now: datetime) -> bool:
    return agent.dispatch is not None and agent.dispatch.expires <= now


def resource_of(agent: Agent, key: objects.Key) -> api.Resource | None:
    found = agent.resources
    return found.resources.get((key.group, key.kind)) if found else None
