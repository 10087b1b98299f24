"""A commit beside the release in force, and the same applied to a cluster that runs it: the same verdict and words."""

import asyncio
import contextlib
import json
import re
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

import builders
import definitions
import lines
import repositories
import rulebooks
from fleet.adapters import schemas
from fleet.adapters.git import working
from fleet.adapters.store import memo
from fleet.judge import judging
from fleet.lab import clusters
from fleet.local import offline
from fleet.manifests import scopes
from fleet.model import findings, names

Body = dict[str, Any]
DEV = names.Environment("dev")
LABEL = "updates.example.com/case"
_DENIED = re.compile(r".*denied request: (.*)", re.DOTALL)
_INVALID = re.compile(r".*is invalid: (.*)", re.DOTALL)
CRD = definitions.crd(
    {
        "stays": definitions.text(definitions.rule("self == oldSelf", message="it stays")),
        "grows": definitions.whole(
            definitions.rule("oldSelf.orValue(0) <= self", optionalOldSelf=True)
        ),
        "told": definitions.text(
            definitions.rule("self > oldSelf", messageExpression="oldSelf + ' is more'")
        ),
        "optionallyTold": definitions.text(
            definitions.rule(
                "!oldSelf.hasValue() || self > oldSelf.value()",
                optionalOldSelf=True,
                message="plain",
                messageExpression="oldSelf.hasValue() ? 'it was' : 'it is'",
            )
        ),
        "keyed": definitions.several(
            definitions.of(
                {
                    "name": {"type": "string", "maxLength": 9},
                    "n": definitions.whole(definitions.rule("self >= oldSelf")),
                },
                required=["name"],
            ),
            **{"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]},
        ),
        "entries": definitions.entries(definitions.text(definitions.rule("self == oldSelf"))),
    }
)
CRD["spec"]["versions"].append({**CRD["spec"]["versions"][0], "name": "v2", "storage": False})


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """`old` is what runs, None = it is new; `new` is what comes, None = it goes: a ConfigMap's data, else a spec."""

    title: str
    expressions: tuple[str | Body, ...]
    old: Any
    new: Any
    kind: str = "ConfigMap"
    spec: Body = field(default_factory=dict)
    labels: tuple[str | None, str | None] = (None, None)
    versions: tuple[str, str] = ("v1", "v1")  # of a Gadget, then and now

    @property
    def name(self) -> str:
        return re.sub(r"[^a-z]+", "-", self.title.lower())


def case(title: str, old: Any, new: Any, *expressions: str | Body, **more: Any) -> Case:
    return Case(title=title, expressions=expressions, old=old, new=new, **more)


def only(*operations: str) -> Body:
    return {"matchConstraints": rulebooks.matching(operations=list(operations))}


def told(expression: str) -> Body:
    return {"expression": "false", "messageExpression": expression}


def of_version(version: str) -> Body:
    return {"matchConstraints": rulebooks.matching(apiGroups=["*"], apiVersions=[version])}


VERSIONS = (
    "string(oldObject.apiVersion) + ' ' + string(object.apiVersion) + ' ' + request.kind.version"
    " + ' ' + request.requestKind.version"
)
ONE, TWO = {"word": "one"}, {"word": "two"}
SAME = "object.data.word == oldObject.data.word"
POD = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "d"}]}}
DEPLOYED = {"selector": {"matchLabels": {"a": "b"}}, "template": POD}
KEYED = [{"name": "a", "n": 1}, {"name": "b", "n": 5}]
CASES = [
    case("unchanged", ONE, ONE, SAME),
    case("changed", ONE, TWO, SAME),
    case("changed and told", ONE, TWO, {
        "expression": SAME, "messageExpression": "oldObject.data.word + ' to ' + object.data.word"}),
    case("new", None, TWO, "oldObject == null && request.operation == 'CREATE'"),
    case("new and seen as an update", None, TWO, "oldObject != null"),
    case("an error in what is new", None, TWO, SAME),
    case("an update", ONE, TWO, "oldObject != null && request.operation == 'UPDATE'"),
    case("an update without change", ONE, ONE, told("request.operation")),
    case("only creations", ONE, TWO, "false", spec=only("CREATE")),
    case("only creations and new", None, TWO, "false", spec=only("CREATE")),
    case("only updates", ONE, ONE, "false", spec=only("UPDATE")),
    case("only updates and new", None, ONE, "false", spec=only("UPDATE")),
    case("a key that was not there", ONE, {**ONE, "more": "x"}, "oldObject.data.more == 'x'"),
    case("a key that goes", {**ONE, "more": "x"}, ONE, "oldObject.data.all(k, k in object.data)"),
    case("a variable of it", ONE, TWO, "variables.was == 'one'", "variables.was == 'two'",
         spec={"variables": [{"name": "was", "expression": "oldObject.data.word"}]}),
    case("a condition on it", ONE, TWO, "false",
         spec={"matchConditions": [{"name": "a", "expression": "oldObject.data.word == 'two'"}]}),
    case("a condition that holds", ONE, TWO, "false",
         spec={"matchConditions": [{"name": "a", "expression": "oldObject.data.word == 'one'"}]}),
    case("a default that is written", DEPLOYED, {**DEPLOYED, "replicas": 1},
         "oldObject.spec.replicas == object.spec.replicas", kind="Deployment"),
    case("fewer than the default", {**DEPLOYED, "replicas": 3}, DEPLOYED,
         told("string(oldObject.spec.replicas) + ' to ' + string(object.spec.replicas)"),
         kind="Deployment"),
    case("a selected label that goes", ONE, TWO, "false", labels=("x", None),
         spec={"matchConstraints": {**rulebooks.matching(),
                                    "objectSelector": {"matchLabels": {"tier": "x"}}}}),
    case("a selected label of another value", ONE, TWO, "false", labels=("y", None),
         spec={"matchConstraints": {**rulebooks.matching(),
                                    "objectSelector": {"matchLabels": {"tier": "x"}}}}),
    case("a resource that stays", {"stays": "a"}, {"stays": "a"}, kind="Gadget"),
    case("a resource that may not change", {"stays": "a"}, {"stays": "b"}, kind="Gadget"),
    case("a resource that was without", {}, {"stays": "b"}, kind="Gadget"),
    case("a new resource", None, {"stays": "b", "grows": -1}, kind="Gadget"),
    case("a resource that shrinks", {"grows": 3}, {"grows": 2}, kind="Gadget"),
    case("a resource that says what was", {"told": "c"}, {"told": "c"}, kind="Gadget"),
    case("a resource that cannot say it", {"optionallyTold": "c"}, {"optionallyTold": "c"}, kind="Gadget"),
    case("elements by their keys", {"keyed": KEYED}, {"keyed": [{"name": "b", "n": 4}, *KEYED[:1]]},
         kind="Gadget"),
    case("an element that is new", {"keyed": KEYED}, {"keyed": [*KEYED, {"name": "c", "n": 0}]},
         kind="Gadget"),
    case("entries by their names", {"entries": {"a": "x", "b": "x"}},
         {"entries": {"a": "x", "b": "y", "c": "z"}}, kind="Gadget"),
    case("a policy on what a resource was", {"grows": 3}, {"grows": 4},
         "object.spec.grows == oldObject.spec.grows", kind="Gadget"),
    case("a deletion", ONE, None, "oldObject.data.word == 'two'", spec=only("DELETE")),
    case("a deletion that may be", ONE, None, "oldObject.data.word == 'one' && object == null",
         spec=only("DELETE")),
    case("a deletion that nobody minds", ONE, None, "false"),
    case("a deletion seen by a rule for all", ONE, None, "object.data.word == 'one'", spec=only("*")),
    case("a deletion told", ONE, None, told("request.operation + ' of ' + request.name"),
         spec=only("UPDATE", "DELETE")),
    case("a deletion of what is selected", ONE, None, "false", labels=("x", None),
         spec={"matchConstraints": {**only("DELETE")["matchConstraints"],
                                    "objectSelector": {"matchLabels": {"tier": "x"}}}}),
    case("a deletion of what is not", ONE, None, "false", labels=("y", None),
         spec={"matchConstraints": {**only("DELETE")["matchConstraints"],
                                    "objectSelector": {"matchLabels": {"tier": "x"}}}}),
    case("a deletion of a resource", {"stays": "a"}, None, "oldObject.spec.stays != 'a'", kind="Gadget",
         spec=only("DELETE")),
    case("another version of what it was", {"stays": "a"}, {"stays": "b"}, kind="Gadget",
         versions=("v1", "v2")),
    case("a policy on another version", {"grows": 3}, {"grows": 4}, told(VERSIONS), kind="Gadget",
         versions=("v1", "v2"), spec=of_version("v1")),
    case("a policy on the version that comes", {"grows": 3}, {"grows": 4}, told(VERSIONS),
         kind="Gadget", versions=("v1", "v2"), spec=of_version("v2")),
    case("a policy on that version exactly", {"grows": 3}, {"grows": 4}, "false", kind="Gadget",
         versions=("v1", "v2"),
         spec={"matchConstraints": {**of_version("v1")["matchConstraints"], "matchPolicy": "Exact"}}),
]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Court:
    owner: lines.Owner
    space: str

    def rules(self, one: Case) -> list[Body]:
        if not one.expressions:
            return []
        name = f"{self.space}-{one.name}"
        policy = rulebooks.policy(
            *one.expressions, name=name, **{**only("CREATE", "UPDATE"), **one.spec}
        )
        chosen = {"objectSelector": {"matchLabels": {LABEL: name}},
                  "namespaceSelector": {"matchLabels": {"by": self.space}}}  # fmt: skip
        return [policy, rulebooks.binding(name, matchResources=chosen)]

    def body(self, one: Case, *, old: bool = False) -> Body:
        if one.kind == "ConfigMap":
            made = builders.body("x", data=one.old if old else one.new)
        elif one.kind == "Gadget":
            made = definitions.resource(**(one.old if old else one.new))
            made["apiVersion"] = f"{definitions.GROUP}/{one.versions[0 if old else 1]}"
        else:
            made = {"apiVersion": "apps/v1", "kind": one.kind, "spec": one.old if old else one.new}
        tier = one.labels[0 if old else 1]
        labels = {LABEL: f"{self.space}-{one.name}", **({"tier": tier} if tier else {})}
        return {**made, "metadata": {"name": one.name, "namespace": self.space, "labels": labels}}

    def namespace(self) -> Body:
        metadata = {"name": self.space, "labels": {"by": self.space}}
        return {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}

    async def apply(self, body: Body, query: str = "") -> tuple[int, Any]:
        """As an agent does."""
        return await self.owner.ask(
            "PATCH", f"{self.path(body)}?fieldManager=fleet&force=true{query}", body,
            "application/apply-patch+yaml",
        )  # fmt: skip

    def path(self, body: Body) -> str:
        root = "/apis" if "/" in body["apiVersion"] else "/api"
        inside = f"/namespaces/{self.space}" if "namespace" in body["metadata"] else ""
        kind = scopes.plural(body["kind"])
        return f"{root}/{body['apiVersion']}{inside}/{kind}/{body['metadata']['name']}"

    async def must(self, *bodies: Body) -> None:
        answers = await asyncio.gather(*map(self.apply, bodies))
        assert not (bad := [said["message"] for status, said in answers if status >= 300]), bad

    async def until(self, body: Body, *, refused: bool) -> None:
        for _ in range(150):
            with contextlib.suppress(json.JSONDecodeError):  # of a kind that is not served yet
                status, _ = await self.apply(body, "&dryRun=All")
                if (status >= 300) is refused:
                    return
            await asyncio.sleep(0.2)
        raise AssertionError("it never came to that")

    async def theirs(self, one: Case) -> str:
        """What it is refused with; "" = it is not."""
        if one.new is None:
            path = self.path(self.body(one, old=True))
            status, said = await self.owner.ask("DELETE", f"{path}?dryRun=All")
        else:
            status, said = await self.apply(self.body(one), "&dryRun=All")
        if status < 300:
            return ""
        found = _DENIED.fullmatch(said["message"]) or _INVALID.fullmatch(said["message"])
        return found.group(1) if found else f"{status} {said['message']}"

    async def remove(self, *bodies: Body) -> None:
        root = "/apis/admissionregistration.k8s.io/v1/"
        await asyncio.gather(
            *(
                self.owner.ask(
                    "DELETE", f"{root}{scopes.plural(e['kind'])}/{e['metadata']['name']}"
                )
                for e in bodies
            )
        )


