"""What the adapter makes of an API server in trouble, and of what only stands in its place."""

import asyncio
import base64
import re
from collections.abc import Callable
from contextlib import aclosing
from pathlib import Path

import pytest
from aiohttp import web

from apiservers import (
    Scene,
    Turn,
    bookmark,
    breaks_off,
    error,
    event,
    fails,
    failure,
    hangs_up,
    lists,
    playing,
    says,
    streams,
)
from fleet.adapters.kubernetes import cluster as api
from fleet.adapters.kubernetes import credentials
from fleet.model import errors, objects
from fleet.ports import cluster
from fleet.ports.cluster import EventType, Status

CONFIGS = cluster.Resource(
    group="", version="v1", kind="ConfigMap", plural="configmaps", namespaced=True,
    versions=("v1",),
)  # fmt: skip
SECRETS = cluster.Resource(
    group="", version="v1", kind="Secret", plural="secrets", namespaced=True, versions=("v1",)
)
KEY = objects.Key(group="", kind="ConfigMap", namespace="team", name="a")
BODY = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": "team"}}


STRANGERS: dict[str, Turn] = {
    "any program in Go": says(404, "404 page not found"),
    "load balancer": says(404, "<html>no backend</html>"),
    "gateway": says(404, {"error": "no route"}),
    "hotel": says(200, "<html>please log in</html>"),
    "list": says(200, "[]"),
    "login": says(302, "", Location="https://login.example.com/"),
    "silence": hangs_up,
}
GAPS: dict[str, Turn] = {
    "at its start": fails(410, "too old"),
    "later": streams(error(410, "too old resource version: 5 (90)")),
}
TROUBLES: dict[str, Turn] = {
    "breaks off": breaks_off,
    "starting": fails(503, "starting"),
    "ends": streams(),
    "no JSON": streams("no json\n"),
    "no event": streams('{"type":"MODIFIED"}\n'),
    "error": streams(error(500, "x")),
}
LASTING: dict[str, Turn] = {
    "hangs up": hangs_up,
    "down": fails(503, "down"),
    "forgets": fails(410, "too old"),
}

# Answers


@pytest.mark.threat(78)
async def test_too_many_requests_names_the_pause():
    async with playing(says(429, failure(429, "slow down"), Retry_After="7")) as scene:
        answer = await scene.port.apply(CONFIGS, BODY, force=False)
    assert (answer.status, answer.retry_after, answer.message) == (Status.LATER, 7.0, "slow down")


@pytest.mark.threat(78)
@pytest.mark.parametrize("status", [500, 502, 503, 504])
async def test_a_server_in_trouble_is_asked_later(status: int):
    async with playing(fails(status, "etcdserver: request timed out")) as scene:
        for answer in (
            await scene.port.apply(CONFIGS, BODY, force=False),
            await scene.port.read(CONFIGS, KEY),
            await scene.port.delete(CONFIGS, KEY, uid="u"),
        ):
            assert answer.status is Status.LATER


@pytest.mark.threat(83)
async def test_a_webhook_that_does_not_answer_is_asked_later_with_its_text():
    message = 'failed calling webhook "policy.example.com": context deadline exceeded'
    async with playing(fails(500, message, "InternalError")) as scene:
        answer = await scene.port.apply(CONFIGS, BODY, force=False)
    assert (answer.status, answer.message) == (Status.LATER, message)


@pytest.mark.threat(83)
@pytest.mark.parametrize("status", [400, 403, 404, 409, 422, 500])
async def test_a_webhook_says_no_with_any_status(status: int):
    message = 'admission webhook "policy.example.com" denied the request: not today'
    async with playing(fails(status, message)) as scene:
        answer = await scene.port.delete(CONFIGS, KEY, uid="u")
    assert (answer.status, answer.message) == (Status.DENIED, message)


@pytest.mark.threat(82)
@pytest.mark.parametrize("word", STRANGERS)
async def test_what_is_not_the_api_servers_word_is_no_answer(word: str):
    async with playing(STRANGERS[word]) as scene:
        with pytest.raises(errors.UnreachableError):
            await scene.port.read(CONFIGS, KEY)


async def test_where_nobody_listens_the_address_is_named():
    async with playing(says(200, {})) as scene:
        url = scene.url
    access = credentials.Access(server=url, tls=None, bearer=credentials.Fixed())
    async with api.ApiServer(access) as port:
        with pytest.raises(errors.UnreachableError, match=re.escape(url)):
            await port.read(CONFIGS, KEY)


