"""`fleet preview` on real git: nothing merged, nothing pushed, and every cluster's change is told."""

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

import previewed
import repositories
from commands import fleet
from fleet.adapters.http import admin

pytestmark = pytest.mark.timeout(120, func_only=True)


@pytest.fixture
def git(tmp_path: Path) -> repositories.Git:
    return previewed.planted(tmp_path / "fleet")


def state_of(git: repositories.Git) -> tuple[str, ...]:
    """All that a preview must not touch: refs, index, files, and which objects there are."""
    asked = (("for-each-ref",), ("status", "--porcelain=v2", "--branch"), ("rev-parse", "HEAD"))
    objects = git.run("count-objects", "-v")
    return (*(git.run(*each) for each in asked), objects)


async def test_every_change_in_wave_order_and_what_presses_comes_first(git: repositories.Git):
    role = "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: r, namespace: shop}\nrules: []\n"
    git.commit(
        {
            "apps/web/web.yaml": previewed.WEB.replace("1.0", "1.1").replace(
                "replicas: 2", "replicas: 3"
            ),
            "apps/web/old.yaml": None,
            "apps/web/role.yaml": role,
            "apps/web/more.yaml": previewed.config("more", "more"),
        },
        "the next one",
    )
    before = state_of(git)
    ended = await previewed.preview(git, "dev", "staging")
    assert (ended.code, ended.said) == (0, "")
    lines = ended.out.splitlines()
    assert lines[0] == "nothing refuses it: 4 created, 2 configured, 2 deleted"
    assert lines[1].endswith("the next one")
    first = lines.index("look at these first")
    assert lines[first + 1 : first + 5] == [
        "  deletions:",
        "    - ConfigMap shop/old (2 clusters: staging-2, staging-1)",
        "  access (RBAC):",
        "    + Role.rbac.authorization.k8s.io shop/r (2 clusters: staging-2, staging-1)",
    ]
    assert "  1 canary: change 1: staging-2" in lines
    assert "  2 rest: change 1: staging-1" in lines
    assert "      spec.replicas: 2 -> 3" in lines
    image = '      spec.template.spec.containers[web].image: "example.com/web:1.0" -> "example.com/web:1.1"'
    assert image in lines
    assert first < lines.index("waves")
    assert state_of(git) == before
    ended = await previewed.preview(git, "dev", "staging", "-o", "json")
    assert ended.json["totals"] == {"clusters": 2, "created": 4, "configured": 2, "deleted": 2}
    assert [(wave["wave"], [e["cluster"] for e in wave["clusters"]]) for wave in ended.json["waves"]] == [
        ("canary", ["staging-2"]), ("rest", ["staging-1"]),
    ]  # fmt: skip
    (change,) = ended.json["changes"]
    assert change["clusters"] == ["staging-2", "staging-1"]


async def test_new_and_ended_findings_and_the_exit_code(git: repositories.Git):
    git.commit({"apps/web/web.yaml": previewed.WEB.replace("web:1.0", "web:latest")})
    ended = await previewed.preview(git, "dev", "staging", "-o", "json")
    assert ended.code == 1
    assert ended.json["refused"] is True
    (new,) = [e for e in ended.json["findings"]["new"] if e["rule"] == "disallow-latest-tag"]
    assert (new["before"], new["after"], new["path"]) == (None, "deny", "apps/web/web.yaml")
    assert [e["rule"] for e in ended.json["findings"]["refusing"]] == ["disallow-latest-tag"]
    for branch in ("dev", "staging"):
        git.run("switch", "--quiet", branch)
        git.commit({"apps/web/web.yaml": previewed.WEB.replace("web:1.0", "web:latest")})
    git.run("switch", "--quiet", "dev")
    git.commit({"apps/web/web.yaml": previewed.WEB})
    ended = await previewed.preview(git, "dev", "staging", "-o", "json")
    assert ended.code == 0
    assert "disallow-latest-tag" in [e["rule"] for e in ended.json["findings"]["ended"]]


