"""One Kubernetes API server, as the agent needs it: requests are values, and so is every answer of it.

An answer that the API server gave is an `Answer`; no answer raises errors.UnreachableError.
"""

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from fleet.model import json_values, objects


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """How a kind is served."""

    group: str
    version: str  # the preferred one
    kind: str
    plural: str
    namespaced: bool
    versions: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Discovery:
    """All kinds by (group, kind); `unknown` groups could not be asked, so nothing of theirs may be judged absent."""

    resources: Mapping[tuple[str, str], Resource]
    unknown: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    uid: str  # of the kube-system namespace
    version: str  # as "v1.36.3"


class Status(Enum):
    """What the API server said, by what is to be done about it."""

    DONE = "done"
    ABSENT = "absent"  # 404 for the object, its kind being served
    CONFLICT = (
        "conflict"  # 409: another field manager (apply), another resourceVersion or UID (else)
    )
    DENIED = "denied"  # admission, or 403
    INVALID = "invalid"  # 400, 422: also immutable fields
    UNSERVED = "unserved"  # the kind is not served here
    LATER = "later"  # 429, 5xx: try again after `retry_after`


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldConflict:
    field: str  # as the API server spells it: ".spec.replicas"
    manager: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    status: Status
    live: json_values.JsonObject | None = field(default=None, repr=False)
    message: str = ""  # without values of Secrets
    conflicts: tuple[FieldConflict, ...] = ()
    retry_after: float = 0.0  # seconds


class EventType(Enum):
    LISTED = "listed"  # one of the first list, or of a list after a gap
    SYNCED = "synced"  # the list is complete; what was not in it is gone
    CHANGED = "changed"
    GONE = "gone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    type: EventType
    live: json_values.JsonObject | None = field(default=None, repr=False)


class Cluster(Protocol):
    async def identity(self) -> Identity: ...

    async def discover(self) -> Discovery: ...

    async def apply(
        self,
        resource: Resource,
        body: json_values.JsonObject,
        *,
        force: bool,
        dry_run: bool = False,
    ) -> Answer:
        """Server-side apply as field manager "fleetgate"; `body` has apiVersion, kind and metadata."""

    async def read(self, resource: Resource, key: objects.Key) -> Answer: ...

    async def create(self, resource: Resource, body: json_values.JsonObject) -> Answer:
        """CONFLICT when it is there already."""

    async def replace(self, resource: Resource, body: json_values.JsonObject) -> Answer:
        """Compare-and-swap by metadata.resourceVersion."""

    async def delete(self, resource: Resource, key: objects.Key, *, uid: str) -> Answer:
        """Only the object with that UID; background propagation."""

    def watch(
        self,
        resource: Resource,
        *,
        selector: str,
        namespace: str = "",
        metadata_only: bool = False,
    ) -> AsyncGenerator[Event, None]:
        """Lists, then watches, from gap to gap, until the iterator is closed; "" = all namespaces.

        With `metadata_only` objects have apiVersion, kind and metadata alone, which saves memory and wire. Ends only
        by errors.UnreachableError (also for a watch that cannot be had), never silently.
        """