@pytest.mark.threat(77)
async def test_an_answer_without_end_is_cut_off():
    async with playing(says(200, {}, Content_Length=str(1 << 40))) as scene:
        with pytest.raises(errors.UnreachableError, match="larger"):
            await scene.port.read(CONFIGS, KEY)


async def test_an_apply_whose_connection_was_just_closed_is_sent_again():
    async with playing(hangs_up, says(200, BODY)) as scene:
        answer = await scene.port.apply(CONFIGS, BODY, force=False)
    assert answer.status is Status.DONE
    assert [asked.method for asked in scene.script.asked] == ["PATCH", "PATCH"]


async def test_a_create_whose_answer_was_lost_is_not_sent_again():
    async with playing(hangs_up, says(201, BODY)) as scene:
        with pytest.raises(errors.UnreachableError):
            await scene.port.create(CONFIGS, BODY)
    assert len(scene.script.asked) == 1


@pytest.mark.threat(2)
@pytest.mark.parametrize("name", ["..", ".", "", "a/b", "../../secrets/b", "%2e%2e", "a%2Fb"])
async def test_a_name_that_would_leave_its_path_is_never_sent(name: str):
    body = {**BODY, "metadata": {"name": name, "namespace": "team"}}
    there = {**BODY, "metadata": {"name": "a", "namespace": name or ".."}}
    key = objects.Key(group="", kind="ConfigMap", namespace="team", name=name)
    async with playing(says(200, BODY)) as scene:
        answers = [
            await scene.port.apply(CONFIGS, body, force=True),
            await scene.port.apply(CONFIGS, there, force=True),
            await scene.port.create(CONFIGS, there),
            await scene.port.replace(CONFIGS, body),
            await scene.port.read(CONFIGS, key),
            await scene.port.delete(CONFIGS, key, uid="u"),
        ]
    assert {answer.status for answer in answers} == {Status.INVALID}
    assert scene.script.asked == []


async def test_a_name_with_signs_of_urls_arrives_as_it_is():
    name = "system:a?b#c d+é"
    body = {**BODY, "metadata": {"name": name, "namespace": "team"}}
    async with playing(says(200, body)) as scene:
        await scene.port.apply(CONFIGS, body, force=True)
    path = "/api/v1/namespaces/team/configmaps/system%3Aa%3Fb%23c%20d%2B%C3%A9"
    assert scene.script.asked[0].path == path


async def test_an_apply_says_who_applies_and_how():
    async with playing(says(200, BODY)) as scene:
        await scene.port.apply(CONFIGS, BODY, force=True, dry_run=True)
    asked = scene.script.asked[0]
    assert asked.headers["Content-Type"] == "application/apply-patch+yaml"
    assert asked.query == {"fieldManager": "fleetgate", "force": "true", "dryRun": "All"}
    assert asked.body == BODY


async def test_a_delete_names_the_uid_and_leaves_the_rest_to_the_background():
    async with playing(says(200, failure(200, "gone"))) as scene:
        answer = await scene.port.delete(CONFIGS, KEY, uid="u-1")
    assert (answer.status, answer.live) == (Status.DONE, None)
    options = scene.script.asked[0].body
    assert options["preconditions"] == {"uid": "u-1"}
    assert options["propagationPolicy"] == "Background"


@pytest.mark.threat(20)
async def test_no_value_of_a_secret_is_repeated():
    secret = {
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a", "namespace": "team"},
        "data": {"a": base64.b64encode(b"canary-of-data").decode(), "n": {"deep": "canary-nested"}},
        "stringData": {"b": "canary-of-text", "c": 1234567},
    }  # fmt: skip
    quoted = " ".join(
        ["canary-of-data", base64.b64encode(b"canary-of-data").decode(), "canary-nested",
         "canary-of-text", base64.b64encode(b"canary-of-text").decode(), "1234567"]
    )  # fmt: skip
    async with playing(fails(422, f"Secret is wrong: {quoted} (team)")) as scene:
        answers = [
            await scene.port.apply(SECRETS, secret, force=True),
            await scene.port.create(SECRETS, secret),
            await scene.port.replace(SECRETS, secret),
        ]
    for answer in answers:
        assert answer.message == "Secret is wrong: *** *** *** *** *** *** (team)"
        assert "canary" not in repr(answer)


# Who we are


