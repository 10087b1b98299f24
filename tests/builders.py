"""Makes values of the model for tests: every argument has a sensible default, so a test names only what it is about."""

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

from fleet.gate import candidates
from fleet.manifests import declared, layout
from fleet.model import (
    changes,
    findings,
    health,
    json_values,
    kinds,
    ledger,
    messages,
    names,
    objects,
    observed,
)
from fleet.model import permits as allowed
from fleet.plan import rollout
from fleet.plan import slices as cutting
from fleet.protocol import dsse, encoding, enrolment, keys, merkle

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
HUB = keys.generate()
UID = "6a6f6a9e-0000-4000-8000-000000000001"


def digest(word: str) -> str:
    """A digest that is the same for the same word."""
    return "sha256:" + hashlib.sha256(word.encode()).hexdigest()


def commit(word: str = "tip") -> names.CommitId:
    return names.CommitId(hashlib.sha1(word.encode(), usedforsecurity=False).hexdigest())


def later(seconds: float, since: datetime = NOW) -> datetime:
    return since + timedelta(seconds=seconds)


def key(
    name: str = "web", kind: str = "ConfigMap", namespace: str = "shop", group: str = ""
) -> objects.Key:
    return objects.Key(group=group, kind=kind, namespace=namespace, name=name)


def body(
    name: str = "web", *, kind: str = "ConfigMap", namespace: str = "shop", **more: Any
) -> dict[str, Any]:
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    return {"apiVersion": "v1", "kind": kind, "metadata": metadata, **more}


def manifest(
    name: str = "web",
    *,
    document: json_values.JsonObject | None = None,
    bundle: str = "shop",
    takeover: bool = False,
    path: str = "apps/shop/web.yaml",
) -> objects.Manifest:
    document = document or body(name, data={"word": name})
    return objects.Manifest(
        key=objects.key_of(document),
        version=document["apiVersion"].rpartition("/")[2],
        body=document,
        digest=json_values.digest(document),
        bundle=names.Bundle(bundle),
        source=objects.Source(path=path, line=1, blob=names.BlobId("0" * 40)),
        takeover=takeover,
    )


def cluster(
    name: str = "dev-1",
    *,
    environment: str = "dev",
    uid: str = "",
    agent: keys.SigningKey | None = None,
    labels: dict[str, str] | None = None,
    **spec: Any,
) -> kinds.Cluster:
    """A document as `fleet agent enroll` prints it."""
    document = enrolment.document(
        cluster=names.Cluster(name),
        environment=names.Environment(environment),
        uid=uid or f"uid-of-{name}",
        kubernetes_version="1.36",
        labels=labels or {},
        key=agent or keys.generate(),
    )
    return kinds.Cluster.model_validate({**document, "spec": {**document["spec"], **spec}})


def declaration(
    document: kinds.Cluster, *, environment: str = "dev"
) -> declared.Declaration[kinds.Cluster]:
    path = f"clusters/{environment}/{document.metadata.name}.yaml"
    return declared.Declaration(document=document, place=findings.Place(path=path, line=1))


def environment(name: str = "dev", **fields: Any) -> kinds.EnvironmentSpec:
    return kinds.EnvironmentSpec.model_validate({"name": name, **fields})


def permit(
    name: str = "cleanup", *, expires: datetime | None = None, **spec: Any
) -> allowed.Permit:
    document = kinds.Permit.model_validate(
        {
            "apiVersion": kinds.API_VERSION,
            "kind": "Permit",
            "metadata": {"name": name},
            "spec": {"reason": "moving house", "expires": expires or later(3600), **spec},
        }
    )
    return document.carried()


def finding(
    rule: str = "schema",
    message: str = "wrong",
    *,
    path: str = "apps/web.yaml",
    line: int = 3,
    **fields: Any,
) -> findings.Finding:
    fields = {"severity": findings.Severity.DENY, **fields}
    return findings.Finding(
        rule=rule, message=message, place=findings.Place(path=path, line=line), **fields
    )


