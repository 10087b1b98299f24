"""The hub knows what runs: a policy about changes holds a commit that makes one, and lets every other one through."""

import json

import pytest

import invariants
import rulebooks
import storyline
import worlds
from fleet.model import ledger
from fleet.simulation import clock, world

APP, POLICY = "apps/hello/kept.json", "policies/kept.json"


def kept(word: str) -> str:
    metadata = {"name": "kept", "namespace": "hello"}
    return json.dumps(
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"word": word}}
    )


def rules() -> str:
    stays = {
        "expression": "oldObject == null || object.data.word == oldObject.data.word",
        "messageExpression": "oldObject.data.word + ' may not become ' + object.data.word",
    }
    matched = rulebooks.matching(resources=["configmaps"], resourceNames=["kept"])
    goes = rulebooks.matching(resources=["configmaps"], operations=["DELETE"])
    items = [
        rulebooks.policy(stays, matchConstraints=matched),
        rulebooks.binding(),
        rulebooks.policy("request.name != 'kept'", name="stays", matchConstraints=goes),
        rulebooks.binding("stays"),
    ]
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": items})


def test_a_change_is_held_against_what_runs():
    async def main() -> None:
        here = worlds.small()
        story = storyline.Story(here=here, watch=invariants.Watch(here))
        try:
            here.remote.commit("dev", {APP: kept("first"), POLICY: rules()}, "a word that stays")
            await worlds.register(here, "dev-1", "dev")
            here.hub.start()
            await story.until("dev", lambda: worlds.is_accepted(here, "dev"))
            here.remote.commit("dev", {APP: kept("second")}, "another word")
            await story.until("a refusal", lambda: refused(here))
            assert told(here) == ["first may not become second"]
            here.remote.commit("dev", {APP: None}, "no word at all")
            await story.until(
                "another one", lambda: refused(here) and "its deletion" in told(here)[0]
            )
            here.remote.commit(
                "dev",
                {APP: kept("first"), "apps/hello/b.json": kept("b").replace("kept", "b")},
                "back",
            )
            await story.until("the first again", lambda: not told(here))
            story.watch.check()
        finally:
            await here.close()

    clock.run(main())


def refused(here: world.World) -> bool:
    decision = worlds.decision(here, "dev")
    return decision is not None and decision.verdict is ledger.Verdict.REFUSED


def told(here: world.World) -> list[str]:
    decision = worlds.decision(here, "dev")
    found = decision.findings if decision else ()
    return [each.message for each in found if each.rule in ("rule", "stays")]


pytestmark = pytest.mark.timeout(60)
