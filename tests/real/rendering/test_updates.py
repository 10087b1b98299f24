"""What runs is what a commit updates: policies and rules of CRDs see the old object, on the clusters that hold it."""

import json
from typing import Any

import pytest

import definitions
import repositories
import rulebooks
from fleet.adapters import schemas
from fleet.adapters.store import memo
from fleet.judge import judging
from fleet.local import offline
from fleet.model import names

DEV = names.Environment("dev")
APP, BUNDLE, POLICY, CRD = (
    "apps/web/a.yaml", "apps/web/bundle.yaml", "policies/rule.json", "schemas/gadgets.json",
)  # fmt: skip
KEPT = "oldObject == null || object.data.word == oldObject.data.word"
QUOTING = {
    "expression": KEPT,
    "messageExpression": "oldObject.data.word + ' to ' + object.data.word",
}


DEPLOYMENT = """
    apiVersion: apps/v1
    kind: Deployment
    metadata: {name: web, namespace: shop}
    spec:
      selector: {matchLabels: {a: b}}
      template:
        metadata: {labels: {a: b}}
        spec:
          containers: [{name: c, image: nginx}]
    """


def policy(*expressions: Any, **spec: Any) -> str:
    documents = [rulebooks.policy(*expressions, **spec), rulebooks.binding()]
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": documents})


def app(word: str) -> str:
    return repositories.config_map(word=word)


def files(word: str, rules: str) -> dict[str, str]:
    return {BUNDLE: repositories.bundle_text(), APP: app(word), POLICY: rules}


def tools(reader: Any) -> judging.Tools:
    return judging.Tools(
        repository=reader.local, schemas=schemas.Packaged(), memo=reader.memo, kustomize=None
    )


async def verdict(reader: Any, base: names.CommitId | None, *, by: Any = None) -> offline.Verdict:
    return await offline.check_commit(DEV, reader.git.tip(), base, by or tools(reader))


async def told(reader: Any, base: names.CommitId | None, *, by: Any = None) -> list[str]:
    found = (await verdict(reader, base, by=by)).findings
    return [f"{each.rule}: {each.message}" for each in found if each.rule in ("rule", "schema")]


async def test_an_object_that_runs_is_updated(repository_of: Any):
    reader = repository_of(files("old", policy(QUOTING)))
    base = reader.git.tip()
    assert await told(reader, base) == []
    reader.git.commit({APP: app("new")})
    assert await told(reader, None) == []
    assert await told(reader, base) == ["rule: old to new"]


async def test_another_release_in_force_is_another_verdict(repository_of: Any):
    """What was clean beside one old object is not taken for clean beside another."""
    reader = repository_of(files("old", policy(QUOTING)))
    first = reader.git.tip()
    second = reader.git.commit({APP: app("new")})
    for _ in range(2):
        assert await told(reader, second) == []
        assert await told(reader, first) == ["rule: old to new"]


@pytest.mark.parametrize(
    ("operation", "as_new", "as_update"), [("CREATE", 1, 0), ("UPDATE", 0, 1), ("*", 1, 1)]
)
async def test_match_rules_tell_updates_from_creations(
    repository_of: Any, operation: str, as_new: int, as_update: int
):
    rules = policy("false", matchConstraints=rulebooks.matching(operations=[operation]))
    reader = repository_of(files("a", rules))
    assert len(await told(reader, None)) == as_new
    assert len(await told(reader, reader.git.tip())) == as_update
    passed = (await verdict(reader, reader.git.tip())).passed
    assert ("rule", "shop") not in passed


async def test_what_a_rule_does_not_speak_of_has_not_passed_it(repository_of: Any):
    rules = policy("true", matchConstraints=rulebooks.matching(operations=["CREATE"]))
    reader = repository_of(files("a", rules))
    assert (await verdict(reader, None)).passed["rule", "shop"] == 1
    assert ("rule", "shop") not in (await verdict(reader, reader.git.tip())).passed


