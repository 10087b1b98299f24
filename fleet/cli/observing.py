"""Telemetry and logs as the environment asks for them; nothing is paid for what nobody wants."""

import sys
from enum import Enum

from fleet.adapters import logs, telemetry
from fleet.cli import settings


class Form(Enum):
    """Of the log."""

    JSON = "json"
    TEXT = "text"


def of_hub() -> telemetry.Recording:
    """Figures always, since /metrics serves them; traces where OTEL_EXPORTER_OTLP_ENDPOINT says."""
    found = settings.read()
    if found.otel_disabled:
        return telemetry.Silent()
    is_exporting = bool(found.otel_endpoint)
    return telemetry.otel("fleet-hub", telemetry.Export(traces=is_exporting, metrics=is_exporting))


def of_agent() -> telemetry.Recording:
    """Only where OTEL_EXPORTER_OTLP_ENDPOINT says."""
    found = settings.read()
    if found.otel_disabled or not found.otel_endpoint:
        return telemetry.Silent()
    return telemetry.otel("fleet-agent", telemetry.Export(traces=True))


def log(form: str) -> None:
    logs.configure(sys.stderr, "info", "json" if form == "json" else "text")
