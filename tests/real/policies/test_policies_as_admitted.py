"""The shipped policies in a real API server: on every example the same verdict, in the same words, as the gate's."""

import asyncio
import json
import re
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

import builders
import rulebooks
from fleet.adapters.kubernetes import access, connection, requests
from fleet.lab import clusters
from fleet.manifests import defaults, parse, scopes
from fleet.model import names
from fleet.policy import evaluate, forms, policies

Body = dict[str, Any]
Spaces = dict[str, dict[str, str]]
LIBRARY = Path(__file__).resolve().parents[3] / "policies"
KNOWN = scopes.scopes([])
AT_ONCE = 12
MINE = "differential.example.com/by"  # a label: nobody else's objects are judged
OWN_LEVELS = b"levels.example.com/"  # else a plug-in of the server would judge by the labels too
THERE = ("default", "kube-system", "kube-public")  # namespaces of any cluster
_DENIED = re.compile(
    r"ValidatingAdmissionPolicy '([^']+)' with binding '[^']+' denied request: (.*)", re.DOTALL
)
_WARNED = re.compile(
    r"Validation failed for ValidatingAdmissionPolicy '([^']+)' with binding '[^']+': (.*)",
    re.DOTALL,
)
_HEADER = re.compile(r'299 - "((?:[^"\\]|\\.)*)"')


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    folder: str
    which: str
    body: Body

    @property
    def title(self) -> str:
        metadata = self.body["metadata"]
        return f"{self.folder}/{self.which} {self.body['kind']} {metadata.get('namespace', '')}/{metadata['name']}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    status: int
    message: str
    warnings: frozenset[tuple[str, str]] = field(default=frozenset())


class Court:
    """One API server, asked about many objects at a time."""

    def __init__(self, wire: connection.Connection) -> None:
        self._wire = wire
        self._gate = asyncio.Semaphore(AT_ONCE)

    async def ask(self, method: str, path: str, body: Any = None) -> connection.Reply:
        async with self._gate:
            return await self._wire.ask(requests.Request(method=method, path=path, body=body))

    async def create(self, body: Body) -> Said:
        """As a dry run; what is no denial of a policy is for the caller to look at."""
        reply = await self.ask("POST", f"{folder_of(body)}?dryRun=All", body)
        headers = ", ".join(reply.headers.getall("Warning", []))  # type: ignore[attr-defined]  # a multidict
        warned = frozenset(
            match.groups()
            for text in _HEADER.findall(headers)
            if (match := _WARNED.fullmatch(re.sub(r"\\(.)", r"\1", text)))
        )
        message = "" if reply.status < 300 else _message(reply.body)
        return Said(status=reply.status, message=message, warnings=warned)  # type: ignore[arg-type]  # two groups each


def _message(body: bytes) -> str:
    try:
        return str(json.loads(body)["message"])
    except ValueError:
        return body.decode()  # of a kind that is not served


def folder_of(body: Body) -> str:
    version, namespace = body["apiVersion"], body["metadata"].get("namespace")
    root = f"/apis/{version}" if "/" in version else f"/api/{version}"
    inside = f"/namespaces/{namespace}" if namespace else ""
    return f"{root}{inside}/{scopes.plural(body['kind'])}"


def documents(folder: Path, pattern: str = "*.yaml") -> Iterator[Body]:
    for path in sorted(folder.glob(pattern)):
        text = path.read_bytes().replace(b"pod-security.kubernetes.io/", OWN_LEVELS)
        parsed = parse.documents(text, path.name, names.BlobId("0" * 40))
        assert not parsed.findings
        yield from (each.value for each in parsed.documents)


def renamed(namespace: str) -> str:
    return namespace if namespace in THERE else f"differential-{namespace}"


def placed(body: Body, by: str) -> Body:
    """In a namespace of our own and with our label; as a client does, what has none goes to default."""
    group = body["apiVersion"].rpartition("/")[0]
    metadata = {**body["metadata"]}
    metadata["labels"] = {**(metadata.get("labels") or {}), MINE: by}
    if KNOWN.is_namespaced(group, body["kind"]) is False:
        metadata.pop("namespace", None)
    else:
        metadata["namespace"] = renamed(metadata.get("namespace") or "default")
    return {**body, "metadata": metadata}


def examples() -> list[Example]:
    return [
        Example(folder=folder.name, which=which, body=body)
        for folder in sorted(LIBRARY.iterdir())
        for which in ("good", "bad")
        for body in documents(folder / "tests" / which)
    ]


def of_library(by: str) -> list[Body]:
    return [
        made
        for folder in sorted(LIBRARY.iterdir())
        for each in documents(folder)
        for made in bound_to_us(each, by, folder.name)
    ]


