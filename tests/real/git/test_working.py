"""A folder on someone's disk, read as if it were a commit."""

from pathlib import Path

import pytest

import repositories
from fleet.adapters.git import working
from fleet.model import errors, names, snapshots


@pytest.fixture
def repository(tmp_path: Path) -> repositories.Git:
    return repositories.Git(tmp_path / "repository")


async def contents(tree: working.WorkTree) -> dict[str, bytes]:
    entries = (await tree.snapshot(working.TREE)).entries
    found = await tree.blobs(each.blob for each in entries.values())
    return {path: found[each.blob] for path, each in entries.items()}


async def test_all_that_is_there_less_what_is_ignored(repository: repositories.Git):
    repository.commit({"kept": "1", "dirty": "1", "gone": "1", ".gitignore": "*.log\n"})
    repository.write({"dirty": "2", "gone": None, "new": "3", "a.log": "4", "deep/b": "5"})
    repository.run("add", "new")
    assert await contents(working.WorkTree(repository.folder)) == {
        ".gitignore": b"*.log\n", "deep/b": b"5", "dirty": b"2", "kept": b"1", "new": b"3",
    }  # fmt: skip


async def test_a_folder_without_git_is_all_its_files(tmp_path: Path):
    (tmp_path / "a" / ".git").mkdir(parents=True)
    (tmp_path / "a" / ".git" / "config").write_text("x")
    (tmp_path / "a" / "b.yaml").write_text("b")
    assert await contents(working.WorkTree(tmp_path)) == {"a/b.yaml": b"b"}


async def test_a_folder_inside_a_repository_is_read_from_itself(repository: repositories.Git):
    repository.commit({"fleet/fleet.yaml": "1", "other": "2"})
    assert await contents(working.WorkTree(repository.folder / "fleet")) == {"fleet.yaml": b"1"}


async def test_blobs_are_named_as_git_names_them(repository: repositories.Git):
    commit = repository.commit({"a": "one", "run": "two"})
    (repository.folder / "run").chmod(0o755)
    tree = await working.WorkTree(repository.folder).snapshot(working.TREE)
    assert (
        tree.entries["a"] == (await working.Local(repository.folder).snapshot(commit)).entries["a"]
    )
    assert tree.entries["run"].mode == snapshots.EXECUTABLE


@pytest.mark.threat(1)
async def test_a_link_is_never_followed(repository: repositories.Git, tmp_path: Path):
    secret = tmp_path / "secret"
    secret.write_text("CANARY")
    (repository.folder / "link").symlink_to(secret)
    (repository.folder / "loop").symlink_to(repository.folder)
    repository.write({"twin": str(secret)})  # a file of the very bytes that the link consists of
    tree = working.WorkTree(repository.folder)
    assert (await tree.snapshot(working.TREE)).entries["link"].mode == snapshots.SYMLINK
    assert "CANARY" not in repr(await contents(tree))
    assert (await contents(tree))["link"] == str(secret).encode()


@pytest.mark.threat(3)
async def test_a_repository_inside_is_a_submodule(repository: repositories.Git):
    inner = repositories.Git(repository.folder / "inner")
    inner.commit({"a": "1"})
    entries = (await working.WorkTree(repository.folder).snapshot(working.TREE)).entries
    assert [each.mode for each in entries.values()] == [snapshots.SUBMODULE]


@pytest.mark.threat(31)
async def test_odd_names_come_through(repository: repositories.Git):
    repository.write({"a\nb": "1", "\udcff": "2"})
    assert await contents(working.WorkTree(repository.folder)) == {"a\nb": b"1", "\udcff": b"2"}


async def test_the_tree_stands_after_every_commit(repository: repositories.Git):
    commit = repository.commit({"a": "1"})
    tree = working.WorkTree(repository.folder)
    assert await tree.is_ancestor(commit, working.TREE)
    assert (await tree.commit(working.TREE)).subject == "the working tree"
    assert await tree.steps(commit, working.TREE) == ()
    assert (await tree.commit(commit)).id == commit
    assert list((await tree.snapshot(commit)).entries) == ["a"]
    blob = (await tree.snapshot(commit)).entries["a"].blob
    repository.write({"a": "2"})
    assert await tree.blobs([blob]) == {blob: b"1"}


async def test_words_of_people_are_commits(repository: repositories.Git):
    first = repository.commit({"a": "1"})
    repository.run("tag", "-a", "v1", "-m", "x")
    second = repository.commit({"a": "2"})
    local = working.Local(repository.folder)
    for word, commit in {
        "HEAD": second,
        "HEAD~1": first,
        "dev": second,
        "v1": first,
        first[:8]: first,
    }.items():
        assert await local.resolve(word) == commit


@pytest.mark.threat(4)
@pytest.mark.parametrize(
    "word", ["gone", "--all", "-h", "HEAD:a", "", "--output=x", "HEAD..HEAD~1"]
)
async def test_a_word_that_is_no_commit_is_said_so(repository: repositories.Git, word: str):
    repository.commit({"a": "1"})
    repository.commit({"a": "2"})
    with pytest.raises(errors.InputError, match="there is no commit"):
        await working.Local(repository.folder).resolve(word)


async def test_branches_of_the_remote_count_more_than_one_s_own(
    repository: repositories.Git, tmp_path: Path
):
    old = repository.commit({"a": "1"})
    repository.run("clone", "--quiet", str(repository.folder), str(tmp_path / "mine"))
    mine = repositories.Git(tmp_path / "mine")
    mine.commit({"a": "unpushed"})
    mine.run("branch", "topic")
    branches = (await working.Local(mine.folder).fetch()).branches
    assert branches[names.Branch("dev")] == old
    assert branches[names.Branch("topic")] == mine.tip()


@pytest.mark.threat(28)
async def test_nothing_that_the_repository_configures_runs(
    repository: repositories.Git, tmp_path: Path
):
    commit = repository.commit({"a": "1"})
    second = repository.commit({"a": "2"})
    evil = tmp_path / "evil"
    evil.write_text(f"#!/bin/sh\ntouch {tmp_path}/CANARY\n")
    evil.chmod(0o755)
    for key in ("core.fsmonitor", "core.pager", "gpg.program", "diff.external", "core.editor"):
        repository.run("config", key, str(evil))
    repository.run("config", "log.showSignature", "true")
    repository.run("config", "core.untrackedCache", "true")
    tree = working.WorkTree(repository.folder)
    assert await contents(tree) == {"a": b"2"}
    await tree.commit(second)
    await tree.steps(commit, second)
    await tree.fetch()
    assert not (tmp_path / "CANARY").exists()


async def test_a_damaged_repository_is_an_error_and_not_just_a_folder(
    repository: repositories.Git,
):
    repository.commit({"a": "1", ".gitignore": "secret\n"})
    repository.write({"secret": "x"})
    (repository.folder / ".git" / "index").write_bytes(b"garbage")
    with pytest.raises(errors.UnreachableError):
        await working.WorkTree(repository.folder).snapshot(working.TREE)
