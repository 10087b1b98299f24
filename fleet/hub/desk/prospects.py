"""What the gates would say of a commit that is not there yet, by all that is known of its content now."""

from collections.abc import Iterator
from dataclasses import replace

from fleet.gate import answers, candidates, gates, hotfixes, lineage, promotions, told
from fleet.gate import approving as approvals_gate
from fleet.hub import comebacks, facts, inforce, state
from fleet.judge import readings, settings
from fleet.model import kinds, ledger, names
from fleet.model.ledger import Lineage
from fleet.protocol import approvals, trustchain

# What nobody can say of a commit that is not there: only its own text and its own history tell.
_ONLY_JUDGED = frozenset({"findings", "budget", "signatures"})


async def of(candidate: candidates.Candidate, hub: state.Hub) -> tuple[ledger.GateResult, ...]:
    environment = candidate.environment
    is_read = candidate.rules != readings.NO_IDS.rules
    own: kinds.EnvironmentSpec | None = await hub.proposed.of(
        environment,
        candidate.rules if is_read else candidate.commit,  # fleet.yaml is one of the rules
        lambda: inforce.proposed(environment, candidate.commit, hub),
    )
    sides = settings.both(await inforce.spec(environment, hub), own)
    back = await comebacks.of_commit(environment, candidate.commit, hub)
    known = replace(facts.from_book(candidate, sides, hub), coming_back=back)
    found = await _told(candidate, known, hub)
    results = gates.results(candidate, known, found)
    asked = "; ".join(dict.fromkeys(_asked(environment, sides, hub)))
    return tuple(
        _agreed(each, asked, candidate) for each in results if each.gate not in _ONLY_JUDGED
    )


async def _told(
    candidate: candidates.Candidate, known: candidates.Facts, hub: state.Hub
) -> told.Told:
    """Of what upstream accepted: as `fleet promote` would make it, over the hotfixes that are open."""
    base, upstream = known.base, known.upstream
    source = told.newest_equal(candidate, upstream.accepted) if upstream else None
    if base is None or source is None or source.release < told.running_source(base, upstream):
        return lineage.tell(candidate, known)
    if not base.hotfixes:
        return told.Told(kind=Lineage.PROMOTION, source=source.release)
    here = await hub.repository.snapshot(base.commit)
    over = hotfixes.overlay(base.hotfixes, here, await hub.repository.snapshot(source.commit))
    kept = told.Told(kind=Lineage.PROMOTION, source=source.release, hotfixes=over.kept)
    return promotions.wiped(over) or kept


def _asked(
    environment: names.Environment, sides: tuple[candidates.Side, ...], hub: state.Hub
) -> Iterator[str]:
    """Whose approvals will be asked for: by settings, and by the trust file in force."""
    for side in sides:
        yield from (f"{each.count} of {each.group}" for each in side.spec.gates.approvals)
    release = hub.ledger.in_force(environment)
    links, _ = trustchain.examine(release.trust if release else (), environment)
    for link in links[-1:]:
        yield from (f"{each.count} of {each.group}" for each in approvals.wanted(link.spec))


def _agreed(
    result: ledger.GateResult, asked: str, candidate: candidates.Candidate
) -> ledger.GateResult:
    """Nobody can have agreed to what is not rendered yet."""
    if result.gate != approvals_gate.GATE or not asked:
        return result
    hint = f"once it is on the branch: fleet approve {candidate.environment}"
    return answers.waits(approvals_gate.GATE, f"approvals will be asked for: {asked}", hint)
