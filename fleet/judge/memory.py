"""What a turn need not do again: the last result for each environment, and long pure work out of everyone's way."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Generic, Protocol, TypeVar

from fleet.model import names

Item = TypeVar("Item")
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


class Crew(Protocol):
    """Does long pure work on many items with all the cores that there are. Nobody waits for an answer meanwhile."""

    def spread(
        self,
        items: Sequence[Item],
        work: Callable[[Sequence[Item]], list[Result]],
        *,
        each: int = 1,
    ) -> list[Result]:
        """A result for each item, in order; one is the work of `each` manifests.

        What the work does beside that, nobody sees.
        """


async def worked(
    items: Sequence[Item],
    work: Callable[[Sequence[Item]], list[Result]],
    aside: Aside,
    crew: Crew | None,
) -> AsyncIterator[tuple[Item, Result]]:
    """Each item with its result: by the crew all at once, else a batch at a time, aside."""
    step = BATCH if crew is None else max(len(items), 1)
    for start in range(0, len(items), step):
        part = items[start : start + step]
        if crew is None:
            results = await aside(lambda some=part: work(some))  # type: ignore[misc]  # bound here
        else:
            results = crew.spread(part, work)
        for pair in zip(part, results, strict=True):
            yield pair
