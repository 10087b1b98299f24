"""What of a candidate's findings its way back is exempt from, by the slices that ran here."""

from collections.abc import Mapping
from dataclasses import replace

from fleet.gate import candidates, told
from fleet.hub import counting, state
from fleet.judge import judging
from fleet.model import errors, findings, json_values, ledger, names, objects
from fleet.model import slices as form
from fleet.policy import exemptions

Ran = frozenset[tuple[objects.Key, names.Digest]]
Slices = Mapping[names.Cluster, names.SliceDigest]


def ran(found: told.Told, environment: names.Environment, hub: state.Hub) -> Slices:
    """What clusters ran with the release that is gone back to; empty where it is no way back."""
    if found.kind is not ledger.Lineage.ROLLBACK:
        return {}
    return hub.ledger.releases[environment, found.back_to].slices


async def settled(
    found: told.Told,
    facts: candidates.Facts,
    judged: judging.Judged,
    hub: state.Hub,
) -> candidates.Facts:
    """Of a rollback: what ran here just so is not refused for what rules say of it since."""
    environment = judged.question.environment
    running = hub.ledger.in_force(environment)
    if running is None:
        return facts
    before, now = ran(found, environment, hub), running.slices
    kept: tuple[findings.Finding, ...] = await hub.exempt.of(
        environment,
        (judged, facts.findings, found.kind, found.back_to, running.number),
        lambda: exempted(found, facts.findings, judged, (before, now), hub),
    )
    return replace(facts, findings=kept)


async def exempted(
    told_of: told.Told,
    found: tuple[findings.Finding, ...],
    judged: judging.Judged,
    then_and_now: tuple[Slices, Slices],
    hub: counting.Shelf,
) -> tuple[findings.Finding, ...]:
    is_back = told_of.kind is ledger.Lineage.ROLLBACK
    if not is_back or not findings.refuses(found):
        return found
    then, now = then_and_now
    past = exemptions.Past(
        ran=await _held(then, hub),
        runs=await _held(now, hub),
        installed=judged.docket.installed,
        in_part=bool(told_of.paths),
    )
    return await hub.tools.aside(lambda: exemptions.exempted(found, judged.manifests, past))


async def _held(slices: Slices, hub: counting.Shelf) -> Mapping[names.Cluster, Ran]:
    """By cluster; those that got the same are looked at once."""
    held = {each: await _objects(each, hub) for each in set(slices.values())}
    return {cluster: held[digest] for cluster, digest in slices.items()}


async def _objects(digest: names.SliceDigest, hub: counting.Shelf) -> Ran:
    """Of a slice that ran. One that is not in the book is no empty one (rule 6)."""
    data = await hub.book.slice(digest)
    if data is None:
        raise errors.BrokenError(f"the book does not have slice {digest}, which ran here")
    return await hub.tools.aside(
        lambda: frozenset((e.key, json_values.digest(e.body)) for e in form.decode(data))
    )
