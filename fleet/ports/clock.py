"""Time comes in by this door."""

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    def now(self) -> datetime:
        """Aware, in UTC."""

    async def sleep(self, seconds: float) -> None: ...