async def ours(court: Court, folder: Path) -> dict[str, list[str]]:
    """The messages of all that refuses, by the name of the case."""
    git = repositories.Git(folder / "repository")
    rules = [each for one in CASES for each in court.rules(one)]
    git.write({
        "fleet.yaml": repositories.FLEET,
        "clusters/dev/1.yaml": repositories.cluster_text(),
        "schemas/gadgets.json": json.dumps(CRD),
        "policies/rules.json": json.dumps({"apiVersion": "v1", "kind": "List", "items": rules}),
        "apps/all/bundle.yaml": repositories.bundle_text(),
        "apps/all/namespace.json": json.dumps(court.namespace()),
    })  # fmt: skip
    base = git.commit(
        {f"apps/all/{e.name}.json": json.dumps(court.body(e, old=True)) for e in CASES if e.old is not None}
    )  # fmt: skip
    tip = git.commit({
        f"apps/all/{e.name}.json": None if e.new is None else json.dumps(court.body(e)) for e in CASES
    })  # fmt: skip
    kept = memo.Memo(folder / "memo.sqlite")
    tools = judging.Tools(
        repository=working.Local(git.folder), schemas=schemas.Packaged(), memo=kept, kustomize=None
    )
    try:
        found = (await offline.check_commit(DEV, tip, base, tools)).findings
    finally:
        kept.close()
    said: dict[str, list[str]] = {}
    for each in found:
        if findings.refuses([each]) and each.rule != "registration":
            message = each.message.removeprefix("its deletion: ")
            said.setdefault(each.subject.rpartition("/")[2], []).append(message)
    return said


