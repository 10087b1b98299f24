"""What breaks in a wandering fleet, or is mended: machines, lines, clocks, disks; and who steals a key.

Rows of the table in tests/happenings.py.
"""

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import thieves
import worlds
from fleet.model import names
from fleet.simulation import faults

if TYPE_CHECKING:
    from wandering import Walk


async def git_host(walk: "Walk") -> str:
    walk.here.remote.is_down = not walk.here.remote.is_down
    return "down" if walk.here.remote.is_down else "up"


async def partition(walk: "Walk") -> str:
    member = walk.here.members[_cluster(walk)]
    member.wire.is_cut = not member.wire.is_cut
    return f"{member.server.name} {'cut' if member.wire.is_cut else 'back'}"


async def api_server(walk: "Walk") -> str:
    member = walk.here.members[_cluster(walk)]
    member.server.is_down = not member.server.is_down
    return f"{member.server.name} {'down' if member.server.is_down else 'up'}"


async def admission(walk: "Walk") -> str:
    """A cluster's own admission denies what is written, or does no more."""
    server = walk.here.members[_cluster(walk)].server
    if server.deny("apply", worlds.DEPLOYMENT, {}):
        server.deny = lambda _verb, _key, _body: ""
        return f"{server.name} allows"
    server.deny = lambda _verb, key, _body: "no" if key.kind == "Deployment" else ""
    return f"{server.name} denies"


async def by_hand(walk: "Walk") -> str:
    """Somebody scales or deletes what is ours."""
    server = walk.here.members[_cluster(walk)].server
    if worlds.DEPLOYMENT not in server.held:
        return ""
    server.edit("kubectl", worlds.DEPLOYMENT, lambda body: body["spec"].update(replicas=5))
    return server.name


async def hub_dies(walk: "Walk") -> str:
    place = walk.chance.randint(0, 40)
    walk.here.hub.plans = [faults.crash_after(place)] if place else []
    walk.here.hub.kill()
    return f"then after call {place}"


async def hub_stutters(walk: "Walk") -> str:
    """Calls of the hub fail, are late, or lose their answer for one life."""
    seed = walk.chance.random()
    fault = walk.chance.choice((faults.Fault.BEFORE, faults.Fault.AFTER, faults.Fault.DELAY))
    share = 0.05 + 0.1 * seed
    draw = walk.chance.__class__(seed)
    walk.here.hub.plans = [lambda _at, _what: fault if draw.random() < share else None]
    walk.here.hub.kill()
    return fault.name


async def agent_dies(walk: "Walk") -> str:
    name, place = _cluster(walk), walk.chance.randint(0, 30)
    post = walk.here.members[name].agent
    post.plans = [faults.crash_after(place)] if place else []
    post.kill()
    return f"{name} then after call {place}"


async def clock_of_agent(walk: "Walk") -> str:
    name = _cluster(walk)
    jump = walk.chance.choice((-86400, -600, 600, 86400))
    walk.here.members[name].clock.ahead += timedelta(seconds=jump)
    return f"{name} {jump:+}"


async def clock_of_hub(walk: "Walk") -> str:
    jump = walk.chance.choice((-600, -60, 60, 600, 86400))
    walk.here.clock.ahead += timedelta(seconds=jump)
    return f"{jump:+}"


async def back_up(walk: "Walk") -> str:
    walk.backup = walk.here.shelf.copy()
    return ""


async def restore(walk: "Walk") -> str:
    """The hub's disk is exchanged for an older copy."""
    if walk.backup is None:
        return ""
    walk.watch.check()
    await walk.here.hub.stop()
    walk.here.shelf.synced = walk.backup.copy()
    walk.watch.rewound()
    walk.here.hub.start()
    return "an older book"


async def recover(walk: "Walk") -> str:
    await walk.ask("recover")
    return ""


async def rob(walk: "Walk") -> str:
    """Somebody with the hub's key answers a cluster of prod, for a while."""
    name = walk.chance.choice(("prod-canary", "prod-1"))
    member = walk.here.members[name]
    walk.watch.robbed.add(name)
    member.wire.hub = thieves.at(walk.here, names.Environment("prod"), walk.chance)
    await asyncio.sleep(walk.chance.choice((20.0, 60.0)))
    member.wire.hub = walk.here
    await asyncio.sleep(1.5)  # an answer may be under way
    walk.watch.robbed.discard(name)
    return name


def _cluster(walk: "Walk") -> str:
    return walk.chance.choice(sorted(walk.here.members))
