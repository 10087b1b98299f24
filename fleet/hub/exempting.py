"""What of a candidate's findings its way back is exempt from, by the slices that ran here."""

from collections.abc import Mapping
from dataclasses import replace

from fleet.gate import candidates, told
from fleet.hub import judging, state
from fleet.model import errors, findings, json_values, ledger, names, objects
from fleet.model import slices as form
from fleet.policy import exemptions

Ran = frozenset[tuple[objects.Key, names.Digest]]


async def settled(
    found: told.Told,
    facts: candidates.Facts,
    judged: judging.Judged,
    hub: state.Hub,
) -> candidates.Facts:
    """Of a rollback: what ran here just so is not refused for what rules say of it since."""
    environment = judged.question.environment
    running = hub.ledger.in_force(environment)
    is_back = found.kind is ledger.Lineage.ROLLBACK
    if running is None or not is_back or not findings.refuses(facts.findings):
        return facts
    before = hub.ledger.releases[environment, found.back_to]
    kept: tuple[findings.Finding, ...] = await hub.exempt.of(
        environment,
        (judged, facts.findings, before.number, running.number),
        lambda: _exempted(facts, judged, (before, running), found, hub),
    )
    return replace(facts, findings=kept)


async def _exempted(
    facts: candidates.Facts,
    judged: judging.Judged,
    releases: tuple[ledger.Release, ledger.Release],
    found: told.Told,
    hub: state.Hub,
) -> tuple[findings.Finding, ...]:
    before, running = releases
    past = exemptions.Past(
        ran=await _held(before, hub),
        runs=await _held(running, hub),
        installed=judged.docket.installed,
        in_part=bool(found.paths),
    )
    return await hub.tools.aside(
        lambda: exemptions.exempted(facts.findings, judged.manifests, past)
    )


async def _held(release: ledger.Release, hub: state.Hub) -> Mapping[names.Cluster, Ran]:
    """By cluster; those that got the same are looked at once."""
    held = {each: await _objects(each, hub) for each in set(release.slices.values())}
    return {cluster: held[digest] for cluster, digest in release.slices.items()}


async def _objects(digest: names.SliceDigest, hub: state.Hub) -> Ran:
    """Of a slice that ran. One that is not in the book is no empty one (rule 6)."""
    data = await hub.book.slice(digest)
    if data is None:
        raise errors.BrokenError(f"the book does not have slice {digest}, which ran here")
    return await hub.tools.aside(
        lambda: frozenset((e.key, json_values.digest(e.body)) for e in form.decode(data))
    )
