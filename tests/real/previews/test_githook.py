"""`fleet githook pre-receive` in a bare repository, with `git push` as people push."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import lines
import previewed
import repositories
from commands import ROOT, fleet

pytestmark = pytest.mark.timeout(180, func_only=True)


class Server:
    """A bare repository with the hook, and one person's clone of it."""

    def __init__(self, folder: Path, fleet_yaml: str = previewed.FLEET) -> None:
        self.mine = previewed.planted(folder / "mine", fleet_yaml)
        self.bare = folder / "server.git"
        self.mine.run("clone", "--quiet", "--bare", str(self.mine.folder), str(self.bare))
        self.mine.run("remote", "add", "origin", str(self.bare))
        hook = self.bare / "hooks" / "pre-receive"
        hook.parent.mkdir(exist_ok=True)
        words = f'exec "{sys.executable}" -m fleet.cli.main githook pre-receive'
        hook.write_text(f"#!/bin/sh\nPYTHONPATH={ROOT} {words}\n")
        hook.chmod(0o755)

    def push(self, *words: str) -> tuple[int, str]:
        done = subprocess.run(  # noqa: S603 - as a person would
            ["git", "push", *words],  # noqa: S607
            cwd=self.mine.folder,
            env={**os.environ, **repositories.PERSON, "NO_COLOR": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert "Traceback" not in done.stderr, done.stderr
        return done.returncode, done.stderr

    @contextlib.contextmanager
    def unhooked(self) -> Iterator[None]:
        """As the host was before there was a hook."""
        hook = self.bare / "hooks" / "pre-receive"
        away = hook.rename(hook.with_suffix(".away"))
        yield
        away.rename(hook)

    def tip(self, branch: str) -> str:
        return self.mine.run("--git-dir", str(self.bare), "rev-parse", branch)

    def refuses(self, *words: str, said: str) -> str:
        before = {branch: self.tip(branch) for branch in ("dev", "staging", "prod")}
        code, told = self.push(*words)
        assert code != 0, told
        assert said in told
        assert {branch: self.tip(branch) for branch in before} == before
        return told

    def takes(self, *words: str) -> None:
        code, told = self.push(*words)
        assert code == 0, told


@pytest.fixture
def server(tmp_path: Path) -> Server:
    return Server(tmp_path)


def test_what_is_fine_comes_in_and_is_promoted(server: Server):
    """Also both at once: upstream is taken to be where the push leaves it (26)."""
    server.mine.commit({"apps/web/settings.yaml": previewed.config("two")})
    server.takes("origin", "dev")
    server.mine.commit({"apps/web/settings.yaml": previewed.config("three")})
    server.mine.run("switch", "--quiet", "staging")
    server.mine.run("merge", "--quiet", "--no-edit", "dev")
    server.takes("origin", "dev", "staging")
    assert server.tip("staging") == server.mine.tip("staging")


def test_what_denies_it_is_refused_with_every_reason_of_every_line(server: Server):
    server.mine.commit(
        {
            "apps/web/web.yaml": previewed.WEB.replace("web:1.0", "web:latest"),
            "apps/web/settings.yaml": "kind: [\n",
        }
    )
    server.mine.run("switch", "--quiet", "prod")
    server.mine.commit({"apps/web/settings.yaml": previewed.config("direct")})
    told = server.refuses("origin", "dev", "prod", ":staging", said="disallow-latest-tag")
    assert "refs/heads/dev: apps/web/settings.yaml" in told
    assert "refs/heads/prod: lineage:" in told
    assert "apps/web/settings.yaml" in told
    assert "fleet promote staging prod" in told
    assert "refs/heads/staging: the branch of environment staging would be gone" in told


@pytest.mark.threat(23)
def test_a_rewritten_branch_is_refused(server: Server):
    server.mine.run("commit", "--quiet", "--amend", "-m", "another")
    told = server.refuses("--force", "origin", "dev", said="would be rewritten")
    assert "push a commit that contains" in told


@pytest.mark.threat(29)
@pytest.mark.parametrize("way", ["evil", "owned"])
def test_a_merge_that_is_no_promotion_is_refused(server: Server, way: str):
    files = {"apps/web/settings.yaml": previewed.config("two")}
    if way == "owned":
        files["environments/staging/values.yaml"] = "a: b\n"
    server.mine.commit(files)
    server.takes("origin", "dev")
    server.mine.run("switch", "--quiet", "staging")
    server.mine.run("merge", "--quiet", "--no-ff", "--no-commit", "dev")
    evil = {"apps/web/more.yaml": previewed.config("evil", "more")}
    server.mine.commit(evil if way == "evil" else {}, "promote")
    said = "the merge changes paths that staging owns" if way == "owned" else "apps/web/more.yaml"
    server.refuses("origin", "staging", said=said)


def test_a_direct_change_of_owned_paths_comes_in(server: Server):
    server.mine.run("switch", "--quiet", "prod")
    server.mine.commit(dict([previewed.cluster("prod", 3)]))
    server.takes("origin", "prod")


ASKING = previewed.FLEET.replace(
    "  - name: staging\n",
    "  - name: staging\n    hotfix: {paths: [apps/web/**]}\n    gates: {budget: {objects: 5}}\n",
)
FIX = "hotfix\n\nFleet-Hotfix: the word was wrong"


def test_ways_that_the_hub_lets_through_come_in(tmp_path: Path):
    """A hotfix, a promotion that keeps it, and a way back; there is no book here that would tell of them."""
    server = Server(tmp_path, ASKING)
    mine = server.mine
    mine.run("switch", "--quiet", "staging")
    mine.commit({"apps/web/settings.yaml": previewed.config("fixed")}, FIX)
    server.takes("origin", "staging")
    mine.run("switch", "--quiet", "dev")
    mine.commit({"apps/web/old.yaml": previewed.config("two", "old")})
    server.takes("origin", "dev")
    mine.run("switch", "--quiet", "staging")
    mine.run("merge", "--quiet", "--no-edit", "dev")
    server.takes("origin", "staging")
    mine.run("revert", "--no-edit", "-m", "1", "HEAD")
    server.takes("origin", "staging")


@pytest.mark.threat(38)
def test_a_way_back_is_exempt_from_rules_that_came_later(server: Server):
    """In the environment where it ran so: what is no way back is judged as anything else."""
    settings = "apps/web/settings.yaml"
    rude, kind = {settings: previewed.config("rude")}, {settings: previewed.config("kind")}
    for files in (rude, kind, {"policies/polite.yaml": lines.POLICY}):
        server.mine.run("switch", "--quiet", "dev")
        server.mine.commit(files)
        server.mine.run("switch", "--quiet", "staging")
        server.mine.run("merge", "--quiet", "--no-edit", "dev")
        server.takes("origin", "dev", "staging")
    server.mine.commit(rude, "back")
    server.takes("origin", "staging")
    server.mine.run("switch", "--quiet", "dev")
    server.mine.commit(rude, "anew")
    server.refuses("origin", "dev", said="be polite")


SETTINGS = "apps/web/settings.yaml"
POLITE = {"policies/polite.yaml": lines.POLICY}


def taken_through(server: Server, *changes: dict[str, str]) -> None:
    """Each into dev and into staging."""
    for files in changes:
        server.mine.run("switch", "--quiet", "dev")
        server.mine.commit(files)
        server.mine.run("switch", "--quiet", "staging")
        server.mine.run("merge", "--quiet", "--no-edit", "dev")
        server.takes("origin", "dev", "staging")


@pytest.mark.threat(38)
def test_a_declared_way_back_where_changes_enter_is_exempt_as_well(tmp_path: Path):
    """And no budget counts it, as it does any other commit."""
    asking = previewed.FLEET.replace(
        "- name: dev", "- name: dev\n    gates: {budget: {objects: 2}}"
    )
    server = Server(tmp_path, asking)
    rude, kind = {SETTINGS: previewed.config("rude")}, {SETTINGS: previewed.config("kind")}
    server.mine.commit(rude)
    server.takes("origin", "dev")
    to = server.mine.tip("dev")
    old = {"apps/web/old.yaml": previewed.config("old", "old")}
    for files in (kind, {"apps/web/old.yaml": previewed.config("new", "old")}, POLITE):
        server.mine.commit(files)
        server.takes("origin", "dev")
    server.mine.commit(rude | old, "as it was")
    assert "be polite" in server.refuses("origin", "dev", said="4 objects change, 2 may")
    server.mine.run("commit", "--quiet", "--amend", "-m", f"Back\n\nFleet-Rollback: {to}")
    server.takes("origin", "dev")


def back_to(server: Server, commit: str, files: dict[str, str] | None = None) -> None:
    """As `fleet rollback` makes it, with its words; `files` are what somebody puts in beside."""
    tree = server.mine.run("rev-parse", f"{commit}^{{tree}}")
    message = f"Roll back staging\n\nFleet-Rollback: {commit}"
    made = server.mine.run("commit-tree", tree, "-p", server.mine.tip("staging"), "-m", message)
    server.mine.run("reset", "--hard", "--quiet", made)
    if files:
        server.mine.commit(files, message)


def test_the_way_back_from_a_promotion_that_waits_with_rules_of_its_own(server: Server):
    """To what ran, and before; what ran nowhere here is no way back, whatever it says."""
    one, two, three = ({SETTINGS: previewed.config(word)} for word in ("one", "two", "three"))
    taken_through(server, one, two)
    running = server.mine.tip("staging")
    server.mine.run("switch", "--quiet", "dev")
    server.mine.commit({SETTINGS: previewed.config("between")})
    server.takes("origin", "dev")
    taken_through(server, three | POLITE)
    waits = server.mine.tip("staging")
    for word, said in (("between", "older than what staging runs"), ("by hand", "it differs in")):
        back_to(server, running, {SETTINGS: previewed.config(word)})
        server.refuses("origin", "staging", said=said)
        server.mine.run("reset", "--hard", "--quiet", waits)
    back_to(server, running, one)
    server.takes("origin", "staging")
    back_to(server, running)
    server.takes("origin", "staging")


def test_a_hotfix_without_a_reason_or_out_of_its_scope_is_refused(tmp_path: Path):
    server = Server(tmp_path, ASKING)
    server.mine.run("switch", "--quiet", "staging")
    server.mine.commit({"apps/web/settings.yaml": previewed.config("fixed")})
    server.refuses("origin", "staging", said="a hotfix gives its reason")
    server.mine.run("reset", "--quiet", "--hard", "HEAD~1")
    server.mine.commit({"policies/more.yaml": previewed.SPACE}, FIX)
    server.refuses("origin", "staging", said="no hotfix may change policies/more.yaml")


def test_more_than_may_change_at_once_is_refused(tmp_path: Path):
    server = Server(tmp_path, ASKING)
    names = ("a", "b", "c")
    server.mine.commit({f"apps/web/{name}.yaml": previewed.config(name, name) for name in names})
    server.takes("origin", "dev")
    server.mine.run("switch", "--quiet", "staging")
    server.mine.run("merge", "--quiet", "--no-edit", "dev")
    server.refuses("origin", "staging", said="budget: 6 objects change, 5 may")


def test_a_hint_names_what_runs_by_its_commit(server: Server):
    """Without a book nobody knows the number of a release."""
    server.mine.commit({"apps/web/settings.yaml": previewed.config("two")})
    server.takes("origin", "dev")
    running = server.tip("staging")
    server.mine.run("switch", "--quiet", "staging")
    server.mine.run("merge", "--quiet", "--no-ff", "--no-edit", "dev")
    server.mine.run("revert", "--no-edit", "-m", "1", "HEAD")
    said = f"fleet rollback staging --to {running[:10]} --reason WHY"
    server.refuses("origin", "staging", said=said)


@pytest.mark.threat(92)
def test_what_needs_a_permit_is_refused(server: Server):
    server.mine.commit({"apps/web/space.yaml": None})
    server.refuses("origin", "dev", said="deleting Namespace shop needs a Permit")


BUNDLE = {
    "apps/k/bundle.yaml": repositories.bundle_text("k"),
    "apps/k/space.yaml": previewed.SPACE.replace("shop", "kay"),
    "apps/k/kustomization.yaml": "resources: [space.yaml]\n",
}


@pytest.mark.threat(92)
def test_what_needs_a_permit_is_refused_with_the_last_kustomization(server: Server):
    """What goes is rendered as what comes is."""
    server.mine.commit(BUNDLE)
    server.takes("origin", "dev")
    server.mine.commit(dict.fromkeys(BUNDLE), "k is gone")
    server.refuses("origin", "dev", said="deleting Namespace kay needs a Permit")


@pytest.mark.threat(92)
@pytest.mark.parametrize("fault", ["kind: [\n", "resources: [nowhere.yaml]\n"])
def test_where_what_runs_cannot_be_read_nothing_comes_in(server: Server, fault: str):
    """Nobody can tell what would be deleted: here of a branch that was broken before there was a hook."""
    path = "apps/web/more.yaml" if fault.startswith("kind") else "apps/k/kustomization.yaml"
    with server.unhooked():
        server.mine.commit({**BUNDLE, path: fault})
        server.takes("origin", "dev")
    server.mine.commit({**dict.fromkeys(BUNDLE), path: None}, "k is gone")
    told = server.refuses("origin", "dev", said="what runs cannot be read in whole")
    assert path in told or "apps/k/bundle.yaml:1: kustomize" in told


def test_a_branch_that_was_no_environment_yet_is_no_environment_that_cannot_be_read(
    server: Server,
):
    with server.unhooked():
        server.mine.commit({"apps/web/settings.yaml": previewed.config("two")})
        server.mine.run("branch", "qa", "prod")
        for branch in ("dev", "staging", "prod"):
            server.mine.run("switch", "--quiet", branch)
            server.mine.commit({"fleet.yaml": previewed.FLEET + "  - name: qa\n"}, "qa")
        server.takes("origin", "dev", "staging", "prod", "qa")
    server.mine.run("switch", "--quiet", "qa")
    server.mine.run("merge", "--quiet", "--no-edit", "prod")
    server.takes("origin", "qa")


def test_rules_that_upstream_ran_before_its_content_are_judged_in_two_steps(server: Server):
    """As the hub does with a promotion that brings both (rule 3)."""
    latest = {"apps/web/web.yaml": previewed.WEB.replace("web:1.0", "web:latest")}
    server.mine.commit({"policies/latest.yaml": None})
    server.takes("origin", "dev")
    server.mine.commit(latest)
    server.takes("origin", "dev")
    server.mine.run("switch", "--quiet", "staging")
    server.mine.run("merge", "--quiet", "--no-edit", "dev")
    server.takes("origin", "staging")
    server.mine.run("switch", "--quiet", "prod")
    server.mine.commit({"policies/latest.yaml": None, **latest})
    server.refuses("origin", "prod", said="disallow-latest-tag")


def test_other_refs_pass(server: Server):
    server.mine.run("switch", "--quiet", "-c", "feature")
    server.mine.commit({"apps/web/web.yaml": "kind: [\n", "fleet.yaml": None})
    server.mine.run("tag", "dev")
    server.takes("origin", "feature", "refs/tags/dev")
    server.takes("origin", ":feature")


def test_the_road_is_what_runs_not_what_comes(server: Server):
    """A commit that no longer names prod does not take prod out of the hook's sight."""
    fleet_yaml = previewed.FLEET.split("  - name: prod")[0]
    server.mine.run("switch", "--quiet", "prod")
    server.mine.commit({"fleet.yaml": fleet_yaml, "apps/web/web.yaml": "kind: [\n"})
    told = server.refuses("origin", "prod", said="refs/heads/prod: it cannot be judged")
    assert "names no environment prod" in told


def test_a_new_repository_takes_its_first_branches(server: Server, tmp_path: Path):
    empty = tmp_path / "empty.git"
    server.mine.run("init", "--quiet", "--bare", str(empty))
    (server.bare / "hooks" / "pre-receive").rename(empty / "hooks" / "pre-receive")
    code, told = server.push(str(empty), "dev", "staging", "prod")
    assert code == 0, told
    other = tmp_path / "other.git"
    server.mine.run("init", "--quiet", "--bare", str(other))
    (empty / "hooks" / "pre-receive").rename(other / "hooks" / "pre-receive")
    server.mine.run("switch", "--quiet", "--orphan", "nothing")
    server.mine.commit({"README": "x"})
    code, told = server.push(str(other), "nothing")
    assert code != 0
    assert "no branch here has a fleet.yaml" in told


def test_a_hook_that_cannot_work_lets_nothing_in(server: Server):
    """No git of the hook's own configuration, none of its environment but where the objects lie; garbage is refused."""
    server.mine.commit({"apps/web/settings.yaml": previewed.config("two")})
    hook = server.bare / "hooks" / "pre-receive"
    hook.write_text(
        hook.read_text().replace("PYTHONPATH", "GIT_OBJECT_DIRECTORY=/nowhere PYTHONPATH")
    )
    server.refuses("origin", "dev", said="error: ")


@pytest.mark.parametrize(
    "given",
    [b"", b"x\n", b"0 1 refs/heads/dev\n", b"\n", b"a" * 40, b"\xff" * (1 << 20) + b"aa\n"],
)
async def test_what_is_no_push_is_refused(server: Server, given: bytes):
    done = subprocess.run(  # noqa: ASYNC221
        [sys.executable, "-m", "fleet.cli.main", "githook", "pre-receive"],
        cwd=server.bare,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        input=given,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 2, done.stderr
    assert b"Traceback" not in done.stderr
    assert b"error: " in done.stderr


async def test_the_hook_says_how_it_is_installed():
    ended = await fleet("githook", "pre-receive", "--help")
    assert ended.code == 0
    assert "exec fleet githook pre-receive" in ended.out