def candidate(
    content: str = "c2",
    rules: str = "r1",
    *,
    environment: str = "dev",
    owned: str = "o1",
    **fields: Any,
) -> candidates.Candidate:
    fields = {
        "commit": commit(f"{content}/{rules}/{owned}"),
        "author": "Ada <ada@example.org>",
        "subject": "change",
        **fields,
    }
    return candidates.Candidate(
        environment=names.Environment(environment),
        content=names.ContentId(digest(content)),
        rules=names.RulesId(digest(rules)),
        owned=names.OwnedId(digest(owned)),
        **fields,
    )


def accepted(
    number: int = 1, content: str = "c1", rules: str = "r1", *, owned: str = "o1"
) -> candidates.Accepted:
    return candidates.Accepted(
        release=number,
        commit=commit(f"accepted {number}"),
        content=names.ContentId(digest(content)),
        rules=names.RulesId(digest(rules)),
        owned=names.OwnedId(digest(owned)),
    )


def upstream(
    *history: candidates.Accepted, undecided: ledger.Decision | None = None, name: str = "dev"
) -> candidates.Upstream:
    return candidates.Upstream(
        environment=names.Environment(name), accepted=history, undecided=undecided
    )


def cluster_health(
    name: str = "dev-1",
    *,
    runs: bool = True,
    healthy: bool = True,
    seen: datetime | None = NOW,
    reason: str = "",
) -> candidates.ClusterHealth:
    return candidates.ClusterHealth(
        cluster=names.Cluster(name), runs_content=runs, healthy=healthy, seen=seen, reason=reason
    )


def facts(**fields: Any) -> candidates.Facts:
    """Facts under which anything that descends from what runs may go on."""
    return candidates.Facts(
        **{
            "now": NOW,
            "base": accepted(),
            "layout": layout.Layout(environment=names.Environment("dev"), owned=layout.OWNED),
            "upstream": None,
            "findings": (),
            "sides": (side(),),
            **fields,
        }
    )


def side(word: str = "", **spec: Any) -> candidates.Side:
    """Settings of an environment, as fleet.yaml writes them."""
    return candidates.Side(word=word, spec=environment(**spec))


def gates(**asked: Any) -> kinds.EnvironmentSpec:
    """The settings of an environment that asks for these gates."""
    return environment("prod", gates=asked)


def decision(
    content: str = "c2", rules: str = "r1", *, environment: str = "dev", **fields: Any
) -> ledger.Decision:
    found = candidate(content, rules, environment=environment)
    defaults: dict[str, Any] = {
        "environment": found.environment,
        "commit": found.commit,
        "author": found.author,
        "subject": found.subject,
        "verdict": ledger.Verdict.ACCEPTED,
        "lineage": ledger.Lineage.ENTRY,
        "content": found.content,
        "rules": found.rules,
        "owned": found.owned,
        "findings": (),
        "gates": (
            ledger.GateResult(
                gate="findings", state=ledger.GateState.OPEN, reason="nothing denies it"
            ),
        ),
        "at": NOW,
    }
    return ledger.Decision(**{**defaults, **fields})


def slices_of(
    *clusters: str, of: tuple[objects.Manifest, ...] | None = None
) -> dict[names.Cluster, cutting.Slice]:
    return {names.Cluster(each): cutting.cut(of or (manifest(f"on-{each}"),)) for each in clusters}


def statement(*, root: str, **fields: Any) -> messages.Statement:
    defaults: dict[str, Any] = {
        "environment": names.Environment("dev"),
        "release": 7,
        "commit": commit(),
        "content": digest("c2"),
        "rules": digest("r1"),
        "owned": digest("o1"),
        "slices_root": root,
        "policies": digest("policies"),
        "gates": digest("gates"),
        "renderers": ("kustomize v5.7.1 " + digest("kustomize"),),
        "decision": digest("decision"),
        "expires": later(90 * 24 * 3600),
    }
    return messages.Statement(**{**defaults, **fields})


