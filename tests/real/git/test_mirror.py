"""The hub's mirror over real repositories: what comes through, and what never does."""

import asyncio
from pathlib import Path

import pytest

import repositories
from fleet.adapters.git import mirror
from fleet.model import errors, names


@pytest.fixture
def remote(tmp_path: Path) -> repositories.Git:
    made = repositories.Git(tmp_path / "remote")
    made.commit({"fleet.yaml": "road", "apps/a.yaml": "a"})
    return made


@pytest.fixture
def copy(tmp_path: Path, remote: repositories.Git) -> mirror.Mirror:
    return mirror.Mirror(str(remote.folder), tmp_path / "mirror.git")


def inside(copy: mirror.Mirror, *words: str) -> bytes:
    return asyncio.run(copy._git.run(*words))


async def test_branches_and_the_default_come_through(
    copy: mirror.Mirror, remote: repositories.Git
):
    remote.run("branch", "prod")
    remote.run("branch", "feature/x")
    tips = await copy.fetch()
    assert tips.branches == dict.fromkeys(["dev", "feature/x", "prod"], remote.tip())
    assert tips.default == "dev"


async def test_an_empty_repository_has_no_branches(tmp_path: Path):
    empty = repositories.Git(tmp_path / "empty")
    tips = await mirror.Mirror(str(empty.folder), tmp_path / "m.git").fetch()
    assert tips.branches == {}


async def test_a_commit_is_read_by_its_id(copy: mirror.Mirror, remote: repositories.Git):
    first = remote.tip()
    second = remote.commit({"apps/ö b.yaml": "b", "run.sh": "x"}, "Second\n\nwith a body")
    await copy.fetch()
    snapshot = await copy.snapshot(second)
    assert list(snapshot.entries) == ["apps/a.yaml", "apps/ö b.yaml", "fleet.yaml", "run.sh"]
    entry = snapshot.entries["apps/ö b.yaml"]
    assert (entry.size, entry.mode) == (1, 0o100644)
    assert await copy.blobs([entry.blob, entry.blob]) == {entry.blob: b"b"}
    said = await copy.commit(second)
    assert (said.parents, said.author, said.subject) == (
        (first,),
        "Ada <ada@example.com>",
        "Second",
    )
    assert said.authored is not None


@pytest.mark.threat(23)
async def test_a_forced_update_comes_through_as_it_is(
    copy: mirror.Mirror, remote: repositories.Git
):
    old = remote.commit({"apps/a.yaml": "b"})
    await copy.fetch()
    remote.run("reset", "--hard", "--quiet", "HEAD~1")
    new = remote.commit({"apps/a.yaml": "c"})
    assert (await copy.fetch()).branches == {"dev": new}
    assert not await copy.is_ancestor(old, new)


@pytest.mark.threat(24)
async def test_a_branch_that_is_deleted_is_not_there(
    copy: mirror.Mirror, remote: repositories.Git
):
    remote.run("branch", "prod")
    await copy.fetch()
    remote.run("branch", "-D", "prod")
    assert set((await copy.fetch()).branches) == {"dev"}


@pytest.mark.threat(24)
async def test_a_tag_is_never_taken_for_a_branch(copy: mirror.Mirror, remote: repositories.Git):
    first = remote.tip()
    second = remote.commit({"apps/a.yaml": "b"})
    remote.run("tag", "dev", first)
    remote.run("tag", "prod", first)
    assert (await copy.fetch()).branches == {"dev": second}


@pytest.mark.threat(24)
async def test_what_is_no_branch_of_the_remote_stays_there(
    copy: mirror.Mirror, remote: repositories.Git
):
    remote.run("update-ref", "refs/fleet/evil", "HEAD")
    remote.run("update-ref", "refs/replace/" + "0" * 40, "HEAD")
    await copy.fetch()
    assert (await copy._git.run("for-each-ref", "--format=%(refname)")).split() == [
        b"refs/mirror/heads/dev"
    ]


async def test_a_kept_commit_outlives_its_branch_and_a_collection(
    copy: mirror.Mirror, remote: repositories.Git
):
    kept = remote.commit({"apps/a.yaml": "kept"})
    await copy.fetch()
    await copy.keep("accepted/dev/1", kept)
    remote.run("reset", "--hard", "--quiet", "HEAD~1")
    await copy.fetch()
    await copy._git.run("reflog", "expire", "--all", "--expire=now")
    await copy._git.run("gc", "--prune=now", "--quiet")
    assert (await copy.snapshot(kept)).entries["apps/a.yaml"].size == 4
    assert (await copy.commit(kept)).id == kept


async def test_fetching_at_once_is_fetching_one_after_the_other(
    copy: mirror.Mirror, remote: repositories.Git
):
    for number in range(3):
        remote.run("branch", f"b{number}")
    tips = await asyncio.gather(*(copy.fetch() for _ in range(4)))
    assert all(each == tips[0] for each in tips)


