"""One agent, step by step: what comes between two of its own steps, what must last, and what must not."""

import asyncio
from collections.abc import Iterable
from typing import Any

import pytest

import builders
from fleet.agent import (
    enrolment,
    lease,
    polling,
    sight,
)
from fleet.model import errors, health, json_values, kinds, names, objects
from fleet.ports import cluster as api
from fleet.protocol import keys
from fleet.simulation import clock, cluster, served
from stations import (
    CRD,
    WIDGETS,
    Body,
    Drawer,
    Station,
    alone,
    config,
    definition,
    key,
    station,
    widget,
)

# A newer dispatch in the middle of a turn.


@alone
async def test_what_comes_while_an_object_is_being_applied_is_applied_too() -> None:
    async with station(config("a", "one")) as here:
        await here.send(config("a", "two"))
        here.before("apply", "a", lambda: here.adopt_now(config("a", "three")))
        await here.turn()
        assert here.word("a") == "two"
        await here.turn()
        assert here.word("a") == "three"


@alone
async def test_a_turn_for_the_slice_before_says_nothing_of_the_newer_one() -> None:
    async with station(config("a", "one")) as here:
        await here.send(config("a", "two"))
        here.before("apply", "a", lambda: here.adopt_now(config("a", "three")))
        await here.turn()
        report = here.report()
        assert report.slice == here.link.next
        assert not report.applied


@alone
async def test_what_only_the_slice_before_left_out_is_not_pruned() -> None:
    async with station(config("a", "one"), config("b")) as here:
        uid = here.server.held[key("b")]["metadata"]["uid"]
        await here.send(config("a", "two"))
        here.before("apply", "a", lambda: here.adopt_now(config("a", "two"), config("b")))
        await here.turn()
        await here.turn()
        assert here.server.held[key("b")]["metadata"]["uid"] == uid


@alone
async def test_pruning_stops_where_a_newer_slice_wants_the_rest() -> None:
    names_ = [f"c{number:02}" for number in range(40)]
    async with station(*(config(each) for each in names_)) as here:
        everything = [config(each) for each in names_]
        await here.send()
        here.before("delete", "c39", lambda: here.adopt_now(*everything))
        await here.turn()
        assert len([each for each in names_ if key(each) in here.server.held]) >= 20
        await here.turn()
        assert all(key(each) in here.server.held for each in names_)


@alone
async def test_the_rest_of_a_replaced_slice_is_not_begun() -> None:
    async with station() as here:
        last = builders.body("z", kind="Service", namespace="default", spec={})
        await here.send(config("a"), last)
        here.before("apply", "a", lambda: here.adopt_now(config("a")))
        await here.turn()
        assert objects.key_of(last) not in here.server.held


@alone
async def test_a_cluster_that_comes_back_while_it_leaves_is_not_taken_for_gone() -> None:
    async with station(config("a")) as here:
        await here.send(retire=kinds.OnRemoval.PRUNE)
        here.before("delete", "a", lambda: here.adopt_now(config("a", "back")))
        await here.turn()
        assert not here.agent.is_retired
        await here.turn()
        assert here.word("a") == "back"


# What is durable, and when.


class Dead(Exception):  # noqa: N818 - stands for kill -9
    pass


def die() -> None:
    raise Dead


@pytest.mark.threat(94)
@alone
async def test_an_object_that_was_taken_over_just_before_a_crash_is_never_pruned() -> None:
    async with station(config("b")) as here:
        here.server.create("kubectl", served.BUILT_IN["", "ConfigMap"], config("a", "theirs"))
        await here.send(config("b"), config("a", "ours"), takeover=True)
        here.before("replace", "inventory", lambda: here.before("replace", "inventory", die))
        with pytest.raises(Dead):
            await here.turn()
        assert here.word("a") == "ours"
        here.server.instead = lambda _verb, _key: None
        await here.again()
        await here.turn()
        await here.send(config("b"))
        await here.turn()
        assert not here.agent.troubles
        assert here.word("a") == "ours"
        assert key("a") not in here.agent.inventory


