"""Where numbers over time are asked for: Prometheus, or what speaks its language."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """A query over a window of time."""

    url: str
    query: str
    start: datetime
    end: datetime
    step: timedelta


class Metrics(Protocol):
    async def values(self, asked: Range) -> tuple[float, ...]:
        """All values of all series, NaN among them. Raises errors.UnreachableError for no, or no good, answer."""
