"""The machine's clock."""

import asyncio
from datetime import UTC, datetime


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)  # noqa: TID251 - this is the clock that everyone else asks

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