async def test_reading_at_once(copy: mirror.Mirror, remote: repositories.Git):
    commit = remote.commit({f"apps/{i}.yaml": str(i) for i in range(50)})
    await copy.fetch()

    async def read() -> dict[names.BlobId, bytes]:
        snapshot = await copy.snapshot(commit)
        return dict(await copy.blobs(e.blob for e in snapshot.entries.values()))

    found = await asyncio.gather(*(read() for _ in range(8)), copy.fetch())
    assert all(each == found[0] for each in found[:-1])
    assert len(found[0]) == 52


@pytest.mark.threat(4)
@pytest.mark.parametrize(
    "url",
    [
        "ext::sh -c touch% /tmp/evil", "--upload-pack=touch /tmp/evil", "-x@host:path", "fd::17",
        "ssh://-oProxyCommand=evil/x", "https://", "https://a b", "git://host/x", "http://host/x",
        "host::evil", "user@host::evil", "file://--upload-pack=x", "ftp://x/y", "", "/does/not/exist",
    ],
)  # fmt: skip
def test_an_address_that_could_be_something_else_is_refused(url: str, tmp_path: Path):
    with pytest.raises(errors.InputError, match="no repository that fleet reads") as caught:
        mirror.Mirror(url, tmp_path / "m.git")
    assert "https://" in caught.value.hint


@pytest.mark.parametrize(
    "url", ["https://host/a.git", "ssh://git@host:22/a", "git@host:org/a.git"]
)
def test_the_addresses_of_private_repositories(url: str, tmp_path: Path):
    environment = mirror.Mirror(url, tmp_path / "m.git")._git.environment
    assert environment["GIT_ALLOW_PROTOCOL"] == "https:ssh"
    assert "StrictHostKeyChecking=yes" in environment["GIT_SSH_COMMAND"]


def test_an_ssh_key_is_the_only_one_that_is_offered(tmp_path: Path):
    access = mirror.Access(ssh_key="/keys/a b", known_hosts="/keys/hosts")
    command = mirror.Mirror("git@host:a", tmp_path / "m.git", access)._git.environment[
        "GIT_SSH_COMMAND"
    ]
    assert command.endswith(
        "-o UserKnownHostsFile=/keys/hosts -o IdentitiesOnly=yes -i '/keys/a b'"
    )


@pytest.mark.threat(76)
def test_a_token_is_bound_to_its_address_and_shown_nowhere(tmp_path: Path):
    file = tmp_path / "token"
    file.write_text("CANARY\n")
    access = mirror.Access(token_file=str(file))
    given = mirror._token(access, "https://host/a.git")
    assert given["GIT_CONFIG_KEY_0"] == "http.https://host/a.git.extraHeader"
    assert mirror._token(access, "git@host:a") == {}
    copy = mirror.Mirror("https://host/a.git", tmp_path / "m.git", access)
    assert "CANARY" not in repr(copy._git)
    with pytest.raises(errors.InputError, match="cannot read the token"):
        mirror._token(mirror.Access(token_file=str(tmp_path / "none")), "https://host/a.git")


async def test_a_remote_that_is_gone_is_out_of_reach_and_not_empty(
    copy: mirror.Mirror, remote: repositories.Git
):
    await copy.fetch()
    remote.folder.rename(remote.folder.with_name("moved"))
    with pytest.raises(errors.UnreachableError, match="git fetch") as caught:
        await copy.fetch()
    assert "does not appear to be a git repository; fatal: " in str(caught.value)
    assert "correct access rights" not in str(caught.value)


@pytest.mark.threat(4)
async def test_a_branch_with_a_strange_name_is_not_listed(
    copy: mirror.Mirror, remote: repositories.Git
):
    remote.run("update-ref", "refs/heads/-evil", "HEAD")
    remote.run("update-ref", "refs/heads/a;b", "HEAD")
    assert set((await copy.fetch()).branches) == {"dev"}


EVIL = """
[core]
  hooksPath = {home}/hooks
  fsmonitor = {home}/run
  sshCommand = {home}/run
[init]
  templateDir = {home}/template
  defaultBranch = evil
[alias]
  fetch = !{home}/run
[uploadpack]
  packObjectsHook = {home}/run
[url "/nowhere/"]
  insteadOf = /
[protocol "ext"]
  allow = always
"""


@pytest.mark.threat(28)
async def test_nothing_of_the_user_s_configuration_counts(
    tmp_path: Path, remote: repositories.Git, monkeypatch: pytest.MonkeyPatch
):
    home = tmp_path / "home"
    program = f"#!/bin/sh\ntouch {home}/CANARY\nexec cat\n"
    for path in ("run", "template/hooks/reference-transaction", "hooks/reference-transaction"):
        file = home / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(program)
        file.chmod(0o755)
    (home / ".gitconfig").write_text(EVIL.format(home=home))
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(home / ".gitconfig"))
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "core.hooksPath")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", str(home / "hooks"))
    monkeypatch.delenv("GIT_DIR")
    copy = mirror.Mirror(str(remote.folder), tmp_path / "m.git")
    tip = (await copy.fetch()).branches[names.Branch("dev")]
    await copy.keep("a", tip)
    assert (await copy.snapshot(tip)).entries
    assert not (home / "CANARY").exists()
    assert not (tmp_path / "m.git" / "hooks" / "reference-transaction").exists()
