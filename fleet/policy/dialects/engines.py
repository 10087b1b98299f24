"""Whose documents say in other words what policies say; what reads them is loaded only where one is met."""

from fleet.policy import writings

ENGINES = ("kyverno.io", "gatekeeper.sh")


def is_foreign(written: writings.Written) -> bool:
    return any(
        written.group == engine or written.group.endswith(f".{engine}") for engine in ENGINES
    )
