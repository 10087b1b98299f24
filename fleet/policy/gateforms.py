"""What makes the gates of an environment looser, by form: any change of them but one that was added (rule 3)."""

from collections.abc import Iterable, Iterator

from fleet.model import gating, kinds, strict


def loosenings(before: kinds.EnvironmentSpec, after: kinds.EnvironmentSpec) -> Iterator[str]:
    """Each in words."""
    yield from _lists(before.gates, after.gates)
    yield from _settings(before.gates, after.gates)
    yield from _ways_round(before, after)
    if after.health != before.health:
        yield "when health counts is changed"


def _lists(before: gating.Gates, after: gating.Gates) -> Iterator[str]:
    yield from _less("approval", before.approvals, after.approvals)
    yield from _less("loosening", before.loosening, after.loosening)
    yield from _less("window", before.windows, after.windows)
    yield from _less("status", before.statuses, after.statuses)
    yield from _less("metric", before.metrics, after.metrics)
    known = [each for each in before.windows if each.effect is gating.Effect.ALLOW]
    fresh = [each for each in after.windows if each not in before.windows]
    for each in fresh:
        if known and each.effect is gating.Effect.ALLOW:
            yield f"window {each.name} is open besides those that were"


def _less(
    what: str, before: Iterable[strict.Strict], after: Iterable[strict.Strict]
) -> Iterator[str]:
    left = list(after)
    for each in before:
        if each not in left:
            yield f"the {what} gate of {_name(each)} is gone or changed"


def _name(asked: strict.Strict) -> str:
    match asked:
        case gating.Status():
            return f"{asked.issuer}/{asked.context}"
        case gating.Window() | gating.Metric():
            return asked.name
        case gating.Approvals():
            return asked.group
        case _:
            return type(asked).__name__.lower()


def _settings(before: gating.Gates, after: gating.Gates) -> Iterator[str]:
    for name in ("soak", "signatures", "debt"):
        was, is_now = getattr(before, name), getattr(after, name)
        if was != is_now and was:
            yield f"the {name} gate is changed"
    for name in ("clusters", "objects", "deletions"):
        was, is_now = getattr(before.budget, name), getattr(after.budget, name)
        if was != is_now and was is not None:
            yield f"the budget of {name} is changed"


def _ways_round(before: kinds.EnvironmentSpec, after: kinds.EnvironmentSpec) -> Iterator[str]:
    """What opens a way past a gate loosens by being there; only its end does not."""
    if after.gates.break_glass not in (before.gates.break_glass, None):
        yield "who may break the glass is changed"
    if after.hotfix not in (before.hotfix, None):
        yield "what may be changed by hotfix is changed"
