"""Where the JSON Schemas of Kubernetes' own kinds come from."""

from collections.abc import Mapping
from typing import Any, Protocol


class SchemaSource(Protocol):
    @property
    def identity(self) -> str:
        """Where they come from with its version: part of what a verdict is remembered under."""

    def versions(self) -> tuple[str, ...]:
        """Minor versions of Kubernetes, as "1.36", in order."""

    async def definitions(self, version: str) -> Mapping[str, Any] | None:
        """The `$defs` of that version, closed against unknown fields; None when it is not there."""
