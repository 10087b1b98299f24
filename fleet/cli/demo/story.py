"""The story: checked, released, found healthy, promoted, refused, waived for a while, put back, registered, asked.

Each chapter acts as a person would and then waits until the clusters themselves show the effect.
"""

import functools
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from fleet.cli import output
from fleet.cli.demo.stage import Player, Stage
from fleet.model import errors

DEV = Player(name="dev-1", environment="dev", labels={})
STAGING = Player(name="staging-1", environment="staging", labels={"region": "eu-west"})
CANARY = Player(
    name="prod-canary",
    environment="prod",
    labels={"region": "eu-west", "fleetgate.dev/canary": "true"},
)
EUROPE = Player(name="prod-eu", environment="prod", labels={"region": "eu-north"})
PLAYERS = (DEV, STAGING, CANARY, EUROPE)

ADA, BOB, EVE = "Ada <ada@example.com>", "Bob <bob@example.com>", "Eve <eve@example.com>"
WEB = "apps/hello/web.yaml"
WAIVER = "environments/dev/waivers/preview.yaml"
_WAIVER = """apiVersion: fleetgate.dev/v1alpha1
kind: Waiver
metadata:
  name: preview
spec:
  rules: [disallow-latest-tag]
  objects:
    - {{kind: Deployment, namespace: hello, name: web}}
  owner: team-hello
  reason: the preview has no version yet
  ticket: HELLO-42
  expires: {ends}
"""
_PATIENCE = 90.0  # seconds until a chapter is given up


@dataclass(slots=True, kw_only=True)
class Told:
    """What is said again in the summary."""

    stage: Stage
    figures: list[tuple[str, float]] = field(default_factory=list)
    chapter: int = 0


async def tell(stage: Stage) -> list[tuple[str, float]]:
    """The whole story. Raises errors.UnreachableError for a chapter that does not come to its end."""
    told = Told(stage=stage)
    for chapter in CHAPTERS:
        await chapter(told)
    return told.figures


async def registered(told: Told) -> None:
    _head(told, "Three clusters are registered, each by a commit on its environment's branch")
    for player in (DEV, STAGING, CANARY):
        await _register(player, told)
    _note(
        "each document holds its agent's public key, the cluster's UID and a proof of possession"
    )


async def released(told: Told) -> None:
    _head(told, "dev runs what its branch says")
    await _until(told, "dev is healthy", lambda: _is_healthy(told, "dev", 1))
    text = await _greeting(told, DEV)
    _note(f'ConfigMap hello/greeting in {DEV.name} says "{text}"')


async def promoted_at_first(told: Told) -> None:
    _head(told, "staging and prod start with the same content, so they follow by themselves")
    for environment in ("staging", "prod"):
        await _until(
            told, f"{environment} is healthy", functools.partial(_is_healthy, told, environment, 1)
        )


async def changed(told: Told) -> None:
    _head(told, "Ada commits a new version to dev; staging and prod do not move")
    text = (await told.stage.read("dev", WEB)).replace("web:1.4.2", "web:1.5.0")
    commit = await told.stage.commit("dev", {WEB: text}, "hello 1.5.0", ADA)
    _note(f"commit {commit[:10]} is pushed")
    await _until(told, "commit to healthy in dev", lambda: _runs(told, DEV, "web:1.5.0"))
    await _until(told, "dev reports it", lambda: _is_healthy(told, "dev", None))
    _note(f"prod still runs {await _image(told, CANARY)}")


async def promoted(told: Told) -> None:
    _head(told, "Promotion is a merge: dev to staging, then staging to prod")
    for source, target, player in (("dev", "staging", STAGING), ("staging", "prod", CANARY)):
        ended = await told.stage.promote(source, target)
        _quote(ended.text)
        _check(ended.code == 0, f"fleet promote {source} {target}")
        await _until(
            told,
            f"promotion to healthy in {target}",
            functools.partial(_runs, told, player, "web:1.5.0"),
        )
        await _until(
            told, f"{target} reports it", functools.partial(_is_healthy, told, target, None)
        )


