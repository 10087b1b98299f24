"""What is applied stays so: drift, restarts of either side, an API server that is away; and peace otherwise."""

import time
from collections.abc import Awaitable, Callable
from typing import Protocol

import pytest

import lines
from fleet.adapters.kubernetes import requests
from fleet.converge import inventory
from fleet.model import errors


@pytest.fixture
async def dev(line: lines.Line) -> lines.Station:
    """dev-1, healthy with the first release."""
    await line.open()
    station = await line.join("dev-1")
    await line.healthy(line.git.tip())
    return station


async def changed(line: lines.Line, dev: lines.Station) -> None:
    await dev.owner.merge(line.config_path("a"), {"data": {"word": "by hand"}})


async def emptied(line: lines.Line, dev: lines.Station) -> None:
    await dev.owner.merge(line.config_path("a"), {"data": None})


async def unmarked(line: lines.Line, dev: lines.Station) -> None:
    await dev.owner.merge(
        line.config_path("a"), {"metadata": {"labels": {inventory.PART_OF: None}}}
    )


async def deleted(line: lines.Line, dev: lines.Station) -> None:
    await dev.owner.must("DELETE", line.config_path("a"))


@pytest.mark.parametrize("drift", [changed, emptied, unmarked, deleted])
async def test_drift_is_put_back_within_a_second_and_reported(
    line: lines.Line,
    dev: lines.Station,
    drift: Callable[[lines.Line, lines.Station], Awaitable[None]],
):
    async def is_right() -> bool:
        live = await dev.live(line.namespace, "a") or {}
        marks = live.get("metadata", {}).get("labels") or {}
        return live.get("data") == {"word": "hello"} and inventory.PART_OF in marks

    took: list[float] = []
    while not took or (min(took) >= 1.0 and len(took) < 3):  # other work may hold the machine up
        await drift(line, dev)
        began = time.monotonic()
        await line.until("it is as it was", is_right)
        took.append(time.monotonic() - began)
    assert min(took) < 1.0
    assert dev.asked.sent("PATCH")[-1] == line.config_path("a")

    async def repairs() -> list[str]:
        records = [each async for each in line.hub.book.records()]
        return [r["object"] for each in records for r in each.body.get("repairs", ())]

    found = await line.until("it is reported", repairs)
    assert found[: len(took)] == [f"ConfigMap {line.namespace}/a"] * len(found)


async def test_what_others_add_is_left_alone(line: lines.Line, dev: lines.Station):
    path = line.config_path("a")
    dev.asked.asked.clear()
    await dev.owner.merge(path, {"data": {"more": "x"}, "metadata": {"annotations": {"n": "1"}}})
    await line.quiet()
    live = await dev.live(line.namespace, "a")
    assert live is not None
    assert live["data"] == {"word": "hello", "more": "x"}
    assert dev.touched() == []


async def test_nothing_is_asked_while_nothing_changes(line: lines.Line, dev: lines.Station):
    await line.quiet()
    dev.asked.asked.clear()
    dev.between.sent.clear()
    await line.quiet(10.0)
    assert dev.asked.asked == []
    assert [path for path, _ in dev.between.sent if path != "v1/poll"] == []
    # The silence is no deafness.
    await changed(line, dev)
    await line.equals(dev.word(line.namespace, "a"), "hello")


async def test_a_restarted_agent_applies_nothing_anew(line: lines.Line, dev: lines.Station):
    await dev.stop()
    await dev.start()
    number = line.rows.clusters[dev.name].report.number
    await line.until("it reports", lambda: line.rows.clusters[dev.name].report.number > number)
    await line.quiet()
    # Unseen objects may be applied once more, which changes nothing.
    assert dev.touched("POST", "PUT", "DELETE") == []
    assert line.rows.clusters[dev.name].report.applied
    records = [each async for each in line.hub.book.records()]
    assert not any(each.body.get("repairs") for each in records)
    assert line.rows.in_force(dev.environment).healthy


async def test_an_agent_that_starts_without_its_hub_keeps_and_repairs(
    line: lines.Line, dev: lines.Station
):
    await dev.stop()
    await line.stop_hub()
    await changed(line, dev)
    await deleted(line, dev)
    await dev.owner.merge(line.config_path("b"), {"data": {"word": "by hand"}})
    await dev.start()
    await line.equals(dev.word(line.namespace, "a"), "hello")
    await line.equals(dev.word(line.namespace, "b"), "world")
    # What happened without the hub is told when it is back.
    await line.start_hub()

    async def repairs() -> set[str]:
        records = [each async for each in line.hub.book.records()]
        return {r["object"] for each in records for r in each.body.get("repairs", ())}

    await line.equals(repairs, {f"ConfigMap {line.namespace}/{name}" for name in "ab"})


