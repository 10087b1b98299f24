"""What a hub says to strangers, to agents that want more than their own, and to a git host that asks it to look."""

import base64
import hashlib
import hmac
from collections.abc import AsyncIterator
from dataclasses import replace

import aiohttp
import pytest

import lines
from fleet.hub import state as hubs
from fleet.model import json_values, messages, names
from fleet.protocol import keys, requests

SECRET = "a shared word"  # noqa: S105 - of a test


@pytest.fixture
async def web() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def post(web: aiohttp.ClientSession, url: str, body: bytes, **headers: str) -> int:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    async with web.post(url, data=body, headers=named) as response:
        return response.status


async def records(line: lines.Line) -> int:
    return len([each async for each in line.hub.book.records()])


def poll(line: lines.Line, cluster: str, key: keys.SigningKey, *, counter: int = 1) -> bytes:
    known = line.rows.clusters.get(names.Cluster(cluster))
    message = messages.Poll(
        cluster=names.Cluster(cluster),
        environment=names.Environment("dev"),
        uid=known.uid if known else "somewhere",
        echo=None,
        wait=0,
        reported=0,
    )
    return requests.seal(message, session=line.hub.session, counter=counter, key=key)


@pytest.mark.threat(57)
@pytest.mark.threat(58)
async def test_strangers_get_401_and_leave_no_trace(line: lines.Line, web: aiohttp.ClientSession):
    await line.open()
    dev = await line.join("dev-1")
    await line.healthy(line.git.tip())
    await line.quiet()
    before = await records(line)
    far = 1 << 50
    bodies = {
        "nobody": poll(line, "nobody", keys.generate()),
        "no name": poll(line, "", keys.generate()),
        "another's key": poll(line, "dev-1", keys.generate(), counter=far),
        "no signature": json_values.encode(
            {**json_values.decode(poll(line, "dev-1", dev.agent.key)), "signatures": []}
        ),
        "empty": b"",
        "not an envelope": b'{"cluster": "dev-1"}',
    }
    for what, body in bodies.items():
        for path in ("poll", "fetch", "report"):
            assert await post(web, f"{line.url}/v1/{path}", body) == 401, (what, path)
    assert await records(line) == before
    assert dev.agent.trouble == ""


@pytest.mark.threat(58)
async def test_an_agent_that_left_is_a_stranger_once_it_has_confirmed(
    line: lines.Line, web: aiohttp.ClientSession
):
    await line.open()
    dev = await line.join("dev-1")
    await line.healthy(line.git.tip())
    line.commit({"clusters/dev/dev-1.yaml": None})
    await line.until("it has left", lambda: line.rows.clusters[dev.name].retired)
    await dev.stop()
    before = await records(line)
    far = 1 << 50
    assert (
        await post(web, f"{line.url}/v1/poll", poll(line, "dev-1", dev.agent.key, counter=far))
        == 401
    )
    report = replace(line.rows.clusters[dev.name].report, number=far)
    body = requests.seal(report, session=line.hub.session, counter=far, key=dev.agent.key)
    assert await post(web, f"{line.url}/v1/report", body) == 401
    assert await records(line) == before
    assert not line.rows.seal.held


@pytest.mark.threat(59)
async def test_no_request_is_believed_twice(line: lines.Line, web: aiohttp.ClientSession):
    await line.open()
    dev = await line.join("dev-1")
    await line.healthy(line.git.tip())
    await line.quiet()
    sent = dict(dev.between.sent)
    assert set(sent) == {"v1/poll", "v1/fetch", "v1/report"}
    before = await records(line), line.rows.clusters[dev.name].report
    for path, body in sent.items():
        assert await post(web, f"{line.url}/{path}", body) == 401, path
    # Nor in the hub's next life.
    await dev.stop()
    await line.stop_hub()
    await line.start_hub()
    for path, body in sent.items():
        assert await post(web, f"{line.url}/{path}", body) == 401, path
    said = [each.kind.value async for each in line.hub.book.records()]
    assert (len(said), line.rows.clusters[dev.name].report) == before, said[-4:]


@pytest.mark.threat(59)
async def test_an_edited_report_or_one_for_another_cluster_changes_nothing(
    line: lines.Line, web: aiohttp.ClientSession
):
    await line.open()
    one, two = await line.join("dev-1"), await line.join("dev-2")
    await line.healthy(line.git.tip())
    await line.quiet()
    far = 1 << 50
    report = replace(line.rows.clusters[two.name].report, number=far, objects=999)
    for key in (one.agent.key, keys.generate()):
        body = requests.seal(report, session=line.hub.session, counter=far, key=key)
        assert await post(web, f"{line.url}/v1/report", body) == 401
    # Its own report, with the numbers of another cluster inside.
    moved = replace(report, uid=one.agent.identity.uid)
    body = requests.seal(moved, session=line.hub.session, counter=far, key=two.agent.key)
    assert await post(web, f"{line.url}/v1/report", body) == 401
    assert line.rows.clusters[two.name].report.objects == 3


