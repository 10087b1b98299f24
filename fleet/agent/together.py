"""Several things at once, as one: all end when one cannot go on, and its error is the error."""

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any


async def run(work: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Raises the first error as it is, not in a group."""
    try:
        async with asyncio.TaskGroup() as group:
            for each in work:
                group.create_task(each)
    except BaseExceptionGroup as raised:
        raise raised.exceptions[0] from None
