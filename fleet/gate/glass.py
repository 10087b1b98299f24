"""Break-glass: so many people of a group, each with a signed word of their own, pass closed windows together."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from fleet.model import observed


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    by: str
    reason: str
    until: datetime


def broken(said: Iterable[observed.BreakGlass], now: datetime) -> Broken | None:
    """Until the first of those who are needed takes it to end; None while they are too few."""
    lasting = sorted(live(said, now), key=lambda each: (each.until, each.by), reverse=True)
    needed = max((each.count for each in lasting), default=1)
    if len(lasting) < needed:
        return None
    return Broken(
        by=", ".join(sorted(each.by for each in lasting)),
        reason=lasting[0].reason,
        until=lasting[needed - 1].until,
    )


def live(said: Iterable[observed.BreakGlass], now: datetime) -> list[observed.BreakGlass]:
    return [each for each in said if each.since <= now < each.until]