@alone
async def test_an_inventory_that_could_not_be_written_is_written_with_the_next_turn() -> None:
    async with station() as here:
        await here.send(config("a"))
        busy = api.Answer(status=api.Status.LATER, message="busy")

        def instead(verb: str, about: objects.Key) -> api.Answer | None:
            is_second = (
                verb == "replace" and about.name == "inventory" and key("a") in here.server.held
            )
            return busy if is_second else None  # fmt: skip

        here.server.instead = instead
        with pytest.raises(errors.UnreachableError):
            await here.turn()
        here.server.instead = lambda _verb, _key: None
        await here.turn()
        assert here.agent.is_applied
        assert here.stored() == here.agent.inventory
        assert here.stored()[key("a")].uid


@alone
async def test_a_request_that_the_wire_has_sent_twice_is_no_second_agent() -> None:
    async with station(config("a")) as here:
        port = here.agent.cluster
        real = port.replace

        async def twice(resource: api.Resource, body: json_values.JsonObject) -> api.Answer:
            await real(resource, body)
            return await real(resource, body)

        here.keeper._cluster = Behind(port, replace=twice)
        await here.send(config("a", "two"))
        await here.turn()
        assert here.word("a") == "two"
        assert here.stored() == here.agent.inventory


class Behind:
    """A port with some of its calls exchanged."""

    def __init__(self, port: Any, **calls: Any) -> None:
        self._port, self._calls = port, calls

    def __getattr__(self, name: str) -> Any:
        return self._calls.get(name) or getattr(self._port, name)


def chunks(here: Station) -> set[str]:
    return {each.name for each in here.server.held if each.name.startswith("slice-")}


@alone
async def test_sweeping_leaves_what_is_just_being_stored() -> None:
    async with station(config("a")) as here:
        await here.send(config("a", "two"))
        async with here.keeper.turn:  # everyone who moves the pointer waits
            here.put(config("a", "three"))
            taking = asyncio.create_task(polling.once(here.agent, here.keeper))
            await asyncio.sleep(1)
            pointer = await here.keeper.read_pointer(here.agent.identity)
            assert pointer is not None
            await here.keeper.sweep(pointer)
        await taking
        now = await here.keeper.read_pointer(here.agent.identity)
        assert now is not None
        assert await here.keeper.read_slice(now.held.dispatch.slice, now.chunks)


# What must not last.


@alone
async def test_what_could_not_be_deleted_and_is_wanted_again_is_no_trouble() -> None:
    async with station(config("a"), config("b")) as here:
        stays = ("delete", key("b"))
        here.server.deny = lambda verb, about, _: "b stays" if (verb, about) == stays else ""
        await here.send(config("a"))
        await here.turn()
        assert key("b") in here.agent.troubles
        await here.send(config("a"), config("b"))
        await here.turn()
        assert not here.agent.troubles
        assert here.agent.is_applied


@alone
async def test_a_new_release_does_not_begin_with_the_failures_of_the_one_before() -> None:
    async with station(config("a")) as here:
        here.server.deny = lambda _verb, about, _: "no" if about.name == "b" else ""
        await here.send(config("a"), config("b"))
        await here.turn()
        assert here.report().health is health.Health.FAILED
        await here.send(config("a"), config("b", "better"))
        assert here.report().outcomes[0].result.value == "unchanged"
        assert not here.report().applied


@alone
async def test_bodies_of_releases_that_never_were_whole_are_not_kept_for_ever() -> None:
    async with station(config("a")) as here:
        here.server.deny = lambda _verb, about, _: "no" if about.name == "b" else ""
        for number in range(20):
            await here.send(config("a", str(number)), config("b", str(number)))
            await here.turn()
        assert len(here.agent.bodies) < 8


@pytest.mark.parametrize("moved_on", [False, True])
def test_a_damaged_slice_is_fetched_again_or_replaced_by_a_newer_one(moved_on: bool) -> None:
    async def told() -> None:
        async with station(config("a")) as here:
            for name in chunks(here):
                here.server.held.pop(builders.key(name, "Secret", "fleetgate-system"))
            await here.again()
            assert here.agent.is_incomplete
            if moved_on:
                here.put(config("a", "newer"))
                asked = iter([None])
                here.agent.link = Behind(here.link, fetch=lambda _: first(asked, here.link))
            await polling.once(here.agent, here.keeper)
            await here.turn()
            assert here.word("a") == ("newer" if moved_on else "hello")
            assert here.agent.is_applied

    clock.run(told())


