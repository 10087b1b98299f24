"""A hotfix passes the approvals that its environment asks of hotfixes, instead of those that it asks of promotions."""

import json
from collections.abc import Callable
from typing import Any

import approvers
import builders
import invariants
import storyline
import worlds
from fleet.hub import state as hubs
from fleet.model import ledger, names
from fleet.protocol import encoding
from fleet.simulation import clock, world

STAGING = names.Environment("staging")


def asked(count: int) -> list[dict[str, Any]]:
    return [{"group": "releasers", "count": count, "unsigned": True}]


def fleet(hotfix: dict[str, Any]) -> bytes:
    staging = {"name": "staging", "gates": {"approvals": asked(2)}}
    staging["hotfix"] = {"paths": ["apps/hello/**"], **hotfix}
    spec = {"environments": [{"name": "dev"}, staging, {"name": "prod"}]}
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


def run(hotfix: dict[str, Any], tell: Callable[[storyline.Story, hubs.Hub], Any]) -> None:
    """A fleet in which staging runs what dev has, with the approval of two people."""

    async def main() -> None:
        lives: list[hubs.Hub] = []
        here = world.World(worlds.hub(change=lives.append), worlds.agent())
        here.remote.start("dev", {**worlds.files(), "fleet.yaml": fleet(hotfix)})
        for name in ("staging", "prod"):
            here.remote.branch(name, at="dev")
        story = storyline.Story(here=here, watch=invariants.Watch(here))
        await worlds.register(here, "dev-1", "dev")
        first = approvers.trust(environment="staging", approvals=[])
        files = {"trust/staging/1.yaml": first.text, "trust/staging/1.sig": first.signatures}
        here.remote.commit("staging", files, "Trust")
        await worlds.register(here, "staging-1", "staging")
        here.hub.start()
        await story.until("approvals", lambda: bool(missing(here)))
        await approve(here, lives[-1], approvers.ADA, approvers.BERT)
        await story.healthy("staging", "staging at first")
        await tell(story, lives[-1])
        story.watch.check()
        await here.close()

    clock.run(main())


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

    run({"approvals": asked(1)}, tell)


def test_without_its_own_a_hotfix_waits_for_those_of_the_environment():
    async def tell(story: storyline.Story, hub: hubs.Hub) -> None:
        fixed(story.here)
        await story.until("asked", lambda: bool(missing(story.here)))
        await approve(story.here, hub, approvers.BERT)
        await story.here.pass_time(60.0)
        assert "1 of 2" in missing(story.here)[0]

    run({}, tell)


def test_a_hotfix_of_which_nobody_is_asked():
    async def tell(story: storyline.Story, _: hubs.Hub) -> None:
        fixed(story.here)
        await story.healthy("staging", "the hotfix")

    run({"approvals": []}, tell)
