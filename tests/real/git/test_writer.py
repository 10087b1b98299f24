"""What a promotion writes: a tree of its own making, pushed only where nothing has moved."""

import os
import subprocess
from pathlib import Path

import pytest

import repositories
from fleet.adapters.git import working, writer
from fleet.model import errors, names


@pytest.fixture
def remote(tmp_path: Path) -> repositories.Git:
    made = repositories.Git(tmp_path / "remote")
    made.commit({"a": "1", "clusters/dev/1.yaml": "mine"})
    made.run("branch", "prod")
    return made


@pytest.fixture
def clone(tmp_path: Path, remote: repositories.Git) -> repositories.Git:
    remote.run("clone", "--quiet", str(remote.folder), str(tmp_path / "clone"))
    return repositories.Git(tmp_path / "clone")


def pen(clone: repositories.Git) -> writer.Writer:
    person = {"GIT_AUTHOR_NAME": "Bo", "GIT_AUTHOR_EMAIL": "bo@example.com",
              "GIT_COMMITTER_NAME": "Bo", "GIT_COMMITTER_EMAIL": "bo@example.com"}  # fmt: skip
    return writer.Writer(clone.folder, {**os.environ, **person})


async def graft(
    clone: repositories.Git, *parents: names.CommitId, path: str = "b"
) -> names.CommitId:
    entries = [repositories.entry("a", b"1"), repositories.entry(path, b"1", mode=0o100755)]
    return await pen(clone).graft(entries, parents, "Promote\n\nwith a body\n")


async def test_a_graft_is_exactly_its_entries_and_parents(clone: repositories.Git):
    first = clone.tip()
    second = names.CommitId(clone.run("commit-tree", "HEAD^{tree}", "-m", "other"))
    made = await graft(clone, first, second)
    local = working.Local(clone.folder)
    entries = (await local.snapshot(made)).entries
    assert {path: each.mode for path, each in entries.items()} == {"a": 0o100644, "b": 0o100755}
    said = await local.commit(made)
    assert (said.parents, said.subject, said.author) == (
        (first, second),
        "Promote",
        "Bo <bo@example.com>",
    )


async def test_a_graft_touches_neither_index_nor_files(clone: repositories.Git):
    clone.write({"a": "dirty", "new": "x"})
    clone.run("add", "new")
    before = clone.run("status", "--porcelain"), clone.tip()
    await graft(clone, clone.tip())
    assert (clone.run("status", "--porcelain"), clone.tip()) == before


@pytest.mark.threat(31)
async def test_a_graft_takes_names_as_they_are(clone: repositories.Git):
    made = await graft(clone, clone.tip(), path="o\tdd\n\udcff")
    assert "o\tdd\n\udcff" in (await working.Local(clone.folder).snapshot(made)).entries


@pytest.mark.threat(2)
async def test_a_graft_never_leads_into_git_s_own_folder(clone: repositories.Git):
    for path in (".git/config", "../a"):
        with pytest.raises(errors.RefusedError, match="did not take every path"):
            await graft(clone, clone.tip(), path=path)


async def test_a_push_moves_the_branch(clone: repositories.Git, remote: repositories.Git):
    made = await graft(clone, clone.tip())
    await pen(clone).push(names.Branch("prod"), made, remote.tip("prod"))
    assert remote.tip("prod") == made


@pytest.mark.threat(25)
async def test_a_push_onto_a_branch_that_has_moved_is_refused(
    clone: repositories.Git, remote: repositories.Git
):
    expected = remote.tip("prod")
    moved = names.CommitId(
        remote.run("commit-tree", "HEAD^{tree}", "-p", expected, "-m", "meanwhile")
    )
    remote.run("update-ref", "refs/heads/prod", moved)
    made = await graft(clone, expected)
    with pytest.raises(errors.RefusedError, match="prod moved meanwhile") as caught:
        await pen(clone).push(names.Branch("prod"), made, expected)
    assert caught.value.hint
    assert remote.tip("prod") == moved


async def test_a_push_that_the_server_refuses_is_refused(
    clone: repositories.Git, remote: repositories.Git
):
    hook = remote.folder / ".git" / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho protected branch >&2\nexit 1\n")
    hook.chmod(0o755)
    made = await graft(clone, clone.tip())
    with pytest.raises(errors.RefusedError, match="protected branch"):
        await pen(clone).push(names.Branch("prod"), made, remote.tip("prod"))


async def test_a_server_that_is_not_there_is_out_of_reach(
    clone: repositories.Git, remote: repositories.Git
):
    made, expected = await graft(clone, clone.tip()), remote.tip("prod")
    remote.folder.rename(remote.folder.with_name("moved"))
    with pytest.raises(errors.UnreachableError):
        await pen(clone).push(names.Branch("prod"), made, expected)


async def test_a_repository_without_an_origin_is_its_own(remote: repositories.Git):
    await pen(remote).fetch()
    expected = remote.tip("prod")
    made = await graft(remote, expected)
    await pen(remote).push(names.Branch("prod"), made, expected)
    assert remote.tip("prod") == made
    late = await graft(remote, expected, path="late")
    with pytest.raises(errors.RefusedError, match="prod moved meanwhile"):
        await pen(remote).push(names.Branch("prod"), late, expected)


async def test_a_branch_that_is_checked_out_is_not_moved_under_its_files(remote: repositories.Git):
    made, expected = await graft(remote, remote.tip()), remote.tip()
    with pytest.raises(errors.RefusedError, match="checked out") as caught:
        await pen(remote).push(names.Branch("dev"), made, expected)
    assert "switch" in caught.value.hint
    assert remote.tip() == expected


async def test_what_git_says_in_many_lines_is_one(clone: repositories.Git, tmp_path: Path):
    (tmp_path / "remote").rename(tmp_path / "away")
    with pytest.raises(errors.UnreachableError) as caught:
        await pen(clone).fetch()
    assert "\n" not in str(caught.value)
    assert "does not appear to be a git repository; " in str(caught.value)


async def test_fetching_brings_what_others_pushed(
    clone: repositories.Git, remote: repositories.Git
):
    made = remote.commit({"a": "2"})
    await pen(clone).fetch()
    assert (await working.Local(clone.folder).fetch()).branches[names.Branch("dev")] == made


async def test_a_graft_is_signed_where_the_person_signs(clone: repositories.Git, tmp_path: Path):
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)  # noqa: ASYNC221, S603, S607
    for name, value in {
        "gpg.format": "ssh",
        "user.signingKey": f"{key}.pub",
        "commit.gpgSign": "true",
    }.items():
        clone.run("config", name, value)
    made = await graft(clone, clone.tip())
    assert "-----BEGIN SSH SIGNATURE-----" in clone.run("cat-file", "commit", made)
