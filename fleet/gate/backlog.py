"""What upstream accepted and an environment does not run yet, and when it could be promoted."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from fleet.gate import candidates, told
from fleet.model import ledger
from fleet.model.ledger import GateState


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """Content of upstream's, by the newest release that has it; `first` is the one since which it has had it."""

    newest: candidates.Accepted
    first: int


def waiting(
    base: candidates.Accepted | None, upstream: candidates.Upstream
) -> tuple[Waiting, ...]:
    """What is newer than all that is here, the newest first; releases in a row that say the same are one."""
    running = told.running_source(base, upstream) if base else 0
    found: list[Waiting] = []
    for each in upstream.accepted:
        if each.release <= running or (base is not None and told.same(each, base)):
            continue
        last = found[-1] if found else None
        if last is not None and told.same(each, last.newest):
            found[-1] = Waiting(newest=each, first=last.first)
        else:
            found.append(Waiting(newest=each, first=each.release))
    return tuple(reversed(found))


class Opening(Enum):
    """When something could be promoted, by what its gates say."""

    NOW = "now"
    AT = "at"  # by the clock alone, if all stays as it is
    WAITS = "waits"  # for something or somebody: nobody knows how long
    REFUSED = "refused"


_OPENINGS = {
    GateState.OPEN: Opening.NOW,
    GateState.WAITING: Opening.WAITS,
    GateState.ERROR: Opening.WAITS,
    GateState.REFUSED: Opening.REFUSED,
}
_HARDEST = list(Opening)


def opening(results: Iterable[ledger.GateResult]) -> tuple[Opening, datetime | None]:
    """As hard as the hardest gate, and as late as the last; of no results at all: it waits."""
    said = [(_of(each), each.until) for each in results]
    if not said:
        return Opening.WAITS, None
    hardest = max((word for word, _ in said), key=_HARDEST.index)
    if hardest is not Opening.AT:
        return hardest, None
    return hardest, max(until for word, until in said if word is Opening.AT and until)


def _of(result: ledger.GateResult) -> Opening:
    """An error says by when to look again, not when it opens."""
    if result.state is GateState.WAITING and result.until is not None:
        return Opening.AT
    return _OPENINGS[result.state]
