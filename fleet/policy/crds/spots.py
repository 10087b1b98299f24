"""A place inside a resource: as the API server writes it, and as the steps by which its line is found."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Spot:
    shown: str = ""  # "spec.ports[0].name"; "" is the resource itself
    steps: tuple[str, ...] = ()

    def child(self, name: str) -> "Spot":
        return Spot(f"{self.shown}.{name}" if self.shown else name, (*self.steps, name))

    def index(self, place: int) -> "Spot":
        return Spot(f"{self.shown}[{place}]", (*self.steps, str(place)))

    def key(self, name: str) -> "Spot":
        return Spot(f"{self.shown}[{name}]", (*self.steps, name))


@dataclass(frozen=True, slots=True)
class Fault:
    """What the API server would say of a spot: "Duplicate value: 1". Without a verdict, it could not be told."""

    spot: Spot
    text: str
    is_verdict: bool = True

    def __str__(self) -> str:
        return f"{self.spot.shown}: {self.text}" if self.spot.shown else self.text
