"""The real kustomize in its box."""

import asyncio
import os
from pathlib import Path

import pytest

from fleet.adapters.render import kustomize as program
from fleet.model import errors, findings

CONFIG = b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"


def wrong(found: bytes | tuple[findings.Finding, ...]) -> str:
    assert isinstance(found, tuple)
    (finding,) = found
    assert (finding.rule, finding.severity) == ("kustomize", findings.Severity.DENY)
    return finding.message


def script(folder: Path, words: str) -> Path:
    file = folder / "kustomize"
    file.write_text(f"#!/bin/sh\n{words}\n")
    file.chmod(0o755)
    return file


async def test_it_prints_what_it_builds(kustomize: program.Kustomize):
    files = {
        "apps/web/kustomization.yaml": b"namePrefix: my-\nresources: [a.yaml, ../base]\n",
        "apps/web/a.yaml": CONFIG,
        "apps/base/kustomization.yaml": b"resources: [b.yaml]\n",
        "apps/base/b.yaml": CONFIG.replace(b"name: a", b"name: b"),
    }
    found = await kustomize.render(files, "apps/web")
    assert isinstance(found, bytes)
    assert (found.count(b"kind: ConfigMap"), b"name: my-b" in found) == (2, True)


async def test_at_the_top_of_the_repository(kustomize: program.Kustomize):
    assert isinstance(
        await kustomize.render({"kustomization.yaml": b"resources: [a]", "a": CONFIG}, ""), bytes
    )


async def test_what_it_says_comes_back_without_the_export_s_path(kustomize: program.Kustomize):
    said = wrong(await kustomize.render({"a/kustomization.yaml": b"resources: [gone.yaml]"}, "a"))
    assert "gone.yaml" in said
    assert "fleet-render" not in said


@pytest.mark.threat(11)
def test_its_identity_names_version_and_bytes(kustomize: program.Kustomize, tmp_path: Path):
    assert kustomize.identity.startswith("kustomize v5.7.1 sha256:")
    other = program.Kustomize(script(tmp_path, "true"), "v5.7.1")
    assert other.identity != kustomize.identity