async def test_a_token_that_was_renewed_is_read_again(tmp_path: Path):
    token = tmp_path / "token"
    token.write_text("first\n")

    async def refuses(request: web.BaseRequest) -> web.StreamResponse:
        token.write_text("second\n")
        return await fails(401, "Unauthorized")(request)

    bearer = credentials.FromFile(token)
    async with playing(says(200, BODY), refuses, says(200, BODY), bearer=bearer) as scene:
        await scene.port.read(CONFIGS, KEY)
        answer = await scene.port.read(CONFIGS, KEY)
    assert answer.status is Status.DONE
    sent = [asked.headers["Authorization"] for asked in scene.script.asked]
    assert sent == ["Bearer first", "Bearer first", "Bearer second"]


async def test_a_token_that_stays_wrong_is_a_denial():
    bearer = credentials.Fixed("wrong")
    async with playing(fails(401, "Unauthorized"), bearer=bearer) as scene:
        answer = await scene.port.read(CONFIGS, KEY)
        assert answer.status is Status.DENIED
        assert len(scene.script.asked) == 1
        with pytest.raises(errors.UnreachableError, match="Unauthorized"):
            await scene.port.identity()


async def test_without_its_token_nothing_is_asked(tmp_path: Path):
    bearer = credentials.FromFile(tmp_path / "token")
    async with playing(says(200, BODY), bearer=bearer) as scene:
        with pytest.raises(errors.UnreachableError, match="token"):
            await scene.port.read(CONFIGS, KEY)
    assert scene.script.asked == []


# Discovery


def _aggregated(*groups: dict[str, object]) -> Turn:
    return says(200, {"kind": "APIGroupDiscoveryList", "items": list(groups)})


def _version(name: str, *kinds: str, freshness: str = "Current") -> dict[str, object]:
    found = [
        {"resource": f"{kind.lower()}s", "responseKind": {"kind": kind}, "scope": "Namespaced"}
        for kind in kinds
    ]
    return {"version": name, "freshness": freshness, "resources": found}


async def test_each_kind_is_known_by_its_preferred_version_and_all_others():
    core = {"metadata": {}, "versions": [_version("v1", "Pod")]}
    named = {
        "metadata": {"name": "example.com"},
        "versions": [_version("v2", "Thing"), _version("v1", "Thing", "Old")],
    }
    async with playing(_aggregated(core), _aggregated(named)) as scene:
        found = await scene.port.discover()
    assert set(found.resources) == {("", "Pod"), ("example.com", "Thing"), ("example.com", "Old")}
    thing, old = found.resources["example.com", "Thing"], found.resources["example.com", "Old"]
    assert (thing.version, thing.versions, thing.plural) == ("v2", ("v2", "v1"), "things")
    assert (old.version, old.versions) == ("v1", ("v1",))
    assert found.unknown == frozenset()


@pytest.mark.threat(82)
async def test_a_stale_group_is_unknown():
    stale = {
        "metadata": {"name": "metrics.k8s.io"},
        "versions": [_version("v1beta1", freshness="Stale")],
    }
    async with playing(_aggregated(), _aggregated(stale)) as scene:
        found = await scene.port.discover()
    assert found.unknown == {"metrics.k8s.io"}


def _resources(*names: str) -> Turn:
    found = [{"name": n, "kind": n.title(), "namespaced": n != "nodes"} for n in names]
    return says(200, {"kind": "APIResourceList", "resources": found})


@pytest.mark.threat(82)
async def test_older_api_servers_are_asked_version_by_version():
    groups = {
        "kind": "APIGroupList",
        "groups": [
            {
                "name": "apps",
                "versions": [{"version": "v1beta1"}, {"version": "v1"}],
                "preferredVersion": {"version": "v1"},
            },
            {"name": "broken.example.com", "versions": [{"version": "v1"}]},
        ],
    }
    turns = {
        "/api": says(200, {"kind": "APIVersions", "versions": ["v1"]}),
        "/api/v1": _resources("pods", "pods/log", "nodes"),
        "/apis": says(200, groups),
        "/apis/apps/v1": _resources("deployments", "deployments/scale"),
        "/apis/apps/v1beta1": _resources("deployments"),
        "/apis/broken.example.com/v1": fails(503, "service unavailable"),
    }
    async with playing(lambda request: turns[request.path](request)) as scene:
        found = await scene.port.discover()
    assert set(found.resources) == {("", "Pods"), ("", "Nodes"), ("apps", "Deployments")}
    assert found.resources["apps", "Deployments"].versions == ("v1", "v1beta1")
    assert not found.resources["", "Nodes"].namespaced
    assert found.unknown == {"broken.example.com"}