@pytest.mark.threat(20)
@pytest.mark.threat(76)
@pytest.mark.parametrize("form", ["text", "json", "markdown"])
async def test_no_value_of_a_secret_is_shown(git: repositories.Git, form: str):
    """Canaries in a changed, a new, a deleted and an invalid Secret, in plain and in base64."""
    git.commit({"apps/web/gone.yaml": previewed.secret("gone-canary-word", "gone")})
    git.run("switch", "--quiet", "staging")
    git.run("merge", "--quiet", "--no-edit", "dev")
    git.run("switch", "--quiet", "dev")
    odd = "apiVersion: v1\nkind: Secret\nmetadata: {name: odd, namespace: shop}\nstringdata: {a: odd-canary-word}\n"
    git.commit(
        {
            "apps/web/secret.yaml": previewed.secret("second-canary-word"),
            "apps/web/new.yaml": previewed.secret("new-canary-word", "new"),
            "apps/web/odd.yaml": odd,
            "apps/web/gone.yaml": None,
        }
    )
    ended = await previewed.preview(git, "dev", "staging", "-o", form)
    said = ended.out + ended.said
    assert "canary-word" not in said
    assert "Y2FuYXJ5" not in said
    assert "data.password" in said
    assert "***" in said


async def test_what_is_the_default_anyway_is_no_change(git: repositories.Git):
    written = previewed.WEB.replace("replicas: 2", "replicas: 2\n  revisionHistoryLimit: 10")
    git.commit({"apps/web/web.yaml": written})
    ended = await previewed.preview(git, "dev", "staging", "-o", "json")
    (changed,) = ended.json["changes"][0]["objects"]
    assert changed["edits"] == []
    ended = await previewed.preview(git, "dev", "staging")
    assert "~ Deployment.apps shop/web (only in what is the default anyway)" in ended.out


@pytest.mark.threat(30)
async def test_what_the_three_dot_diff_hides_is_named(git: repositories.Git):
    """Merged, reverted on staging, and promoted again: git's own diff of a pull request would show nothing of it."""
    git.commit({"apps/web/settings.yaml": previewed.config("reverted")})
    git.run("switch", "--quiet", "staging")
    git.run("merge", "--quiet", "--no-edit", "dev")
    git.run("revert", "--no-edit", "-m", "1", "HEAD")
    assert git.run("diff", "--name-only", "staging...dev") == ""
    ended = await previewed.preview(git, "dev", "staging", "-o", "json")
    assert ended.json["beside"]["hidden"] == ["apps/web/settings.yaml"]
    (changed,) = ended.json["changes"][0]["objects"]
    assert [e["path"] for e in changed["edits"]] == ["data.word"]
    assert (changed["edits"][0]["before"], changed["edits"][0]["after"]) == ("hello", "reverted")


async def test_a_pull_requests_head_is_shown_as_if_it_were_accepted(git: repositories.Git):
    git.run("switch", "--quiet", "-c", "mine", "dev~1")
    git.commit({"apps/web/settings.yaml": previewed.config("mine")}, "mine")
    git.run("switch", "--quiet", "dev")
    git.commit({"apps/web/more.yaml": previewed.config("theirs", "more")}, "theirs")
    before = state_of(git)
    ended = await previewed.preview(git, "dev", "staging", "--head", "mine", "-o", "json")
    assert ended.code == 0, ended.out
    assert ended.json["head"] == git.tip("mine")
    assert {e["name"]: e["result"] for e in ended.json["changes"][0]["objects"]} == {
        "settings": "configured", "more": "created",
    }  # fmt: skip
    assert ended.json["lineage"]["state"] == "open"
    ended = await previewed.preview(git, "mine", "dev", "-o", "json")
    assert [e["name"] for e in ended.json["changes"][0]["objects"]] == ["settings"]
    assert state_of(git) == before


async def test_a_conflict_is_said(git: repositories.Git):
    git.run("switch", "--quiet", "-c", "mine", "dev~1")
    git.commit({"apps/web/settings.yaml": previewed.config("mine")})
    git.run("switch", "--quiet", "dev")
    git.commit({"apps/web/settings.yaml": previewed.config("theirs")})
    before = state_of(git)
    ended = await previewed.preview(git, "mine", "dev")
    assert ended.code == 1
    assert ended.out.startswith("refused: it cannot be merged")
    assert "conflict in apps/web/settings.yaml" in ended.out
    assert state_of(git) == before


@pytest.mark.threat(5)
async def test_no_merge_driver_of_the_clone_runs(git: repositories.Git, tmp_path: Path):
    git.commit({".gitattributes": "* merge=evil\n"})
    git.run("config", "merge.evil.driver", f"touch {tmp_path}/ran; false")
    git.run("switch", "--quiet", "-c", "mine")
    git.commit({"apps/web/settings.yaml": previewed.config("mine") + "# end\n"})
    git.run("switch", "--quiet", "dev")
    git.commit({"apps/web/settings.yaml": "# start\n" + previewed.config("hello")})
    await previewed.preview(git, "mine", "dev")
    assert not (tmp_path / "ran").exists()