async def test_on_a_new_cluster_everything_is_new(repository_of: Any):
    reader = repository_of(files("old", policy(QUOTING, "oldObject != null")))
    base = reader.git.tip()
    reader.git.commit({APP: app("new"), "clusters/dev/2.yaml": repositories.cluster_text("dev-2")})
    found = [e for e in (await verdict(reader, base)).findings if e.rule == "rule"]
    assert {(each.message, each.clusters) for each in found} == {
        ("old to new", ("dev-1",)),
        ("failed expression: oldObject != null", ("dev-2",)),
    }


async def test_each_cluster_has_its_own_old_object_as_it_was_labelled(repository_of: Any):
    """A label that changes does not change what runs."""
    labelled = "clusters/dev/1.yaml"
    reader = repository_of(
        {
            **files("${cluster.labels.zone}", policy(QUOTING)),
            BUNDLE: repositories.bundle_text(spec="{substitute: true}"),
            labelled: repositories.cluster_text(labels="{zone: a}"),
            "clusters/dev/2.yaml": repositories.cluster_text("dev-2", labels="{zone: c}"),
        }
    )
    base = reader.git.tip()
    assert await told(reader, base) == []
    reader.git.commit({labelled: repositories.cluster_text(labels="{zone: b}")})
    assert await told(reader, base) == ["rule: a to b"]


async def test_what_was_judged_last_is_what_runs(repository_of: Any):
    reader = repository_of(files("old", policy(QUOTING)))
    base, by = reader.git.tip(), tools(reader)
    assert await told(reader, None, by=by) == []
    reader.git.commit({APP: app("new")})
    assert await told(reader, base, by=by) == ["rule: old to new"]


async def test_the_default_is_what_was_before(repository_of: Any):
    deployment = repositories.text(DEPLOYMENT).decode()
    rules = policy("oldObject == null || oldObject.spec.replicas == object.spec.replicas")
    reader = repository_of({**files("a", rules), APP: deployment})
    base = reader.git.tip()
    reader.git.commit({APP: deployment.replace("spec:\n", "spec:\n  replicas: 1\n", 1)})
    assert await told(reader, base) == []
    reader.git.commit({APP: deployment.replace("spec:\n", "spec:\n  replicas: 2\n", 1)})
    assert len(await told(reader, base)) == 1


async def test_what_nobody_asks_for_is_not_worked_out(repository_of: Any):
    reader = repository_of(files("old", policy("object.data.word != 'bad'")))
    base = reader.git.tip()
    reader.git.commit({APP: app("new")})
    assert await told(reader, None) == []
    asked = Listening(reader.memo)
    by = tools(reader)
    by.memo = asked
    judged = (await verdict(reader, base, by=by)).judged
    assert judged.runs == {}
    assert asked.verdicts
    assert not asked.verdicts - asked.known
    assert not any("/was/" in each for each in asked.verdicts)


class Listening:
    """A memo that tells which verdicts were asked for."""

    def __init__(self, under: memo.Memo) -> None:
        self._under = under
        self.verdicts: set[str] = set()
        self.known: set[str] = set()

    async def recall(self, keys: Any) -> Any:
        asked = set(keys)
        found = await self._under.recall(asked)
        words = ("policy/", "schema/")
        self.verdicts |= {each for each in asked if each.startswith(words)}
        self.known |= {each for each in found if each.startswith(words)}
        return found

    async def remember(self, found: Any) -> None:
        await self._under.remember(found)


@pytest.mark.threat(20)
async def test_a_secret_that_ran_is_not_told(repository_of: Any):
    written = (
        "apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: shop}\nstringData: {k: %s}\n"
    )
    quoting = {"expression": "false", "messageExpression": "'was ' + oldObject.data.k"}
    rules = policy(quoting, matchConstraints=rulebooks.matching(resources=["secrets"]))
    reader = repository_of({**files("a", rules), APP: written % "canary-4711"})
    base = reader.git.tip()
    reader.git.commit({APP: written % "another-one"})
    assert await told(reader, base) == ["rule: was ***"]


