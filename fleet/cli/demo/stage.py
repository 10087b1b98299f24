"""What the story needs of the world that it is told in."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Player:
    """One cluster of the story."""

    name: str
    environment: str
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a command ended that a person could have typed."""

    code: int
    text: str


class Stage(Protocol):
    kind: str  # what the audience is told about this world

    def now(self) -> float:
        """Seconds, of this world's time."""

    def moment(self, seconds: float) -> datetime:
        """By the hub's clock, so many seconds from now."""

    async def pause(self, seconds: float) -> None: ...

    async def enroll(self, player: Player) -> str:
        """`fleet agent enroll`: the Cluster document as YAML."""

    async def start_agent(self, player: Player) -> None: ...

    async def commit(
        self, branch: str, files: Mapping[str, str | None], message: str, author: str
    ) -> str:
        """Commit and push; None deletes a file. The commit's id."""

    async def read(self, branch: str, path: str) -> str: ...

    async def revert(self, branch: str, author: str) -> str:
        """`git revert HEAD`, pushed."""

    async def check(self, branch: str) -> Ended:
        """`fleet check` on a branch."""

    async def promote(self, source: str, target: str) -> Ended:
        """`fleet promote`."""

    async def new_key(self, person: str) -> str:
        """The public half of a new SSH key of theirs, as in an *.pub file."""

    async def sign_trust(self, environment: str, text: str, person: str) -> str:
        """`fleet trust sign`: what goes into the *.sig beside it."""

    async def approve(self, environment: str, person: str) -> Ended:
        """`fleet approve`, of the tip."""

    async def rollback(self, environment: str, reason: str) -> Ended:
        """`fleet rollback`."""

    async def replay(self, record: str) -> Ended:
        """`fleet audit replay`."""

    async def ask(self, command: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """What `fleet status` and `fleet audit` ask of the hub."""

    async def live(
        self, player: Player, kind: str, namespace: str, name: str
    ) -> dict[str, Any] | None:
        """An object as its API server has it."""

    async def scale(self, player: Player, namespace: str, name: str, replicas: int) -> None:
        """By hand, past fleet: `kubectl scale deployment`."""

    async def forbid(self, player: Player, image: str) -> None:
        """An admission policy of this one API server, which fleet knows nothing of: no Deployment of such an image."""