def dispatch(
    slices: dict[names.Cluster, names.SliceDigest] | None = None,
    *,
    cluster: str = "dev-1",
    signer: keys.SigningKey = HUB,
    stated: dict[str, Any] | None = None,
    **fields: Any,
) -> messages.Dispatch:
    """A dispatch whose statement and proof hold, unless `stated` (fields of the statement) or `fields` spoil them."""
    leaves = slices or {
        names.Cluster(each): names.SliceDigest(digest(each))
        for each in ("dev-1", "dev-2", "dev-3")
    }
    index, proof = merkle.slice_proof(leaves, names.Cluster(cluster))
    shown = statement(**{"root": merkle.slices_root(leaves), **(stated or {})})
    defaults: dict[str, Any] = {
        "cluster": names.Cluster(cluster),
        "environment": names.Environment("dev"),
        "uid": UID,
        "slice": leaves[names.Cluster(cluster)],
        "release": shown.release,
        "era": 1,
        "sequence": 5,
        "issued": NOW,
        "expires": later(7 * 24 * 3600),
        "statement": dsse.sign(dsse.STATEMENT, encoding.encode(shown), signer),
        "proof": proof,
        "index": index,
        "leaves": len(leaves),
        "max_deleted_share": 0.5,
    }
    return messages.Dispatch(**{**defaults, **fields})


def envelope(sent: messages.Dispatch, signer: keys.SigningKey = HUB) -> json_values.JsonObject:
    return dsse.sign(dsse.DISPATCH, encoding.encode(sent), signer)


def poll(*, cluster: str = "dev-1", **fields: Any) -> messages.Poll:
    who: dict[str, Any] = {
        "cluster": names.Cluster(cluster),
        "environment": names.Environment("dev"),
        "uid": UID,
    }
    return messages.Poll(**{**who, "echo": None, "wait": 30, "reported": 0, **fields})


def fetch(*, cluster: str = "dev-1", slice_digest: str = "") -> messages.Fetch:
    return messages.Fetch(
        cluster=names.Cluster(cluster),
        environment=names.Environment("dev"),
        uid=UID,
        slice=names.SliceDigest(slice_digest or digest(cluster)),
    )


def outcome(
    name: str = "web",
    *,
    result: changes.Result = changes.Result.CREATED,
    message: str = "",
    state: health.Health = health.Health.CURRENT,
) -> changes.Outcome:
    return changes.Outcome(
        key=key(name), result=result, message=message, assessed=health.Assessment(health=state)
    )


def report(*, cluster: str = "dev-1", **fields: Any) -> messages.Report:
    defaults: dict[str, Any] = {
        "cluster": names.Cluster(cluster),
        "environment": names.Environment("dev"),
        "uid": UID,
        "number": 1,
        "era": 1,
        "sequence": 5,
        "slice": names.SliceDigest(digest(cluster)),
        "release": 7,
        "at": NOW,
        "health": health.Health.CURRENT,
        "applied": True,
        "outcomes": (outcome(),),
        "objects": 1,
        "kubernetes": "v1.36.3",
    }
    return messages.Report(**{**defaults, **fields})


def release(
    number: int = 1,
    *,
    environment: str = "dev",
    clusters: tuple[str, ...] = ("dev-1", "dev-2"),
    **fields: Any,
) -> ledger.Release:
    cut = slices_of(*clusters)
    digests = {name: each.digest for name, each in cut.items()}
    root = merkle.slices_root(digests)
    defaults: dict[str, Any] = {
        "environment": names.Environment(environment),
        "number": number,
        "commit": commit(f"release {number}"),
        "content": digest("c2"),
        "rules": digest("r1"),
        "owned": digest("o1"),
        "slices_root": root,
        "statement": dsse.sign(dsse.STATEMENT, encoding.encode(statement(root=root)), HUB),
        "slices": digests,
        "retired": {},
        "waves": tuple((name,) for name in digests),
        "objects": {name: each.objects for name, each in cut.items()},
        "permits": (),
        "max_deleted_share": 0.5,
        "stale_after": 300,
        "accepted": NOW,
    }
    return ledger.Release(**{**defaults, **fields})


