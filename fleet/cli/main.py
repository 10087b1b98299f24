"""`fleet`: one program for hub, agents and people. Exit codes: 0 fine, 1 refused, 2 used wrongly or failed.

Only the command that is asked for is imported: an agent has no use for schemas, git or a database.
"""

import gc
import importlib
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from fleet.cli import endings

if TYPE_CHECKING:  # what has been said before is said again without it
    import typer

# Each command with the module and the name there; a Typer is a command with commands of its own.
COMMANDS = {
    "init": "init:init",
    "check": "check:check",
    "render": "check:render",
    "policy": "policy:app",
    "promote": "promote:promote",
    "preview": "preview:preview",
    "githook": "githook:app",
    "rollback": "rollback:rollback",
    "approve": "approve:approve",
    "break-glass": "glass:break_glass",
    "trust": "trust:app",
    "status": "status:status",
    "explain": "explain:explain",
    "unpromoted": "unpromoted:unpromoted",
    "residual": "residual:residual",
    "rollout": "rollout:app",
    "hub": "hub:app",
    "agent": "agent:app",
    "audit": "audit:app",
    "schema": "schema:app",
    "lab": "lab:app",
}


def application(words: Sequence[str]) -> "typer.Typer":
    """With the command that these words begin with; with all of them where they name none."""
    import typer

    app = typer.Typer(
        name="fleet",
        help="Policy-gated multi-cluster Kubernetes fleet management: agents pull what a gate let out.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    app.callback()(_root)  # so that one command alone stays a command
    named = words[0] if words else ""
    for command, where in COMMANDS.items():
        if named in (command, "") or named not in COMMANDS:
            module, _, name = where.partition(":")
            found = getattr(importlib.import_module(f"fleet.cli.commands.{module}"), name)
            if isinstance(found, typer.Typer):
                app.add_typer(found, name=command)
            else:
                app.command(command)(found)
    return app


def _root() -> None:
    """Policy-gated multi-cluster Kubernetes fleet management: agents pull what a gate let out."""


def main() -> None:
    words = sys.argv[1:]
    command = _check if words[:1] == ["check"] else _any
    if words[:1] in (["check"], ["preview"]):
        gc.disable()  # it makes trees by the thousand and ends; looking for circles would take a third of it
        endings.at_once(lambda: endings.guarded(lambda: command(words)))
    else:
        endings.guarded(lambda: command(words))


def _any(words: Sequence[str]) -> None:
    application(words)()


def _check(words: Sequence[str]) -> None:
    from fleet.cli import replays

    replays.answered(words, lambda: _any(words))


if __name__ == "__main__":
    main()