async def first(answers: Iterable[None], link: Drawer) -> bytes | None:
    """None for the first question: that slice the hub has no longer."""
    return None if any(each is None for each in answers) else await link.fetch(b"")


@alone
async def test_without_the_slice_that_was_applied_last_the_agent_begins_all_the_same() -> None:
    async with station(config("a")) as here:
        before = chunks(here)
        await here.send(config("a", "two"))
        for name in before:
            here.server.held.pop(builders.key(name, "Secret", "fleetgate-system"))
        await here.again()
        await here.turn()
        assert here.word("a") == "two"


# What others write, and what cannot be asked.


@pytest.mark.parametrize(
    "status",
    [
        {"conditions": [{"type": "Ready", "status": "False", "reason": 5, "message": {"a": []}}]},
        {"conditions": [{"type": "Ready", "status": "False", "message": "x" * 100_000}]},
        {"conditions": [{"type": "Stalled", "status": "True", "reason": ["x"]}]},
        {"conditions": {"type": "Ready"}, "observedGeneration": "no"},
        "well",
    ],
)
def test_no_status_is_too_odd_for_a_report(status: Any) -> None:
    async def told() -> None:
        async with station(definition("v1")) as here:
            await asyncio.sleep(1)
            await here.send(definition("v1"), widget())
            await here.turn()
            here.server.edit("mallory", WIDGETS, lambda body: body.update(status=status))
            await asyncio.sleep(1)
            reason = here.agent.assessed[WIDGETS].reason
            assert len(reason) <= 1000
            here.server.edit("kubectl", WIDGETS, lambda body: body.update(size=4))
            await asyncio.sleep(1)
            await here.turn()
            assert here.server.held[WIDGETS]["size"] == 3

    clock.run(told())


@pytest.mark.threat(79)
@pytest.mark.parametrize("many", [1, 5])
def test_a_kind_that_may_not_be_read_holds_no_other_back(many: int) -> None:
    async def told() -> None:
        async with station() as here:
            denied = api.Answer(status=api.Status.DENIED, message="secrets is forbidden")
            here.server.instead = (
                lambda verb, about: denied if verb == "read" and about.name.startswith("s-") else None
            )  # fmt: skip

            def watch(resource: api.Resource, **how: Any) -> Any:
                if resource.kind == "Secret" and not how["selector"]:
                    raise errors.UnreachableError("secrets is forbidden")
                return real(resource, **how)

            real = here.agent.cluster.watch
            here.agent.cluster = Behind(here.agent.cluster, watch=watch)
            secret = [
                builders.body(f"s-{n}", kind="Secret", namespace="default") for n in range(many)
            ]
            await here.send(config("a"), *secret)
            await here.turn()
            assert here.word("a") == "hello"
            assert len(here.agent.troubles) == many
            assert all("forbidden" in each.message for each in here.agent.troubles.values())

    clock.run(told())


@pytest.mark.threat(79)
@alone
async def test_a_kind_that_cannot_be_watched_holds_nothing_up_and_is_not_called_well() -> None:
    async with station(definition("v1")) as here:
        await asyncio.sleep(1)
        await here.send(definition("v1"), widget(), config("a"))
        await here.turn()
        here.watches.end()
        here.live()
        real = here.agent.cluster.watch

        def watch(resource: api.Resource, **how: Any) -> Any:
            if resource.kind == "Widget":
                raise errors.UnreachableError("conversion webhook: no answer")
            return real(resource, **how)

        port, here.agent.cluster = here.agent.cluster, Behind(here.agent.cluster, watch=watch)
        await asyncio.wait_for(here.begin(), 60)
        await here.turn()
        report = here.report()
        assert report.health is health.Health.UNKNOWN
        assert [each.key for each in report.outcomes] == [WIDGETS]
        here.agent.cluster = port
        await asyncio.sleep(120)
        assert here.report().health is health.Health.CURRENT