@pytest.mark.threat(60)
async def test_an_older_dispatch_that_is_played_again_is_refused(line: lines.Line):
    await line.open()
    dev = await line.join("dev-1")
    await line.healthy(line.git.tip())
    await line.healthy(line.commit(line.app(a="second")))
    old, new = dev.between.seen[0], dev.agent.dispatch
    dev.between.tamper = lambda _: old
    line.commit(line.app(a="third"))
    await line.until("it is refused", lambda: "older" in dev.agent.trouble)
    await line.quiet()
    assert dev.agent.dispatch == new
    assert await dev.word(line.namespace, "a")() == "second"
    dev.between.tamper = lambda data: data
    await line.equals(dev.word(line.namespace, "a"), "third")


@pytest.mark.threat(65)
async def test_a_dispatch_of_another_cluster_is_refused(line: lines.Line):
    await line.open()
    one, two = await line.join("dev-1"), await line.join("dev-2")
    await line.healthy(line.git.tip())
    await line.equals(
        one.word(line.namespace, "a"), "hello"
    )  # one that is not awake holds nobody up
    await line.equals(two.word(line.namespace, "a"), "hello")
    other = two.between.seen[-1]
    one.between.tamper = lambda _: other
    line.commit(line.app(a="second"))
    await line.until("it is refused", lambda: "another cluster" in one.agent.trouble)
    assert await one.word(line.namespace, "a")() == "hello"


@pytest.mark.threat(67)
async def test_a_slice_of_another_cluster_is_absent(line: lines.Line, web: aiohttp.ClientSession):
    bundle = (
        "apiVersion: fleetgate.dev/v1alpha1\nkind: Bundle\nmetadata: {name: own}\n"
        "spec: {targets: {clusters: [dev-2]}}\n"
    )
    own = {"apps/own/bundle.yaml": bundle, "apps/own/c.yaml": line.config_map("c", "private")}
    await line.open(files=own)
    one, two = await line.join("dev-1"), await line.join("dev-2")
    await line.healthy(line.git.tip())
    mine, theirs = (line.rows.clusters[each.name].dispatch for each in (one, two))
    assert mine is not None
    assert theirs is not None
    assert mine.slice != theirs.slice
    said = []
    never = names.SliceDigest(f"sha256:{'0' * 64}")
    for number, digest in enumerate((theirs.slice, never, mine.slice)):
        fetch = messages.Fetch(
            cluster=one.name, environment=one.environment, uid=mine.uid, slice=digest
        )
        body = requests.seal(
            fetch, session=line.hub.session, counter=(1 << 50) + number, key=one.agent.key
        )
        async with web.post(f"{line.url}/v1/fetch", data=body) as response:
            said.append(
                (response.status, dict(response.headers) | {"Date": ""}, await response.read())
            )
    assert said[0] == said[1]
    assert [status for status, _, _ in said] == [404, 404, 200]


@pytest.mark.threat(72)
async def test_a_hook_is_believed_by_its_signature_and_only_means_look(
    line: lines.Line, web: aiohttp.ClientSession
):
    line.settings = hubs.Settings(
        poll_interval=600.0, shortest_interval=0.02, webhook_secret=SECRET
    )
    await line.open()
    dev = await line.join("dev-1")
    await line.healthy(line.git.tip())
    tip = line.git.commit(line.app(a="pushed"))
    line.git.run("push", "--quiet", "origin", "dev")
    url, body = f"{line.url}/hooks/git", b'{"ref": 7, "after": ["not", "a", "commit"]}'
    genuine = "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    for forged in ("", "sha256=", "sha256=" + "0" * 64, genuine[:-1], genuine.upper()):
        assert await post(web, url, body, X_Hub_Signature_256=forged) == 401
    await line.quiet()
    assert line.decision().commit != tip
    assert await post(web, url, body, X_Hub_Signature_256=genuine) == 202
    await line.healthy(tip)
    assert await dev.word(line.namespace, "a")() == "pushed"


