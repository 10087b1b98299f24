"""How the time in which a content is healthy is recorded: look by look, on the hub's clock, and never filled in.

An interval holds no moment that is unhealthy, unknown or unobserved. Health is known for as long as `stale_after`
after a sign of life, so that is the longest gap between two looks; a longer one, or a clock that jumps, ends it.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from fleet.model import observed


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One look at the clusters of an environment that shall run a content."""

    now: datetime
    signs: tuple[datetime, ...]  # when each cluster that is heard of was heard of last
    is_healthy: bool | None  # all of these run it and are well; None = that is not known
    quorum: int  # so many must be heard of
    stale_after: timedelta
    has_jumped: bool = False  # the clock, since the look before


def follow(row: observed.Soak, look: Look) -> observed.Soak:
    """The row after one more look."""
    if look.has_jumped:
        return ended(row)
    if look.is_healthy is False:
        return replace(ended(row), is_sick=True)
    held = row.running.quorum if row.running else 0
    if look.is_healthy is None or len(look.signs) < max(look.quorum, held):
        return ended(row) if _is_lost(row, look) else row
    return replace(_extended(row, look), is_sick=False)


def ended(row: observed.Soak) -> observed.Soak:
    """Its interval is over, at the last moment that was known; the longest one is kept."""
    return replace(row, running=None, longest=row.best)


def _extended(row: observed.Soak, look: Look) -> observed.Soak:
    running, oldest = row.running, min(look.signs)
    if running is None:
        return _begun(row, look)
    has_gap = _is_lost(row, look) or oldest - running.confirmed > look.stale_after
    if has_gap or look.quorum > running.quorum:
        return _begun(ended(row), look)
    confirmed = max(running.confirmed, min(oldest, look.now))
    return replace(row, running=replace(running, confirmed=confirmed))


def _begun(row: observed.Soak, look: Look) -> observed.Soak:
    fresh = observed.Interval(began=look.now, confirmed=look.now, quorum=look.quorum)
    return replace(row, running=fresh)


def _is_lost(row: observed.Soak, look: Look) -> bool:
    """Whether what was known last lies too far back, or ahead: then the clock went back."""
    running = row.running
    if running is None:
        return False
    since = look.now - running.confirmed
    return since > look.stale_after or since < timedelta(0)