async def refused(told: Told) -> None:
    _head(
        told, "Eve commits an image without a version; the gate refuses it before anything is sent"
    )
    text = _unpinned(await told.stage.read("dev", WEB))
    await told.stage.commit("dev", {WEB: text}, "always the newest", EVE)
    await _until(told, "commit to refusal", lambda: _is_refused(told, "dev"))
    ended = await told.stage.check("dev")
    _note("fleet check says the same on her laptop:")
    _quote(ended.text)
    _check(ended.code == 1, "fleet check refuses it")
    _note(f"dev still runs {await _image(told, DEV)}")
    await told.stage.revert("dev", BOB)
    await _until(told, "revert to decided", lambda: _is_decided(told, "dev"))


async def waived(told: Told) -> None:
    _head(
        told, "A waiver lets it pass for some seconds; then the finding is back by the clock alone"
    )
    usual = dict(told.figures)["commit to healthy in dev"]
    ends = told.stage.moment(6.0 + 4 * usual).isoformat(timespec="seconds")
    commit = await told.stage.commit("dev", {WAIVER: _WAIVER.format(ends=ends)}, "A waiver", BOB)
    await _until(told, "waiver to in force", lambda: _is_accepted(told, "dev", commit))
    before = await told.stage.read("dev", WEB)
    commit = await told.stage.commit("dev", {WEB: _unpinned(before)}, "a preview", EVE)
    await _until(told, "waived to accepted", lambda: _is_accepted(told, "dev", commit))
    for each in (await _environment(told, "dev"))["waivers"]:
        count = len(each["findings"])
        _note(
            f"fleet status: {each['name']} of {each['owner']} until {each['until']}, then {count} comes back"
        )
    await _until(told, "waiver to its end", lambda: _has_ended(told, "dev"))
    commit = await told.stage.commit("dev", {"apps/hello/NOTES.md": "more\n"}, "notes", ADA)
    await _until(told, "another commit to refusal", lambda: _is_refused(told, "dev"))
    _note(f"dev still runs {await _image(told, DEV)}; new commits are held until it is mended")
    files = {
        WEB: before,
        WAIVER: None,
        "apps/hello/NOTES.md": None,
    }
    commit = await told.stage.commit("dev", files, "a version again", EVE)
    await _until(told, "mended to accepted", lambda: _is_accepted(told, "dev", commit))


async def put_back(told: Told) -> None:
    _head(told, "Somebody scales the Deployment in prod by hand; the agent puts it back")
    await told.stage.scale(CANARY, "hello", "web", 5)
    _note(f"{CANARY.name}: hello/web has 5 replicas, git says 2")
    await _until(told, "drift to repaired", lambda: _has_replicas(told, CANARY, 2))


async def joined(told: Told) -> None:
    _head(told, "A fourth cluster joins prod by one commit")
    await _register(EUROPE, told)
    await _until(told, "registered to healthy", lambda: _runs(told, EUROPE, "web:1.5.0"))
    await _until(told, "prod reports it", lambda: _is_healthy(told, "prod", None))


async def asked(told: Told) -> None:
    _head(told, "Everything that was decided can be asked for, and none of it rewritten")
    decisions = (await told.stage.ask("audit decisions", {}))["decisions"]
    rows = [
        (
            str(d["index"]),
            d["environment"],
            d["verdict"],
            d["lineage"],
            d["commit"][:10],
            d["subject"],
        )
        for d in decisions
    ]
    output.table(("RECORD", "ENVIRONMENT", "VERDICT", "LINEAGE", "COMMIT", "SUBJECT"), rows)
    found = (await told.stage.ask("audit violations", {"rule": "disallow-latest-tag"}))[
        "violations"
    ]
    for each in found:
        where = f"{each['path']}:{each['line']}:{each['column']}"
        _note(f"{where}: {each['message']}, by {each['author']}, ended {each['until']}")
    _check(
        bool(found) and all(each["until"] for each in found), "the violation has begun and ended"
    )
    chain = await told.stage.ask("audit verify", {})
    _check(not chain["fault"], "the chain of records verifies")
    _note(f"{chain['records']} records, the chain verifies, head {chain['head'][:16]}")


CHAPTERS: tuple[Callable[[Told], Awaitable[None]], ...] = (
    registered,
    released,
    promoted_at_first,
    changed,
    promoted,
    refused,
    waived,
    put_back,
    joined,
    asked,
)


async def _register(player: Player, told: Told) -> None:
    document = await told.stage.enroll(player)
    path = f"clusters/{player.environment}/{player.name}.yaml"
    await told.stage.commit(player.environment, {path: document}, f"Register {player.name}", ADA)
    await told.stage.start_agent(player)
    _note(f"{player.name}: committed {path} on {player.environment}, its agent runs")