async def test_the_hub_says_whether_it_is_ready(line: lines.Line, web: aiohttp.ClientSession):
    await line.open()
    await line.until("it is ready", lambda: line.hub.ready)
    for path in ("livez", "readyz", "metrics"):
        async with web.get(f"{line.url}/{path}") as response:
            assert response.status == 200, path


async def test_a_git_host_that_is_away_holds_nothing_that_runs(line: lines.Line):
    await line.open()
    dev = await line.join("dev-1")
    await line.healthy(line.git.tip())
    away = line.origin.with_name("away.git")
    line.origin.rename(away)
    line.nudge()
    await line.until("the hub says so", lambda: line.hub.trouble)
    await dev.owner.merge(line.config_path("a"), {"data": {"word": "by hand"}})
    await line.equals(dev.word(line.namespace, "a"), "hello")
    away.rename(line.origin)
    await line.healthy(line.commit(line.app(a="back")))
    assert line.hub.trouble == ""


# Secrets.

CANARY = "c4n4ry-5ecret-v4lue"


def secret(line: lines.Line, section: str, value: str) -> str:
    metadata = f"{{name: token, namespace: {line.namespace}}}"
    head = f"apiVersion: v1\nkind: Secret\nmetadata: {metadata}\n"
    return f"{head}{section}: {{key: {value}}}\n"


async def check_untold(line: lines.Line, caplog: pytest.LogCaptureFixture) -> None:
    said = caplog.text + json_values.encode(await everything(line)).decode()
    assert CANARY not in said
    assert "YzRuNHJ5" not in said  # the same in base64
    assert "dev-1" in said  # so there was something to be told


@pytest.mark.threat(20)
@pytest.mark.threat(76)
async def test_the_value_of_a_secret_is_in_the_cluster_and_nowhere_else(
    line: lines.Line, caplog: pytest.LogCaptureFixture
):
    caplog.set_level("DEBUG")
    await line.open(files={"apps/web/secret.yaml": secret(line, "stringData", CANARY)})
    dev = await line.join("dev-1")
    await line.healthy(line.git.tip())
    path = f"/api/v1/namespaces/{line.namespace}/secrets/token"
    live = await dev.owner.read(path)
    assert live is not None
    assert live["data"] == {"key": base64.b64encode(CANARY.encode()).decode()}
    await dev.owner.merge(path, {"stringData": {"key": "other"}})

    async def value() -> str:
        return str((await dev.owner.read(path) or {})["data"]["key"])

    await line.equals(value, base64.b64encode(CANARY.encode()).decode())
    await check_untold(line, caplog)


@pytest.mark.threat(20)
@pytest.mark.threat(76)
@pytest.mark.parametrize(
    ("section", "value"), [("data", f"[{CANARY}]"), ("stringData", f"[{CANARY}]")]
)
async def test_the_value_of_an_invalid_secret_is_in_no_finding(
    line: lines.Line, caplog: pytest.LogCaptureFixture, section: str, value: str
):
    caplog.set_level("DEBUG")
    await line.open()
    await line.join("dev-1")
    tip = line.commit({"apps/web/secret.yaml": secret(line, section, value)})
    decision = await line.judged(tip, "refused")
    assert {each.place.path for each in decision.findings} == {"apps/web/secret.yaml"}
    await check_untold(line, caplog)


@pytest.mark.threat(76)
async def test_the_value_of_a_secret_that_a_cluster_refuses_is_in_no_report(
    line: lines.Line, caplog: pytest.LogCaptureFixture
):
    caplog.set_level("DEBUG")
    await line.open()
    dev = await line.join("dev-1")
    await line.healthy(line.git.tip())
    body = {"metadata": {"name": "token"}, "immutable": True, "stringData": {"key": "x"}}
    await dev.owner.must("POST", f"/api/v1/namespaces/{line.namespace}/secrets", body)
    entry = f"- {{kind: Secret, namespace: {line.namespace}, name: token}}\n"
    permit = lines.permit_text(f"takeover:\n{entry}")
    text = secret(line, "stringData", CANARY)
    line.commit({"apps/web/secret.yaml": text, "environments/dev/permit.yaml": permit})

    def failed() -> bool:
        report = line.rows.clusters[dev.name].report
        return report is not None and any("immutable" in each.message for each in report.outcomes)

    await line.until("it fails", failed)
    await check_untold(line, caplog)


async def everything(line: lines.Line) -> json_values.JsonObject:
    """All that people are told: status, decisions, violations, every record."""
    shown = [each async for each in line.hub.book.records()]
    return {
        "status": await line.ask("status"),
        "decisions": await line.ask("audit decisions"),
        "violations": await line.ask("audit violations"),
        "records": [each.body for each in shown],
    }
