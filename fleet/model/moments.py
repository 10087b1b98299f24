"""Moments as people and other programs write them."""

from datetime import datetime

from fleet.model import errors


def read(text: str, named: str) -> datetime:
    """ISO 8601 with its zone. Raises errors.InputError with the name of what it is for."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise errors.InputError(f"{named} is a moment with its zone, as 2027-01-31T12:00:00Z")
    return found
