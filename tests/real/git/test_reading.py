"""What commits say, however the repository around them was bent."""

import hashlib
import shutil
import struct
import subprocess
from pathlib import Path

import pytest

import repositories
from fleet.adapters.git import fixed, programs, reading, working
from fleet.model import errors, names, snapshots
from fleet.protocol import sshsig, sshwire


@pytest.fixture
def repository(tmp_path: Path) -> repositories.Git:
    return repositories.Git(tmp_path / "repository")


@pytest.fixture
def reader(repository: repositories.Git) -> reading.Reader:
    return reading.Reader(programs.Program(folder=repository.folder))


@pytest.mark.threat(1)
@pytest.mark.threat(3)
async def test_links_and_submodules_are_listed_as_what_they_are(
    reader: reading.Reader, repository: repositories.Git
):
    blob = repository.blob(b"/etc/passwd")
    commit = repository.commit_raw(("120000", blob, "link"), ("160000", "1" * 40, "vendor"))
    entries = (await reader.snapshot(commit)).entries
    assert {path: (e.mode, e.size) for path, e in entries.items()} == {
        "link": (snapshots.SYMLINK, 11),
        "vendor": (snapshots.SUBMODULE, 0),
    }
    assert await reader.blobs([entries["link"].blob]) == {blob: b"/etc/passwd"}


@pytest.mark.threat(31)
async def test_every_name_comes_through_without_loss(
    reader: reading.Reader, repository: repositories.Git
):
    blob = repository.blob(b"x")
    odd = ["a\nb", "tab\there", 'quote"d', "sp ace", "-option", "\udcff\udcfe", "ü"]
    commit = repository.commit_raw(*[("100644", blob, path) for path in odd])
    assert set((await reader.snapshot(commit)).entries) == set(odd)


@pytest.mark.threat(5)
async def test_attributes_and_filters_never_run(
    reader: reading.Reader, repository: repositories.Git, tmp_path: Path
):
    evil = f"touch {tmp_path}/CANARY; tr a-z A-Z"
    written = {
        ".gitattributes": "* filter=evil ident export-subst diff=evil merge=evil text eol=crlf\n",
        "a.yaml": "a: $Id$ $Format:%H$\r\n",
    }
    repository.write(written)
    blobs = {path: repository.blob(data.encode()) for path, data in written.items()}
    commit = repository.commit_raw(*[("100644", blob, path) for path, blob in blobs.items()])
    child = names.CommitId(
        repository.run("commit-tree", f"{commit}^{{tree}}", "-p", commit, "-m", "x")
    )
    for kind in ("filter.evil.smudge", "filter.evil.clean", "filter.evil.process", "diff.evil.textconv",
                 "diff.evil.command", "merge.evil.driver", "diff.external"):  # fmt: skip
        repository.run("config", kind, evil)
    entry = (await reader.snapshot(commit)).entries["a.yaml"]
    assert (await reader.blobs([entry.blob]))[entry.blob] == b"a: $Id$ $Format:%H$\r\n"
    assert (await reader.commit(commit)).subject == "raw"
    (step,) = await reader.steps(commit, child)
    assert (step.commit, step.parents, step.paths) == (child, (commit,), ())
    assert not (tmp_path / "CANARY").exists()


@pytest.mark.threat(28)
async def test_replacements_and_grafts_change_no_answer(
    reader: reading.Reader, repository: repositories.Git
):
    first = repository.commit({"a": "1"})
    second = repository.commit({"a": "2"})
    other = names.CommitId(repository.run("commit-tree", f"{first}^{{tree}}", "-m", "other"))
    repository.run("replace", second, other)
    (repository.folder / ".git" / "info").mkdir(exist_ok=True)
    (repository.folder / ".git" / "info" / "grafts").write_text(f"{second}\n")
    assert (await reader.commit(second)).parents == (first,)
    assert await reader.is_ancestor(first, second)
    blob = (await reader.snapshot(second)).entries["a"].blob
    assert (await reader.blobs([blob]))[blob] == b"2"


@pytest.mark.threat(28)
async def test_a_forged_commit_graph_changes_no_answer(
    reader: reading.Reader, repository: repositories.Git
):
    first = repository.commit({"a": "1"})
    second = repository.commit({"a": "2"})
    repository.run("commit-graph", "write", "--reachable")
    graph = repository.folder / ".git" / "objects" / "info" / "commit-graph"
    graph.chmod(0o644)
    graph.write_bytes(without_parents(graph.read_bytes()))
    asked = repository.run("-c", "core.commitGraph=true", "rev-list", "--count", second)
    assert asked == "1"  # the forgery works on a git that believes it
    assert await reader.is_ancestor(first, second)
    assert [each.commit for each in await reader.steps(first, second)] == [second]


