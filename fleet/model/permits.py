"""What a `Permit` document allows, as a dispatch carries it to the agent and the guard reads it.

The same words in the same form as kinds.Permit, but plain: an agent needs nothing of what checks documents of people.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from fleet.model import errors


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    cluster: str  # "*" = each
    group: str
    kind: str
    namespace: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    name: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    reason: str
    expires: datetime
    delete: tuple[Reference, ...]
    takeover: tuple[Reference, ...]
    max_deleted_share: float | None

    def __post_init__(self) -> None:
        if self.max_deleted_share is not None and not 0 <= self.max_deleted_share <= 1:
            raise errors.InputError(f"a share of {self.max_deleted_share} is none")


@dataclass(frozen=True, slots=True, kw_only=True)
class Permit:
    api_version: Literal["fleetgate.dev/v1alpha1"]
    kind: Literal["Permit"]
    metadata: Metadata
    spec: Terms
