"""The story: checked, released, found healthy, promoted, refused, waived for a while, put back, registered, asked.

Each chapter acts as a person would and then waits until the clusters themselves show the effect.
"""

import functools
import re
from collections.abc import Awaitable, Callable

from fleet.cli import output
from fleet.cli.demo import cast, guarded, telling
from fleet.cli.demo.stage import Stage

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


async def tell(stage: Stage) -> list[tuple[str, float]]:
    """The whole story. Raises errors.UnreachableError for a chapter that does not come to its end."""
    told = telling.Told(stage=stage)
    for chapter in CHAPTERS:
        await chapter(told)
    return told.figures


async def registered(told: telling.Told) -> None:
    telling.head(
        told, "Three clusters are registered, each by a commit on its environment's branch"
    )
    for player in (cast.DEV, cast.STAGING, cast.CANARY):
        await telling.register(player, told)
    telling.note(
        "each document holds its agent's public key, the cluster's UID and a proof of possession"
    )


async def released(told: telling.Told) -> None:
    telling.head(told, "dev runs what its branch says")
    await telling.until(told, "dev is healthy", lambda: telling.is_healthy(told, "dev", 1))
    text = await telling.greeting(told, cast.DEV)
    telling.note(f'ConfigMap hello/greeting in {cast.DEV.name} says "{text}"')


async def promoted_at_first(told: telling.Told) -> None:
    telling.head(
        told, "staging and prod start with the same content, so they follow by themselves"
    )
    for environment in ("staging", "prod"):
        await telling.until(
            told,
            f"{environment} is healthy",
            functools.partial(telling.is_healthy, told, environment, 1),
        )


async def changed(told: telling.Told) -> None:
    telling.head(told, "Ada commits a new version to dev; staging and prod do not move")
    text = (await told.stage.read("dev", cast.WEB)).replace("web:1.4.2", "web:1.5.0")
    commit = await told.stage.commit("dev", {cast.WEB: text}, "hello 1.5.0", cast.ADA)
    telling.note(f"commit {commit[:10]} is pushed")
    await telling.until(
        told, "commit to healthy in dev", lambda: telling.runs(told, cast.DEV, "web:1.5.0")
    )
    await telling.until(told, "dev reports it", lambda: telling.is_healthy(told, "dev", None))
    telling.note(f"prod still runs {await telling.image_of(told, cast.CANARY)}")


async def promoted(told: telling.Told) -> None:
    telling.head(told, "Promotion is a merge: dev to staging, then staging to prod")
    for source, target, player in (
        ("dev", "staging", cast.STAGING),
        ("staging", "prod", cast.CANARY),
    ):
        ended = await told.stage.promote(source, target)
        telling.quote(ended.text)
        telling.check(ended.code == 0, f"fleet promote {source} {target}")
        await telling.until(
            told,
            f"promotion to healthy in {target}",
            functools.partial(telling.runs, told, player, "web:1.5.0"),
        )
        await telling.until(
            told, f"{target} reports it", functools.partial(telling.is_healthy, told, target, None)
        )


async def refused(told: telling.Told) -> None:
    telling.head(
        told, "Eve commits an image without a version; the gate refuses it before anything is sent"
    )
    text = _unpinned(await told.stage.read("dev", cast.WEB))
    await told.stage.commit("dev", {cast.WEB: text}, "always the newest", cast.EVE)
    await telling.until(told, "commit to refusal", lambda: telling.is_refused(told, "dev"))
    ended = await told.stage.check("dev")
    telling.note("fleet check says the same on her laptop:")
    telling.quote(ended.text)
    telling.check(ended.code == 1, "fleet check refuses it")
    telling.note(f"dev still runs {await telling.image_of(told, cast.DEV)}")
    await told.stage.revert("dev", cast.BOB)
    await telling.until(told, "revert to decided", lambda: telling.is_decided(told, "dev"))