def gadget(**spec: Any) -> str:
    return json.dumps(definitions.resource(**spec))


async def test_transitions_of_custom_resources_are_held(repository_of: Any):
    crd = definitions.crd(
        {"x": definitions.text(definitions.rule("self == oldSelf", message="it stays"))}
    )
    reader = repository_of(
        {BUNDLE: repositories.bundle_text(), APP: gadget(x="a"), CRD: json.dumps(crd)}
    )
    base = reader.git.tip()
    assert await told(reader, base) == []
    second = reader.git.commit({APP: gadget(x="b")})
    assert await told(reader, None) == []
    for _ in range(2):
        assert await told(reader, second) == []
        assert await told(reader, base) == ['schema: spec.x: Invalid value: "b": it stays']


STAYING = {"matchConstraints": rulebooks.matching(operations=["DELETE"])}


async def test_what_goes_is_deleted(repository_of: Any):
    rules = policy("oldObject.data.word != 'kept' || object != null", **STAYING)
    reader = repository_of(
        {**files("kept", rules), "apps/web/b.yaml": repositories.config_map("b")}
    )
    base = reader.git.tip()
    assert await told(reader, base) == []
    reader.git.commit(
        {APP: None, "apps/web/b.yaml": None, "apps/web/c.yaml": repositories.config_map("c")}
    )
    for _ in range(2):
        (found,) = [e for e in (await verdict(reader, base)).findings if e.rule == "rule"]
        assert found.message.startswith("its deletion: failed expression: oldObject.data.word")
        assert (str(found.place), found.subject) == (APP, "ConfigMap shop/web")
        assert found.clusters == ("dev-1",)
    reader.git.commit({"apps/web/moved.yaml": app("kept")})
    assert await told(reader, base) == []


async def test_what_goes_goes_with_its_namespace(repository_of: Any):
    """The Namespace stands until all in it is gone."""
    space = "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop, labels: {tier: prod}}\n"
    selecting = STAYING["matchConstraints"] | {
        "namespaceSelector": {"matchLabels": {"tier": "prod"}}
    }
    rules = policy("request.resource.resource != 'configmaps'", matchConstraints=selecting)
    reader = repository_of({**files("a", rules), "apps/web/space.yaml": space})
    base = reader.git.tip()
    reader.git.commit(
        {APP: None, "apps/web/space.yaml": None, "apps/web/b.yaml": space.replace("shop", "b")}
    )
    assert len(await told(reader, base)) == 1


@pytest.mark.threat(20)
async def test_a_secret_that_goes_is_not_told(repository_of: Any):
    written = (
        "apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: shop}\ndata: {k: Y2FuYXJ5}\n"
    )
    quoting = {"expression": "false", "messageExpression": "'was ' + oldObject.data.k"}
    rules = policy(quoting, **STAYING)
    reader = repository_of({**files("a", rules), "apps/web/s.yaml": written})
    base = reader.git.tip()
    reader.git.commit({"apps/web/s.yaml": None})
    assert await told(reader, base) == ["rule: its deletion: was ***"]


async def test_a_baseline_knows_what_stands_as_an_update(repository_of: Any):
    """What is wrong with updates is wrong with all that runs, so it is no news."""
    fleet = repositories.FLEET.replace("- name: dev", "- name: dev\n    baseline: true")
    rules = policy(
        "object.data.word != 'old'",
        matchConstraints=rulebooks.matching(operations=["UPDATE"]),
    )
    reader = repository_of({**files("old", rules), "fleet.yaml": fleet})
    base = reader.git.tip()
    reader.git.commit({"apps/web/b.yaml": repositories.config_map("b", word="b")})
    found = [e for e in (await verdict(reader, base)).findings if e.rule == "rule"]
    assert [(each.severity.value, bool(each.passed)) for each in found] == [("warn", True)]
