"""Windows and freezes: when waves may open. Where any `allow` is declared one must be open; an open `deny` wins."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from fleet.gate import answers, calendars, candidates, glass
from fleet.model import errors, gating, kinds
from fleet.model.ledger import GateResult, Lineage

GATE = "windows"
PASSING = frozenset({Lineage.BASELINE, Lineage.ROLLBACK})  # decrees and ways back wait for none


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """`until` is the next moment at which it is otherwise; None = it stays so for as far as anybody looks."""

    is_open: bool
    until: datetime | None
    reason: str


def state(
    windows: Sequence[gating.Window],
    now: datetime,
    wave: str = "",
    broken: glass.Broken | None = None,
) -> State:
    """Whether this wave may open; "" asks only what holds for every wave. Raises errors.InputError for a bad window."""
    asked = [each for each in windows if not each.waves or wave in each.waves]
    allowing = [each for each in asked if each.effect is gating.Effect.ALLOW]
    denying = [each for each in asked if each.effect is gating.Effect.DENY]
    found = _judged(allowing, denying, now)
    if found.is_open or broken is None or now >= broken.until:
        return found
    until = broken.until.isoformat(timespec="seconds")
    reason = f"windows are passed by break-glass until {until} ({broken.by}: {broken.reason})"
    return State(is_open=True, until=broken.until, reason=reason)


def laid(
    sides: Iterable[Sequence[gating.Window]],
    now: datetime,
    wave: str = "",
    broken: glass.Broken | None = None,
) -> State:
    """What all sides say together (rule 3): every one of them must be open. Raises errors.InputError likewise."""
    found = [state(side, now, wave, broken) for side in sides]
    closed = [each for each in found if not each.is_open]
    untils = [each.until for each in closed or found]
    known = [each for each in untils if each is not None]
    if closed:
        until = max(known) if len(known) == len(untils) else None
        return replace(closed[0], until=until)
    reason = found[0].reason if found else "no window holds it"
    return State(is_open=True, until=min(known, default=None), reason=reason)


def gate(
    candidate: candidates.Candidate, facts: candidates.Facts, spec: kinds.EnvironmentSpec
) -> GateResult | None:
    """For every wave; those of one wave alone are asked before that wave opens."""
    asked = [each for each in spec.gates.windows if not each.waves]
    if not asked:
        return None
    try:
        found = state(asked, facts.now, broken=facts.break_glass)
    except errors.InputError as error:
        return answers.fails(GATE, str(error))
    if found.is_open:
        return answers.opens(GATE, found.reason, until=found.until)
    can_break = spec.gates.break_glass is not None
    act = f"fleet break-glass {candidate.environment} --reason WHY --until WHEN"
    hint = act if can_break else ""
    return answers.waits(GATE, found.reason, hint, until=found.until)


def _judged(
    allowing: Sequence[gating.Window], denying: Sequence[gating.Window], now: datetime
) -> State:
    both = _Both(allowing, denying, now)
    if both.denied_at(now) is not None:
        named = ", ".join(each.name for each in denying if calendars.of(each, now).around(now))
        return State(is_open=False, until=both.opening(now), reason=f"closed by {named}")
    allowed = both.allowed_at(now)
    if allowed is None:
        named = ", ".join(each.name for each in allowing)
        return State(is_open=False, until=both.opening(now), reason=f"no open window: {named}")
    return State(is_open=True, until=both.closing(now, allowed), reason="no window holds it")


class _Both:
    """What is allowed and what is denied, laid over each other."""

    def __init__(
        self, allowing: Sequence[gating.Window], denying: Sequence[gating.Window], now: datetime
    ) -> None:
        self._allowed = calendars.union(allowing, now) if allowing else calendars.ALWAYS
        self._denied = calendars.union(denying, now)
        self._known = min(self._allowed.known, self._denied.known)

    def allowed_at(self, at: datetime) -> calendars.Span | None:
        return self._allowed.around(at)

    def denied_at(self, at: datetime) -> calendars.Span | None:
        return self._denied.around(at)

    def closing(self, now: datetime, allowed: calendars.Span) -> datetime | None:
        denied = self._denied.after(now)
        return self._shown(min(allowed[1], denied) if denied else allowed[1])

    def opening(self, now: datetime) -> datetime | None:
        """The first moment after `now` that is allowed and not denied."""
        at: datetime | None = now
        while at is not None and at < self._known:
            denied = self.denied_at(at)
            if denied is None and self.allowed_at(at) is not None:
                return at
            at = denied[1] if denied else self._allowed.after(at)
        return self._shown(at or calendars.NEVER)

    def _shown(self, at: datetime) -> datetime | None:
        return at if at < self._known else None
