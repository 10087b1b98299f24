"""Objects onto the cluster by server-side apply: stage by stage, several at once, each failing alone."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta

from fleet.agent import sight, state, strangers, together
from fleet.converge import differences, fields, inventory, stages
from fleet.model import changes, errors, json_values, names, objects, slices
from fleet.ports import cluster

_TRIES = 4  # of one request that the API server puts off
_PATIENCE = 60.0  # seconds, however long the API server would have us wait


async def apply(
    agent: state.Agent, items: Sequence[slices.Item], found: strangers.Strangers
) -> None:
    """Apply them; what becomes of each is in the agent's inventory and troubles.

    Raises errors.UnreachableError when the API server cannot be asked: nothing is concluded from that.
    """
    by_key = {item.key: item for item in items}
    gate = asyncio.Semaphore(agent.settings.in_flight)
    for keys in stages.ordered(by_key):
        await together.run(_one(agent, by_key[key], found, gate) for key in keys)
        await _established(agent, keys)


async def _one(
    agent: state.Agent, item: slices.Item, found: strangers.Strangers, gate: asyncio.Semaphore
) -> None:
    """What a newer dispatch has replaced meanwhile is not begun: the next turn applies the newer one."""
    async with gate:
        if not _is_newest(agent, item):
            return
        outcome = await _applied(agent, item, found)
    if outcome.result is changes.Result.FAILED:
        agent.troubles[item.key] = outcome
    else:
        agent.troubles.pop(item.key, None)


def _is_newest(agent: state.Agent, item: slices.Item) -> bool:
    return agent.wanted.get(item.key) is item


async def _applied(
    agent: state.Agent, item: slices.Item, found: strangers.Strangers
) -> changes.Outcome:
    resource = state.resource_of(agent, item.key)
    if resource is None:
        return _failed(item.key, f"the cluster does not serve {item.key.kind}.{item.key.group}")
    if item.key in found.untold:
        return _failed(item.key, found.untold[item.key])
    if item.key in found.foreign:
        return _failed(item.key, "it is there already, and fleet did not create it: " + _HINT)
    was = agent.seen.get(item.key)  # before the answer, which the watch may overtake
    answer = await _ask(agent, resource, item, force=item.key in found.taken)
    if answer.status is cluster.Status.CONFLICT and _was_ours(agent, item.key, answer):
        answer = await _ask(agent, resource, item, force=True)
    if answer.status is not cluster.Status.DONE or answer.live is None:
        return _failed(item.key, _told(answer))
    return _done(agent, item, was, answer.live)


_HINT = "let its bundle say takeover: true, or write a Permit"


async def _ask(
    agent: state.Agent, resource: cluster.Resource, item: slices.Item, *, force: bool
) -> cluster.Answer:
    """What the API server puts off is asked again after the pause that it names, with jitter."""
    body = inventory.marked(item.body)
    for last in range(_TRIES):
        answer = await agent.cluster.apply(resource, body, force=force)
        if answer.status is not cluster.Status.LATER or last == _TRIES - 1:
            return answer
        pause = min(_PATIENCE, max(answer.retry_after, 0.25 * 2**last))
        await agent.clock.sleep(pause * (1 + agent.chance() / 2))
    raise errors.UnreachableError("no answer")


def _was_ours(agent: state.Agent, key: objects.Key, answer: cluster.Answer) -> bool:
    """Rule 8: only what was ours at the last apply may be forced."""
    member = agent.inventory.get(key)
    if member is None or not member.digest or not answer.conflicts:
        return False
    last = agent.bodies.get((key, names.Digest(member.digest)))
    body = inventory.marked(last.body) if last else None
    return fields.were_ours([each.field for each in answer.conflicts], body)


_MENDED = (changes.Result.CREATED, changes.Result.CONFIGURED)


def _done(
    agent: state.Agent,
    item: slices.Item,
    was: fields.Seen | None,
    live: json_values.JsonObject,
) -> changes.Outcome:
    """By the body that was sent: a newer dispatch may have replaced the item while the API server answered."""
    before = agent.inventory[item.key]
    member = replace(
        before,
        uid=live["metadata"]["uid"],
        digest=_digest(agent, item),
        fields=fields.owned(live),
    )
    outcome = changes.Outcome(key=item.key, result=_result(before, was, member))
    is_blind = (item.key.group, item.key.kind) in agent.blind  # then it was applied unseen
    was_wanted = before.uid and before.digest == member.digest and not is_blind
    if was_wanted and outcome.result in _MENDED:
        agent.repairs[item.key] = outcome
    agent.inventory[item.key] = member
    sight.take(agent, item.key, live)
    return outcome


def _digest(agent: state.Agent, item: slices.Item) -> names.Digest:
    return agent.digests[item.key] if _is_newest(agent, item) else json_values.digest(item.body)


def _result(
    before: inventory.Member, was: fields.Seen | None, after: inventory.Member
) -> changes.Result:
    """Drift that was put back leaves the member as it was: only what was seen of the object tells it."""
    if not before.uid or before.uid != after.uid:
        return changes.Result.CREATED
    is_same = differences.is_as_applied(before, names.Digest(after.digest), was)
    return changes.Result.UNCHANGED if is_same else changes.Result.CONFIGURED


def _failed(key: objects.Key, message: str) -> changes.Outcome:
    return changes.Outcome(key=key, result=changes.Result.FAILED, message=message)


def _told(answer: cluster.Answer) -> str:
    if answer.conflicts:
        owners = ", ".join(f"{each.field} is {each.manager}'s" for each in answer.conflicts)
        return f"conflict: {owners}; leave these fields out, or take them from their owner"
    return answer.message or answer.status.value


async def _established(agent: state.Agent, keys: Iterable[objects.Key]) -> None:
    """CustomResourceDefinitions are waited for until they are served; then kinds are looked up again."""
    crds = [k for k in keys if (k.group, k.kind) == stages.CRD and k not in agent.troubles]
    if not crds:
        return
    deadline = agent.clock.now() + timedelta(seconds=agent.settings.established_wait)
    for key in crds:
        while not await _is_established(agent, key) and agent.clock.now() < deadline:
            await agent.clock.sleep(0.1)
    agent.resources = await agent.cluster.discover()


async def _is_established(agent: state.Agent, key: objects.Key) -> bool:
    resource = state.resource_of(agent, key)
    answer = await agent.cluster.read(resource, key) if resource else None
    status = (answer.live or {}).get("status") or {} if answer else {}
    return any(
        condition.get("type") == "Established" and condition.get("status") == "True"
        for condition in status.get("conditions") or ()
    )
