"""A CRD that takes the place of another: the decision on that release says so, and its record keeps it."""

import json

import pytest

import invariants
import storyline
import worlds
from fleet.simulation import clock

PATH = "apps/hello/gadgets.yaml"


def crd(scope: str) -> str:
    version = {"name": "v1", "served": True, "storage": True}
    schema = {"openAPIV3Schema": {"type": "object"}}
    return json.dumps(
        {
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": "gadgets.example.com"},
            "spec": {
                "group": "example.com",
                "scope": scope,
                "names": {"kind": "Gadget", "plural": "gadgets"},
                "versions": [{**version, "schema": schema}],
            },
        }
    )


@pytest.mark.threat(16)
def test_the_release_says_so():
    async def main() -> None:
        here = worlds.small()
        story = storyline.Story(here=here, watch=invariants.Watch(here))
        try:
            here.remote.commit("dev", {PATH: crd("Namespaced")}, "a kind")
            await worlds.register(here, "dev-1", "dev")
            here.hub.start()
            await story.until("dev", lambda: worlds.is_accepted(here, "dev"))
            assert told(story) == []
            here.remote.commit("dev", {PATH: crd("Cluster")}, "another kind of that name")
            await story.until("dev again", lambda: worlds.is_accepted(here, "dev"))
            assert told(story) == [
                f"{PATH}:1 the scope of a CRD in force changes from Namespaced to Cluster"
            ]
            story.watch.check()
        finally:
            await here.close()

    def told(story: storyline.Story) -> list[str]:
        decision = worlds.decision(story.here, "dev")
        assert decision is not None
        found = [each for each in decision.findings if each.rule == "swap"]
        return [f"{each.place.path}:{each.place.line} {each.message}" for each in found]

    clock.run(main())
