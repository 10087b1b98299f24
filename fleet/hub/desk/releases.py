"""The releases of an environment, for whoever wants to go back to one: only the book knows them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fleet.gate import candidates
from fleet.hub import asking, facts, state
from fleet.model import ledger, names
from fleet.protocol import encoding


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """`quarantined` says why it may not come again, and since when; "" = it may."""

    accepted: candidates.Accepted
    at: datetime
    healthy: datetime | None
    quarantined: str


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """`releases` and `above`, those of upstream, are in order of release; `running` is a number, 0 = nothing yet."""

    environment: names.Environment
    running: int
    releases: tuple[Known, ...]
    quarantined: Mapping[names.ContentId, str]
    upstream: names.Environment  # "" for the first environment
    above: tuple[candidates.Accepted, ...]

    @property
    def base(self) -> Known | None:
        return next((e for e in self.releases if e.accepted.release == self.running), None)


async def answer(hub: state.Hub, arguments: Mapping[str, Any]) -> dict[str, Any]:
    environment = asking.environment(str(arguments.get("environment", "")), hub)
    found: dict[str, Any] = encoding.as_json(of(environment, hub))
    return found


def of(environment: names.Environment, hub: state.Hub) -> History:
    book = hub.ledger
    quarantined = {
        each.content: f"quarantined since {each.since.isoformat(timespec='seconds')} by {each.by}: {each.reason}"
        for each in book.quarantines.values()
        if each.environment == environment and each.lifted is None
    }
    upstream = facts.upstream_of(environment, hub)
    release = book.in_force(environment)
    return History(
        environment=environment,
        running=release.number if release else 0,
        releases=tuple(
            _known(each, quarantined)
            for (name, _), each in sorted(book.releases.items())
            if name == environment
        ),
        quarantined=quarantined,
        upstream=upstream.environment if upstream else names.Environment(""),
        above=upstream.accepted if upstream else (),
    )


def _known(release: ledger.Release, quarantined: Mapping[names.ContentId, str]) -> Known:
    return Known(
        accepted=candidates.of_release(release),
        at=release.accepted,
        healthy=release.healthy,
        quarantined=quarantined.get(release.content, ""),
    )


def read(value: object) -> History:
    """What `answer` gave. Raises errors.InputError for anything else."""
    found: History = encoding.from_json(History, value)
    return found