async def test_a_cluster_that_joins_or_leaves_is_told_first(git: repositories.Git):
    git.run("switch", "--quiet", "-c", "add", "prod")
    path, text = previewed.cluster("prod", 3)
    git.commit({path: text, "clusters/prod/prod-1.yaml": None})
    ended = await previewed.preview(git, "add", "prod")
    assert ended.code == 0, ended.out
    assert "  cluster prod-1 leaves (orphan)" in ended.out
    assert "  cluster prod-3 joins" in ended.out
    assert "deletions" not in ended.out
    assert "approvals: 2 people of release-managers, valid for 7d: asked by the hub" in ended.out
    assert "soak" not in ended.out


async def test_a_direct_change_of_a_later_environment_would_be_refused(git: repositories.Git):
    git.run("switch", "--quiet", "-c", "direct", "prod")
    git.commit({"apps/web/settings.yaml": previewed.config("direct")})
    ended = await previewed.preview(git, "direct", "prod", "-o", "json")
    assert ended.code == 1
    assert ended.json["lineage"]["state"] == "refused"


@pytest.mark.threat(92)
async def test_what_needs_a_permit_would_be_refused(git: repositories.Git):
    git.commit({"apps/web/space.yaml": None})
    ended = await previewed.preview(git, "dev", "staging", "-o", "json")
    assert ended.code == 1
    rules = {e["rule"]: e["message"] for e in ended.json["findings"]["refusing"]}
    assert rules["deletion-guard"] == "deleting Namespace shop needs a Permit"


@pytest.mark.threat(73)
async def test_nothing_of_the_repository_is_markup_in_a_comment(git: repositories.Git):
    evil = "</code></details><script>alert(1)</script> ![x](https://evil.example) @everyone ```` \\e[31m\\n# big"
    text = f'apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: evil, namespace: shop}}\ndata: {{word: "{evil}"}}\n'
    git.commit({"apps/web/evil.yaml": text}, "<img src=x onerror=alert(1)> `x` ```` # [a](b) @all")
    git.commit(
        {"apps/web/evil.yaml": text.replace("alert(1)", "alert(2)")}, "</summary>@all ``````"
    )
    git.run("switch", "--quiet", "staging")
    git.run("merge", "--quiet", "--no-edit", "dev~1")
    ended = await previewed.preview(git, "dev", "staging", "-o", "markdown")
    outside, fence = [], ""
    for line in ended.out.splitlines():
        is_fence = line.startswith("```")
        if fence and line == fence:
            fence = ""
        elif not fence and is_fence:
            fence = line.removesuffix("text")
        elif not fence:
            outside.append(line)
    assert not fence
    said = "\n".join(outside)
    assert not any(word in said for word in ("evil", "script", "img", "@", "summary>@", "`"))
    assert "script>alert" in ended.out
    assert "\x1b" not in ended.out


async def test_misuse_is_said_and_the_next_step(git: repositories.Git, tmp_path: Path):
    cases = [
        (("dev", "prod"), "prod does not come right after dev: dev -> staging -> prod"),
        (("dev", "moon"), "names no environment moon"),
        (("nowhere", "dev"), "there is no commit 'nowhere'"),
        (("--end-of-options", "dev"), ""),
        (("dev", "staging", "--rev", "staging"), "is no commit of dev's branch"),
        (("dev~1", "staging", "--head", "dev"), "is no environment"),
        (("dev", "staging", "--rev", "dev", "--head", "dev"), "no --rev with it"),
        (("dev", "staging", "--post", "github"), "--post posts a status"),
        (("dev", "staging", "--status", "--url", "https://x"), "--post says to whom"),
        (("dev", "staging", "--status", "--post", "github", "--project", "a/b"), "no token"),
    ]
    found = await asyncio.gather(*(previewed.preview(git, *words) for words, _ in cases))
    for ended, (words, said) in zip(found, cases, strict=True):
        assert ended.code == 2, words
        assert said in ended.said, words
        assert ended.out == ""
    for place, said in (("absent", "is no folder"), (".", "is in no git repository")):
        ended = await fleet("preview", "dev", "staging", "--dir", tmp_path / place)
        assert ended.code == 2
        assert said in ended.said


@pytest.mark.threat(27)
async def test_a_clone_that_is_cut_off_is_an_error_with_the_way_out(
    git: repositories.Git, tmp_path: Path
):
    git.commit({"apps/web/settings.yaml": previewed.config("two")})
    git.run(
        "clone",
        "--quiet",
        "--depth=1",
        "--no-single-branch",
        f"file://{git.folder}",
        str(tmp_path / "cut"),
    )
    ended = await fleet("preview", "dev", "staging", "--dir", tmp_path / "cut")
    assert ended.code == 2
    assert "git fetch --unshallow" in ended.said


