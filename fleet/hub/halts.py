"""What people stopped: pauses, until they are resumed, and aborts, for as long as the release is in force."""

from fleet.hub import state
from fleet.model import names, pacing


def on(
    environment: names.Environment,
    hub: state.Hub,
    *,
    wave: str = "",
    cluster: str = "",
    release: int = 0,
) -> list[pacing.Halt]:
    """All that hold this environment, its wave or its cluster, oldest first."""
    found = [
        each
        for each in hub.ledger.halts.values()
        if each.ended is None
        and each.environment in ("", environment)
        and each.release in (0, release)
        and _covers(each, wave, cluster)
    ]
    return sorted(found, key=lambda each: (each.at, each.scope))


def _covers(halt: pacing.Halt, wave: str, cluster: str) -> bool:
    if halt.cluster:
        return halt.cluster == cluster
    return halt.wave in ("", wave)


def live(hub: state.Hub) -> list[pacing.Halt]:
    """All that hold anything at all; an abort ends with its release."""
    found = [
        each
        for each in hub.ledger.halts.values()
        if each.ended is None and (not each.release or _is_in_force(each, hub))
    ]
    return sorted(found, key=lambda each: (each.at, each.scope))


def _is_in_force(halt: pacing.Halt, hub: state.Hub) -> bool:
    here = hub.ledger.environments.get(names.Environment(halt.environment))
    return here is not None and here.release == halt.release


def words(halt: pacing.Halt) -> str:
    act = "paused" if halt.act is pacing.Act.PAUSE else "aborted"
    return f"{halt.by} {act} {halt.scope}: {halt.reason}"
