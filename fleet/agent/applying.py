"""Objects onto the cluster by server-side apply: stage by stage, several at once, each failing alone."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from fleet.agent import sight, state, together
from fleet.converge import differences, fields, inventory, stages
from fleet.model import changes, errors, json_values, names, objects, slices
from fleet.ports import cluster

_TRIES = 4  # of one request that the API server puts off


async def apply(agent: state.Agent, items: Sequence[slices.Item]) -> None:
    """Apply them; what becomes of each is in the agent's inventory and troubles.

    Raises errors.UnreachableError when the API server cannot be asked: nothing is concluded from that.
    """
    by_key = {item.key: item for item in items}
    strangers = await _strangers(agent, items)
    gate = asyncio.Semaphore(agent.settings.in_flight)
    for keys in stages.ordered(by_key):
        await together.run(_one(agent, by_key[key], strangers.get(key), gate) for key in keys)
        await _established(agent, keys)


async def _one(
    agent: state.Agent,
    item: slices.Item,
    stranger: json_values.JsonObject | None,
    gate: asyncio.Semaphore,
) -> None:
    async with gate:
        outcome = await _applied(agent, item, stranger)
    if outcome.result is changes.Result.FAILED:
        agent.troubles[item.key] = outcome
    else:
        agent.troubles.pop(item.key, None)


async def _applied(
    agent: state.Agent, item: slices.Item, stranger: json_values.JsonObject | None
) -> changes.Outcome:
    resource = state.resource_of(agent, item.key)
    if resource is None:
        return _failed(item.key, f"the cluster does not serve {item.key.kind}.{item.key.group}")
    was = agent.seen.get(item.key)  # before the answer, which the watch may overtake
    takes_over = False
    if stranger is not None:
        if not _may_take_over(agent, item):
            return _failed(item.key, "it is there already, and fleet did not create it: " + _HINT)
        takes_over = True
    answer = await _ask(agent, resource, item, force=takes_over)
    if answer.status is cluster.Status.CONFLICT and _was_ours(agent, item.key, answer):
        answer = await _ask(agent, resource, item, force=True)
    if answer.status is not cluster.Status.DONE or answer.live is None:
        return _failed(item.key, _told(answer))
    return _done(agent, item, was, answer.live, adopted=takes_over)


_HINT = "let its bundle say takeover: true, or write a Permit"


def _may_take_over(agent: state.Agent, item: slices.Item) -> bool:
    dispatch = agent.dispatch
    return dispatch is not None and differences.may_take_over(item, dispatch, agent.clock.now())


async def _ask(
    agent: state.Agent, resource: cluster.Resource, item: slices.Item, *, force: bool
) -> cluster.Answer:
    """What the API server puts off is asked again after the pause that it names, with jitter."""
    body = inventory.marked(item.body)
    for last in range(_TRIES):
        answer = await agent.cluster.apply(resource, body, force=force)
        if answer.status is not cluster.Status.LATER or last == _TRIES - 1:
            return answer
        await agent.clock.sleep(max(answer.retry_after, 0.25 * 2**last) * (1 + agent.chance() / 2))
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
    *,
    adopted: bool,
) -> changes.Outcome:
    before = agent.inventory[item.key]
    member = replace(
        before,
        uid=live["metadata"]["uid"],
        digest=agent.digests.get(item.key) or json_values.digest(item.body),
        fields=fields.owned(live),
        adopted=before.adopted or adopted,
    )
    outcome = changes.Outcome(key=item.key, result=_result(before, was, member))
    if before.uid and before.digest == member.digest and outcome.result in _MENDED:
        agent.repairs[item.key] = outcome
    agent.inventory[item.key] = member
    sight.take(agent, item.key, live)
    return outcome


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


async def _strangers(
    agent: state.Agent, items: Iterable[slices.Item]
) -> Mapping[objects.Key, json_values.JsonObject]:
    """Live objects under keys that we have never applied."""
    new = [item.key for item in items if not _is_known(agent, item.key)]
    found: dict[objects.Key, json_values.JsonObject] = {}
    groups: dict[tuple[str, str, str], list[objects.Key]] = {}
    for key in new:
        groups.setdefault((key.group, key.kind, key.namespace), []).append(key)
    gate = asyncio.Semaphore(agent.settings.in_flight)
    await together.run(_look(agent, keys, found, gate) for keys in groups.values())
    return found


def _is_known(agent: state.Agent, key: objects.Key) -> bool:
    member = agent.inventory.get(key)
    return member is not None and bool(member.uid)


async def _look(
    agent: state.Agent,
    keys: list[objects.Key],
    found: dict[objects.Key, json_values.JsonObject],
    gate: asyncio.Semaphore,
) -> None:
    """A few are read one by one; many of one kind and namespace are listed, as metadata."""
    resource = state.resource_of(agent, keys[0])
    if resource is None:
        return
    async with gate:
        live = await (_listed if len(keys) > 3 else _read)(agent, resource, keys)
    found.update({key: each for key, each in live.items() if not _is_half_made(agent, key, each)})


async def _read(
    agent: state.Agent, resource: cluster.Resource, keys: list[objects.Key]
) -> dict[objects.Key, json_values.JsonObject]:
    found = {}
    for key in keys:
        answer = await agent.cluster.read(resource, key)
        if answer.live is not None:
            found[key] = answer.live
        elif answer.status not in (cluster.Status.ABSENT, cluster.Status.UNSERVED):
            raise errors.UnreachableError(f"cannot tell whether {key} is there: {answer.message}")
    return found


async def _listed(
    agent: state.Agent, resource: cluster.Resource, keys: list[objects.Key]
) -> dict[objects.Key, json_values.JsonObject]:
    wanted = {key.name: key for key in keys}
    found = {}
    events = agent.cluster.watch(
        resource, selector="", namespace=keys[0].namespace, metadata_only=True
    )
    async for event in events:
        if event.type is cluster.EventType.SYNCED:
            break
        name = event.live["metadata"]["name"] if event.live else ""
        if event.live is not None and name in wanted:
            found[wanted[name]] = event.live
    await events.aclose()
    return found


def _is_half_made(agent: state.Agent, key: objects.Key, live: json_values.JsonObject) -> bool:
    """Ours, made just before a crash: the inventory names it without a UID, and nobody else has written to it."""
    labels = live["metadata"].get("labels") or {}
    is_marked = labels.get(inventory.PART_OF) == inventory.ID
    return key in agent.inventory and is_marked and bool(fields.owned(live))


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
