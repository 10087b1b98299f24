"""What a command asks of the hub that runs on this machine, through the socket in its state folder."""

from pathlib import Path
from typing import Any

from fleet.adapters.http import admin
from fleet.cli import processes, wiring


def hub(state: Path, command: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """Raises errors.UnreachableError where none runs, else whatever it refuses with."""
    return processes.run(admin.ask(wiring.StateFolder(root=state).socket, command, arguments))
