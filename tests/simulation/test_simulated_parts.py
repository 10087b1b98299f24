"""The parts of the simulated world, where no contract with a real one speaks for them."""

import asyncio
import copy
from datetime import timedelta
from typing import Any

import pytest

import worlds
from fleet.model import errors, objects
from fleet.ports.cluster import Resource, Status
from fleet.simulation import clock, faults, repository, served, server, world

Body = dict[str, Any]
DEPLOYMENTS = served.BUILT_IN["apps", "Deployment"]
CRDS = served.BUILT_IN[served.CRD]


def test_days_pass_at_once_and_in_order():
    async def told() -> list[tuple[str, timedelta]]:
        here, seen = clock.VirtualClock(), []

        async def wake(name: str, seconds: float) -> None:
            await here.sleep(seconds)
            seen.append((name, here.now() - clock.START))

        await asyncio.gather(wake("late", 86_400.0), wake("early", 60.0))
        return seen

    assert clock.run(told()) == [("early", timedelta(minutes=1)), ("late", timedelta(days=1))]


def test_timeouts_are_virtual_too():
    async def told() -> float:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.Event().wait(), 3600.0)
        return asyncio.get_running_loop().time()

    assert clock.run(told()) == 3600.0


def test_a_world_in_which_everyone_waits_for_ever_says_so():
    async def told() -> None:
        await asyncio.Event().wait()

    with pytest.raises(RuntimeError, match="everyone waits"):
        clock.run(told())


@pytest.mark.parametrize(
    ("fault", "happened", "raised"),
    [
        (faults.Fault.BEFORE, False, errors.UnreachableError),
        (faults.Fault.AFTER, True, errors.UnreachableError),
        (faults.Fault.CRASH, True, faults.Crash),
    ],
)
def test_a_fault_has_its_effect_or_not(
    fault: faults.Fault, happened: bool, raised: type[BaseException]
):
    done: list[bool] = []

    async def told() -> None:
        process = faults.Process(name="p", plan=faults.always(fault, "write"))
        async with process.call("write"):
            done.append(True)

    with pytest.raises(raised):
        clock.run(told())
    assert bool(done) is happened


def test_a_late_call_takes_effect_later():
    async def told() -> float:
        process = faults.Process(name="p", plan=faults.always(faults.Fault.DELAY, "write"))
        async with process.call("write"):
            return asyncio.get_running_loop().time()

    assert clock.run(told()) == 5.0


def test_what_runs_in_a_process_ends_with_it():
    async def told() -> list[bool]:
        process = faults.Process(name="p")
        tasks = [process.start(asyncio.sleep(100)) for _ in range(3)]
        await asyncio.sleep(1)
        process.die()
        await asyncio.wait(tasks)
        return [task.cancelled() for task in tasks]

    assert clock.run(told()) == [True, True, True]


def target() -> server.Server:
    return server.Server(name="c", now=lambda: clock.START)


def deployment(*containers: Body, replicas: int | None = None) -> Body:
    pod: Body = {"containers": list(containers)}
    spec: Body = {"selector": {"matchLabels": {"app": "a"}}, "template": {"spec": pod}}
    if replicas is not None:
        spec["replicas"] = replicas
    metadata = {"name": "a", "namespace": "default"}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec}


def container(name: str, image: str, **more: Any) -> Body:
    return {"name": name, "image": image, **more}


KEY = objects.Key(group="apps", kind="Deployment", namespace="default", name="a")


def apply(
    here: server.Server, body: Body, *, manager: str = "fleetgate", force: bool = False,
    resource: Resource = DEPLOYMENTS,
) -> Body:  # fmt: skip
    answer = here.apply(manager, resource, body, force=force, dry_run=False)
    assert answer.status is Status.DONE, answer.message
    return dict(answer.live or {})


def containers_of(body: Body) -> list[tuple[str, str]]:
    return [(c["name"], c["image"]) for c in body["spec"]["template"]["spec"]["containers"]]


