"""Clusters come, go, wait for their wave, and sleep: what each of that means for a release."""

import base64
import secrets

import pytest

import lines
from fleet.hub.desk import standing
from fleet.model import names

CANARY = {"fleetgate.dev/canary": "true"}


def deployment(line: lines.Line, image: str) -> str:
    """No controller is there, so it becomes healthy when a test says so."""
    return f"""
apiVersion: apps/v1
kind: Deployment
metadata: {{name: web, namespace: {line.namespace}}}
spec:
  selector: {{matchLabels: {{app: web}}}}
  template:
    metadata: {{labels: {{app: web}}}}
    spec: {{containers: [{{name: web, image: "{image}"}}]}}
"""


async def make_healthy(line: lines.Line, station: lines.Station, image: str) -> None:
    """As a Deployment controller would once the Pods of this image run."""
    path = f"/apis/apps/v1/namespaces/{line.namespace}/deployments/web"

    async def here() -> dict[str, object] | None:
        live = await station.owner.read(path) or {}
        is_it = image in str(live.get("spec"))
        return live if is_it else None

    live = await line.until(f"{station.name} has {image}", here)
    counts = dict.fromkeys(
        ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas"), 1
    )
    conditions = [
        {"type": "Available", "status": "True"},
        {"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable"},
    ]
    status = {"observedGeneration": live["metadata"]["generation"], **counts}
    change = {"status": {**status, "conditions": conditions}}
    await station.owner.merge(f"{path}/status", change)


def cluster(line: lines.Line, name: str) -> dict[str, object]:
    found = standing.of(line.hub)["environments"][0]["clusters"]
    return next(each for each in found if each["name"] == name)


async def test_the_second_wave_opens_when_the_first_is_healthy(line: lines.Line):
    await line.open(files={"apps/web/web.yaml": deployment(line, "web:1")})
    canary = await line.join("dev-canary", labels=CANARY)
    await make_healthy(line, canary, "web:1")
    rest = await line.join("dev-rest")
    await make_healthy(line, rest, "web:1")
    await line.healthy(line.git.tip())
    tip = line.commit({"apps/web/web.yaml": deployment(line, "web:2")})
    await line.judged(tip, "accepted")
    number = line.rows.in_force(canary.environment).number
    await line.until("the canary has it", lambda: canary.agent.dispatch.release == number)
    await line.quiet(1.0)
    assert cluster(line, "dev-rest")["state"] == "waits for its wave"
    assert rest.agent.dispatch.release < number
    await make_healthy(line, canary, "web:2")
    await make_healthy(line, rest, "web:2")
    await line.healthy(tip)
    waves = [each async for each in line.hub.book.records() if each.kind.value == "wave"]
    assert [each.body["clusters"] for each in waves[-2:]] == [["dev-canary"], ["dev-rest"]]


async def test_a_failed_object_stops_the_next_wave(line: lines.Line):
    await line.open()
    canary = await line.join("dev-canary", labels=CANARY)
    rest = await line.join("dev-rest")
    await line.healthy(line.git.tip())
    await canary.owner.make(line.namespace, "c", "foreign")
    tip = line.commit({"apps/web/c.yaml": line.config_map("c", "ours")})
    await line.until("it fails there", lambda: cluster(line, "dev-canary")["unwell"])
    await line.quiet(1.0)
    assert await rest.live(line.namespace, "c") is None
    release = line.rows.in_force(names.Environment("dev"))
    assert release is not None
    assert (release.commit, release.healthy) == (tip, None)


@pytest.mark.threat(114)
async def test_an_offline_cluster_is_pending_and_catches_up(line: lines.Line):
    await line.open(fleet=lines.fleet_yaml("dev", stale_after=3))
    one = await line.join("dev-1", labels=CANARY)
    two = await line.join("dev-2", labels=CANARY)
    three = await line.join("dev-3")
    await line.healthy(line.git.tip())
    await line.equals(two.word(line.namespace, "a"), "hello")
    await two.stop()
    await line.until("it is offline", lambda: cluster(line, "dev-2")["state"] == "offline")
    tip = line.commit(line.app(a="newer"))
    await line.equals(one.word(line.namespace, "a"), "newer")
    await line.equals(three.word(line.namespace, "a"), "newer")
    assert await two.word(line.namespace, "a")() == "hello"
    assert cluster(line, "dev-2")["release"] == line.rows.in_force(one.environment).number
    await two.start()
    await line.equals(two.word(line.namespace, "a"), "newer")
    await line.healthy(tip)