@pytest.mark.lab
@pytest.mark.timeout(120, func_only=True)
async def test_an_update_is_judged_as_a_cluster_that_runs_the_base_does(
    own_cluster: clusters.Cluster, tmp_path: Path
):
    space = f"updates-{uuid.uuid4().hex[:6]}"
    court = Court(owner=lines.Owner(own_cluster.kubeconfig), space=space)
    rules = [each for one in CASES for each in court.rules(one)]
    probe = Case(title="probe", expressions=("false",), old=None, new=ONE)
    gadget = Case(title="gadget", expressions=(), old=None, new={}, kind="Gadget")
    try:
        await court.must(CRD, court.namespace())
        await court.until(court.body(gadget), refused=False)
        await court.must(*(court.body(each, old=True) for each in CASES if each.old is not None))
        await court.must(*rules, *court.rules(probe))
        await court.until(court.body(probe), refused=True)
        theirs = dict(zip([e.name for e in CASES],
                          await asyncio.gather(*map(court.theirs, CASES)), strict=True))  # fmt: skip
    finally:
        await court.remove(*rules, *court.rules(probe))
        await court.owner.close()
    found = await ours(court, tmp_path)
    differing = [
        f"{name}: ours {found.get(name, [])}, theirs {said!r}"
        for name, said in theirs.items()
        if not is_same(found.get(name, []), said)
    ]
    assert not differing, "\n".join(differing)
    assert found.keys() <= theirs.keys()
    assert sum(not said for said in theirs.values()) > 10
    assert sum(bool(said) for said in theirs.values()) > 15


def is_same(ours: list[str], theirs: str) -> bool:
    """The server names the first denial of a policy, and all faults of a resource."""
    if not theirs:
        return not ours
    return findings.escaped(theirs) in ours
