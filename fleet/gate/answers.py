"""What a gate may say, each way of it one function."""

from datetime import datetime

from fleet.model.ledger import GateResult, GateState


def opens(gate: str, reason: str, *, until: datetime | None = None) -> GateResult:
    return GateResult(gate=gate, state=GateState.OPEN, reason=reason, until=until)


def waits(gate: str, reason: str, hint: str = "", *, until: datetime | None = None) -> GateResult:
    """`until`: when the clock alone opens it, or when it is to be looked at again."""
    return GateResult(gate=gate, state=GateState.WAITING, reason=reason, hint=hint, until=until)


def refuses(gate: str, reason: str, hint: str = "") -> GateResult:
    return GateResult(gate=gate, state=GateState.REFUSED, reason=reason, hint=hint)


def fails(gate: str, reason: str, hint: str = "", *, until: datetime | None = None) -> GateResult:
    """It could not be judged: that is never a pass."""
    return GateResult(gate=gate, state=GateState.ERROR, reason=reason, hint=hint, until=until)


def span(seconds: float) -> str:
    """A length of time as fleet.yaml writes it."""
    left, words = int(seconds), ""
    for unit, size in (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)):
        count, left = divmod(left, size)
        words += f"{count}{unit}" if count else ""
    return words or "0s"
