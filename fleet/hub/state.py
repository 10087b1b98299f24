"""What one running hub holds: its ports, its settings, and the ledger as the book has it.

The ledger changes in one way only: `write`, which returns when the book has made the same rows durable. Whoever writes
reads what the write depends on inside `writing`: a hold, a report or another decision may come at any await before.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from fleet.audit import records
from fleet.gate import candidates, soaking
from fleet.judge import judging, memory
from fleet.model import approving, messages, names, observed, pacing
from fleet.model import ledger as rows
from fleet.ports import clock, store, telemetry
from fleet.ports import metrics as sources
from fleet.ports import repository as git
from fleet.protocol import checkpoints, keys, requests

_SLACK = timedelta(seconds=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How a hub runs; times in seconds."""

    poll_interval: float = 30.0  # between two fetches of the repository
    shortest_interval: float = 1.0  # however often the webhook asks for a fetch
    dispatch_lifetime: int = 7 * 24 * 3600  # until a dispatch expires; renewed at half of it
    statement_lifetime: int = 90 * 24 * 3600  # until a release may no longer be newly applied
    longest_wait: int = 50  # that a poll may be held open
    webhook_secret: str = field(default="", repr=False)  # "" = no hook is believed
    status_secrets: Mapping[str, str] = field(default_factory=dict, repr=False)  # by issuer
    metric_urls: frozenset[str] = frozenset()  # that may be asked; whatever fleet.yaml says


@dataclass(slots=True, kw_only=True)
class Hub:
    tools: judging.Tools
    repository: git.Repository
    book: store.Book
    clock: clock.Clock
    telemetry: telemetry.Telemetry
    key: keys.SigningKey
    session: str  # new at each start; requests name it, so none of an earlier life counts
    settings: Settings = field(default_factory=Settings)
    metrics: sources.Metrics | None = None
    ledger: rows.Ledger = field(default_factory=rows.Ledger)
    started: datetime | None = None  # whoever was not heard of since may be awake all the same
    is_loaded: bool = False  # whether the ledger is what the book says
    tips: git.Tips | None = None  # as of the last fetch
    fetched: datetime | None = None
    trouble: str = ""  # why the last fetch failed; "" = it did not
    seen: dict[names.Cluster, datetime] = field(default_factory=dict)  # last signed request
    echoes: dict[names.Cluster, messages.Dispatch] = field(default_factory=dict)  # newer than ours
    head: records.Head | None = None  # of the log; None = the book must be asked
    shown: dict[names.Cluster, checkpoints.Checkpoint] = field(
        default_factory=dict
    )  # of the log, by agents: not of what the book has
    signed_head: tuple[checkpoints.Checkpoint, str] | None = None  # of fleet.hub.witnesses
    cosigned: dict[names.Cluster, observed.Cosigned] = field(
        default_factory=dict
    )  # newer than ours
    alarms: dict[names.Cluster, tuple[datetime, str]] = field(default_factory=dict)  # of agents
    counters: requests.Counters = field(default_factory=dict)  # of the present session
    drawn: memory.Last[Any] = field(default_factory=memory.Last)  # of fleet.hub.drawing
    settled: memory.Last[Any] = field(default_factory=memory.Last)  # of fleet.hub.drawing
    exempt: memory.Last[Any] = field(default_factory=memory.Last)  # of fleet.hub.exempting
    signed: memory.Last[Any] = field(default_factory=memory.Last)  # of fleet.hub.consents
    consents: dict[names.Environment, tuple[names.CommitId, approving.Consent]] = field(
        default_factory=dict
    )  # as the gate was told last
    ways: memory.Last[Any] = field(default_factory=memory.Last)  # of fleet.hub.facts
    fleets: memory.Last[Any] = field(default_factory=memory.Last)  # of fleet.hub.inforce
    proposed: memory.Last[Any] = field(default_factory=memory.Last)  # of fleet.hub.desk.prospects
    soaks: dict[rows.Place, observed.Soak] = field(default_factory=dict)  # of fleet.hub.soaks
    pace: tuple[datetime, float] | None = None  # the clock, and the time that passes, last turn
    measured: dict[names.Digest, candidates.Measurement] = field(default_factory=dict)
    asking: "set[asyncio.Task[None]]" = field(default_factory=set)  # of fleet.hub.measuring
    polls: dict[names.Cluster, int] = field(default_factory=dict)  # how many; the last one counts
    deciding: asyncio.Lock = field(default_factory=asyncio.Lock)
    writing: asyncio.Lock = field(default_factory=asyncio.Lock)
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    fetch_now: bool = True
    ready: bool = False


_FOR_ALL = (
    rows.Seal,
    rows.Approval,
    pacing.Halt,
    observed.Quarantine,
    observed.Status,
)  # what may hold a release back, or let it go on


@asynccontextmanager
async def writing(hub: Hub) -> AsyncIterator[None]:
    """The turn to write, with a ledger that is what the book says: one in doubt is read again before anything else."""
    async with hub.writing:
        if not hub.is_loaded:
            hub.ledger = await hub.book.load()
            hub.is_loaded = True
        yield


async def write(hub: Hub, write: store.Write) -> None:
    """Make it durable, then take it over, then tell whoever waits for it. After a failure the ledger is in doubt."""
    hub.head = None
    try:
        hub.head = await hub.book.commit(write)
    except BaseException:
        hub.is_loaded = False
        raise
    is_for_agents = any(_concerns_agents(row, hub) for row in write.rows)
    for row in write.rows:
        hub.ledger.take(row)
    if is_for_agents:
        async with hub.changed:
            hub.changed.notify_all()


def _concerns_agents(row: rows.Row, hub: Hub) -> bool:
    """Whether a held poll may have another answer by it: a report of one cluster must not wake all the others."""
    if isinstance(row, rows.EnvironmentState):
        here = hub.ledger.environments.get(row.environment)
        return here is not None and (here.failed, soak_edge(here)) != (row.failed, soak_edge(row))
    if not isinstance(row, rows.ClusterState):
        return isinstance(row, _FOR_ALL)
    known = hub.ledger.clusters.get(row.cluster)
    return known is None or _due(known) != _due(row)


def soak_edge(here: rows.EnvironmentState) -> datetime | None:
    """When it may go on by its soak: then a sign of life of upstream's clusters is worth asking for."""
    gates = here.decision.gates if here.decision else ()
    untils = (each.until for each in gates if each.gate == soaking.GATE)
    return next((each for each in untils if each is not None), None)


def _due(cluster: rows.ClusterState) -> tuple[object, ...]:
    return cluster.release, cluster.retire, cluster.era, cluster.public_key


def last_sign(hub: Hub, cluster: rows.ClusterState) -> datetime | None:
    """When the cluster was last heard of, on the hub's clock."""
    signs = [hub.seen.get(cluster.cluster), cluster.reported]
    latest = hub.clock.now() + _SLACK  # a clock that was ahead leaves signs of days to come
    return max((sign for sign in signs if sign is not None and sign <= latest), default=None)


def clusters_of(book: rows.Ledger, environment: names.Environment) -> list[rows.ClusterState]:
    """Registered and leaving clusters, by name; those that have left are not among them."""
    found = [each for each in book.clusters.values() if each.environment == environment]
    return sorted((each for each in found if not each.retired), key=lambda each: each.cluster)