@pytest.mark.threat(82)
async def test_groups_that_cannot_be_asked_for_are_no_empty_cluster():
    async with playing(_aggregated(), fails(503, "starting")) as scene:
        with pytest.raises(errors.UnreachableError, match="starting"):
            await scene.port.discover()


# Watches


def whether_watched(yes: Turn, no: Turn) -> Turn:
    async def turn(request: web.BaseRequest) -> web.StreamResponse:
        return await (yes if "watch" in request.query else no)(request)

    return turn


async def until(is_so: Callable[[], bool]) -> None:
    for _ in range(1000):
        if is_so():
            return
        await asyncio.sleep(0.01)
    raise TimeoutError


async def told(
    scene: Scene, count: int, *, selector: str = "", metadata_only: bool = False
) -> list[tuple[EventType, str]]:
    events = scene.port.watch(
        CONFIGS, selector=selector, namespace="team", metadata_only=metadata_only
    )
    found: list[tuple[EventType, str]] = []
    async with asyncio.timeout(10), aclosing(events):
        while len(found) < count:
            each = await anext(events)
            found.append((each.type, each.live["metadata"]["name"] if each.live else ""))
    return found


async def test_a_long_list_comes_in_pages():
    turns = (lists("5", "a", "b", page="next"), lists("5", "c"), streams(stays=True))
    async with playing(*turns) as scene:
        assert await told(scene, 4, selector="x=y") == [
            (EventType.LISTED, "a"),
            (EventType.LISTED, "b"),
            (EventType.LISTED, "c"),
            (EventType.SYNCED, ""),
        ]
    first, second = scene.script.asked[:2]
    assert first.query["labelSelector"] == second.query["labelSelector"] == "x=y"
    assert ("continue" in first.query, second.query["continue"]) == (False, "next")


@pytest.mark.threat(82)
async def test_a_list_that_is_torn_is_an_error():
    turns = (
        lists("5", "a", page="next"),
        fails(410, "The provided continue parameter is too old"),
    )
    async with playing(*turns) as scene:
        with pytest.raises(errors.UnreachableError, match="too old"):
            await told(scene, 9)


@pytest.mark.threat(82)
@pytest.mark.parametrize("status", [403, 404, 400])
async def test_a_list_that_is_refused_is_an_error_at_once(status: int):
    async with playing(fails(status, "no list for you")) as scene:
        with pytest.raises(errors.UnreachableError, match="no list for you"):
            await told(scene, 1)
    assert len(scene.script.asked) == 1


@pytest.mark.threat(78)
async def test_a_list_that_is_put_off_waits_as_long_as_it_is_told():
    later = says(429, failure(429, "later"), Retry_After="3")
    async with playing(later, lists("5"), streams(stays=True)) as scene:
        assert await told(scene, 1) == [(EventType.SYNCED, "")]
    assert scene.pauses.slept == [3.0]


async def test_a_watch_that_ends_goes_on_where_it_was():
    turns = (
        lists("5", "a"),
        streams(event("MODIFIED", "a", "6"), bookmark("9")),
        streams(event("DELETED", "a", "10")),
        streams(stays=True),
    )
    async with playing(*turns) as scene:
        found = await told(scene, 4)
    assert found == [
        (EventType.LISTED, "a"),
        (EventType.SYNCED, ""),
        (EventType.CHANGED, "a"),
        (EventType.GONE, "a"),
    ]
    watches = [asked.query for asked in scene.script.asked[1:]]
    assert [query["resourceVersion"] for query in watches[:2]] == ["5", "9"]
    assert watches[0]["allowWatchBookmarks"] == "true"


async def test_a_connection_that_breaks_in_the_middle_of_a_line_loses_nothing():
    cut = '{"type":"MODIFIED","object":{"kind":"Conf'
    turns = (
        lists("5", "a"),
        streams(event("MODIFIED", "a", "6"), cut),
        streams(event("MODIFIED", "a", "7"), stays=True),
    )
    async with playing(*turns) as scene:
        found = await told(scene, 4)
    assert found[2:] == [(EventType.CHANGED, "a"), (EventType.CHANGED, "a")]
    assert scene.script.asked[2].query["resourceVersion"] == "6"


