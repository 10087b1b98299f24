"""Traces and figures of what goes on, for whoever operates it."""

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol


class Telemetry(Protocol):
    def span(
        self, name: str, attributes: Mapping[str, str], parent: str = ""
    ) -> AbstractContextManager[str]:
        """A span around the block; gives its W3C traceparent, "" when nobody listens. `parent` is such a one too."""

    def count(self, name: str, attributes: Mapping[str, str], amount: int = 1) -> None: ...

    def gauge(self, name: str, attributes: Mapping[str, str], value: float) -> None: ...

    def exposition(self) -> bytes:
        """All figures in Prometheus' text format."""


class Nobody:
    """Nobody listens, and nothing is paid for it."""

    def span(
        self, name: str, attributes: Mapping[str, str], parent: str = ""
    ) -> AbstractContextManager[str]:
        del name, attributes, parent
        return _NOTHING

    def count(self, name: str, attributes: Mapping[str, str], amount: int = 1) -> None: ...

    def gauge(self, name: str, attributes: Mapping[str, str], value: float) -> None: ...

    def exposition(self) -> bytes:
        return b""


_NOTHING = nullcontext("")
NOBODY = Nobody()
