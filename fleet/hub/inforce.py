"""What the accepted commit of an environment says in fleet.yaml, read when nothing is being judged."""

from collections.abc import Iterator

from fleet.hub import state
from fleet.judge import readings
from fleet.manifests import declared
from fleet.model import findings, gating, kinds, names


async def spec(environment: names.Environment, hub: state.Hub) -> kinds.EnvironmentSpec | None:
    """The settings that are in force there; None before anything is."""
    fleet = await _fleet(environment, hub)
    return next((each for each in _specs(fleet) if each.name == environment), None)


async def proposed(
    environment: names.Environment, commit: names.CommitId, hub: state.Hub
) -> kinds.EnvironmentSpec | None:
    """The settings that a commit would bring there."""
    fleet = await _read(commit, hub)
    return next((each for each in _specs(fleet) if each.name == environment), None)


def after(environment: names.Environment, hub: state.Hub) -> names.Environment | None:
    """The environment that takes promotions from this one; None too where there is no road yet."""
    road = hub.ledger.seal.road
    return road.after(environment) if road else None


async def quorums(environment: names.Environment, hub: state.Hub) -> tuple[gating.Share, ...]:
    """What the environment after this one asks of it: in force there, on its way there, and judged there by now."""
    next_one = after(environment, hub)
    if next_one is None:
        return ()
    known = [each for e in (environment, next_one) for each in _specs(await _fleet(e, hub))]
    judged = hub.tools.judged.get(next_one)
    asking = [
        *(each for each in known if each.name == next_one),
        *(judged.specs if judged else ()),
    ]
    return tuple(each.health.quorum for each in asking)


async def _fleet(environment: names.Environment, hub: state.Hub) -> kinds.Fleet | None:
    release = hub.ledger.in_force(environment)
    if release is None:
        return None
    commit = release.commit
    found: kinds.Fleet | None = await hub.fleets.of(
        environment, commit, lambda: _read(commit, hub)
    )
    return found


async def _read(commit: names.CommitId, hub: state.Hub) -> kinds.Fleet | None:
    found = await readings.fleet_file(commit, hub.tools.repository, hub.tools.files)
    return None if isinstance(found, findings.Finding) else declared.fleet_of(found)[0]


def _specs(fleet: kinds.Fleet | None) -> Iterator[kinds.EnvironmentSpec]:
    yield from fleet.spec.environments if fleet else ()