async def test_a_restarted_hub_goes_on_where_it_was(line: lines.Line, dev: lines.Station):
    release = line.rows.in_force(dev.environment)
    sequence = line.rows.clusters[dev.name].sequence
    await line.stop_hub()
    dev.asked.asked.clear()
    line.git.commit(line.app(b="meanwhile"))
    line.git.run("push", "--quiet", "origin", "dev")
    await line.start_hub()
    await line.healthy(line.git.tip())
    assert line.rows.in_force(dev.environment).number == release.number + 1
    assert line.rows.clusters[dev.name].sequence == sequence + 1
    assert dev.touched() == [line.config_path("b")]
    assert (await line.ask("audit verify"))["fault"] == ""


async def test_a_damaged_stored_slice_is_fetched_again(line: lines.Line, dev: lines.Station):
    await dev.stop()
    path = f"/api/v1/namespaces/{inventory.NAMESPACE}/secrets"
    secrets = (await dev.owner.read(path) or {})["items"]
    names = [each["metadata"]["name"] for each in secrets]
    (chunk,) = [name for name in names if name.startswith("slice-")]
    await dev.owner.merge(f"{path}/{chunk}", {"data": {"chunk": "AAAA"}})
    await deleted(line, dev)
    await dev.start()
    await line.equals(dev.word(line.namespace, "a"), "hello")
    assert dev.deleted() == []


async def test_a_second_agent_waits_for_the_lease_and_says_for_whom(
    line: lines.Line, dev: lines.Station, caplog: pytest.LogCaptureFixture
):
    second = lines.Station(
        name=dev.name,
        environment=dev.environment,
        kubeconfig=dev.kubeconfig,
        owner=dev.owner,
        ground=dev.ground,
    )
    line.stations["second"] = second
    await second.start()
    await line.quiet(1.0)
    assert second.agent.dispatch is None
    assert second.touched() == []
    assert caplog.text.count(f"holds the lease of this cluster: {dev.agent.name}; waiting") == 1
    await dev.stop()
    await changed(line, dev)
    await line.equals(dev.word(line.namespace, "a"), "hello")
    assert set(second.touched()) == {line.config_path("a")}
    del line.stations["second"]
    await second.stop()


class Switch(Protocol):
    async def halt(self, station: lines.Station) -> None: ...

    async def resume(self, station: lines.Station) -> None: ...


@pytest.mark.threat(78)
async def test_an_api_server_that_goes_away_and_comes_back_costs_no_object(
    line: lines.Line, dev: lines.Station, switch: Switch
):
    await switch.halt(dev)
    tip = line.commit({**line.app(a="newer"), "apps/web/b.yaml": None})
    await line.judged(tip, "accepted")
    await line.quiet(1.0)
    assert dev.deleted() == []
    await switch.resume(dev)
    await line.healthy(tip)
    assert await dev.word(line.namespace, "a")() == "newer"
    assert dev.deleted() == [line.config_path("b")]


@pytest.mark.threat(78)
async def test_an_api_server_that_is_away_when_the_agent_starts_is_waited_for(
    line: lines.Line, dev: lines.Station, switch: Switch
):
    await dev.stop()
    await changed(line, dev)
    await switch.halt(dev)
    await dev.start()
    await line.quiet()
    await switch.resume(dev)
    await line.equals(dev.word(line.namespace, "a"), "hello")
    assert dev.deleted() == []


@pytest.mark.threat(78)
async def test_an_api_server_that_fails_in_mid_apply_deletes_nothing_and_is_gone_on_with(
    line: lines.Line, dev: lines.Station
):
    failures = 0

    def fault(request: requests.Request) -> None:
        nonlocal failures
        if request.method == "PATCH" and "configmaps/c" in request.path and failures < 3:
            failures += 1
            raise errors.UnreachableError("the connection is cut")

    dev.asked.fault = fault
    more = {f"apps/web/c{n}.yaml": line.config_map(f"c{n}", "new") for n in range(5)}
    tip = line.commit({**more, "apps/web/b.yaml": None})
    await line.healthy(tip)
    assert failures == 3
    paths = dev.touched()
    assert dev.deleted() == [line.config_path("b")]
    assert paths[-1] == line.config_path("b")  # after all else
    assert [await dev.word(line.namespace, f"c{n}")() for n in range(5)] == ["new"] * 5


@pytest.mark.threat(82)
async def test_a_list_that_fails_takes_nothing_for_gone(line: lines.Line, dev: lines.Station):
    await dev.stop()
    calls = 0

    def fault(request: requests.Request) -> None:
        nonlocal calls
        if request.path.startswith("/api/v1/configmaps?") and calls < 2:
            calls += 1
            raise errors.UnreachableError("410 Gone, or a torn list")

    await dev.start()
    dev.asked.fault = fault
    await line.until("the list is asked for again", lambda: calls == 2)
    await line.quiet(2.0)
    # Unseen objects may be applied once more, which changes nothing.
    assert dev.touched("POST", "PUT", "DELETE") == []
    await line.until("it is applied", lambda: line.rows.clusters[dev.name].report.applied)
    records = [each async for each in line.hub.book.records()]
    assert not any(each.body.get("repairs") for each in records)
