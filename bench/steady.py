"""60 seconds in which nothing changes, then 50 changes by hand: requests, memory, processor time, time to repair.

Requests are counted by the API server itself, beside what it counts while no agent runs. A change goes in past fleet,
under another field manager, and is repaired when a watch shows the object as it shall be.
"""

import asyncio
import itertools
import math
import statistics
import time
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Self

from bench import line, processes, results
from fleet.adapters.kubernetes import access, answers, cluster, connection, credentials, requests
from fleet.converge import inventory
from fleet.ports import cluster as ports

SECONDS = 60.0
CHANGES = 50
_QUIET = 20.0  # seconds after the last report, in which whatever was begun comes to rest
_WATCHES = 'verb="WATCH"'


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    resident_mb: float
    peak_mb: float
    millicores: float
    with_agent: Counter[str]  # requests by verb and resource
    without: Counter[str]
    repairs: list[float]  # seconds


def run(report: results.Report) -> None:
    found = asyncio.run(_measured())
    section = report.section(f"{SECONDS:.0f} s of steady state with {line.OBJECTS:,} objects")
    extra = found.with_agent - found.without
    lease = {each: n for each, n in extra.items() if "leases" in each}
    others = {each: n for each, n in extra.items() if "leases" not in each}
    section.row("requests besides watches", f"{sum(others.values())}", "goal 0", _told(others))
    section.row("requests for the lease", f"{sum(lease.values())}", _told(lease))
    section.row("agent's memory", f"{found.resident_mb:.1f} MB", "goal 60 MB")
    section.row("agent's memory at its highest", f"{found.peak_mb:.1f} MB")
    section.row("agent's processor time", f"{found.millicores:.1f} millicores", "goal 3")
    median, late = statistics.median(found.repairs), _percentile(found.repairs, 99)
    words = (f"median {median * 1000:.0f} ms", f"p99 {late * 1000:.0f} ms", "goal p99 < 1 s")
    section.row(f"{CHANGES} changes by hand, to repaired", *words)


async def _measured() -> Found:
    async with line.ground() as ground, line.laid(ground, "steady") as laid:
        await laid.push(line.files())
        await laid.reported(line.OBJECTS)
        await asyncio.sleep(_QUIET)
        found = access.found(laid.cluster.kubeconfig)
        async with Hand(found) as hand:
            pid = laid.agent.pid
            began = processes.cpu_seconds(pid)
            counted = await hand.counted(SECONDS)
            spent = processes.cpu_seconds(pid) - began
            memory, peak = processes.resident_mb(pid), processes.highest_mb(pid)
            repairs = [each async for each in hand.repairs()]
            await laid.stage.children.stop(laid.agent.program.name)
            await asyncio.sleep(_QUIET)
            return Found(
                resident_mb=memory,
                peak_mb=peak,
                millicores=spent / SECONDS * 1000,
                with_agent=counted,
                without=await hand.counted(SECONDS),
                repairs=repairs,
            )


class Hand:
    """Somebody with the administrator's rights, who goes past fleet."""

    def __init__(self, found: credentials.Access) -> None:
        self._wire = connection.Connection(found)
        self._api = cluster.ApiServer(found)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._wire.close()
        await self._api.aclose()

    async def counted(self, seconds: float) -> Counter[str]:
        before = await self._requests()
        await asyncio.sleep(seconds)
        return await self._requests() - before

    async def repairs(self) -> AsyncGenerator[float, None]:
        """One change after the other; the seconds from before it was sent to seen repaired."""
        served = (await self._api.discover()).resources
        for number, change in zip(range(CHANGES), itertools.cycle(CHANGES_BY_HAND), strict=False):
            resource = served[change.group, change.kind]
            yield await self._repaired(resource, change, f"app-{number}", f"bench-{number % 10}")

    async def _repaired(
        self, resource: ports.Resource, change: "Change", name: str, namespace: str
    ) -> float:
        events = self._api.watch(
            resource, selector=inventory.SELECTOR, namespace=namespace, metadata_only=False
        )
        async with aclosing(events), asyncio.timeout(30):
            async for event in events:
                if event.type is ports.EventType.SYNCED:
                    break
            began = time.perf_counter()
            changed = await self._change(resource, change, f"/{namespace}/{name}")
            async for event in events:
                if _is(event, name) and event.live is not None:
                    version = int(event.live["metadata"]["resourceVersion"])
                    is_later = version > changed and event.type is ports.EventType.CHANGED
                    if is_later and change.is_repaired(event.live):
                        break
        return time.perf_counter() - began

    async def _change(self, resource: ports.Resource, change: "Change", where: str) -> int:
        """The object's version after it; 0 when that is said nowhere."""
        _, namespace, name = where.split("/")
        root = f"/apis/{resource.group}" if resource.group else "/api"
        path = f"{root}/{resource.version}/namespaces/{namespace}/{resource.plural}/{name}"
        patch = change.patch
        request = requests.Request(
            method="PATCH" if patch else "DELETE",
            path=f"{path}?fieldManager=somebody" if patch else path,
            body=patch,
            type="application/merge-patch+json",
        )
        reply = await self._wire.ask(request)
        if reply.status >= 300:
            raise SystemExit(f"{path}: {reply.body.decode()}")
        metadata = answers.decoded(reply).get("metadata") or {}
        return int(metadata.get("resourceVersion") or 0)

    async def _requests(self) -> Counter[str]:
        reply = await self._wire.ask(requests.document("/metrics", "text/plain"))
        found: Counter[str] = Counter()
        for row in reply.body.decode().splitlines():
            if row.startswith("apiserver_request_total{") and _WATCHES not in row:
                labels, _, count = row.partition("{")[2].rpartition("} ")
                found[_named(labels)] += int(float(count))
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """By hand; no patch = the object is deleted."""

    group: str
    kind: str
    patch: Mapping[str, Any] | None
    is_repaired: Callable[[Mapping[str, Any]], bool]


CHANGES_BY_HAND = (
    Change(
        group="apps",
        kind="Deployment",
        patch={"spec": {"replicas": 7}},
        is_repaired=lambda live: bool(live["spec"]["replicas"] == 2),
    ),
    Change(
        group="",
        kind="ConfigMap",
        patch={"data": {"text": "by hand"}},
        is_repaired=lambda live: bool(live["data"]["text"].startswith("number")),
    ),
    Change(
        group="",
        kind="Service",
        patch={"spec": {"selector": {"app.kubernetes.io/name": "nothing"}}},
        is_repaired=lambda live: "nothing" not in live["spec"]["selector"].values(),
    ),
    Change(group="", kind="ServiceAccount", patch=None, is_repaired=lambda _: True),
    Change(group="", kind="ConfigMap", patch=None, is_repaired=lambda _: True),
)


def _is(event: ports.Event, name: str) -> bool:
    return event.live is not None and event.live["metadata"]["name"] == name


def _named(labels: str) -> str:
    found = dict(each.split("=", 1) for each in labels.split(",") if "=" in each)
    words = (found.get(name, "").strip('"') for name in ("verb", "resource", "subresource"))
    return " ".join(word for word in words if word)


def _told(counted: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(counted.items()))


def _percentile(seconds: list[float], part: int) -> float:
    """The smallest of them that so many in a hundred do not exceed."""
    return sorted(seconds)[math.ceil(len(seconds) * part / 100) - 1]
