"""A lab is really there, and really gone."""

import asyncio
import json
import os
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import aiohttp
import pytest

from fleet.lab import clusters, detached, identities, lab, locks, processes, records
from fleet.model import errors

pytestmark = pytest.mark.timeout(120, func_only=True)

_STARTS_A_LAB = """
import asyncio, sys
from pathlib import Path
from fleet.lab import lab

async def main():
    await lab.up(["one"], Path(sys.argv[1]), Path(sys.argv[2]))
    print("up", flush=True)
    await asyncio.sleep(600)

asyncio.run(main())
"""


@pytest.fixture
def owner(tmp_path: Path, lab_binaries: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process, with a lab of one cluster that is up."""
    words = [sys.executable, "-c", _STARTS_A_LAB, str(tmp_path / "lab"), str(lab_binaries)]
    with subprocess.Popen(  # noqa: S603 - this test's own words
        words, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        yield process
        process.kill()


def sleeping() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(["/bin/sleep", "600"], start_new_session=True) as process:
        yield process
        process.kill()


@pytest.fixture
def survivor() -> Iterator[subprocess.Popen[bytes]]:
    yield from sleeping()


@pytest.fixture
def stranger() -> Iterator[subprocess.Popen[bytes]]:
    yield from sleeping()


def written_down(folder: Path) -> list[identities.Identity]:
    lines = (folder / records.LEDGER).read_text().splitlines()
    entries = [json.loads(line) for line in lines]
    return [identities.Identity(pid=each["pid"], began=each["began"]) for each in entries]


def add_to_ledger(folder: Path, identity: identities.Identity) -> None:
    with (folder / records.LEDGER).open("a") as ledger:
        line = {"name": "left.over", "pid": identity.pid, "began": identity.began}
        ledger.write(json.dumps(line) + "\n")


def identity_of(pid: int) -> identities.Identity:
    found = identities.identify(pid)
    assert found is not None
    return found


def wait_until_gone(those: list[identities.Identity], seconds: float = 5.0) -> None:
    end = time.monotonic() + seconds
    while alive := [each for each in those if identities.is_alive(each)]:
        assert time.monotonic() < end, f"still there: {alive}"
        time.sleep(0.05)


async def ask(cluster: clusters.Cluster, path: str, folder: Path) -> tuple[int, str]:
    """With the keys of that folder."""
    trust = ssl.create_default_context(cafile=str(cluster.kubeconfig.parent / "ca.crt"))
    trust.load_cert_chain(folder / "admin.crt", folder / "admin.key")
    async with (
        aiohttp.ClientSession() as session,
        session.get(cluster.url + path, ssl=trust) as answer,
    ):
        return answer.status, await answer.text()


def kubectl(binaries: Path, cluster: clusters.Cluster, *words: str) -> str:
    program = [str(binaries / "kubectl"), "--kubeconfig", str(cluster.kubeconfig), *words]
    answer = subprocess.run(  # noqa: S603 - this test's own words
        program, capture_output=True, text=True, check=False
    )
    assert answer.returncode == 0, answer.stderr
    return answer.stdout


async def test_the_administrator_of_a_cluster_gets_in_and_it_says_its_real_version(
    lab_clusters: Callable[[int], list[clusters.Cluster]],
) -> None:
    [cluster] = lab_clusters(1)
    status, text = await ask(cluster, "/version", cluster.kubeconfig.parent)
    assert status == 200
    assert json.loads(text)["gitVersion"] == cluster.version == "v1.36.3"


def test_the_kubeconfig_is_enough_for_kubectl(
    lab_clusters: Callable[[int], list[clusters.Cluster]], lab_binaries: Path
) -> None:
    [cluster] = lab_clusters(1)
    assert "kube-system" in kubectl(lab_binaries, cluster, "get", "namespaces", "-o", "name")


def test_only_its_owner_may_read_a_kubeconfig(
    lab_clusters: Callable[[int], list[clusters.Cluster]],
) -> None:
    [cluster] = lab_clusters(1)
    assert cluster.kubeconfig.stat().st_mode & 0o777 == 0o600


async def test_the_key_of_one_cluster_does_not_open_another(
    lab_clusters: Callable[[int], list[clusters.Cluster]],
) -> None:
    one, other = lab_clusters(2)
    status, _ = await ask(other, "/api/v1/secrets", one.kubeconfig.parent)
    assert status == 401


async def test_clusters_of_one_etcd_do_not_see_each_other(
    lab_clusters: Callable[[int], list[clusters.Cluster]], lab_binaries: Path
) -> None:
    one, other = lab_clusters(2)
    kubectl(lab_binaries, one, "create", "namespace", "only-in-one")
    assert "only-in-one" in kubectl(lab_binaries, one, "get", "namespaces")
    assert "only-in-one" not in kubectl(lab_binaries, other, "get", "namespaces")


def test_a_full_cluster_makes_a_deployment_available(
    full_cluster: clusters.Cluster, lab_binaries: Path
) -> None:
    web = ("deployment", "web")
    kubectl(lab_binaries, full_cluster, "create", *web, "--image=example/web:1", "--replicas=3")
    waited = ("wait", "--for=condition=Available", "deployment/web", "--timeout=30s")
    kubectl(lab_binaries, full_cluster, *waited)
    path = "-o=jsonpath={.status.availableReplicas}"
    assert kubectl(lab_binaries, full_cluster, "get", *web, path) == "3"


def test_a_full_cluster_finishes_the_deletion_of_a_namespace(
    full_cluster: clusters.Cluster, lab_binaries: Path
) -> None:
    kubectl(lab_binaries, full_cluster, "create", "namespace", "short-lived")
    kubectl(lab_binaries, full_cluster, "delete", "namespace", "short-lived", "--timeout=30s")
    assert "short-lived" not in kubectl(lab_binaries, full_cluster, "get", "namespaces")


async def test_down_ends_every_process_and_keeps_only_the_logs(
    tmp_path: Path, lab_binaries: Path
) -> None:
    async with await lab.up(["one"], tmp_path / "lab", lab_binaries) as made:
        those = written_down(tmp_path / "lab")
        assert len(those) == len(made.children) == 2
        assert all(identities.is_alive(each) for each in those)
    assert not any(identities.is_alive(each) for each in those)
    assert not locks.is_held(tmp_path / "lab" / records.LOCK)
    kept = sorted(each.name for each in (tmp_path / "lab").iterdir())
    assert kept == ["lock", "logs"]


async def test_a_halted_api_server_comes_back_at_its_address_with_what_it_stored(
    tmp_path: Path, lab_binaries: Path
) -> None:
    async with await lab.up(["one"], tmp_path / "lab", lab_binaries) as made:
        [cluster] = made.running
        kubectl(lab_binaries, cluster, "create", "namespace", "stays")
        await made.halt("one")
        with pytest.raises(aiohttp.ClientConnectionError):
            await ask(cluster, "/readyz", cluster.kubeconfig.parent)
        await made.resume("one")
        assert "stays" in kubectl(lab_binaries, cluster, "get", "namespaces")


async def test_a_program_that_does_not_start_is_named_with_its_last_words_and_nothing_stays(
    tmp_path: Path, lab_binaries: Path
) -> None:
    broken = tmp_path / "programs"
    broken.mkdir()
    (broken / "etcd").symlink_to(lab_binaries / "etcd")
    (broken / "kube-apiserver").write_text("#!/bin/sh\necho no way\nexit 3\n")
    (broken / "kube-apiserver").chmod(0o755)
    with pytest.raises(
        errors.UnreachableError, match=r"one\.kube-apiserver ended with code 3: no"
    ):
        await lab.up(["one"], tmp_path / "lab", broken)
    assert not locks.is_held(tmp_path / "lab" / records.LOCK)
    assert lab.read(tmp_path / "lab") == ()


def test_a_killed_owner_leaves_no_orphans(owner: subprocess.Popen[str], tmp_path: Path) -> None:
    those = written_down(tmp_path / "lab")
    assert len(those) == 2
    assert all(identities.is_alive(each) for each in those)
    owner.send_signal(signal.SIGKILL)
    owner.wait()
    wait_until_gone(those)


async def test_the_next_start_ends_what_a_dead_lab_left_and_nothing_else(
    owner: subprocess.Popen[str],
    survivor: subprocess.Popen[bytes],
    stranger: subprocess.Popen[bytes],
    tmp_path: Path,
    lab_binaries: Path,
) -> None:
    folder = tmp_path / "lab"
    owner.kill()
    owner.wait()
    add_to_ledger(folder, identity_of(survivor.pid))
    add_to_ledger(folder, identities.Identity(pid=stranger.pid, began="at another time"))
    async with await lab.up(["one"], folder, lab_binaries) as made:
        assert [cluster.name for cluster in made.running] == ["one"]
    assert survivor.poll() == -signal.SIGKILL
    assert stranger.poll() is None


async def test_sweeping_ends_only_the_very_process_that_was_written_down(
    survivor: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    really = identity_of(survivor.pid)
    add_to_ledger(tmp_path, identities.Identity(pid=really.pid, began="at another time"))
    assert await processes.sweep(tmp_path / records.LEDGER) == 0
    add_to_ledger(tmp_path, really)
    with (tmp_path / records.LEDGER).open("a") as ledger:
        ledger.write('{"name": "torn')
    assert await processes.sweep(tmp_path / records.LEDGER) == 1
    assert survivor.wait() == -signal.SIGKILL


async def test_a_folder_holds_one_lab_and_only_its_owner_may_end_it(
    owner: subprocess.Popen[str], tmp_path: Path, lab_binaries: Path
) -> None:
    folder = tmp_path / "lab"
    with pytest.raises(errors.RefusedError, match="a lab runs in"):
        await lab.up(["two"], folder, lab_binaries)
    with pytest.raises(errors.RefusedError, match=f"belongs to process {owner.pid}"):
        await lab.down(folder)
    assert [cluster.name for cluster in lab.read(folder)] == ["one"]


async def test_a_detached_lab_stays_until_anyone_ends_it(
    tmp_path: Path, lab_binaries: Path
) -> None:
    folder, said = tmp_path / "lab", []
    up = await asyncio.to_thread(
        detached.up, ["one"], folder, lab_binaries, full=False, say=said.append
    )
    assert [cluster.name for cluster in up] == ["one"]
    assert said[-1].startswith("one is ready at https://127.0.0.1:")
    those = written_down(folder)
    assert all(identities.is_alive(each) for each in those)
    assert (await ask(up[0], "/readyz", up[0].kubeconfig.parent))[0] == 200
    assert await lab.down(folder) is True
    assert not any(identities.is_alive(each) for each in those)
    assert lab.read(folder) == ()
    assert await lab.down(folder) is False


async def test_a_killed_supervisor_takes_its_lab_with_it(
    tmp_path: Path, lab_binaries: Path
) -> None:
    folder = tmp_path / "lab"
    await asyncio.to_thread(
        detached.up, ["one"], folder, lab_binaries, full=False, say=lambda _: None
    )
    those, record = written_down(folder), records.read(folder)
    assert record is not None
    os.kill(record.owner.pid, signal.SIGKILL)
    wait_until_gone([record.owner, *those])


def test_a_detached_lab_that_does_not_come_up_says_why(tmp_path: Path) -> None:
    with pytest.raises(errors.UnreachableError, match="etcd ended with code 1"):
        detached.up(["one"], tmp_path / "lab", tmp_path, full=False, say=lambda _: None)


async def test_a_name_that_could_leave_the_folder_is_refused(
    tmp_path: Path, lab_binaries: Path
) -> None:
    with pytest.raises(errors.InputError, match="cannot name a cluster"):
        await lab.up(["../one"], tmp_path / "lab", lab_binaries)
