"""Whom an environment asks: of promotions, of hotfixes instead, of what loosens its rules besides."""

import json
from collections.abc import Callable
from typing import Any

import pytest

import approvers
import builders
import invariants
import replaying
import storyline
import worlds
from fleet.hub import state as hubs
from fleet.model import ledger, names
from fleet.protocol import encoding
from fleet.simulation import clock, world

WAIVER = {
    "apiVersion": "fleetgate.dev/v1alpha1",
    "kind": "Waiver",
    "metadata": {"name": "legacy"},
    "spec": {
        "rules": ["disallow-latest-tag"],
        "objects": [{"kind": "Deployment", "namespace": "hello", "name": "web"}],
        "owner": "team", "reason": "moves out", "ticket": "OPS-1", "expires": "2026-02-01",
    },
}  # fmt: skip
STAGING = names.Environment("staging")


def asked(count: int) -> list[dict[str, Any]]:
    return [{"group": "releasers", "count": count, "unsigned": True}]


def fleet(staging: dict[str, Any]) -> bytes:
    spec = {"environments": [{"name": "dev"}, {"name": "staging", **staging}, {"name": "prod"}]}
    document = {"apiVersion": "fleetgate.dev/v1alpha1", "kind": "Fleet", "metadata": {"name": "f"}}
    return json.dumps({**document, "spec": spec}).encode()


def missing(here: world.World) -> list[str]:
    found = worlds.decision(here, "staging")
    gates = found.gates if found else ()
    return [
        e.reason for e in gates if (e.gate, e.state) == ("approvals", ledger.GateState.WAITING)
    ]


async def approve(here: world.World, hub: hubs.Hub, *people: approvers.Person) -> None:
    subject = hub.consents[STAGING][1].subject
    for each in people:
        said = each.says(subject, expires=builders.later(86400, here.clock.now()))
        reply = await here.serve(lambda desk, said=said: desk.approve(encoding.encode(said)))  # type: ignore[misc]
        assert reply.status == 200


def run(staging: dict[str, Any], tell: Callable[[storyline.Story, hubs.Hub], Any]) -> None:
    """A fleet in which staging runs what dev has."""

    async def main() -> None:
        lives: list[hubs.Hub] = []
        here = world.World(worlds.hub(change=lives.append), worlds.agent())
        here.remote.start("dev", {**worlds.files(), "fleet.yaml": fleet(staging)})
        for name in ("staging", "prod"):
            here.remote.branch(name, at="dev")
        story = storyline.Story(here=here, watch=invariants.Watch(here))
        story.watch.trees.scope = ("apps/hello/**",)
        await worlds.register(here, "dev-1", "dev")
        first = approvers.trust(environment="staging", approvals=[])
        files = {"trust/staging/1.yaml": first.text, "trust/staging/1.sig": first.signatures}
        here.remote.commit("staging", files, "Trust")
        await worlds.register(here, "staging-1", "staging")
        here.hub.start()
        if "approvals" in staging["gates"]:
            await story.until("approvals", lambda: bool(missing(here)))
            await approve(here, lives[-1], approvers.ADA, approvers.BERT)
        await story.healthy("staging", "staging at first")
        await tell(story, lives[-1])
        story.watch.check()
        await replaying.check(here)
        await here.close()

    clock.run(main())


def hotfixes(**settings: Any) -> dict[str, Any]:
    return {"gates": {"approvals": asked(2)}, "hotfix": {"paths": ["apps/hello/**"], **settings}}


def fixed(here: world.World) -> None:
    text = here.remote.read("staging", worlds.WEB).decode().replace("hello/web:", "hello/web:9-")
    here.remote.commit("staging", {worlds.WEB: text}, "Fix\n\nFleet-Hotfix: it burns\n")


def test_one_agrees_to_a_hotfix_and_two_to_a_promotion():
    async def tell(story: storyline.Story, hub: hubs.Hub) -> None:
        here = story.here
        fixed(here)
        await story.until("asked", lambda: bool(missing(here)))
        assert "0 of 1" in missing(here)[0]
        await approve(here, hub, approvers.BERT)
        await story.healthy("staging", "the hotfix")
        found = worlds.decision(here, "staging")
        assert found is not None
        assert found.lineage is ledger.Lineage.HOTFIX

    run(hotfixes(approvals=asked(1)), tell)


def test_without_its_own_a_hotfix_waits_for_those_of_the_environment():
    async def tell(story: storyline.Story, hub: hubs.Hub) -> None:
        fixed(story.here)
        await story.until("asked", lambda: bool(missing(story.here)))
        await approve(story.here, hub, approvers.BERT)
        await story.here.pass_time(60.0)
        assert "1 of 2" in missing(story.here)[0]

    run(hotfixes(), tell)


def test_a_hotfix_of_which_nobody_is_asked():
    async def tell(story: storyline.Story, _: hubs.Hub) -> None:
        fixed(story.here)
        await story.healthy("staging", "the hotfix")

    run(hotfixes(approvals=[]), tell)


@pytest.mark.threat(36)
@pytest.mark.parametrize("way", ["promoted", "committed there", "taken out with its own guard"])
def test_what_loosens_a_rule_waits_for_whom_the_environment_names(way: str):
    """However it arrives; what only delivers goes on without them."""
    guarded: dict[str, Any] = {"gates": {"loosening": asked(1)}}

    async def tell(story: storyline.Story, hub: hubs.Hub) -> None:
        here = story.here
        worlds.with_image(here, "dev", "1.5.0")
        await story.healthy("dev", "a change")
        worlds.promote(here, "dev", "staging")
        await story.healthy("staging", "a change that loosens nothing")
        policy = "policies/disallow-latest-tag/policy.yaml"
        if way == "committed there":
            waiver = json.dumps(WAIVER)
            here.remote.commit("staging", {"environments/staging/w.yaml": waiver}, "Waived")
        else:
            text = fleet({"gates": {}}) if "guard" in way else fleet(guarded)
            here.remote.commit("dev", {policy: None, "fleet.yaml": text}, "No such rule")
            await story.healthy("dev", "looser")
            worlds.promote(here, "dev", "staging")
        await story.until("asked", lambda: bool(missing(here)))
        assert "0 of 1 people of releasers" in missing(here)[0]
        await here.pass_time(60.0)
        assert not worlds.is_accepted(here, "staging")
        await approve(here, hub, approvers.BERT)
        await story.healthy("staging", "looser, as Bert agreed")

    run(guarded, tell)