@pytest.mark.threat(11)
async def test_another_kustomize_on_the_path_is_not_used(
    kustomize: program.Kustomize, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    script(tmp_path, f"touch {tmp_path}/CANARY")
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.chdir(tmp_path)
    files = {"kustomization.yaml": b"resources: [a]", "a": CONFIG, "kustomize": b"#!/bin/sh\n"}
    assert isinstance(await kustomize.render(files, ""), bytes)
    assert not (tmp_path / "CANARY").exists()


@pytest.mark.parametrize("path", ["kustomize", "/does/not/exist", "/tmp"])  # noqa: S108
def test_only_a_program_at_an_absolute_path(path: str):
    with pytest.raises(errors.InputError, match="there is no kustomize at"):
        program.Kustomize(Path(path), "v1")


@pytest.mark.threat(9)
async def test_its_environment_is_empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("CANARY", "secret")
    words = f'test -n "$TZ" || (/usr/bin/env; pwd; echo "$@") > {tmp_path}/here'
    shown = program.Kustomize(script(tmp_path, words), "v0")
    await shown.render({"a/kustomization.yaml": b""}, "a")
    found = (tmp_path / "here").read_text()
    lines = found.splitlines()
    home = next(line.removeprefix("HOME=") for line in lines if line.startswith("HOME="))
    assert {line.partition("=")[0] for line in lines[:-2]} <= {
        "HOME",
        "PATH",
        "GOMEMLIMIT",
        "PWD",
        "SHLVL",
        "_",
    }
    assert "CANARY" not in found
    assert lines[-2:] == [home, "build --load-restrictor=LoadRestrictionsNone ./a"]
    assert not Path(home).exists()


@pytest.mark.threat(9)
async def test_what_takes_too_long_is_ended_with_all_that_it_started(tmp_path: Path):
    words = f"/bin/sleep 60 &\necho $! > {tmp_path}/child\nwait"
    slow = program.Kustomize(script(tmp_path, words), "v0", program.Limits(seconds=1))
    assert wrong(await slow.render({}, "a")) == "kustomize: no result in 1 s"
    await asyncio.sleep(0.1)
    child = Path("/proc", (tmp_path / "child").read_text().strip(), "stat")
    assert not child.exists() or child.read_text().split()[2] == "Z"


@pytest.mark.threat(9)
async def test_what_prints_too_much_is_ended_at_once(tmp_path: Path):
    endless = program.Kustomize(
        script(
            tmp_path, "while :; do echo aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa; done"
        ),
        "v0",
        program.Limits(output=100_000, seconds=20),
    )
    assert wrong(await endless.render({}, "a")) == "kustomize: it printed more than 100000 bytes"


@pytest.mark.threat(9)
async def test_endless_complaints_are_cut(tmp_path: Path):
    loud = program.Kustomize(
        script(
            tmp_path, "i=0; while [ $i -lt 20000 ]; do echo word >&2; i=$((i+1)); done; exit 1"
        ),
        "v0",
    )
    assert wrong(await loud.render({}, "a")) == "kustomize: word"


@pytest.mark.threat(9)
async def test_memory_and_files_have_limits(tmp_path: Path):
    shown = program.Kustomize(
        script(tmp_path, "ulimit -v; ulimit -f; ulimit -c; ulimit -t"),
        "v0",
        program.Limits(memory=1 << 30),
    )
    assert await shown.render({}, "a") == b"1048576\n524288\n0\n60\n"


@pytest.mark.threat(9)
async def test_without_network_where_the_system_allows_it(tmp_path: Path):
    shown = program.Kustomize(script(tmp_path, "/bin/cat /proc/net/dev"), "v0")
    if not shown._prefix:
        pytest.skip("no network namespaces for this user")
    found = await shown.render({}, "a")
    assert isinstance(found, bytes)
    assert [line.split(b":")[0].strip() for line in found.splitlines()[2:]] == [b"lo"]


@pytest.mark.threat(2)
@pytest.mark.parametrize("path", ["../evil", "/fleet-evil", "a/../../evil"])
async def test_nothing_is_written_outside_the_export(kustomize: program.Kustomize, path: str):
    with pytest.raises(errors.RefusedError, match="leads out of the export"):
        await kustomize.render({path: b"x"}, "a")


@pytest.mark.threat(20)
@pytest.mark.parametrize(
    "files",
    [
        {"kustomization.yaml": b"secretGenerator: [{name: s, literals: [CANARY]}]"},
        {
            "kustomization.yaml": b"resources: [s.yaml]",
            "s.yaml": b"kind: Secret\nstringData: {CANARY: a: b}",
        },
        {"kustomization.yaml": b"secretGenerator: [{name: s, envs: [e]}]", "e": b"\xffCANARY\n"},
    ],
)
async def test_a_secret_s_value_is_in_no_message(
    kustomize: program.Kustomize, files: dict[str, bytes]
):
    said = wrong(await kustomize.render(files, "."))
    assert "CANARY" not in said
    assert "may repeat a Secret's values" in said


async def test_several_at_once_do_not_meet(kustomize: program.Kustomize):
    async def one(number: int) -> bool:
        data = CONFIG.replace(b"name: a", b"name: n%d" % number)
        found = await kustomize.render({"kustomization.yaml": b"resources: [a]", "a": data}, "")
        return isinstance(found, bytes) and b"name: n%d\n" % number in found

    assert all(await asyncio.gather(*(one(number) for number in range(4))))


@pytest.mark.threat(47)
@pytest.mark.parametrize(
    "words",
    [
        "date +%N",
        "echo $$",
        "pwd",
        "date +%Z",
        "od -An -N8 -tx1 /dev/urandom",
        'echo "$HOME"',
        "awk 'BEGIN {srand(); print PROCINFO[\"pid\"]}' /dev/null; cat /proc/sys/kernel/random/uuid",
    ],
)
async def test_what_is_another_thing_each_time_is_refused(tmp_path: Path, words: str):
    """As `now`, `randAlphaNum` and `genCA` are in templates of other programs."""
    path = "PATH=/usr/bin:/bin"
    chancy = program.Kustomize(script(tmp_path, f"{path}; {words}"), "v0")
    assert "it prints something else on another host" in wrong(await chancy.render({}, "a"))


@pytest.mark.threat(47)
async def test_the_host_s_name_is_another_one_where_that_can_be(tmp_path: Path):
    named = program.Kustomize(script(tmp_path, "/usr/bin/hostname"), "v0")
    if named._elsewhere == named._prefix:
        pytest.skip("this system lets nobody name a host of their own")
    assert "it prints something else" in wrong(await named.render({}, "a"))
