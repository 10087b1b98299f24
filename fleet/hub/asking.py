"""What people name when they ask the hub for something: environments that it knows, reasons that say why."""

from fleet.hub import state
from fleet.model import errors, findings, names

_LONGEST_REASON = 1000  # characters


def environment(text: str, hub: state.Hub) -> names.Environment:
    road = hub.ledger.seal.road
    listed = [step.environment for step in road.steps] if road else []
    if text not in listed:
        raise errors.InputError(
            f"the hub knows no environment {findings.escaped(text)!r}: "
            f"{', '.join(listed) or 'none yet'}"
        )
    return names.Environment(text)


def reason(text: str) -> str:
    words = findings.escaped(text.strip())
    if not words or len(words) > _LONGEST_REASON:
        raise errors.InputError(
            f"say why, in at most {_LONGEST_REASON} characters", hint='--reason "..."'
        )
    return words