async def _until(told: Told, what: str, holds: Callable[[], Awaitable[bool]]) -> None:
    """Wait for an effect, and keep the time that it took."""
    began = told.stage.now()
    while not await holds():
        if told.stage.now() - began > _PATIENCE:
            raise errors.UnreachableError(
                f"{what}: not within {_PATIENCE:.0f} s", hint=await _standing(told)
            )
        await told.stage.pause(0.1)
    took = told.stage.now() - began
    told.figures.append((what, took))
    output.say(f"   {what}: {took:.2f} s", "green")


async def _standing(told: Told) -> str:
    found = await told.stage.ask("status", {})
    said = []
    for each in found["environments"]:
        waits = (each["candidate"] or {}).get("waitsFor") or []
        said += [f"{each['name']}: {gate['reason']}" for gate in waits]
        said += [f"{c['name']} is {c['state']} {c['unwell'][:2]}" for c in each["clusters"]]
    return "; ".join(said)


async def _environment(told: Told, name: str) -> dict[str, Any]:
    found = await told.stage.ask("status", {})
    return next((each for each in found["environments"] if each["name"] == name), {})


async def _is_healthy(told: Told, environment: str, clusters: int | None) -> bool:
    """The newest tip is accepted and runs healthy on all its clusters."""
    found = await _environment(told, environment)
    release, candidate = found.get("release"), found.get("candidate") or {}
    if not release or candidate.get("verdict") != "accepted" or not release["healthy"]:
        return False
    states = [each["state"] for each in found["clusters"]]
    return states.count("healthy") >= (clusters or len(states))


async def _is_refused(told: Told, environment: str) -> bool:
    candidate = (await _environment(told, environment)).get("candidate") or {}
    return candidate.get("verdict") == "refused"


async def _is_accepted(told: Told, environment: str, commit: str) -> bool:
    candidate = (await _environment(told, environment)).get("candidate") or {}
    return (candidate.get("commit"), candidate.get("verdict")) == (commit, "accepted")


async def _has_ended(told: Told, environment: str) -> bool:
    waivers = (await _environment(told, environment)).get("waivers") or []
    return bool(waivers) and all(each["ended"] for each in waivers)


async def _is_decided(told: Told, environment: str) -> bool:
    candidate = (await _environment(told, environment)).get("candidate") or {}
    return candidate.get("verdict") == "accepted"


async def _web(told: Told, player: Player) -> dict[str, Any]:
    return await told.stage.live(player, "Deployment", "hello", "web") or {}


async def _image(told: Told, player: Player) -> str:
    spec = (await _web(told, player)).get("spec") or {}
    return str(spec["template"]["spec"]["containers"][0]["image"]) if spec else ""


def _unpinned(text: str) -> str:
    return re.sub(r"web:\S+", "web:latest", text)


async def _runs(told: Told, player: Player, image: str) -> bool:
    """The Deployment has this image and all its replicas are available with it."""
    web = await _web(told, player)
    status, wanted = web.get("status") or {}, (web.get("spec") or {}).get("replicas")
    is_new = status.get("observedGeneration") == web.get("metadata", {}).get("generation")
    there = (await _image(told, player)).partition("@")[0].endswith(image)
    return there and is_new and status.get("availableReplicas") == wanted == status.get("replicas")


async def _has_replicas(told: Told, player: Player, wanted: int) -> bool:
    return bool(((await _web(told, player)).get("spec") or {}).get("replicas") == wanted)


async def _greeting(told: Told, player: Player) -> str:
    found = await told.stage.live(player, "ConfigMap", "hello", "greeting") or {}
    return str((found.get("data") or {}).get("text", ""))


def _head(told: Told, text: str) -> None:
    told.chapter += 1
    output.say()
    output.say(f"{told.chapter}. {text}", "bold")


def _note(text: str) -> None:
    output.say(f"   {text}")


def _quote(text: str) -> None:
    for line in text.splitlines():
        output.say(f"   | {line}", "dim")


def _check(holds: bool, what: str) -> None:  # noqa: FBT001 - reads as a sentence
    if not holds:
        raise errors.BrokenError(f"the story does not hold: {what}")