def without_parents(graph: bytes) -> bytes:
    """The same commit-graph file, in which no commit has a parent."""
    chunks = {
        graph[at : at + 4]: struct.unpack(">Q", graph[at + 4 : at + 12])[0]
        for at in range(8, 8 + 12 * graph[6], 12)
    }
    data = bytearray(graph[:-20])
    count = struct.unpack(">I", data[chunks[b"OIDF"] + 255 * 4 :][:4])[0]
    for place in range(count):
        at = chunks[b"CDAT"] + place * 36 + 20
        data[at : at + 8] = struct.pack(">II", 0x70000000, 0x70000000)
    return bytes(data) + hashlib.sha1(data, usedforsecurity=False).digest()


@pytest.mark.threat(27)
async def test_a_missing_object_is_an_error_and_never_an_answer(
    reader: reading.Reader, repository: repositories.Git
):
    first = repository.commit({"a": "1"})
    second = repository.commit({"a": "2"})
    gone = names.CommitId("1" * 40)
    blob = (await reader.snapshot(second)).entries["a"].blob
    for asked in (
        reader.snapshot(gone), reader.commit(gone), reader.is_ancestor(gone, second),
        reader.is_ancestor(first, gone), reader.steps(first, gone), reader.blobs([blob, names.BlobId(gone)]),
    ):  # fmt: skip
        with pytest.raises(errors.UnreachableError):
            await asked
    lose(repository, first)
    for asked in (
        reader.is_ancestor(gone, second),
        reader.steps(first, second),
        reader.commit(first),
    ):
        with pytest.raises(errors.UnreachableError):
            await asked


@pytest.mark.threat(27)
async def test_a_missing_blob_or_tree_is_an_error(
    reader: reading.Reader, repository: repositories.Git
):
    commit = repository.commit({"a/b": "1", "c": "2"})
    lose(repository, repository.tip("HEAD:c"))
    with pytest.raises(errors.UnreachableError):
        await reader.snapshot(commit)
    lose(repository, repository.tip("HEAD:a"))
    with pytest.raises(errors.UnreachableError):
        await reader.snapshot(commit)


def lose(repository: repositories.Git, oid: str) -> None:
    (repository.folder / ".git" / "objects" / oid[:2] / oid[2:]).unlink()


@pytest.mark.threat(27)
async def test_a_history_that_was_cut_off_does_not_say_no(
    repository: repositories.Git, tmp_path: Path
):
    commits = [repository.commit({"a": str(number)}) for number in range(3)]
    repository.run(
        "clone", "--quiet", "--depth=2", f"file://{repository.folder}", str(tmp_path / "cut")
    )
    cut = working.Local(tmp_path / "cut")
    assert (await cut.snapshot(commits[2])).entries
    assert await cut.is_ancestor(commits[1], commits[2])
    for asked in (cut.is_ancestor(commits[2], commits[1]), cut.steps(commits[1], commits[2])):
        with pytest.raises(errors.UnreachableError, match="cut off") as caught:
            await asked
        assert caught.value.hint == "git fetch --unshallow"


async def test_ancestry(reader: reading.Reader, repository: repositories.Git):
    first, second = repository.commit({"a": "1"}), repository.commit({"a": "2"})
    assert await reader.is_ancestor(first, first)
    assert await reader.is_ancestor(first, second)
    assert not await reader.is_ancestor(second, first)


async def test_steps_are_the_first_parents_with_what_each_changed(
    reader: reading.Reader, repository: repositories.Git
):
    base = repository.commit({"a": "1"})
    repository.run("checkout", "--quiet", "-b", "side")
    repository.commit({"side/é\tb": "1"})
    repository.run("checkout", "--quiet", "dev")
    own = repository.commit({"a": "2", "b": "1"})
    repository.run("merge", "--quiet", "--no-ff", "-m", "merge", "side")
    merge = repository.tip()
    moved = repository.commit({"a": None, "c": "2"})
    steps = await reader.steps(base, moved)
    assert [(each.commit, each.paths) for each in steps] == [
        (own, ("a", "b")),
        (merge, ("side/é\tb",)),
        (moved, ("a", "c")),
    ]
    assert [len(each.parents) for each in steps] == [1, 2, 1]
    assert await reader.steps(moved, moved) == ()