def bound_to_us(document: Body, by: str, folder: str) -> list[Body]:
    """A rule under a name of our own. Of a binding come two: one warns of all our objects, so that every policy is
    heard of each of them, and one denies those of its own folder.
    """
    document = json.loads(json.dumps(document))
    name = document["metadata"]["name"]
    if document["kind"] not in (forms.POLICY, forms.BINDING):
        return [placed(document, by)]  # a parameter
    document["metadata"] = {
        "name": f"{by}-{name}",
        "annotations": document["metadata"].get("annotations", {}),
    }
    if document["kind"] != forms.BINDING:
        return [document]
    spec = document["spec"] | {"policyName": f"{by}-{document['spec']['policyName']}"}
    if "namespace" in spec.get("paramRef", {}):
        spec["paramRef"]["namespace"] = renamed(spec["paramRef"]["namespace"])
    found = []
    for action, label in (("Warn", by), ("Deny", f"{by}-{folder}")):
        resources = {
            **spec.get("matchResources", {}),
            "objectSelector": {"matchLabels": {MINE: label}},
        }
        metadata = document["metadata"] | {"name": f"{by}-{name}-{action.lower()}"}
        found.append({**document, "metadata": metadata,
                      "spec": spec | {"validationActions": [action], "matchResources": resources}})  # fmt: skip
    return found


def ours(bound: policies.PolicySet, body: Body, spaces: Spaces) -> frozenset[tuple[str, str]]:
    """Of what the gate finds: policy and words."""
    manifest = builders.manifest(document=body)
    scene = evaluate.Scene(
        namespaces=spaces,
        scopes=KNOWN,
        judged=lambda each: defaults.completed(each.body),
    )
    found = evaluate.evaluate(bound, manifest, scene)
    return frozenset((each.rule, each.message) for each in found)


@pytest.fixture
async def court(
    own_cluster: clusters.Cluster,
) -> AsyncIterator[Court]:
    wire = connection.Connection(access.found(own_cluster.kubeconfig))
    yield Court(wire)
    await wire.close()


def spaces_of(bodies: list[Body]) -> Spaces:
    """All namespaces that are used, with the labels that the library's tests give them."""
    used = {each["metadata"].get("namespace", "default") for each in bodies}
    labelled = {
        renamed(each["metadata"]["name"]): each["metadata"]["labels"]
        for each in documents(LIBRARY, "*/tests/namespaces.yaml")
    }
    return {name: labelled.get(name, {}) for name in used}


async def install(court: Court, rules: list[Body]) -> None:
    replies = await asyncio.gather(*(court.ask("POST", folder_of(each), each) for each in rules))
    for rule, reply in zip(rules, replies, strict=True):
        assert reply.status == 201, (rule["metadata"]["name"], reply.body)


async def remove(court: Court, rules: list[Body]) -> None:
    paths = [f"{folder_of(each)}/{each['metadata']['name']}" for each in rules]
    await asyncio.gather(*(court.ask("DELETE", each) for each in paths))


async def until_heard(court: Court, bad: list[Body]) -> None:
    """An API server takes new policies up within a second or so: it keeps no bad example any more."""
    for _ in range(100):
        answers = await asyncio.gather(*map(court.create, bad))
        bad = [body for body, each in zip(bad, answers, strict=True) if each.status < 300]
        if not bad:
            return
        await asyncio.sleep(0.2)
    raise AssertionError([f"kept: {each['kind']} {each['metadata']}" for each in bad])


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One example, as all policies warn of it and as those of its folder deny it."""

    example: Example
    whole: Body
    alone: Body
    warned: Said
    denied: Said

    def differs(self, bound: policies.PolicySet, spaces: Spaces) -> Iterator[str]:
        found = ours(bound, self.whole, spaces)
        if found != self.warned.warnings:
            yield f"{self.example.title}: ours {found}, theirs {self.warned.warnings}"
        match = _DENIED.search(self.denied.message)
        said = match.groups() if match else None
        own = ours(bound, self.alone, spaces)
        is_wrong = said is not None and self.example.which == "good"
        if is_wrong or (said is None) != (own == frozenset()) or (said and said not in own):
            yield f"{self.example.title} alone: ours {own}, theirs {self.denied}"


async def asked_about(court: Court, rules: list[Body], by: str) -> list[Asked]:
    table = examples()
    whole = [placed(each.body, by) for each in table]
    alone = [placed(each.body, f"{by}-{each.folder}") for each in table]
    bad = [body for each, body in zip(table, alone, strict=True) if each.which == "bad"]
    await install(court, rules)
    try:
        await until_heard(court, bad)
        warned = await asyncio.gather(*map(court.create, whole))
        denied = await asyncio.gather(*map(court.create, alone))
    finally:
        await remove(court, rules)
    return [
        Asked(example=example, whole=one, alone=other, warned=heard, denied=refused)
        for example, one, other, heard, refused in zip(
            table, whole, alone, warned, denied, strict=True
        )
    ]


@pytest.mark.timeout(150, func_only=True)
async def test_every_example_is_judged_as_by_an_api_server(
    court: Court, say: Callable[[str], None]
):
    by = f"d{uuid.uuid4().hex[:8]}"
    rules = of_library(by)
    spaces = spaces_of([*rules, *(placed(each.body, by) for each in examples())])
    for name, labels in spaces.items():
        space = {"metadata": {"name": name, "labels": labels}}
        await court.ask("POST", "/api/v1/namespaces", space)
    asked = await asked_about(court, rules, by)
    bound = policies.for_environment(rulebooks.parsed(*rules), names.Environment("prod"))
    kept = [each for each in asked if each.warned.status < 300]
    others = [each.example.title for each in asked if each.warned.status >= 300]
    say(
        f"{len(asked)} examples by {len(bound.policies)} policies; {len(others)} are of what no server keeps"
    )
    assert [said for each in kept for said in each.differs(bound, spaces)] == []
    assert len(kept) > 9 * len(others), others