async def test_containers_merge_by_name():
    here = target()
    apply(here, deployment(container("web", "web:1")))
    here.edit("mesh", KEY, lambda b: b["spec"]["template"]["spec"]["containers"].append(
        container("proxy", "proxy:1")))  # fmt: skip
    live = apply(here, deployment(container("web", "web:2")))
    assert containers_of(live) == [("web", "web:2"), ("proxy", "proxy:1")]


async def test_a_container_that_is_no_longer_applied_goes_with_all_its_fields():
    here = target()
    apply(
        here, deployment(container("web", "web:1"), container("old", "old:1", env=[{"name": "A"}]))
    )
    assert containers_of(apply(here, deployment(container("web", "web:1")))) == [("web", "web:1")]


async def test_a_conflict_inside_a_list_is_named_by_its_keys():
    here = target()
    apply(here, deployment(container("web", "web:1")))

    def change(body: Body) -> None:
        body["spec"]["template"]["spec"]["containers"][0]["image"] = "web:9"

    here.edit("kubectl", KEY, change)
    answer = here.apply(
        "fleetgate", DEPLOYMENTS, deployment(container("web", "web:2")), force=False, dry_run=False
    )
    assert [(c.field, c.manager) for c in answer.conflicts] == [
        ('.spec.template.spec.containers[name="web"].image', "kubectl")
    ]


async def test_ports_without_a_protocol_are_those_of_tcp():
    here = target()
    apply(here, deployment(container("web", "web:1", ports=[{"containerPort": 80}])))
    named = {"containerPort": 80, "name": "http"}
    live = apply(here, deployment(container("web", "web:1", ports=[named])))
    ports = live["spec"]["template"]["spec"]["containers"][0]["ports"]
    assert ports == [{"containerPort": 80, "protocol": "TCP", "name": "http"}]


async def test_what_two_apply_alike_stays_until_both_let_go():
    here = target()
    body = deployment(container("web", "web:1"), replicas=3)
    apply(here, body)
    apply(here, body, manager="other")
    without = deployment(container("web", "web:1"))
    assert apply(here, without)["spec"]["replicas"] == 3
    assert apply(here, without, manager="other")["spec"].get("replicas") == 1  # the default


async def test_scaling_by_hand_takes_the_field_and_nothing_else():
    here = target()
    before = apply(here, deployment(container("web", "web:1"), replicas=2))
    here.edit("kubectl", KEY, lambda b: b["spec"].update(replicas=5), "scale")
    live = here.held[KEY]
    entries = {e["manager"]: e["fieldsV1"] for e in live["metadata"]["managedFields"]}
    assert entries["kubectl"] == {"f:spec": {"f:replicas": {}}}
    assert "f:replicas" not in entries["fleetgate"]["f:spec"]
    assert live["metadata"]["generation"] == before["metadata"]["generation"] + 1


async def test_managed_fields_are_reset_by_one_empty_entry():
    here = target()
    live = apply(here, deployment(container("web", "web:1")))
    bare = {**live, "metadata": {**live["metadata"], "managedFields": [{}]}}
    answer = here.replace("fleetgate", DEPLOYMENTS, bare)
    assert answer.status is Status.DONE
    managers = [e["manager"] for e in (answer.live or {})["metadata"].get("managedFields", ())]
    assert "fleetgate" not in managers or managers == ["fleetgate"]
    assert all(e["operation"] != "Apply" for e in (answer.live or {})["metadata"].get("managedFields", ()))  # fmt: skip


def test_a_workload_becomes_available_and_a_broken_one_does_not():
    async def told(image: str) -> int:
        here = target()
        here.broken_images = frozenset({"bad:1"})
        apply(here, deployment(container("web", image), replicas=2))
        assert "status" not in here.held[KEY]
        await asyncio.sleep(5.0)
        return int(here.held[KEY]["status"]["availableReplicas"])

    assert clock.run(told("web:1")) == 2
    assert clock.run(told("bad:1")) == 0


