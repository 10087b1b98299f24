"""Building once, whole or not at all. The go of these tests is a script that does what go would do."""

import os
import subprocess
import threading
from pathlib import Path

import pytest

from fleet.lab import binaries
from fleet.model import errors

_GO = """#!/bin/sh
echo "$@" >> {journal}
case "$1" in
version) echo go version go1.26.0 linux/amd64 ;;
list) {listing} ;;
build) {building} ;;
esac
"""
_PROGRAM = 'for last; do out=$previous; previous=$last; done; echo built > "${out}kustomize"'


class Machine:
    """With a go of our making, and nothing else."""

    def __init__(self, folder: Path) -> None:
        self.cache = folder / "cache"
        self.said: list[str] = []
        self._journal = folder / "journal"
        self._folder = folder / "programs"
        self._folder.mkdir()
        self.environment = {"PATH": f"{self._folder}:/usr/bin:/bin", "HOME": str(folder)}

    def install(self, *, listing: str = "echo some/package", building: str = _PROGRAM) -> None:
        go = self._folder / "go"
        go.write_text(_GO.format(journal=self._journal, listing=listing, building=building))
        go.chmod(0o755)

    def ensure(self) -> Path:
        return binaries.ensure_kustomize(
            self.cache, self.said.append, environment=self.environment
        )

    @property
    def builds(self) -> int:
        if not self._journal.exists():
            return 0
        return sum(line.startswith("build") for line in self._journal.read_text().splitlines())

    @property
    def left_over(self) -> list[str]:
        return [each.name for each in (self.cache / "kustomize").iterdir() if each.is_dir()]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_what_is_built_is_not_built_again(machine: Machine) -> None:
    machine.install()
    first = machine.ensure()
    assert first.read_text() == "built\n"
    assert machine.ensure() == first
    assert machine.builds == 1


def test_one_of_two_starts_builds_and_the_other_waits_for_it(machine: Machine) -> None:
    machine.install(building=f"sleep 1; {_PROGRAM}")
    found: list[Path] = []
    starts = [threading.Thread(target=lambda: found.append(machine.ensure())) for _ in range(2)]
    for start in starts:
        start.start()
    for start in starts:
        start.join()
    assert machine.builds == 1
    assert found[0] == found[1]
    assert "another process builds it; waiting for it" in machine.said


def test_without_network_it_says_so_and_names_the_simulated_demo(machine: Machine) -> None:
    machine.install(listing="echo dial tcp: no such host >&2; exit 1")
    with pytest.raises(errors.UnreachableError, match="no such host") as caught:
        machine.ensure()
    assert "SIMULATED=1" in caught.value.hint


def test_a_failed_build_leaves_nothing_that_looks_built(machine: Machine) -> None:
    machine.install(building=f"{_PROGRAM}; echo no space left on device >&2; exit 1")
    with pytest.raises(errors.InputError, match="no space left on device"):
        machine.ensure()
    assert machine.left_over == []
    machine.install()
    assert machine.ensure().read_text() == "built\n"


def test_the_build_sees_nothing_of_the_users_go_settings(machine: Machine) -> None:
    machine.install(building=f"{_PROGRAM}; env > {machine.cache}/seen")
    machine.environment |= {"GOFLAGS": "-mod=mod", "GOOS": "plan9", "TOKEN": "secret"}
    machine.ensure()
    seen = dict(line.split("=", 1) for line in (machine.cache / "seen").read_text().splitlines())
    assert seen["GOFLAGS"] == "-mod=readonly"
    assert seen["GOENV"] == "off"
    assert not {"GOOS", "TOKEN"} & set(seen)


def test_the_real_programs_carry_the_versions_that_were_asked_for(lab_binaries: Path) -> None:
    def says(program: str, *words: str) -> str:
        run = subprocess.run(  # noqa: S603 - what we built
            [lab_binaries / program, *words], capture_output=True, text=True, check=True
        )
        return run.stdout

    assert binaries.KUBERNETES_VERSION in says("kube-apiserver", "--version")
    assert binaries.KUSTOMIZE_VERSION in says("kustomize", "version")
    assert os.access(lab_binaries / "etcd", os.X_OK)
    assert (lab_binaries / "stages" / "pod" / "fast" / "pod-ready.yaml").is_file()