@alone
async def test_a_kind_that_comes_back_in_another_version_is_watched_in_it() -> None:
    async with station(definition("v1")) as here:
        await asyncio.sleep(1)
        await here.send(definition("v1"), widget())
        await here.turn()
        watched: list[str] = []
        real = here.agent.cluster.watch

        def watch(resource: api.Resource, **how: Any) -> Any:
            if resource.kind != "Widget":
                return real(resource, **how)
            watched.append(resource.version)
            if resource.version not in here.server.resources()["example.com", "Widget"].versions:
                raise errors.UnreachableError("not found")
            return real(resource, **how)

        here.agent.cluster = Behind(here.agent.cluster, watch=watch)
        here.server.edit("kubectl", CRD, lambda body: body.update(spec=definition("v2")["spec"]))
        here.server.tear()
        for task in here.watches.tasks.values():
            task.cancel()
        here.watches = sight.Watches(agent=here.agent)
        here.watches.follow()
        await asyncio.sleep(120)
        assert watched[-1] == "v2"
        assert not here.agent.blind


@pytest.mark.threat(82)
@alone
async def test_a_kind_that_is_served_otherwise_than_it_was_is_not_forgotten() -> None:
    async with station(definition("v1")) as here:
        await asyncio.sleep(1)
        await here.send(definition("v1"), widget())
        await here.turn()
        unserved = api.Answer(status=api.Status.UNSERVED, message="not found")
        gone = ("delete", WIDGETS)
        here.server.instead = lambda verb, about: unserved if (verb, about) == gone else None
        await here.send(definition("v1"))
        await here.turn()
        assert WIDGETS in here.agent.inventory
        here.server.instead = lambda _verb, _key: None
        await here.turn()
        assert WIDGETS not in here.server.held
        assert here.agent.is_applied


@alone
async def test_a_file_in_a_config_map_that_was_edited_is_put_back() -> None:
    body = builders.body("a", namespace="default", data={"app.properties": "a=1"})
    async with station(body) as here:
        here.server.edit(
            "kubectl", key("a"), lambda b: b["data"].update({"app.properties": "a=2"})
        )
        await asyncio.sleep(1)
        await here.turn()
        assert here.server.held[key("a")]["data"] == {"app.properties": "a=1"}
        assert key("a") in here.agent.repairs


# Leases and identities.


@pytest.mark.threat(91)
@alone
async def test_a_lease_of_tomorrow_is_waited_for_no_longer_than_it_lasts() -> None:
    here = Station()
    other = Station(time=here.time)
    other.server, other.agent.cluster = here.server, cluster.Client(here.server, here.process)
    other.agent.name = "other"
    other.agent.clock = Behind(here.time, now=lambda: builders.later(86_400, here.time.now()))
    assert await lease.renew(other.agent)
    assert not await lease.renew(here.agent)
    await asyncio.wait_for(lease.hold(here.agent), 300)


@pytest.mark.parametrize("spec", [{}, {"renewTime": None}, {"leaseDurationSeconds": None}])
def test_a_lease_without_its_times_is_nobodys(spec: Body) -> None:
    async def told() -> None:
        here = Station()
        body = {
            "apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
            "metadata": {"name": "agent", "namespace": "fleetgate-system"},
            "spec": {"holderIdentity": "kubectl", **spec},
        }  # fmt: skip
        here.server.create("kubectl", lease.LEASES, body)
        assert await lease.renew(here.agent)

    clock.run(told())


@alone
async def test_a_cluster_that_is_enrolled_anew_does_not_stumble_over_its_old_dispatch() -> None:
    async with station(config("a")) as here:
        port = cluster.Client(here.server, here.process, "fleet-cli")
        await enrolment.enroll(
            port, name=names.Cluster("other"), environment=names.Environment("prod"),
            hub_url="http://hub", hub_key=keys.generate().public,
        )  # fmt: skip
        enrolled = await enrolment.read(port)
        here.watches.end()
        here.live()
        here.agent.identity = enrolled.identity
        await here.begin()
        assert here.agent.dispatch is None
        assert key("a") in here.agent.inventory


@pytest.mark.parametrize("name", ["pointer", "inventory"])
@pytest.mark.parametrize(
    "data", [{}, {"pointer": "e30=", "members": "e30="}, {"pointer": "x", "members": "x"}]
)
def test_a_damaged_secret_of_ours_is_said_in_words(name: str, data: Body) -> None:
    async def told() -> None:
        async with station(config("a")) as here:
            where = builders.key(name, "Secret", "fleetgate-system")
            here.server.held[where]["data"] = data
            here.watches.end()
            here.live()
            with pytest.raises(errors.BrokenError):
                await here.begin()
            assert here.word("a") == "hello"

    clock.run(told())
