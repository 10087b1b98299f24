"""What the environment says: the only place that reads it."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Each variable with what it means; docs/cli.md lists them."""

    cache: Path  # FLEETGATE_CACHE: downloads and builds; default ~/.cache/fleetgate
    no_color: bool  # NO_COLOR: set = plain text
    is_terminal: bool  # whether people watch what is printed
    is_watched: bool  # whether they watch what is said beside it
    otel_endpoint: str  # OTEL_EXPORTER_OTLP_ENDPOINT: where traces go; unset = nowhere
    otel_disabled: bool  # OTEL_SDK_DISABLED
    forge_token: str = field(repr=False)  # FLEETGATE_FORGE_TOKEN: for `fleet preview --post`
    environment: Mapping[str, str] = field(repr=False)  # for the user's own programs: git, go


def read() -> Settings:
    found = os.environ
    home = Path(found.get("XDG_CACHE_HOME") or _home() / ".cache")
    return Settings(
        cache=Path(found.get("FLEETGATE_CACHE") or home / "fleetgate"),
        no_color=bool(found.get("NO_COLOR")),
        is_terminal=sys.stdout is not None and sys.stdout.isatty(),
        is_watched=sys.stderr is not None and sys.stderr.isatty(),
        otel_endpoint=found.get("OTEL_EXPORTER_OTLP_ENDPOINT", ""),
        otel_disabled=found.get("OTEL_SDK_DISABLED", "").lower() == "true",
        forge_token=found.get("FLEETGATE_FORGE_TOKEN", ""),
        environment=dict(found),
    )


def _home() -> Path:
    """A user that the system does not know, as in some containers, has none: then nothing can be kept."""
    try:
        return Path.home()
    except RuntimeError:
        return Path("/nonexistent")
