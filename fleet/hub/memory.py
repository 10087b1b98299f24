"""What a turn need not do again: the last result for each environment, and long pure work out of everyone's way."""

from collections.abc import Awaitable, Callable
from typing import Generic, Protocol, TypeVar

from fleet.model import names

Result = TypeVar("Result")

BATCH = 200  # files or manifests that are worked through at a stretch


class Last(Generic[Result]):
    """The last result for each environment under what it was made from. One a place, so it never grows."""

    def __init__(self) -> None:
        self._kept: dict[names.Environment, tuple[object, Result]] = {}

    async def of(
        self,
        environment: names.Environment,
        origin: object,
        make: Callable[[], Awaitable[Result]],
    ) -> Result:
        kept = self._kept.get(environment)
        if kept is None or kept[0] != origin:
            kept = self._kept[environment] = origin, await make()
        return kept[1]


class Aside(Protocol):
    """Runs long pure work so that agents and probes are answered meanwhile: in a thread, where there are threads."""

    async def __call__(self, work: Callable[[], Result], /) -> Result: ...


async def inline(work: Callable[[], Result], /) -> Result:
    """Where nobody waits for an answer."""
    return work()
