"""A source of metrics in memory: what each query gives is what was put there."""

from dataclasses import dataclass, field

from fleet.model import errors
from fleet.ports import metrics


@dataclass(slots=True, kw_only=True)
class Source:
    """Implements ports.metrics.Metrics. A query that is not `known` is not answered."""

    known: dict[str, tuple[float, ...]] = field(default_factory=dict)
    asked: list[metrics.Range] = field(default_factory=list)

    async def values(self, asked: metrics.Range) -> tuple[float, ...]:
        self.asked.append(asked)
        if asked.query not in self.known:
            raise errors.UnreachableError("it does not answer, or not in time")
        return self.known[asked.query]
