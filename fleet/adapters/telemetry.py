"""Implements ports.telemetry.Telemetry: silent by default, OpenTelemetry on demand.

The OpenTelemetry libraries are imported only when someone listens, so that a quiet agent stays light.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from fleet.ports import telemetry


class Recording(telemetry.Telemetry, Protocol):
    """Telemetry as the command line wires it: opened once, closed at the end."""

    def close(self) -> None:
        """Send what was not sent yet; may wait for a collector that is slow to answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """Where it goes. Whatever is left empty here the SDK takes from the standard OTEL_* variables."""

    traces: bool = False  # over OTLP/HTTP
    traces_endpoint: str = ""  # a full URL
    metrics: bool = False  # over OTLP/HTTP, besides the exposition
    metrics_endpoint: str = ""  # a full URL
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)  # they may hold a token
    resource: Mapping[str, str] = field(default_factory=dict)  # attributes of this process


class Silent(telemetry.Nobody):
    def close(self) -> None: ...


def otel(service: str, export: Export) -> Recording:
    """Figures by `exposition` always; traces and figures over OTLP where `export` says so."""
    from fleet.adapters import otel as made

    traces = made.span_exporter(export.traces_endpoint, export.headers) if export.traces else None
    pushed = (
        made.metric_exporter(export.metrics_endpoint, export.headers) if export.metrics else None
    )
    return made.Recorder(service, resource=export.resource, spans=traces, figures=pushed)
