"""Open watches of a simulated API server, each with what it has not yet told."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fleet.model import objects
from fleet.ports.cluster import Event


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sight:
    """One open watch; None in its queue means that it breaks off."""

    kind: tuple[str, str]
    namespace: str
    labels: Mapping[str, str]
    queue: "asyncio.Queue[Event | None]"

    def covers(self, key: objects.Key, body: Mapping[str, Any] | None) -> bool:
        if body is None or (key.group, key.kind) != self.kind:
            return False
        labels = body["metadata"].get("labels") or {}
        is_here = self.namespace in ("", key.namespace)
        return is_here and self.labels.items() <= labels.items()