async def test_a_clone_with_remote_branches_and_a_detached_head_is_enough(
    git: repositories.Git, tmp_path: Path
):
    """As a CI server checks out; also in a worktree of it, and in a bare clone."""
    git.commit({"apps/web/settings.yaml": previewed.config("two")})
    clone = tmp_path / "clone"
    git.run("clone", "--quiet", str(git.folder), str(clone))
    git.run("-C", str(clone), "switch", "--quiet", "--detach", "origin/dev")
    git.run("-C", str(clone), "branch", "-D", "dev")
    git.run("-C", str(clone), "worktree", "add", "--quiet", "--detach", str(tmp_path / "tree"))
    git.run("clone", "--quiet", "--bare", str(git.folder), str(tmp_path / "bare"))
    for place in ("clone", "tree", "bare"):
        ended = await fleet("preview", "dev", "staging", "--dir", tmp_path / place)
        assert ended.out.startswith("nothing refuses it: 2 configured"), (place, ended)


async def test_what_was_shown_before_is_shown_again_until_something_moves(
    git: repositories.Git, tmp_path: Path
):
    """Also what runs, which is kept of its own: a later preview finds the same in it."""
    cache = {"FLEETGATE_CACHE": str(tmp_path / "cache")}

    async def shown(**environment: str) -> list[str]:
        words = ("preview", "dev", "staging", "--dir", git.folder, "-o")
        return [(await fleet(*words, form, **environment)).out for form in ("json", "text")]

    git.commit({"apps/web/settings.yaml": previewed.config("two"), "apps/web/old.yaml": None})
    assert await shown(**cache) == await shown(**cache)
    git.commit({"apps/web/settings.yaml": previewed.config("three")})
    again = await shown(**cache)
    assert again == await shown(FLEETGATE_CACHE=str(tmp_path / "other"))
    assert '"three"' in again[0]
    git.run("switch", "--quiet", "staging")
    git.run("merge", "--quiet", "--no-edit", "dev~1")
    moved = await shown(**cache)
    assert moved == await shown(FLEETGATE_CACHE=str(tmp_path / "third"))
    assert '"three"' in moved[0]
    assert "old" not in moved[1]


async def test_a_waiver_that_ended_meanwhile_is_not_believed(
    git: repositories.Git, tmp_path: Path
):
    """So nothing with a waiver in it is shown again unseen."""
    git.run("switch", "--quiet", "staging")
    git.commit({"environments/staging/w.yaml": repositories.waiver_text(expires="2999-01-01")})
    for _ in range(2):
        ended = await fleet(
            "preview", "dev", "staging", "--dir", git.folder, FLEETGATE_CACHE=str(tmp_path / "c")
        )
        assert ended.code in (0, 1)
    with sqlite3.connect(tmp_path / "c" / "check.sqlite") as memo:
        kept = [key for (key,) in memo.execute("SELECT key FROM memo")]
    assert kept
    assert not [each for each in kept if each.startswith(("preview/", "standstill/"))]


async def test_what_kustomize_renders_is_compared_as_well(git: repositories.Git):
    files = {
        "apps/built/bundle.yaml": repositories.bundle_text("built"),
        "apps/built/kustomization.yaml": "resources: [one.yaml]\nnamePrefix: a-\n",
        "apps/built/one.yaml": previewed.config("one", "one"),
    }
    git.commit(files)
    ended = await previewed.preview(git, "dev", "staging", "-o", "json")
    assert ended.code == 0, ended
    assert [e["name"] for e in ended.json["changes"][0]["objects"]] == ["a-one"]
    git.run("switch", "--quiet", "staging")
    git.run("merge", "--quiet", "--no-edit", "dev")
    git.run("switch", "--quiet", "dev")
    git.commit({"apps/built/one.yaml": previewed.config("two", "one")})
    ended = await previewed.preview(git, "dev", "staging")
    assert 'data.word: "one" -> "two"' in ended.out


FROZEN = previewed.FLEET.replace(
    "    - {name: rest}\n",
    """    - {name: rest, size: "1", approvals: [{group: leads}]}
    rollout: {brokenFirst: true}
    gates:
      budget: {objects: 100, deletions: 0}
      windows:
      - {name: freeze, effect: deny, timeZone: UTC, start: "2020-01-01T00:00", duration: 3660d, waves: [rest]}
      - {name: never, effect: allow, timeZone: UTC, start: "2020-01-01T00:00", duration: 1h}
""",
)


