"""What every cluster must do, real or simulated: ports.cluster.Cluster."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing

import pytest

import clusterports
from clusterports import Ground, config, resource
from fleet.adapters.kubernetes import access
from fleet.model import errors, json_values, objects
from fleet.ports import cluster
from fleet.ports.cluster import EventType, Status


@pytest.fixture(params=["real", "simulated"])
async def ground(request: pytest.FixtureRequest) -> AsyncIterator[Ground]:
    if request.param == "simulated":
        async with clusterports.in_memory() as made:
            yield made
        return
    lab = request.getfixturevalue("lab_clusters")
    async with clusterports.on_api_server(access.found(lab(1)[0].kubeconfig)) as made:
        yield made


def key(ground: Ground, name: str, kind: str = "ConfigMap") -> objects.Key:
    return objects.Key(group="", kind=kind, namespace=ground.namespace, name=name)


async def applied(
    ground: Ground, name: str, data: dict[str, str], **labels: str
) -> json_values.JsonObject:
    body = config(ground, name, data, **labels)
    answer = await ground.port.apply(resource(ground, "ConfigMap"), body, force=False)
    assert answer.status is Status.DONE, answer.message
    assert answer.live is not None
    return answer.live


async def read(ground: Ground, name: str) -> cluster.Answer:
    return await ground.port.read(resource(ground, "ConfigMap"), key(ground, name))


def managers(live: json_values.JsonObject) -> set[tuple[str, str]]:
    return {(e["manager"], e["operation"]) for e in live["metadata"]["managedFields"]}


async def test_a_cluster_says_who_it_is(ground: Ground):
    identity = await ground.port.identity()
    key_ = objects.Key(group="", kind="Namespace", namespace="", name="kube-system")
    live = (await ground.port.read(resource(ground, "Namespace"), key_)).live
    assert live is not None
    assert identity.uid == live["metadata"]["uid"]
    assert identity.version.startswith("v1.")


async def test_kinds_are_known_with_how_they_are_served(ground: Ground):
    deployment = resource(ground, "Deployment", "apps")
    assert (deployment.version, deployment.plural, deployment.namespaced) == (
        "v1",
        "deployments",
        True,
    )
    assert not resource(ground, "ClusterRole", "rbac.authorization.k8s.io").namespaced
    assert ground.kinds.unknown == frozenset()


async def test_what_is_applied_is_there_as_ours(ground: Ground):
    made = await applied(ground, "a", {"x": "1"})
    found = (await read(ground, "a")).live
    assert found is not None
    assert found["metadata"]["uid"] == made["metadata"]["uid"]
    assert found["data"] == {"x": "1"}
    assert managers(found) == {("fleetgate", "Apply")}


async def test_applying_the_same_again_changes_nothing(ground: Ground):
    first = await applied(ground, "a", {"x": "1"})
    again = await applied(ground, "a", {"x": "1"})
    assert again["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]


async def test_a_field_that_is_no_longer_applied_goes(ground: Ground):
    await applied(ground, "a", {"x": "1", "y": "2"})
    assert (await applied(ground, "a", {"x": "1"}))["data"] == {"x": "1"}


@pytest.mark.threat(80)
async def test_a_conflict_names_field_and_owner_and_changes_nothing(ground: Ground):
    await applied(ground, "a", {"x": "1", "y": "1"})
    await ground.edit(key(ground, "a"), lambda body: body["data"].update(x="theirs"))
    body = config(ground, "a", {"x": "2", "y": "2"})
    answer = await ground.port.apply(resource(ground, "ConfigMap"), body, force=False)
    assert answer.status is Status.CONFLICT
    assert answer.conflicts == (
        cluster.FieldConflict(field=".data.x", manager=clusterports.OTHER),
    )
    live = (await read(ground, "a")).live
    assert live is not None
    assert live["data"] == {"x": "theirs", "y": "1"}


@pytest.mark.threat(80)
async def test_force_takes_the_field(ground: Ground):
    await applied(ground, "a", {"x": "1"})
    await ground.edit(key(ground, "a"), lambda body: body["data"].update(x="theirs"))
    body = config(ground, "a", {"x": "2"})
    answer = await ground.port.apply(resource(ground, "ConfigMap"), body, force=True)
    assert answer.status is Status.DONE
    assert answer.live is not None
    assert answer.live["data"] == {"x": "2"}


async def test_fields_of_others_are_left_alone(ground: Ground):
    await applied(ground, "a", {"x": "1"})
    await ground.edit(key(ground, "a"), lambda body: body["data"].update(z="theirs"))
    assert (await applied(ground, "a", {"x": "2"}))["data"] == {"x": "2", "z": "theirs"}


async def test_a_dry_run_answers_and_leaves_nothing(ground: Ground):
    body = config(ground, "a", {"x": "1"})
    answer = await ground.port.apply(
        resource(ground, "ConfigMap"), body, force=False, dry_run=True
    )
    assert answer.status is Status.DONE
    assert answer.live is not None
    assert answer.live["data"] == {"x": "1"}
    assert (await read(ground, "a")).status is Status.ABSENT


async def test_what_is_not_there_is_absent(ground: Ground):
    kind = resource(ground, "ConfigMap")
    body = config(ground, "a", {})
    assert (await read(ground, "a")).status is Status.ABSENT
    assert (await ground.port.replace(kind, body)).status is Status.ABSENT
    gone = await ground.port.delete(kind, key(ground, "a"), uid="any")
    assert gone.status is Status.ABSENT


@pytest.mark.threat(82)
@pytest.mark.parametrize("group", ["", "apps", "nobody.example.com"])
async def test_a_kind_that_is_not_served_is_not_an_absent_object(ground: Ground, group: str):
    kind = cluster.Resource(
        group=group, version="v1", kind="Dream", plural="dreams", namespaced=True, versions=("v1",)
    )
    name = objects.Key(group=group, kind="Dream", namespace=ground.namespace, name="a")
    body = {"apiVersion": f"{group}/v1".removeprefix("/"), "kind": "Dream",
            "metadata": {"name": "a", "namespace": ground.namespace}}  # fmt: skip
    answers = [
        await ground.port.read(kind, name),
        await ground.port.apply(kind, body, force=False),
        await ground.port.create(kind, body),
        await ground.port.delete(kind, name, uid="any"),
    ]
    assert {answer.status for answer in answers} == {Status.UNSERVED}


async def test_an_object_without_its_namespace_cannot_be_made(ground: Ground):
    body = config(ground, "a", {})
    body["metadata"]["namespace"] = "nowhere"
    kind = resource(ground, "ConfigMap")
    for answer in (
        await ground.port.apply(kind, body, force=False),
        await ground.port.create(kind, body),
    ):
        assert answer.status is Status.INVALID
        assert 'namespaces "nowhere" not found' in answer.message


@pytest.mark.threat(86)
async def test_a_field_that_never_changes_is_invalid(ground: Ground):
    kind = resource(ground, "Deployment", "apps")

    def body(app: str) -> json_values.JsonObject:
        pod = {"containers": [{"name": "web", "image": "example.com/web:1"}]}
        return {"apiVersion": "apps/v1", "kind": "Deployment",
                "metadata": {"name": "a", "namespace": ground.namespace},
                "spec": {"selector": {"matchLabels": {"app": app}},
                         "template": {"metadata": {"labels": {"app": app}}, "spec": pod}}}  # fmt: skip

    assert (await ground.port.apply(kind, body("web"), force=False)).status is Status.DONE
    answer = await ground.port.apply(kind, body("other"), force=True)
    assert answer.status is Status.INVALID
    assert "immutable" in answer.message


@pytest.mark.threat(83)
async def test_what_admission_refuses_is_denied_with_its_words(ground: Ground):
    await ground.deny("nobody may have this")
    body = config(ground, "denied", {})
    answer = await ground.port.apply(resource(ground, "ConfigMap"), body, force=False)
    assert answer.status is Status.DENIED
    assert "nobody may have this" in answer.message
    assert (await applied(ground, "other", {"x": "1"}))["data"] == {"x": "1"}


async def test_create_makes_only_what_is_not_there(ground: Ground):
    kind, body = resource(ground, "ConfigMap"), config(ground, "a", {"x": "1"})
    assert (await ground.port.create(kind, body)).status is Status.DONE
    again = await ground.port.create(kind, {**body, "data": {"x": "2"}})
    assert again.status is Status.CONFLICT
    assert not again.conflicts
    live = (await read(ground, "a")).live
    assert live is not None
    assert live["data"] == {"x": "1"}


async def test_replace_is_a_compare_and_swap(ground: Ground):
    kind, body = resource(ground, "ConfigMap"), config(ground, "a", {"x": "1"})
    first = (await ground.port.create(kind, body)).live
    assert first is not None
    second = await ground.port.replace(kind, {**first, "data": {"x": "2"}})
    assert second.status is Status.DONE
    late = await ground.port.replace(kind, {**first, "data": {"x": "3"}})
    assert late.status is Status.CONFLICT
    live = (await read(ground, "a")).live
    assert live is not None
    assert live["data"] == {"x": "2"}


@pytest.mark.threat(90)
@pytest.mark.parametrize("uid", ["0b9e5c2a-1111-4222-8333-444444444444", ""])
async def test_only_the_object_that_is_meant_is_deleted(ground: Ground, uid: str):
    await applied(ground, "a", {"x": "1"})
    kind = resource(ground, "ConfigMap")
    wrong = await ground.port.delete(kind, key(ground, "a"), uid=uid)
    assert wrong.status is Status.CONFLICT
    assert (await read(ground, "a")).status is Status.DONE


async def test_a_deleted_object_is_gone(ground: Ground):
    made = await applied(ground, "a", {"x": "1"})
    kind = resource(ground, "ConfigMap")
    answer = await ground.port.delete(kind, key(ground, "a"), uid=made["metadata"]["uid"])
    assert answer.status is Status.DONE
    assert (await read(ground, "a")).status is Status.ABSENT


@pytest.mark.threat(85)
async def test_a_finalizer_keeps_a_deleted_object(ground: Ground):
    body = config(ground, "a", {})
    body["metadata"]["finalizers"] = ["example.com/wait"]
    kind = resource(ground, "ConfigMap")
    made = (await ground.port.create(kind, body)).live
    assert made is not None
    answer = await ground.port.delete(kind, key(ground, "a"), uid=made["metadata"]["uid"])
    assert answer.status is Status.DONE
    live = (await read(ground, "a")).live
    assert live is not None
    assert live["metadata"]["deletionTimestamp"]
    assert live["metadata"]["finalizers"] == ["example.com/wait"]
    await ground.edit(key(ground, "a"), lambda held: held["metadata"].pop("finalizers"))


def watching(
    ground: Ground, *, selector: str = "", metadata_only: bool = False
) -> AsyncGenerator[cluster.Event, None]:
    return ground.port.watch(
        resource(ground, "ConfigMap"),
        selector=selector,
        namespace=ground.namespace,
        metadata_only=metadata_only,
    )


async def following(events: AsyncGenerator[cluster.Event, None]) -> tuple[EventType, str]:
    async with asyncio.timeout(15):
        event = await anext(events)
    return event.type, event.live["metadata"]["name"] if event.live else ""


@pytest.mark.threat(82)
async def test_a_watch_lists_says_so_and_tells_what_changes(ground: Ground):
    first = await applied(ground, "a", {"x": "1"})
    await applied(ground, "b", {"x": "1"})
    async with aclosing(watching(ground)) as events:
        told = [await following(events) for _ in range(3)]
        assert told == [(EventType.LISTED, "a"), (EventType.LISTED, "b"), (EventType.SYNCED, "")]
        await applied(ground, "c", {"x": "1"})
        assert await following(events) == (EventType.CHANGED, "c")
        await ground.edit(key(ground, "a"), lambda body: body["data"].update(x="2"))
        assert await following(events) == (EventType.CHANGED, "a")
        uid = first["metadata"]["uid"]
        await ground.port.delete(resource(ground, "ConfigMap"), key(ground, "a"), uid=uid)
        assert await following(events) == (EventType.GONE, "a")


async def test_a_watch_of_nothing_is_complete_at_once(ground: Ground):
    async with aclosing(watching(ground)) as events:
        assert await following(events) == (EventType.SYNCED, "")


async def test_a_watch_is_of_what_is_selected(ground: Ground):
    await applied(ground, "a", {}, mine="yes")
    await applied(ground, "b", {}, mine="no")
    async with aclosing(watching(ground, selector="mine=yes")) as events:
        assert [await following(events) for _ in range(2)] == [
            (EventType.LISTED, "a"),
            (EventType.SYNCED, ""),
        ]
        await applied(ground, "c", {}, mine="no")
        await applied(ground, "d", {}, mine="yes")
        assert await following(events) == (EventType.CHANGED, "d")


@pytest.mark.threat(90)
async def test_what_loses_the_label_is_gone_from_the_watch(ground: Ground):
    await applied(ground, "a", {}, mine="yes")
    async with aclosing(watching(ground, selector="mine=yes")) as events:
        assert [(await following(events))[0] for _ in range(2)] == [
            EventType.LISTED,
            EventType.SYNCED,
        ]
        await ground.edit(key(ground, "a"), lambda body: body["metadata"].pop("labels"))
        assert await following(events) == (EventType.GONE, "a")
    assert (await read(ground, "a")).status is Status.DONE


@pytest.mark.parametrize("metadata_only", [True, False])
async def test_each_event_says_what_the_object_is(ground: Ground, *, metadata_only: bool):
    await applied(ground, "a", {"x": "1"})
    seen = []
    async with aclosing(watching(ground, metadata_only=metadata_only)) as events:
        seen.append(await anext(events))
        await following(events)
        await applied(ground, "b", {"x": "1"})
        seen.append(await anext(events))
    for event in seen:
        assert event.live is not None
        assert (event.live["apiVersion"], event.live["kind"]) == ("v1", "ConfigMap")
        assert event.live["metadata"]["managedFields"]
        assert ("data" in event.live) is not metadata_only


@pytest.mark.threat(82)
async def test_a_kind_that_is_not_served_cannot_be_watched(ground: Ground):
    kind = cluster.Resource(
        group="nobody.example.com", version="v1", kind="Dream", plural="dreams",
        namespaced=True, versions=("v1",),
    )  # fmt: skip
    with pytest.raises(errors.UnreachableError, match="dreams"):
        await anext(ground.port.watch(kind, selector=""))