async def waived(told: telling.Told) -> None:
    telling.head(
        told, "A waiver lets it pass for some seconds; then the finding is back by the clock alone"
    )
    usual = dict(told.figures)["commit to healthy in dev"]
    ends = told.stage.moment(6.0 + 4 * usual).isoformat(timespec="seconds")
    commit = await told.stage.commit(
        "dev", {WAIVER: _WAIVER.format(ends=ends)}, "A waiver", cast.BOB
    )
    await telling.until(
        told, "waiver to in force", lambda: telling.is_accepted(told, "dev", commit)
    )
    before = await told.stage.read("dev", cast.WEB)
    commit = await told.stage.commit("dev", {cast.WEB: _unpinned(before)}, "a preview", cast.EVE)
    await telling.until(
        told, "waived to accepted", lambda: telling.is_accepted(told, "dev", commit)
    )
    for each in (await telling.environment_of(told, "dev"))["waivers"]:
        count = len(each["findings"])
        telling.note(
            f"fleet status: {each['name']} of {each['owner']} until {each['until']}, then {count} comes back"
        )
    await telling.until(told, "waiver to its end", lambda: telling.has_ended(told, "dev"))
    commit = await told.stage.commit("dev", {"apps/hello/NOTES.md": "more\n"}, "notes", cast.ADA)
    await telling.until(told, "another commit to refusal", lambda: telling.is_refused(told, "dev"))
    telling.note(
        f"dev still runs {await telling.image_of(told, cast.DEV)}; new commits are held until it is mended"
    )
    files = {
        cast.WEB: before,
        WAIVER: None,
        "apps/hello/NOTES.md": None,
    }
    commit = await told.stage.commit("dev", files, "a version again", cast.EVE)
    await telling.until(
        told, "mended to accepted", lambda: telling.is_accepted(told, "dev", commit)
    )


async def put_back(told: telling.Told) -> None:
    telling.head(told, "Somebody scales the Deployment in prod by hand; the agent puts it back")
    await told.stage.scale(cast.CANARY, "hello", "web", 5)
    telling.note(f"{cast.CANARY.name}: hello/web has 5 replicas, git says 2")
    await telling.until(
        told, "drift to repaired", lambda: telling.has_replicas(told, cast.CANARY, 2)
    )


async def joined(told: telling.Told) -> None:
    telling.head(told, "A fourth cluster joins prod by one commit")
    await telling.register(cast.EUROPE, told)
    await telling.until(
        told, "registered to healthy", lambda: telling.runs(told, cast.EUROPE, "web:1.5.0")
    )
    await telling.until(told, "prod reports it", lambda: telling.is_healthy(told, "prod", None))


async def asked(told: telling.Told) -> None:
    telling.head(told, "Everything that was decided can be asked for, and none of it rewritten")
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
        telling.note(f"{where}: {each['message']}, by {each['author']}, ended {each['until']}")
    telling.check(
        bool(found) and all(each["until"] for each in found), "the violation has begun and ended"
    )
    back = next(d for d in reversed(decisions) if d["lineage"] == "rollback")
    again = await told.stage.replay(str(back["index"]))
    telling.note("fleet audit replay judges it again, from git and the recorded facts alone:")
    telling.quote(again.text)
    telling.check(again.code == 0, "a decision comes out the same again")
    chain = await told.stage.ask("audit verify", {})
    telling.check(not chain["fault"], "the chain of records verifies")
    telling.note(f"{chain['records']} records, the chain verifies, head {chain['head'][:16]}")


CHAPTERS: tuple[Callable[[telling.Told], Awaitable[None]], ...] = (
    registered,
    released,
    promoted_at_first,
    changed,
    promoted,
    refused,
    waived,
    put_back,
    joined,
    guarded.held,
    guarded.bypassed,
    guarded.approved,
    guarded.failed,
    guarded.rolled_back,
    asked,
)


def _unpinned(text: str) -> str:
    return re.sub(r"web:\S+", "web:latest", text)