def test_a_new_kind_is_served_a_moment_after_its_definition():
    definition = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "dreams.example.com"},
        "spec": {
            "group": "example.com", "scope": "Namespaced",
            "names": {"kind": "Dream", "plural": "dreams"},
            "versions": [{"name": "v1", "served": True, "storage": True}],
        },
    }  # fmt: skip

    async def told() -> tuple[bool, bool]:
        here = target()
        apply(here, definition, resource=CRDS)
        before = ("example.com", "Dream") in here.resources()
        await asyncio.sleep(1.0)
        return before, ("example.com", "Dream") in here.resources()

    assert clock.run(told()) == (False, True)


def test_a_deleted_namespace_takes_its_objects_along():
    async def told() -> bool:
        here = target()
        namespaces = served.BUILT_IN["", "Namespace"]
        key = objects.Key(group="", kind="Namespace", namespace="", name="n")
        home = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "n"}}
        apply(here, home, resource=namespaces)
        body = copy.deepcopy(deployment(container("web", "web:1")))
        body["metadata"]["namespace"] = "n"
        apply(here, body)
        here.delete("kubectl", namespaces, key, uid=here.held[key]["metadata"]["uid"])
        assert here.held[key]["status"]["phase"] == "Terminating"
        await asyncio.sleep(5.0)
        return any("n" in (each.namespace, each.name) for each in here.held)

    assert clock.run(told()) is False


def remote() -> repository.Remote:
    made = repository.Remote(now=lambda: clock.START)
    made.start("dev", {"a": b"1", "clusters/dev/x": b"x"})
    made.branch("prod", at="dev")
    return made


def test_ids_name_content():
    here = remote()
    first = here.made(here.branches["dev"]).files["a"]
    here.commit("dev", {"a": b"2"})
    assert here.made(here.branches["dev"]).files["a"] != first
    here.commit("dev", {"a": b"1"})
    assert here.made(here.branches["dev"]).files["a"] == first
    assert first == "56a6051ca2b02b04ef92d5150c9ef600403cb1de"  # what git says of a file with "1"


def test_a_merge_takes_what_it_is_told_and_knows_both_parents():
    here = remote()
    above = here.commit("dev", {"a": b"2", "clusters/dev/x": b"y"})
    below = here.branches["prod"]
    merge = here.merge("dev", "prod", takes=worlds.is_shared)
    assert here.read("prod", "a") == b"2"
    assert here.read("prod", "clusters/dev/x") == b"x"
    assert here.made(merge).told.parents == (below, above)


def test_history_is_walked_by_first_parents_and_a_missing_commit_is_no_answer():
    async def told() -> None:
        here = remote()
        base = here.branches["prod"]
        here.commit("dev", {"a": b"2"})
        merge = here.merge("dev", "prod", takes=worlds.is_shared)
        mirror = repository.Repository(here, {}, faults.Process(name="hub"))
        steps = await mirror.steps(base, merge)
        assert [(step.commit, step.paths) for step in steps] == [(merge, ("a",))]
        assert await mirror.is_ancestor(base, merge)
        assert not await mirror.is_ancestor(merge, base)
        with pytest.raises(errors.UnreachableError):
            await mirror.is_ancestor(base, worlds.names.CommitId("f" * 40))

    clock.run(told())


def test_a_writer_pushes_only_where_it_began():
    async def told() -> None:
        here = remote()
        tip = here.branches["prod"]
        pen = repository.Writer(here, "Ada")
        made = await pen.graft((), (tip,), "Promote")
        here.commit("prod", {"a": b"3"})
        with pytest.raises(errors.RefusedError):
            await pen.push(worlds.names.Branch("prod"), made, tip)
        await pen.push(worlds.names.Branch("prod"), made, here.branches["prod"])
        assert here.branches["prod"] == made

    clock.run(told())


def test_a_process_that_ends_is_started_again_with_what_survived():
    async def told() -> list[str]:
        lives: list[str] = []

        async def life(process: faults.Process) -> None:
            lives.append(process.name)
            async with process.call("work"):
                pass
            await asyncio.sleep(3600)

        post = world.Post(name="p", life=life, plans=[faults.crash_after(1)])
        post.start()
        await asyncio.sleep(10)
        assert post.ended == ["crashed"]
        await post.stop()
        return lives

    assert clock.run(told()) == ["p-1", "p-2"]