def cluster_state(
    name: str = "dev-1", *, environment: str = "dev", **fields: Any
) -> ledger.ClusterState:
    defaults: dict[str, Any] = {
        "environment": names.Environment(environment),
        "cluster": names.Cluster(name),
        "uid": f"uid-of-{name}",
        "public_key": keys.generate().public,
        "labels": {},
        "kubernetes_version": "1.36",
    }
    return ledger.ClusterState(**{**defaults, **fields})


def environment_state(name: str = "dev", **fields: Any) -> ledger.EnvironmentState:
    return ledger.EnvironmentState(environment=names.Environment(name), **fields)


def violation(
    found: findings.Finding | None = None,
    *,
    environment: str = "dev",
    since: datetime = NOW,
    **fields: Any,
) -> ledger.Violation:
    fields = {"commit": commit(), "author": "Ada <ada@example.org>", **fields}
    return ledger.Violation(
        environment=names.Environment(environment),
        finding=found or finding(),
        since=since,
        **fields,
    )


def interval(since: float = -3600, until: float = 0, *, quorum: int = 1) -> observed.Interval:
    """Seconds from NOW."""
    return observed.Interval(began=later(since), confirmed=later(until), quorum=quorum)


def soak(content: str = "c2", *, environment: str = "dev", **fields: Any) -> observed.Soak:
    return observed.Soak(
        environment=names.Environment(environment),
        content=names.ContentId(digest(content)),
        **fields,
    )


def status(content: str = "c2", **fields: Any) -> observed.Status:
    defaults: dict[str, Any] = {
        "issuer": "ci",
        "context": "e2e",
        "outcome": observed.Outcome.SUCCESS,
        "said": NOW,
        "at": NOW,
    }
    return observed.Status(content=names.ContentId(digest(content)), **{**defaults, **fields})


def quarantine(
    content: str = "c2", *, environment: str = "prod", **fields: Any
) -> observed.Quarantine:
    return observed.Quarantine(
        environment=names.Environment(environment),
        content=names.ContentId(digest(content)),
        **{"reason": "it lost orders", "by": "ada", "since": NOW, **fields},
    )


def break_glass(*, environment: str = "prod", **fields: Any) -> observed.BreakGlass:
    defaults = {"reason": "outage", "by": "ada", "count": 1, "at": NOW}
    defaults |= {"since": NOW, "until": later(3600)}
    return observed.BreakGlass(
        environment=names.Environment(environment), **{**defaults, **fields}
    )


def rebaseline(*, environment: str = "dev", **fields: Any) -> observed.Rebaseline:
    """Lets `candidate()` follow `accepted()`."""
    defaults = {"reason": "a password", "by": "ada", "since": NOW}
    commits = {"commit": candidate().commit, "base": accepted().commit}
    return observed.Rebaseline(
        environment=names.Environment(environment), **{**defaults, **commits, **fields}
    )


def road(*environments: str) -> ledger.Road:
    steps = tuple(
        ledger.Step(environment=names.Environment(each), branch=names.Branch(f"env/{each}"))
        for each in environments or ("dev", "staging", "prod")
    )
    return ledger.Road(
        steps=steps,
        owned=("clusters/{environment}", "environments/{environment}", "trust/{environment}"),
    )


def plan_of(
    clusters: tuple[kinds.Cluster, ...],
    manifests: dict[names.Cluster, tuple[objects.Manifest, ...]],
    *,
    spec: kinds.EnvironmentSpec | None = None,
    retired: dict[names.Cluster, kinds.OnRemoval] | None = None,
) -> rollout.Plan:
    return rollout.plan(
        spec or environment(), clusters, cutting.cut_each(manifests), retired or {}
    )
