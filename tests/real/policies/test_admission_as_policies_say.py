"""What else a policy and its binding may say, each asked of a real API server too: the same verdict and words."""

import asyncio
import json
import re
import uuid
from dataclasses import dataclass, field
from typing import Any

import pytest

import builders
import lines
import rulebooks
from fleet.lab import clusters
from fleet.manifests import defaults, scopes
from fleet.model import findings, names
from fleet.policy import evaluate, policies

Body = dict[str, Any]
KNOWN = scopes.scopes([])
LABEL = "differential.example.com/case"
MAPS = rulebooks.matching(apiGroups=[""], resources=["configmaps"])
PARAM_KIND = {"apiVersion": "v1", "kind": "ConfigMap"}
_DENIED = re.compile(r".*denied request: (.*)", re.DOTALL)
DATA = {"word": "new", "list": "a,b,c"}
LABELS = {"tier": "prod"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """`spec` is of the policy, `bound` of the binding."""

    title: str
    expressions: tuple[str | Body, ...] = ()
    spec: Body = field(default_factory=dict)
    bound: Body = field(default_factory=dict)
    body: Body = field(default_factory=dict)
    updates: bool = False
    words_differ: bool = False  # what is missing is the repository's here, the cluster's there


def case(title: str, *expressions: str | Body, **more: Any) -> Case:
    return Case(title=title, expressions=expressions, **more)


def told(expression: str, **more: str) -> Body:
    return {"expression": "false", "messageExpression": expression, **more}


def condition(expression: str) -> Body:
    return {"matchConditions": [{"name": "a", "expression": expression}]}


def variable(expression: str) -> Body:
    return {"variables": [{"name": "v", "expression": expression}]}


def exactly(matching: Body) -> Body:
    return {"matchConstraints": {**matching, "matchPolicy": "Exact"}}


def noting(expression: str, **spec: Any) -> Body:
    return {"auditAnnotations": [{"key": "note", "valueExpression": expression}], **spec}


def taking(action: str = "Deny", **reference: Any) -> dict[str, Body]:
    return {
        "spec": {"paramKind": PARAM_KIND},
        "bound": {"paramRef": {"parameterNotFoundAction": action, **reference}},
    }


def on(**matching: Any) -> Body:
    return {"matchConstraints": {**MAPS, **matching}}


def without(**rule: Any) -> Body:
    return on(excludeResourceRules=rulebooks.matching(**rule)["resourceRules"])


SCALER: Body = {
    "apiVersion": "autoscaling/v2",
    "kind": "HorizontalPodAutoscaler",
    "metadata": {"name": "scaler"},
    "spec": {"maxReplicas": 3, "scaleTargetRef": {"kind": "Deployment", "name": "a", "apiVersion": "apps/v1"}},
}  # fmt: skip
CPU = {
    "type": "Resource",
    "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 70}},
}
MEMORY = {
    "type": "Resource",
    "resource": {"name": "memory", "target": {"type": "AverageValue", "averageValue": "1Gi"}},
}
MEASURED = {**SCALER, "spec": {**SCALER["spec"], "metrics": [MEMORY, CPU]}}
CALM = {
    "scaleDown": {
        "selectPolicy": "Min",
        "policies": [{"type": "Pods", "value": 4, "periodSeconds": 15}],
    }
}
BEHAVING = {**SCALER, "spec": {**SCALER["spec"], "behavior": CALM}}
UNMEASURED = {**SCALER, "apiVersion": "autoscaling/v1"}
PLAIN = {**UNMEASURED, "spec": {**SCALER["spec"], "targetCPUUtilizationPercentage": 60}}
EVENT = {
    "apiVersion": "v1",
    "kind": "Event",
    "metadata": {"name": "event"},
}
SCALERS = rulebooks.matching(
    apiGroups=["autoscaling"], apiVersions=["v1"], resources=["horizontalpodautoscalers"]
)
NEW_SCALERS = rulebooks.matching(
    apiGroups=["autoscaling"], apiVersions=["v2"], resources=["horizontalpodautoscalers"]
)
BOTH = {"resourceRules": [*NEW_SCALERS["resourceRules"], *SCALERS["resourceRules"]]}
OTHER_EVENTS = rulebooks.matching(
    apiGroups=["events.k8s.io"], apiVersions=["v1"], resources=["events"]
)
FAILING = "object.data.nope == 'a'"
USED = {"selector": {"matchLabels": {"use": "words"}}}
CASES = [
    case("plain denial", "object.data.word == 'old'"),
    case("plain pass", "object.data.word == 'new'"),
    case("a message", {"expression": "false", "message": "  say please "}),
    case("several denials", "false", "1 == 2"),
    case("an update sees what it replaces", "oldObject.data.word == object.data.word", updates=True),
    case("an update that may be", "oldObject.data.word == 'old' && request.operation == 'UPDATE'", updates=True),
    case("a creation replaces nothing", "oldObject == null && request.operation == 'CREATE'"),
    case("only creations", "false", spec={"matchConstraints": rulebooks.matching(operations=["CREATE"])}, updates=True),
    case("only updates", "false", spec={"matchConstraints": rulebooks.matching(operations=["UPDATE"])}, updates=True),
    case("only updates, created", "false", spec={"matchConstraints": rulebooks.matching(operations=["UPDATE"])}),
    case("deletions only", "false", spec={"matchConstraints": rulebooks.matching(operations=["DELETE"])}),
    case("the request", told("request.name + ' ' + request.resource.resource + request.kind.kind")),
    case("the kind of a request's group", told("request.kind.group + request.resource.version")),
    case("the namespace", "namespaceObject.metadata.labels['tier'] == 'test'"),
    case("the namespace as it is", "namespaceObject.metadata.labels['tier'] == 'prod'"),
    case("its status", "namespaceObject.status.phase == 'Active'"),
    case("no subresource", "!has(request.subResource) || request.subResource == ''"),
    case("an error", FAILING),
    case("an error in words", "object.data.word.split(',')[3] == 'a'"),
    case("an error in a number", "int(object.data.word) > 1"),
    case("an error in a quantity", "quantity(object.data.word).isGreaterThan(quantity('1'))"),
    case("an error that fails open", FAILING, spec={"failurePolicy": "Ignore"}),
    case("a denial although it fails open", "false", FAILING, spec={"failurePolicy": "Ignore"}),
    case("an error and then a denial", FAILING, "false"),
    case("an error that is absorbed", f"{FAILING} || true"),
    case("a variable that fails", "variables.v == 1", spec=variable("int(object.data.word)")),
    case("a variable of a variable that fails", "variables.w == 1", spec={"variables": [
        {"name": "v", "expression": "int(object.data.word)"}, {"name": "w", "expression": "variables.v + 1"}]}),
    case("a variable nobody asks", "true", spec=variable("int(object.data.word)")),
    case("null is gone over", "object.?metadata.?labels[?'no'].orValue(dyn(null)).all(x, true)"),
    case("a message expression", told("'it is ' + object.data.word")),
    case("that fails", told("'it is ' + object.data.nope", message="plain")),
    case("that fails, without a message", told("'it is ' + object.data.nope")),
    case("of nothing", told("''", message="plain")),
    case("of blanks", told("'  '", message="plain")),
    case("of two lines", told(r"'a\nb'", message="plain")),
    case("of blanks around", told("'  a '")),
    case("of too much", told("object.data.list.replace(',', 'x'.replace('x', '" + "y" * 3000 + "'))", message="plain")),
    case("a condition that does not hold", "false", spec=condition("object.data.word == 'old'")),
    case("a condition that holds", "false", spec=condition("object.data.word == 'new'")),
    case("a condition that fails", "true", spec=condition(FAILING)),
    case("a condition that fails open", "true", spec={**condition(FAILING), "failurePolicy": "Ignore"}),
    case("a condition about the namespace", "false", spec=condition("namespaceObject.metadata.name == 'a'")),
    case("a failing condition beside one that does not hold", "false", spec={"matchConditions": [
        {"name": "a", "expression": FAILING}, {"name": "b", "expression": "false"}]}),
    case("a note", "true", spec=noting("'word ' + object.data.word")),
    case("a note that fails", "true", spec=noting("string(object.data.nope)")),
    case("a note that fails open", "true", spec=noting("string(object.data.nope)", failurePolicy="Ignore")),
    case("a note alone that fails", spec=noting("string(object.data.nope)")),
    case("a note that is null", "true", spec=noting("null")),
    case("a note where no condition holds", "true", spec=noting("string(object.data.nope)", **condition("false"))),
    case("a parameter by name", "object.data.word in params.data.words.split(',')", **taking(name="words")),
    case("a parameter's value told", told("string(params.data.words)"), **taking(name="words")),
    case("a missing one", "true", **taking(name="gone"), words_differ=True),
    case("a missing one that may be", "false", **taking("Allow", name="gone")),
    case("parameters by labels", "object.data.word in params.data.words.split(',')", **taking(**USED)),
    case("none by labels", "true", **taking(selector={"matchLabels": {"use": "none"}}), words_differ=True),
    case("none by labels that may be", "false", **taking("Allow", selector={"matchLabels": {"use": "none"}})),
    case("all by an empty selector", "has(params.data.words) || has(params.data.word) || true", **taking(selector={})),
    case("a key that a parameter lacks", "params.data.nope == 'a'", **taking(name="words")),
    case("no parameters named", "params == null", spec={"paramKind": PARAM_KIND}),
    case("an excluded name", "false", spec=without(resourceNames=["an-excluded-name"])),
    case("another excluded name", "false", spec=without(resourceNames=["other"])),
    case("an excluded kind", "false", spec=without(resources=["configmaps"])),
    case("excluded updates", "false", spec=without(operations=["UPDATE"])),
    case("cluster scope", "false", spec={"matchConstraints": rulebooks.matching(scope="Cluster")}),
    case("namespaced scope", "false", spec={"matchConstraints": rulebooks.matching(scope="Namespaced")}),
    case("a subresource", "false", spec={"matchConstraints": rulebooks.matching(resources=["configmaps/status"])}),
    case("all of it", "false", spec={"matchConstraints": rulebooks.matching(resources=["configmaps/*"])}),
    case("a label in its namespace", "false", spec=on(namespaceSelector={"matchLabels": {"tier": "prod"}})),
    case("another in its namespace", "false", spec=on(namespaceSelector={"matchLabels": {"tier": "test"}})),
    case("an expression for its namespace", "false", spec=on(namespaceSelector={"matchExpressions": [
        {"key": "nope", "operator": "DoesNotExist"}]})),
    case("another version", "object.spec.maxReplicas == 1", spec={"matchConstraints": SCALERS}, body=SCALER),
    case("another version, exactly", "false", spec=exactly(SCALERS), body=SCALER),
    case("another version as it looks", told(
        "string(object.spec.targetCPUUtilizationPercentage) + ' ' + object.apiVersion + ' ' + request.kind.version"
        " + ' ' + request.requestKind.version + ' ' + request.requestResource.version"),
        spec={"matchConstraints": SCALERS}, body=MEASURED),
    case("another version keeps the rest in words", told(
        "string(object.metadata.annotations['autoscaling.alpha.kubernetes.io/metrics'])"),
        spec={"matchConstraints": SCALERS}, body=MEASURED),
    case("another version keeps its behavior in words", told(
        "string(object.metadata.annotations['autoscaling.alpha.kubernetes.io/behavior'])"),
        spec={"matchConstraints": SCALERS}, body=BEHAVING),
    case("a version after it", told("string(object.spec.metrics[0].resource.target.averageUtilization)"),
         spec={"matchConstraints": NEW_SCALERS}, body=PLAIN),
    case("a version after it, by default", told(
        "object.spec.metrics[0].resource.name + ' ' + object.apiVersion + ' ' + request.resource.version"),
        spec={"matchConstraints": NEW_SCALERS}, body=UNMEASURED),
    case("both versions", told("string(object.apiVersion)"), spec={"matchConstraints": BOTH}, body=PLAIN),
    case("another group as it looks", told("object.regarding.kind + object.apiVersion + request.kind.group"),
         spec={"matchConstraints": OTHER_EVENTS}, body=EVENT),
    case("another version updated", told(
        "string(oldObject.spec.metrics[0].resource.target.averageUtilization) + oldObject.apiVersion"),
        spec={"matchConstraints": NEW_SCALERS}, body=PLAIN, updates=True),
    case("another group", "false", spec={"matchConstraints": OTHER_EVENTS}, body=EVENT),
    case("another group, exactly", "false", spec=exactly(OTHER_EVENTS), body=EVENT),
    case("reasons", {"expression": "false", "reason": "Forbidden"}),
    case("who asks", "authorizer.group('').resource('pods').check('get').allowed() || true"),
]  # fmt: skip


def named(title: str) -> str:
    return re.sub(r"[^a-z]+", "-", title.lower())


@dataclass(frozen=True, slots=True, kw_only=True)
class Court:
    """A namespace and rules of our own in a cluster of everybody."""

    owner: lines.Owner
    space: str

    def rules(self, one: Case) -> tuple[Body, Body]:
        name = f"{self.space}-{named(one.title)}"
        policy = rulebooks.policy(
            *one.expressions, name=name, **{"matchConstraints": MAPS, **one.spec}
        )
        bound = json.loads(json.dumps(one.bound))
        if "paramRef" in bound:
            bound["paramRef"].setdefault("namespace", self.space)
        only = {"objectSelector": {"matchLabels": {LABEL: name}},
                "namespaceSelector": {"matchLabels": {"by": self.space}}}  # fmt: skip
        return policy, rulebooks.binding(name, matchResources=only, **bound)

    def body(self, one: Case, word: str = "new") -> Body:
        body = one.body or builders.body("x", data={**DATA, "word": word})
        if body["kind"] == "Event":
            body = {**body, "involvedObject": {"kind": "Pod", "namespace": self.space}}
        labels = {LABEL: f"{self.space}-{named(one.title)}"}
        metadata = {"name": named(one.title), "namespace": self.space, "labels": labels}
        return {**body, "metadata": metadata}

    def params(self) -> list[Body]:
        words = {"words": "new,old", "more": "new", "others": "x,y"}
        return [
            {**builders.body(name, namespace=self.space, data={"words": text}),
             "metadata": {"name": name, "namespace": self.space, "labels": {"use": "words"}}}
            for name, text in words.items()
        ]  # fmt: skip

    def path(self, body: Body) -> str:
        root = "/apis" if "/" in body["apiVersion"] else "/api"
        inside = f"/namespaces/{self.space}" if "namespace" in body["metadata"] else ""
        return f"{root}/{body['apiVersion']}{inside}/{scopes.plural(body['kind'])}"

    async def make(self, *bodies: Body) -> None:
        answers = await asyncio.gather(*(self.owner.ask("POST", self.path(e), e) for e in bodies))
        assert not (bad := "; ".join(s["message"] for n, s in answers if n >= 300)), bad

    async def remove(self, *bodies: Body) -> None:
        paths = [f"{self.path(each)}/{each['metadata']['name']}" for each in bodies]
        await asyncio.gather(*(self.owner.ask("DELETE", each) for each in paths))

    async def theirs(self, one: Case) -> str | None:
        """What it is denied with; None = it is not."""
        body = self.body(one)
        path = f"{self.path(body)}/{body['metadata']['name']}" if one.updates else self.path(body)
        status, said = await self.owner.ask(
            "PUT" if one.updates else "POST", f"{path}?dryRun=All", body
        )
        if status < 300:
            return None
        found = _DENIED.fullmatch(said["message"])
        return found.group(1) if found else f"{status} {said['message']}"

    def ours(self, one: Case) -> list[str]:
        """The messages of all that refuses."""
        manifest, old = builders.manifest(document=self.body(one)), self.body(one, "old")
        scene = evaluate.Scene(
            namespaces={self.space: {**LABELS, "by": self.space}},
            scopes=KNOWN,
            judged=lambda each: defaults.completed(each.body),
            previous={manifest.key: builders.manifest(document=old)} if one.updates else {},
        )
        bound = rulebooks.parsed(*self.rules(one), *self.params())
        assert bound.findings == (), one.title
        found = evaluate.evaluate(
            policies.for_environment(bound, names.Environment("dev")), manifest, scene
        )
        return [each.message for each in found if findings.refuses([each])]

    async def until_heard(self) -> None:
        probe = case("probe", "false")
        await self.make(*self.rules(probe))
        for _ in range(100):
            if await self.theirs(probe):
                return
            await asyncio.sleep(0.2)
        raise AssertionError("never enforced")


def differs(one: Case, ours: list[str], theirs: str | None) -> bool:
    if theirs is None or one.words_differ:
        return bool(ours) != (theirs is not None)
    return findings.escaped(theirs) not in ours


@pytest.mark.lab
@pytest.mark.threat(53)
@pytest.mark.timeout(90, func_only=True)
async def test_an_api_server_judges_as_the_gate_does(
    own_cluster: clusters.Cluster,
):
    space = f"judged-{uuid.uuid4().hex[:6]}"
    court = Court(owner=lines.Owner(own_cluster.kubeconfig), space=space)
    labels = {**LABELS, "by": space}
    rules = [each for one in CASES for each in court.rules(one)]
    try:
        await court.owner.must(
            "POST", "/api/v1/namespaces", {"metadata": {"name": space, "labels": labels}}
        )
        await court.make(*court.params(), *(court.body(e, "old") for e in CASES if e.updates))
        await court.make(*rules)
        await court.until_heard()
        said = await asyncio.gather(*map(court.theirs, CASES))
    finally:
        await court.remove(*rules, *court.rules(case("probe", "false")))
        await court.owner.close()
    answers = [(one, court.ours(one), theirs) for one, theirs in zip(CASES, said, strict=True)]
    differing = [
        f"{one.title}: ours {ours}, theirs {theirs}"
        for one, ours, theirs in answers
        if differs(one, ours, theirs)
    ]
    assert not differing, "\n".join(differing)
    assert sum(theirs is None for theirs in said) > 20
    assert len({one.title for one in CASES}) == len(CASES)