@pytest.mark.threat(4)
@pytest.mark.parametrize(
    "given", ["--help", "HEAD", "dev", "a" * 39, "A" * 40, "a" * 40 + "\n", "", "a" * 39 + ":"]
)
async def test_only_whole_ids_reach_git(reader: reading.Reader, given: str):
    commit = names.CommitId(given)
    for asked in (
        reader.snapshot(commit), reader.commit(commit), reader.blobs([names.BlobId(given)]),
        reader.is_ancestor(commit, commit), reader.steps(commit, commit),
    ):  # fmt: skip
        with pytest.raises(errors.InputError, match="is no object id"):
            await asked


@pytest.mark.threat(35)
async def test_a_tag_is_peeled(reader: reading.Reader, repository: repositories.Git):
    commit = repository.commit({"a": "1"})
    repository.run("tag", "-a", "v1", "-m", "tag")
    assert (await reader.commit(repository.tip("v1"))).id == commit
    assert list((await reader.snapshot(repository.tip("v1"))).entries) == ["a"]


@pytest.mark.threat(33)
async def test_an_author_is_a_claim_and_an_odd_date_is_none(
    reader: reading.Reader, repository: repositories.Git
):
    tree = repository.run("mktree")
    raw = (
        f"tree {tree}\nauthor \udcff A <x> 99999999999999999 +9999\ncommitter B <y> 0 +0000\n\ns\n"
    )
    data = raw.encode("utf-8", "surrogateescape")
    oid = repository.run("hash-object", "-t", "commit", "-w", "--literally", "--stdin", given=data)
    said = await reader.commit(names.CommitId(oid))
    assert said.author == "\ufffd A <x>"
    assert said.subject == "s"


@pytest.mark.threat(11)
async def test_another_git_on_the_path_is_not_used(
    reader: reading.Reader,
    repository: repositories.Git,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    commit = repository.commit({"a": "1"})
    fake = tmp_path / "bin" / "git"
    fake.parent.mkdir()
    fake.write_text(f"#!/bin/sh\ntouch {tmp_path}/CANARY\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", str(fake.parent))
    assert (await reader.commit(commit)).id == commit
    assert not (tmp_path / "CANARY").exists()


@pytest.mark.threat(104)
async def test_a_git_that_does_not_answer_is_ended(repository: repositories.Git):
    program = programs.Program(folder=repository.folder, timeout=0.2)
    with pytest.raises(errors.UnreachableError, match="no answer in 0 s"):
        await program.run("-c", "alias.wait=!sleep 60", "wait")


@pytest.mark.threat(6)
async def test_ten_thousand_files_are_listed_soon(
    reader: reading.Reader, repository: repositories.Git
):
    blob = repository.blob(b"x")
    commit = repository.commit_raw(
        *[("100644", blob, f"apps/{i % 100}/{i}.yaml") for i in range(10_000)]
    )
    assert len((await reader.snapshot(commit)).entries) == 10_000


def test_there_is_a_git():
    assert shutil.which(fixed.executable())


def _key(folder: Path) -> Path:
    words = ("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / "key"))
    subprocess.run(words, check=True)  # noqa: S603 - the real one
    return folder / "key"


@pytest.mark.threat(34)
async def test_every_new_commit_comes_with_what_it_is_signed_with(
    reader: reading.Reader, repository: repositories.Git, tmp_path: Path
):
    key = _key(tmp_path)
    sign = ("-c", "gpg.format=ssh", "-c", f"user.signingkey={key}")
    base = repository.commit({"a": "1"})
    repository.run("switch", "--quiet", "-c", "side")
    plain = repository.commit({"b": "1"}, "plain\n\ngpgsig no header\n continued")
    repository.run("switch", "--quiet", "-")
    repository.run(*sign, "commit", "--allow-empty", "-S", "-qm", "signed\n\n gpgsig in the text")
    signed = repository.tip()
    repository.run(*sign, "tag", "-s", "-m", "a tag", "v1", plain)
    repository.run(*sign, "merge", "--quiet", "--no-ff", "-S", "-m", "merge", "v1")
    merge = repository.tip()
    assert "mergetag" in repository.run("cat-file", "commit", merge)
    found = {each.commit: each for each in await reader.signatures(base, merge)}
    assert set(found) == {plain, signed, merge}
    assert found[plain].armor == ""
    public = sshwire.key(key.with_suffix(".pub").read_text().strip())
    for commit in (signed, merge):
        each = found[commit]
        assert sshsig.verify(each.armor, each.payload, sshsig.GIT) == public
        for data, namespace in ((each.payload, sshsig.RELEASE), (each.payload + b" ", sshsig.GIT)):
            with pytest.raises(errors.RefusedError):
                sshsig.verify(each.armor, data, namespace)
    assert [each.commit for each in await reader.signatures(None, signed)] == [signed]
    assert await reader.signatures(merge, merge) == ()
