"""What every chapter is told with: heads and notes, waiting for an effect, and what may be asked of the world."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from fleet.cli import output
from fleet.cli.demo import cast
from fleet.cli.demo.stage import Player, Stage
from fleet.model import errors

_PATIENCE = 90.0  # seconds until a chapter is given up


@dataclass(slots=True, kw_only=True)
class Told:
    """What is said again in the summary."""

    stage: Stage
    figures: list[tuple[str, float]] = field(default_factory=list)
    chapter: int = 0


async def register(player: Player, told: Told) -> None:
    document = await told.stage.enroll(player)
    path = f"clusters/{player.environment}/{player.name}.yaml"
    await told.stage.commit(
        player.environment, {path: document}, f"Register {player.name}", cast.ADA
    )
    await told.stage.start_agent(player)
    note(f"{player.name}: committed {path} on {player.environment}, its agent runs")


async def until(told: Told, what: str, holds: Callable[[], Awaitable[bool]]) -> None:
    """Wait for an effect, and keep the time that it took."""
    began = told.stage.now()
    while not await holds():
        if told.stage.now() - began > _PATIENCE:
            raise errors.UnreachableError(
                f"{what}: not within {_PATIENCE:.0f} s", hint=await standing(told)
            )
        await told.stage.pause(0.1)
    took = told.stage.now() - began
    told.figures.append((what, took))
    output.say(f"   {what}: {took:.2f} s", "green")


async def standing(told: Told) -> str:
    found = await told.stage.ask("status", {})
    said = []
    for each in found["environments"]:
        waits = (each["candidate"] or {}).get("waitsFor") or []
        said += [f"{each['name']}: {gate['reason']}" for gate in waits]
        said += [f"{c['name']} is {c['state']} {c['unwell'][:2]}" for c in each["clusters"]]
    return "; ".join(said)


async def environment_of(told: Told, name: str) -> dict[str, Any]:
    found = await told.stage.ask("status", {})
    return next((each for each in found["environments"] if each["name"] == name), {})


async def is_healthy(told: Told, environment: str, clusters: int | None) -> bool:
    """The newest tip is accepted and runs healthy on all its clusters."""
    found = await environment_of(told, environment)
    release, candidate = found.get("release"), found.get("candidate") or {}
    if not release or candidate.get("verdict") != "accepted" or not release["healthy"]:
        return False
    states = [each["state"] for each in found["clusters"]]
    return states.count("healthy") >= (clusters or len(states))


async def is_refused(told: Told, environment: str) -> bool:
    candidate = (await environment_of(told, environment)).get("candidate") or {}
    return candidate.get("verdict") == "refused"


async def is_accepted(told: Told, environment: str, commit: str) -> bool:
    candidate = (await environment_of(told, environment)).get("candidate") or {}
    return (candidate.get("commit"), candidate.get("verdict")) == (commit, "accepted")


async def has_ended(told: Told, environment: str) -> bool:
    waivers = (await environment_of(told, environment)).get("waivers") or []
    return bool(waivers) and all(each["ended"] for each in waivers)


async def is_decided(told: Told, environment: str) -> bool:
    candidate = (await environment_of(told, environment)).get("candidate") or {}
    return candidate.get("verdict") == "accepted"


async def deployed(told: Told, player: Player) -> dict[str, Any]:
    return await told.stage.live(player, "Deployment", "hello", "web") or {}


async def image_of(told: Told, player: Player) -> str:
    spec = (await deployed(told, player)).get("spec") or {}
    return str(spec["template"]["spec"]["containers"][0]["image"]) if spec else ""


async def runs(told: Told, player: Player, image: str) -> bool:
    """The Deployment has this image and all its replicas are available with it."""
    web = await deployed(told, player)
    status, wanted = web.get("status") or {}, (web.get("spec") or {}).get("replicas")
    is_new = status.get("observedGeneration") == web.get("metadata", {}).get("generation")
    there = (await image_of(told, player)).partition("@")[0].endswith(image)
    return there and is_new and status.get("availableReplicas") == wanted == status.get("replicas")


async def has_replicas(told: Told, player: Player, wanted: int) -> bool:
    return bool(((await deployed(told, player)).get("spec") or {}).get("replicas") == wanted)


async def greeting(told: Told, player: Player) -> str:
    found = await told.stage.live(player, "ConfigMap", "hello", "greeting") or {}
    return str((found.get("data") or {}).get("text", ""))


def head(told: Told, text: str) -> None:
    told.chapter += 1
    output.say()
    output.say(f"{told.chapter}. {text}", "bold")


def note(text: str) -> None:
    output.say(f"   {text}")


def quote(text: str) -> None:
    for line in text.splitlines():
        output.say(f"   | {line}", "dim")


def check(holds: bool, what: str) -> None:  # noqa: FBT001 - reads as a sentence
    if not holds:
        raise errors.BrokenError(f"the story does not hold: {what}")