async def left(line: lines.Line, station: lines.Station) -> None:
    """The cluster's document is removed, and the agent has confirmed."""
    path = f"clusters/{station.environment}/{station.name}.yaml"
    line.commit({path: None})
    await line.until("it has left", lambda: line.rows.clusters[station.name].retired)


async def test_a_removed_cluster_keeps_what_runs_without_our_marks(line: lines.Line):
    await line.open()
    dev = await line.join("dev-1")
    await line.healthy(line.git.tip())
    await left(line, dev)
    assert dev.deleted() == []
    live = await dev.live(line.namespace, "a")
    assert live is not None
    assert live["data"] == {"word": "hello"}
    assert not live["metadata"].get("labels")
    entries = live["metadata"].get("managedFields") or ()
    assert "fleetgate" not in {each["manager"] for each in entries}
    await dev.owner.merge(line.config_path("a"), {"data": {"word": "free"}})
    await line.quiet()
    assert await dev.word(line.namespace, "a")() == "free"
    kinds = [each.kind.value async for each in line.hub.book.records()]
    assert kinds.count("retirement") == 1


async def test_a_removed_cluster_is_emptied_where_its_document_said_so(line: lines.Line):
    await line.open()
    dev = await line.enroll("dev-1", "dev")
    text = dev.document + "  onRemoval: prune\n"
    line.commit({"clusters/dev/dev-1.yaml": text})
    await dev.start()
    await line.healthy(line.git.tip())
    await dev.owner.make(line.namespace, "foreign", "mine")
    await left(line, dev)
    assert sorted(dev.deleted()) == [line.config_path("a"), line.config_path("b")]
    assert await dev.word(line.namespace, "foreign")() == "mine"
    # A Namespace is guarded even now.
    assert await dev.owner.read(f"/api/v1/namespaces/{line.namespace}") is not None


@pytest.mark.threat(93)
async def test_a_cluster_that_is_removed_while_offline_leaves_when_it_returns(line: lines.Line):
    await line.open()
    dev = await line.join("dev-1")
    await line.healthy(line.git.tip())
    await dev.stop()
    line.commit({"clusters/dev/dev-1.yaml": None})
    await line.until("it is leaving", lambda: line.rows.clusters[dev.name].retire)
    await line.quiet()
    assert not line.rows.clusters[dev.name].retired
    await dev.start()
    await line.until("it has left", lambda: line.rows.clusters[dev.name].retired)
    assert dev.deleted() == []


async def test_a_cluster_that_left_can_come_back(line: lines.Line):
    await line.open()
    dev = await line.join("dev-1")
    await line.healthy(line.git.tip())
    await left(line, dev)
    # Its objects are nobody's, so the return needs leave to take them.
    permit = lines.permit_text(
        "takeover:\n"
        + "".join(
            f"- {{kind: ConfigMap, namespace: {line.namespace}, name: {name}}}\n" for name in "ab"
        )
        + f"- {{kind: Namespace, name: {line.namespace}}}\n"
    )
    files = {"environments/dev/permit.yaml": permit, "clusters/dev/dev-1.yaml": dev.document}
    await line.healthy(line.commit({**files, **line.app(a="again")}))
    assert await dev.word(line.namespace, "a")() == "again"


async def test_a_document_whose_proof_is_wrong_registers_nobody(line: lines.Line):
    await line.open()
    dev = await line.enroll("dev-1", "dev")
    start = dev.document.index("proof: ")
    proof = dev.document[start:].splitlines()[0]
    wrong = base64.b64encode(secrets.token_bytes(64)).decode()
    text = dev.document.replace(proof, f'proof: "{wrong}"')
    decision = await line.judged(line.commit({"clusters/dev/dev-1.yaml": text}), "refused")
    assert {each.place.path for each in decision.findings} == {"clusters/dev/dev-1.yaml"}
    assert dev.name not in line.rows.clusters


@pytest.mark.threat(88)
async def test_a_cluster_that_is_another_than_the_enrolled_one_is_left_alone(line: lines.Line):
    await line.open()
    one = await line.join("dev-1")
    await line.healthy(line.git.tip())
    two = await line.enroll("dev-2", "dev")
    # The agent's Secret is copied to another cluster, as a clone of the whole cluster would have it.
    two.enrolled = one.enrolled
    await two.start()
    task, two.task = two.task, None
    assert task is not None
    with pytest.raises(Exception, match="not the cluster that was enrolled as dev-1"):
        await task
    assert two.touched() == []