@pytest.mark.threat(54)
async def test_gates_are_told_with_what_is_known_of_them_here(tmp_path: Path):
    git = previewed.planted(tmp_path / "fleet", FROZEN)
    git.run("switch", "--quiet", "staging")
    git.commit(dict([previewed.cluster("staging", 3)]))
    git.run("switch", "--quiet", "dev")
    git.commit({"apps/web/settings.yaml": previewed.config("two"), "apps/web/old.yaml": None})
    ended = await previewed.preview(git, "dev", "staging")
    assert ended.code == 1
    lines = ended.out.splitlines()
    assert "  1 canary: change 1: staging-2" in lines
    assert "  2 rest, in 2 parts: change 1: 2 clusters: staging-1, staging-3" in lines
    assert "  budget, refused: 3 objects go, 0 may" in lines
    over = "refused: 3 objects go, 0 may (promote it in parts, oldest commit first: fleet promote --commit)"
    closed = "waiting: closed by freeze"
    gates = lines[lines.index("gates") + 1 : lines.index("assumed")]
    assert gates == [
        "  upstream health: dev is healthy with this content: asked by the hub",
        "  windows: only within never: 1h from 2020-01-01T00:00 UTC: waiting: no open window: never",
        f"  budget: at most 100 objects at once: {over}",
        f"  budget: at most 0 deletions at once: {over}",
        f"  windows of wave rest: never within freeze: 3660d from 2020-01-01T00:00 UTC: {closed}",
        "  approvals of wave rest: one person of leads, valid for 7d: asked by the hub",
    ]  # fmt: skip
    assert "  no cluster is asked: those that fail already would go with the first wave" in lines
    ended = await previewed.preview(git, "dev", "staging", "-o", "json")
    shown = [(wave["wave"], wave["part"], wave["parts"]) for wave in ended.json["waves"]]
    assert shown == [("canary", 1, 1), ("rest", 1, 2), ("rest", 2, 2)]
    assert [each["gate"] for each in ended.json["refusing"]] == ["budget"]


WELL = {
    "gate": "upstream health", "state": "open", "reason": "all well", "hint": "",
    "until": "2027-01-01T00:00:00+00:00",
}  # fmt: skip
SICK = {
    "gate": "quarantine",
    "state": "refused",
    "reason": "it failed",
    "hint": "lift it",
    "until": None,
}
HEALTH = "upstream health: dev is healthy with this content: "


@contextlib.asynccontextmanager
async def hub(state: Path, answer: dict[str, Any]) -> AsyncIterator[list[tuple[str, object]]]:
    """One that answers whatever it is asked; with what it was asked."""
    asked: list[tuple[str, object]] = []

    async def answers(command: str, arguments: admin.Arguments, _: str) -> dict[str, Any]:
        asked.append((command, dict(arguments)))
        return answer

    async with admin.serve(state / "fleet.sock", answers):
        yield asked


async def test_a_hub_that_can_be_reached_says_how_its_gates_stand(
    git: repositories.Git, tmp_path: Path
):
    git.commit({"apps/web/settings.yaml": previewed.config("two")})
    words = ("dev", "staging", "--state", tmp_path)
    async with hub(tmp_path, {"gates": [WELL, SICK]}) as asked:
        ended = await previewed.preview(git, *words)
    assert asked == [("explain", {"environment": "staging", "commit": git.tip("dev")})]
    assert f"{HEALTH}open: all well, until 2027-01-01T00:00+00:00" in ended.out
    assert "quarantine: refused: it failed (lift it)" in ended.out
    assert "no book is asked" not in ended.out
    async with hub(tmp_path, {"gates": [], "told": "this is what staging runs"}):
        ended = await previewed.preview(git, *words)
    assert "the hub: this is what staging runs" in ended.out


async def test_a_hub_that_is_odd_or_out_of_reach_is_named_and_nothing_is_made_of_it(
    git: repositories.Git, tmp_path: Path
):
    git.commit({"apps/web/settings.yaml": previewed.config("two")})
    words = ("dev", "staging", "--state", tmp_path)
    for odd in (["none"], [{**WELL, "state": "moon"}], [{**WELL, "until": "soon"}], None, []):
        async with hub(tmp_path, {"gates": odd}):
            ended = await previewed.preview(git, *words)
        assert f"{HEALTH}asked by the hub" in ended.out
        assert "what it says is not understood" in ended.out
    ended = await previewed.preview(git, *words)
    assert f"{HEALTH}asked by the hub" in ended.out
    assert "the hub was not asked: no hub answers" in ended.out
    ended = await previewed.preview(git, *words, "--head", "dev")
    assert "the hub was not asked: it knows what can be promoted" in ended.out
