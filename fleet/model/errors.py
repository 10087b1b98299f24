"""Errors, by who can mend them.

What is wrong with a fleet repository is never an error but a finding; these are for the rest.
"""


class FleetError(Exception):
    """Anything fleet says in words; `hint` is the next step."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class InputError(FleetError):
    """The user can mend it: a wrong flag, an unreadable file, a malformed message."""


class RefusedError(FleetError):
    """Someone said no: rights, a lost compare-and-swap, a rule that holds."""


class UnreachableError(FleetError):
    """The other side did not answer, or not in time; only adapters raise it. Unknown is never "absent"."""


class BrokenError(FleetError):
    """What was stored cannot be trusted: wrong schema version, a broken chain, damaged bytes."""
