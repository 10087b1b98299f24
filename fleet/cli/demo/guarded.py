"""What guards prod: a soak, people who approve, a canary, the way back, and the quarantine of what failed."""

import functools
import re
from collections.abc import Mapping

from fleet.cli.demo import cast, telling

_TRUST = """apiVersion: fleetgate.dev/v1alpha1
kind: Trust
metadata: {{name: prod}}
spec:
  environment: prod
  version: 1
  expires: 2999-01-01
  people:
    ada: ["{ada}"]
    bob: ["{bob}"]
  groups: {{owners: [ada], releasers: [bob]}}
  owners: {{group: owners, threshold: 1}}
  approvals: [{{group: releasers, unsigned: true}}]
"""
_GUARDS = """    - name: prod
      gates: {{soak: {soak}s}}
      waves:
        - name: canary
          selector: {{matchLabels: {{fleetgate.dev/canary: "true"}}}}
        - name: rest
"""


async def held(told: telling.Told) -> None:
    telling.head(told, "prod asks for a soak in staging, and for Bob: a promotion waits for both")
    keys = {each: await told.stage.new_key(each) for each in ("ada", "bob")}
    text = _TRUST.format(**keys)
    signed = await told.stage.sign_trust("prod", text, "ada")
    files = {"trust/prod/1.yaml": text, "trust/prod/1.sig": signed}
    commit = await told.stage.commit("prod", files, "Whom prod trusts", cast.ADA)
    await telling.until(told, "the trust file waits for Bob", lambda: _waits(told, "approvals"))
    telling.quote((await told.stage.approve("prod", "bob")).text)
    await telling.until(
        told, "trust file to in force", lambda: telling.is_accepted(told, "prod", commit)
    )
    usual = dict(told.figures)["commit to healthy in dev"]
    fleet = await told.stage.read("dev", "fleet.yaml")
    guards = _GUARDS.format(soak=round(6 + 4 * usual))
    files = {"fleet.yaml": fleet.replace("    - name: prod\n", guards)}
    await _promoted(told, "1.6.0", files, "hello 1.6.0, and what guards prod")
    await telling.until(told, "promotion to waiting", lambda: _waits(told, "soak"))
    await _explained(told)


async def bypassed(told: telling.Told) -> None:
    telling.head(told, "Eve does not wait: she pushes the change right onto prod, and is refused")
    before = await told.stage.read("prod", cast.WEB)
    text = before.replace("replicas: 2", "replicas: 9")
    await told.stage.commit("prod", {cast.WEB: text}, "just this once", cast.EVE)
    await telling.until(told, "bypass to refusal", lambda: telling.is_refused(told, "prod"))
    await _explained(told)
    telling.note(f"prod still runs {await telling.image_of(told, cast.CANARY)}")
    await told.stage.revert("prod", cast.BOB)
    await telling.until(
        told, "revert to waiting as before", lambda: _waits(told, "approvals", alone=True)
    )


async def approved(told: telling.Told) -> None:
    telling.head(told, "The soak is over; Bob looks at what would change, and signs exactly that")
    ended = await told.stage.approve("prod", "bob")
    telling.quote(ended.text)
    telling.check(ended.code == 0, "fleet approve prod")
    for player in (cast.CANARY, cast.EUROPE):
        await telling.until(
            told,
            f"approval to healthy on {player.name}",
            functools.partial(telling.runs, told, player, "web:1.6.0"),
        )
    await telling.until(told, "prod reports it", lambda: telling.is_healthy(told, "prod", None))


async def failed(told: telling.Told) -> None:
    telling.head(told, "The canary fails with the next version, and the rollout stops there")
    await told.stage.forbid(cast.CANARY, "web:1.7.0")
    telling.note(f"{cast.CANARY.name}: somebody's policy there, unknown to git, forbids web:1.7.0")
    await _promoted(told, "1.7.0", {}, "hello 1.7.0")
    await telling.until(
        told, "soaked, and only Bob is missing", lambda: _waits(told, "approvals", alone=True)
    )
    await told.stage.approve("prod", "bob")
    await telling.until(told, "canary to stopped", lambda: _has_failed(told))
    release = (await telling.environment_of(told, "prod"))["release"]
    telling.note(f"fleet status: {release['failed']['reason']}")
    image = await telling.image_of(told, cast.EUROPE)
    telling.note(f"{cast.EUROPE.name} still runs {image}")
    telling.check("web:1.6.0" in image, "the wave after the canary was not opened")


async def rolled_back(told: telling.Told) -> None:
    telling.head(told, "fleet rollback, and what failed does not come again by itself")
    ended = await told.stage.rollback("prod", "the canary failed")
    telling.quote(ended.text)
    telling.check(ended.code == 0, "fleet rollback prod")
    await telling.until(
        told, "rollback to healthy", lambda: telling.is_healthy(told, "prod", None)
    )
    telling.note("Bob was not asked again: he approved this very content before")
    ended = await told.stage.promote("staging", "prod")
    telling.check(ended.code == 0, "fleet promote staging prod")
    await telling.until(
        told, "promoted again to refusal", lambda: telling.is_refused(told, "prod")
    )
    await _explained(told)


async def _promoted(told: telling.Told, tag: str, more: Mapping[str, str], message: str) -> None:
    """From dev to staging, where it is healthy, and to prod, where it waits."""
    text = re.sub(r"web:[0-9.]+", f"web:{tag}", await told.stage.read("dev", cast.WEB))
    await told.stage.commit("dev", {**more, cast.WEB: text}, message, cast.ADA)
    await telling.until(told, f"{tag} in dev", lambda: telling.runs(told, cast.DEV, f"web:{tag}"))
    ended = await told.stage.promote("dev", "staging")
    telling.check(ended.code == 0, "fleet promote dev staging")
    await telling.until(
        told, f"{tag} in staging", lambda: telling.runs(told, cast.STAGING, f"web:{tag}")
    )
    ended = await told.stage.promote("staging", "prod")
    telling.check(ended.code == 0, "fleet promote staging prod")


async def _waits(told: telling.Told, gate: str, *, alone: bool = False) -> bool:
    candidate = (await telling.environment_of(told, "prod")).get("candidate") or {}
    gates = [each["gate"] for each in candidate.get("waitsFor") or []]
    waits = candidate.get("verdict") == "waiting" and gate in gates
    return waits and (not alone or gates == [gate])


async def _has_failed(told: telling.Told) -> bool:
    release = (await telling.environment_of(told, "prod")).get("release") or {}
    return bool(release.get("failed"))


async def _explained(told: telling.Told) -> None:
    telling.note("fleet explain prod:")
    found = await told.stage.ask("explain", {"environment": "prod", "commit": ""})
    telling.quote(found["told"])
    for each in found["gates"]:
        if each["state"] != "open":
            until = f", until {each['until']}" if each["until"] else ""
            telling.quote(f"{each['gate']} {each['state']}: {each['reason']}{until}")
            telling.quote(f"  {each['hint']}" if each["hint"] else "")