@pytest.mark.threat(82)
@pytest.mark.parametrize("gap", GAPS)
async def test_after_a_gap_everything_is_listed_anew(gap: str):
    turns = (lists("5", "a", "b"), GAPS[gap], lists("90", "b", "c"), streams(stays=True))
    async with playing(*turns) as scene:
        found = await told(scene, 6)
    assert found == [
        (EventType.LISTED, "a"),
        (EventType.LISTED, "b"),
        (EventType.SYNCED, ""),
        (EventType.LISTED, "b"),
        (EventType.LISTED, "c"),
        (EventType.SYNCED, ""),
    ]


@pytest.mark.threat(78)
@pytest.mark.parametrize("word", TROUBLES)
async def test_a_watch_that_cannot_be_opened_is_tried_again_with_growing_pauses(word: str):
    trouble = TROUBLES[word]
    turns = (
        lists("5", "a"), trouble, trouble, trouble, streams(event("MODIFIED", "a", "6"), stays=True)
    )  # fmt: skip
    async with playing(*turns) as scene:
        assert (await told(scene, 3))[-1] == (EventType.CHANGED, "a")
    assert scene.pauses.slept == [0.5, 1.0, 2.0]


@pytest.mark.threat(78)
@pytest.mark.parametrize("word", LASTING)
async def test_a_watch_that_stays_away_ends_in_words(word: str):
    async with playing(whether_watched(LASTING[word], lists("5", "a"))) as scene:
        with pytest.raises(errors.UnreachableError, match="configmaps cannot be watched"):
            await told(scene, 99)
    assert len(scene.pauses.slept) == 5


async def test_a_watch_that_is_refused_ends_at_once():
    async with playing(lists("5", "a"), fails(403, "you may not watch")) as scene:
        with pytest.raises(errors.UnreachableError, match="you may not watch"):
            await told(scene, 99)
    assert scene.pauses.slept == []


async def test_a_change_resets_the_pauses():
    turns = (
        lists("5", "a"), breaks_off, breaks_off, streams(event("MODIFIED", "a", "6")), breaks_off,
        streams(event("MODIFIED", "a", "7"), stays=True),
    )  # fmt: skip
    async with playing(*turns) as scene:
        await told(scene, 4)
    assert scene.pauses.slept == [0.5, 1.0, 0.5, 1.0]


async def test_an_item_of_a_list_says_what_it_is():
    async with (
        playing(lists("5", "a"), streams(stays=True)) as scene,
        aclosing(scene.port.watch(CONFIGS, selector="")) as events,
    ):
        first = await anext(events)
    assert first.live is not None
    assert (first.live["apiVersion"], first.live["kind"]) == ("v1", "ConfigMap")


async def test_metadata_alone_is_asked_for_and_cut_out_where_the_server_sends_all():
    whole = event("MODIFIED", "a", "6")
    whole["object"]["data"] = {"big": "x"}
    async with (
        playing(lists("5"), streams(whole, stays=True)) as scene,
        aclosing(scene.port.watch(CONFIGS, selector="", metadata_only=True)) as events,
    ):
        await anext(events)
        changed = await anext(events)
    assert changed.live is not None
    assert set(changed.live) == {"apiVersion", "kind", "metadata"}
    accepted = [asked.headers["Accept"].split(";")[1] for asked in scene.script.asked]
    assert accepted == ["as=PartialObjectMetadataList", "as=PartialObjectMetadata"]


@pytest.mark.threat(77)
async def test_a_line_without_end_is_cut_off():
    async with playing(lists("5"), streams("x" * (33 << 20))) as scene:
        with pytest.raises(errors.UnreachableError, match="without end"):
            await told(scene, 99)


async def test_many_watches_leave_room_for_requests():
    many = 120
    script = whether_watched(streams(bookmark("6"), stays=True), lists("5"))
    async with playing(script) as scene:
        watches = [scene.port.watch(CONFIGS, selector=f"n={n}") for n in range(many)]
        for watch in watches:
            assert (await anext(watch)).type is EventType.SYNCED
        waiting = [asyncio.ensure_future(anext(watch)) for watch in watches]
        await until(lambda: len(scene.script.asked) == 2 * many)
        async with asyncio.timeout(5):
            assert (await scene.port.read(CONFIGS, KEY)).status is Status.DONE
        for each in waiting:
            each.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
