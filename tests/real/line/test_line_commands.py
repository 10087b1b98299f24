"""`fleet` as people and CI run it: a program with words, exit codes and JSON; and never a traceback."""

import asyncio
import json
import os
import pwd
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jsonschema
import pytest
import yaml

import lines
import repositories
from commands import Ended, fleet

ROOT = Path(__file__).resolve().parents[3]
# Many processes, each with all its imports; what is built and started before is not counted.
pytestmark = pytest.mark.timeout(180, func_only=True)
COMMANDS = [
    (), ("init",), ("check",), ("render",), ("promote",), ("rollback",), ("status",), ("explain",),
    ("unpromoted",), ("residual",), ("hub",), ("hub", "key"),
    ("hub", "quarantine"), ("hub", "lift"), ("hub", "status-set"), ("hub", "rebaseline"),
    ("hub", "baseline"), ("hub", "recover"), ("agent",), ("agent", "enroll"), ("agent", "run"),
    ("audit",), ("audit", "decisions"), ("audit", "violations"), ("audit", "verify"),
    ("audit", "show"), ("audit", "prove"), ("audit", "checkpoints"), ("audit", "compare"),
    ("audit", "replay"), ("audit", "export"), ("agent", "checkpoint"),
    ("schema",), ("schema", "export"), ("lab",), ("lab", "up"),
    ("lab", "down"), ("lab", "kubeconfig"), ("policy",), ("policy", "test"), ("policy", "explain"),
    ("policy", "impact"), ("approve",), ("trust",), ("trust", "sign"), ("trust", "show"),
    ("hub", "approve"), ("rollout",), ("rollout", "pause"), ("rollout", "resume"), ("rollout", "abort"),
    ("rollout", "status"), ("break-glass",),
]  # fmt: skip


@pytest.fixture
async def started(tmp_path: Path) -> repositories.Git:
    """What `fleet init` writes."""
    ended = await fleet("init", tmp_path / "our-fleet")
    assert ended.code == 0, ended.said
    return repositories.Git(tmp_path / "our-fleet")


async def test_a_new_repository_has_three_branches_each_with_what_it_owns(
    started: repositories.Git,
):
    assert started.run("branch", "--format=%(refname:short)").split() == ["dev", "prod", "staging"]
    for branch in ("dev", "staging", "prod"):
        paths = started.run("ls-tree", "-r", "--name-only", branch).split()
        owned = {p.split("/")[1] for p in paths if p.startswith(("clusters/", "environments/"))}
        assert owned == {branch}
    # A plain merge carries nothing that the target owns.
    started.run("switch", "--quiet", "staging")
    started.run("merge", "--quiet", "--no-edit", "dev")
    assert started.run("diff", "--name-only", "HEAD~1", "--", "clusters/staging") == ""


async def test_a_new_repository_is_sound(started: repositories.Git):
    ended = await fleet("check", started.folder)
    assert (ended.code, ended.said) == (0, "")
    assert "nothing denies it" in ended.out
    assert "assumed: " in ended.out


async def test_what_was_begun_here_is_promoted_here(started: repositories.Git):
    """As docs/getting-started.md goes: no remote anywhere yet."""
    path = "apps/hello/web.yaml"
    text = (started.folder / path).read_text()
    tip = started.commit({path: text.replace("replicas: 2", "replicas: 3")}, "three")
    before = started.tip("staging")
    shown = await fleet("promote", "dev", "staging", "--dry-run", at=started.folder)
    assert (shown.code, started.tip("staging")) == (0, before)
    assert "~ Deployment.apps hello/web" in shown.out
    ended = await fleet("promote", "dev", "staging", at=started.folder)
    assert (ended.code, ended.said) == (0, "")
    parents = started.run("rev-parse", "staging^1", "staging^2").split()
    assert parents == [before, tip]


async def test_branches_beside_the_road_and_what_dev_says_of_it_mean_nothing(
    started: repositories.Git,
):
    """The road is as the target has it, not as the branch that happens to be checked out, or the first by name."""
    started.run("switch", "--quiet", "--orphan", "a-page")
    started.commit({"index.html": "hello\n"}, "pages")
    ended = await fleet("promote", "dev", "staging", "--dry-run", at=started.folder)
    assert (ended.code, ended.said) == (0, "")


async def test_a_bundle_is_not_promoted_without_what_it_is_made_of(started: repositories.Git):
    config = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: two, namespace: hello}\n"
    bundle = (started.folder / "apps/hello/bundle.yaml").read_text()
    files = {
        "apps/two/bundle.yaml": bundle.replace("name: hello", "name: two"),
        "apps/two/kustomization.yaml": "resources: [../../bases/two]\n",
        "bases/two/kustomization.yaml": "resources: [config.yaml]\n",
        "bases/two/config.yaml": config,
    }
    started.commit(files, "two")
    words = ("promote", "dev", "staging", "--bundle", "apps/two", "--dry-run")
    ended = await fleet(*words, at=started.folder)
    assert ended.code == 2
    needed = "apps/two needs bases/two/config.yaml, bases/two/kustomization.yaml as "
    assert needed in ended.said
    started.run("switch", "--quiet", "staging")
    started.run("merge", "--quiet", "--no-edit", "dev")
    started.run("switch", "--quiet", "dev")
    started.commit(
        {"apps/two/kustomization.yaml": files["apps/two/kustomization.yaml"] + "namePrefix: x-\n"},
        "x",
    )
    assert "needs" not in (await fleet(*words, at=started.folder)).said


async def test_what_cannot_be_rendered_is_not_left_out_in_silence(started: repositories.Git):
    started.write({"apps/hello/more.yaml": "a: [\n"})
    ended = await fleet("render", started.folder)
    assert ended.code == 1
    assert "apps/hello/more.yaml:" in ended.said
    assert all(json.loads(line) for line in ended.out.splitlines())


async def test_nothing_is_written_over(started: repositories.Git):
    before = started.tip()
    ended = await fleet("init", started.folder)
    assert ended.code == 2
    assert "not empty" in ended.said
    assert started.tip() == before


def latest(git: repositories.Git) -> None:
    path = git.folder / "apps/hello/web.yaml"
    text = path.read_text()
    image = next(line for line in text.splitlines() if "image:" in line)
    path.write_text(text.replace(image, image.rpartition(":")[0] + ":latest"))


async def test_a_finding_reads_like_a_compilers(started: repositories.Git):
    latest(started)
    ended = await fleet("check", started.folder)
    assert ended.code == 1
    (line,) = [each for each in ended.out.splitlines() if "disallow-latest-tag" in each]
    number = 1 + next(
        place
        for place, text in enumerate(
            (started.folder / "apps/hello/web.yaml").read_text().splitlines()
        )
        if ":latest" in text
    )
    assert line.startswith(f"apps/hello/web.yaml:{number}:")
    assert "denied by disallow-latest-tag: " in line
    assert "hint: name a version" in ended.out


async def test_check_in_json_has_its_documented_shape(started: repositories.Git):
    good = (await fleet("check", started.folder, "-o", "json")).json
    assert set(good) == {
        "refused", "environments", "results", "mostBroken", "mostAffected", "findings",
    }  # fmt: skip
    assert good["refused"] is False
    assert set(good["environments"][0]) == {
        "name", "commit", "content", "rules", "clusters", "assumed",
    }  # fmt: skip
    latest(started)
    ended = await fleet("check", started.folder, "-o", "json")
    assert (ended.code, ended.json["refused"]) == (1, True)
    assert {frozenset(each) for each in ended.json["findings"]} == {
        frozenset({
            "rule", "severity", "message", "path", "line", "column", "hint", "subject", "clusters",
            "level", "waived", "lapsed", "passed",
        })
    }  # fmt: skip


async def test_what_is_waived_is_shown_with_who_and_until_when(started: repositories.Git):
    base = started.tip()
    web = [{"kind": "Deployment", "namespace": "hello", "name": "web"}]
    ends = (datetime.now(UTC) + timedelta(days=3)).date().isoformat()
    text = repositories.waiver_text(rules=["disallow-latest-tag"], objects=web, expires=ends)
    started.commit({"environments/dev/w.yaml": text})
    latest(started)
    in_force = await fleet("check", started.folder, "--base", started.tip(), "-o", "json")
    assert (in_force.code, in_force.json["refused"]) == (0, False)
    (waived,) = [each for each in in_force.json["findings"] if each["severity"] == "waived"]
    assert (waived["rule"], waived["path"]) == ("disallow-latest-tag", "apps/hello/web.yaml")
    assert waived["waived"] == {
        "waiver": "legacy", "owner": "team-shop", "reason": "moves out in spring", "ticket": "OPS-1",
        "until": f"{ends}T00:00:00+00:00", "path": "environments/dev/w.yaml", "line": 1, "otherwise": "deny",
    }  # fmt: skip
    shown = await fleet("check", started.folder, "--base", started.tip())
    assert "1 findings are waived until their waivers end" in shown.out
    assert f"waived until {ends}" in shown.out
    # Held against what ran before the waiver, it does not count yet.
    assert (await fleet("check", started.folder, "--base", base)).code == 1


async def test_a_commit_is_checked_with_the_rules_in_force(started: repositories.Git):
    base = started.tip()
    latest(started)
    policies = sorted((started.folder / "policies/disallow-latest-tag").rglob("*"))
    started.commit({str(p.relative_to(started.folder)): None for p in policies if p.is_file()})
    tip = started.tip()
    alone = await fleet("check", started.folder, "--rev", tip)
    held = await fleet("check", started.folder, "--rev", tip, "--base", base)
    assert (alone.code, held.code) == (0, 1)
    assert "disallow-latest-tag" in held.out


async def test_every_cluster_of_the_example_fleet_gets_objects():
    ended = await fleet("check", ROOT, "-e", "prod", "-o", "json")
    assert ended.code == 0, ended.out
    assert set(ended.json["environments"][0]["clusters"]) == {"prod-canary", "prod-eu"}
    rendered = await fleet("render", ROOT, "-e", "prod", "--cluster", "prod-eu")
    kinds = [json.loads(line)["kind"] for line in rendered.out.splitlines()]
    assert "Deployment" in kinds


async def test_the_exported_schemas_hold_for_the_example_fleet(tmp_path: Path):
    assert (await fleet("schema", "export", tmp_path)).code == 0
    schemas = {path.stem: json.loads(path.read_text()) for path in tmp_path.glob("*.json")}
    assert set(schemas) == {"Fleet", "Cluster", "Bundle", "Permit", "Waiver", "Trust"}
    assert (await fleet("schema", "export")).json == schemas
    tried = 0
    for path in (
        ROOT / "fleet.yaml",
        *ROOT.glob("clusters/*/*.yaml"),
        *ROOT.glob("deploy/**/bundle.yaml"),
    ):
        document = yaml.safe_load(path.read_text())
        jsonschema.validate(document, schemas[document["kind"]])
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({**document, "unknown": 1}, schemas[document["kind"]])
        tried += 1
    assert tried >= 6


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
async def test_every_command_explains_itself(words: tuple[str, ...]):
    ended = await fleet(*words, "--help")
    assert ended.code == 0
    assert ended.out.startswith("Usage: ")


SILLY = [
    (("check", "missing"), "missing"),
    (("check", "empty"), "fleet.yaml"),
    (("check", "fleet", "--rev", "nonsense"), "nonsense"),
    (("check", "fleet", "--rev", "--upload-pack=evil"), ""),
    (("check", "fleet", "-e", "mars"), "mars"),
    (("check", "fleet", "--base", "nonsense"), "nonsense"),
    (("check", "empty", "--rev", "HEAD"), ""),
    (("check", "fleet/fleet.yaml"), "no folder"),
    (("check", "fleet", "-o", "xml"), ""),
    (("check", "fleet", "--kustomize", "missing"), ""),
    (("check", "bare"), "--rev"),
    (("render", "missing"), "missing"),
    (("render", "fleet", "--cluster", "mars"), "no cluster 'mars' gets objects: any-cluster"),
    (("init", "fleet/fleet.yaml"), ""),
    (("init", "/proc/nowhere"), ""),
    (("promote", "dev", "staging", "--dir", "empty"), ""),
    (("promote", "dev", "staging", "--dir", "missing"), ""),
    (("promote", "dev", "mars", "--dir", "fleet"), ""),
    (("promote", "dev", "staging", "--dir", "fleet", "--commit", "nonsense"), "nonsense"),
    (("status", "--state", "missing"), "no hub"),
    (("audit", "verify", "--state", "missing"), "no hub"),
    (("audit", "show", "1", "--state", "missing"), "no hub"),
    (("hub",), "--repo"),
    (("hub", "--repo", "missing", "--state", "state"), "missing"),
    (("hub", "--repo", "ext::sh -c true", "--state", "state"), "ext::"),
    (("hub", "--repo", "fleet", "--state", "state", "--listen", "nowhere"), "nowhere"),
    (("hub", "--repo", "fleet", "--state", "state", "--tls-cert", "a"), "--tls-key"),
    (("hub", "--repo", "fleet", "--poll", "nan"), "--poll nan"),
    (("hub", "--repo", "fleet", "--poll", "0"), "--poll 0"),
    (("hub", "--repo", "fleet", "--log-format", "xml"), "xml"),
    (("agent", "run", "--log-format", "xml"), "xml"),
    (("hub", "--repo", "fleet", "--state", "s", "--tls-cert", "a", "--tls-key", "b"), ""),
    (("hub", "--repo", "fleet", "--state", "s", "--webhook-secret-file", "missing"), "missing"),
    (("hub", "--repo", "fleet", "--state", "fleet/fleet.yaml"), ""),
    (("hub", "key", "--state", "fleet/fleet.yaml"), ""),
    (("hub", "recover", "--state", "missing"), "no hub answers at missing/"),
    (("hub", "--state", "missing", "recover"), "no hub answers at missing/"),
    (("hub", "--repo", "fleet", "--state", "s", "--status-secret", "ci"), "ISSUER=FILE"),
    (("hub", "--repo", "fleet", "--state", "s", "--status-secret", "ci=missing"), "ISSUER=FILE"),
    (("hub", "--repo", "fleet", "--state", "s", "--status-secret", "ci=binary"), "no text"),
    (("hub", "--repo", "fleet", "--state", "s", "--metrics-url", "file:///etc"), "file:///etc"),
    (("hub", "--repo", "fleet", "--state", "s", "--metrics-url", "http://["), "http://["),
    (("hub", "quarantine", "prod", "abc", "--reason", "x"), "no hub answers at fleet-state/"),
    (("hub", "quarantine", "prod", "abc"), "--reason"),
    (("break-glass", "prod", "--reason", "x"), "--until"),
    (("explain", "prod", "--state", "missing"), "no hub"),
    (("unpromoted", "--state", "missing"), "no hub"),
    (("residual", "prod", "--state", "missing"), "no hub"),
    (("residual",), "environment"),
    (("hub", "rebaseline", "prod", "abc"), "--reason"),
    (("hub", "rebaseline", "prod", "abc", "--reason", "x"), "no hub answers at fleet-state/"),
    (("rollback", "prod"), "--reason"),
    (("rollback", "prod", "--reason", "x", "--dir", "empty"), ""),
    (("rollback", "prod", "--reason", "x", "--dir", "missing"), ""),
    (("rollback", "prod", "--reason", "x", "--dir", "fleet"), "only the hub knows"),
    (("rollback", "mars", "--reason", "x", "--dir", "fleet", "--to", "abcdef0"), "abcdef0"),
    (("rollout", "pause", "prod"), "--reason"),
    (("rollout", "abort", "prod", "--reason", "x", "--state", "missing"), "no hub"),
    (("rollout", "status", "--state", "missing"), "no hub"),
    (("hub", "baseline"), "no hub answers at fleet-state/"),
    (("agent", "run", "--kubeconfig", "missing"), "missing"),
    (("agent", "run", "--kubeconfig", "fleet/fleet.yaml"), ""),
    (("agent", "run", "--kubeconfig", "empty"), ""),
    (
        ("agent", "enroll", "--cluster", "a", "-e", "dev", "--hub", "http://h", "--hub-key", "no"),
        "no",
    ),
    (("schema", "export", "fleet/fleet.yaml"), "fleet.yaml"),
    (("hub", "--repo", "fleet", "--state", "s", "--webhook-secret-file", "binary"), "no text"),
    (("lab", "kubeconfig", "x", "--dir", "empty"), "fleet lab up"),
    (("lab", "up", "--clusters", "0"), ""),
    (("nonsense",), "nonsense"),
]


@pytest.mark.parametrize(("words", "named"), SILLY, ids=[" ".join(words) for words, _ in SILLY])
async def test_silly_input_ends_with_words_and_exit_code_2(
    tmp_path: Path, words: tuple[str, ...], named: str
):
    (tmp_path / "empty").mkdir()
    (tmp_path / "binary").write_bytes(bytes(range(256)))
    git = repositories.Git(tmp_path / "fleet")
    git.commit({"fleet.yaml": repositories.FLEET})
    git.run("clone", "--quiet", "--bare", str(git.folder), str(tmp_path / "bare"))
    ended = await fleet(*words, at=tmp_path)
    assert ended.code == 2, ended.out + ended.said
    assert named in ended.said
    assert ended.said.strip()


# With a hub.


async def test_status_says_where_everything_stands(line: lines.Line):
    await line.open()
    await line.join("dev-1")
    await line.healthy(line.git.tip())
    bad = line.commit(line.app(a="rude"), message="a rude word")
    await line.judged(bad, "refused")
    state = line.state.root

    status = (await fleet("status", "--state", state, "-o", "json")).json
    (dev,) = status["environments"]
    assert set(status) == {"held", "repository", "environments", "halts", "alarms"}
    assert set(dev) == {
        "name", "branch", "hold", "release", "candidate", "waivers", "clusters", "brokenGlass",
        "quarantined",
    }  # fmt: skip
    assert dev["candidate"]["verdict"] == "refused"
    assert [each["state"] for each in dev["clusters"]] == ["healthy"]
    assert "a rude word" in (await fleet("status", "--state", state)).out
    assert "dev-1" in (await fleet("status", "--state", state, "-e", "dev")).out
    mars = await fleet("status", "--state", state, "-e", "mars")
    assert (mars.code, mars.out) == (2, "")
    assert "no environment 'mars': dev" in mars.said


async def test_a_rollout_is_paused_shown_and_resumed_by_whoever_runs_the_command(line: lines.Line):
    await line.open()
    await line.join("dev-1")
    await line.healthy(line.git.tip())
    at = ("--state", line.state.root)
    silly = await fleet("rollout", "pause", "dev", "--wave", "moon", "--reason", "x", *at)
    assert (silly.code, "no wave 'moon' in dev: rest" in silly.said) == (2, True)
    me = pwd.getpwuid(os.getuid()).pw_name
    paused = await fleet("rollout", "pause", "dev", "--reason", "incident 42", *at)
    assert paused.out.strip() == f"{me} paused environment dev: incident 42"
    again = await fleet("rollout", "pause", "dev", "--reason", "incident 42", *at)
    assert (again.code, "paused already" in again.said) == (1, True)
    tip = line.commit({"apps/web/c.yaml": line.config_map("c", "ours")})
    await line.judged(tip, "accepted")
    shown = await fleet("rollout", "status", "dev", *at)
    assert "incident 42" in shown.out
    assert "wave rest does not open" in shown.out
    assert "incident 42" in (await fleet("status", *at)).out
    (found,) = (await fleet("rollout", "status", "-o", "json", *at)).json["rollouts"]
    assert [each["counts"]["paused"] for each in found["release"]["rollout"]] == [1]
    assert (await fleet("rollout", "resume", "dev", "--reason", "over", *at)).code == 0
    await line.healthy(tip)
    assert (await fleet("rollout", "abort", "dev", "--reason", "late", *at)).code == 1
    assert (await fleet("rollout", "status", "mars", *at)).code == 2


async def test_violations_are_found_by_what_is_known_of_them(line: lines.Line):
    await line.open()
    await line.join("dev-1")
    await line.judged(bad := line.commit(line.app(a="rude")), "refused")
    state = line.state.root
    violations = ("audit", "violations", "--state", state, "-o", "json")
    (found,) = (await fleet(*violations)).json["violations"]
    assert (found["rule"], found["path"], found["line"]) == ("polite", "apps/web/a.yaml", 4)
    assert (found["commit"], found["until"], found["clusters"]) == (bad, None, ["dev-1"])
    assert "apps/web/a.yaml:4:" in (text := (await fleet(*violations[:-2])).out)
    assert ": polite: be polite (dev-1)" in text
    asked = {
        "--rule": ("polite", "other"),
        "--environment": ("dev", "prod"),
        "--cluster": ("dev-1", "dev-2"),
        "--path": ("apps/*/a.yaml", "apps/*/b.yaml"),
        "--author": ("ada", "eve"),
        "--since": ("2026-01-01", "2999-01-01"),
    }
    hits = [word for option, (hit, _) in asked.items() for word in (option, hit)]
    assert len((await fleet(*violations, *hits)).json["violations"]) == 1
    misses = [fleet(*violations, option, miss) for option, (_, miss) in asked.items()]
    assert [each.json["violations"] for each in await asyncio.gather(*misses)] == [[]] * len(asked)
    assert len((await fleet(*violations, "--open")).json["violations"]) == 1
    await line.healthy(line.commit(line.app(a="kind")))
    assert (await fleet(*violations, "--open")).json["violations"] == []
    (ended,) = (await fleet(*violations)).json["violations"]
    assert ended["until"]
    assert (await fleet(*violations, "--since", "yesterday")).code == 2


async def test_records_are_listed_shown_and_verified(line: lines.Line):
    await line.open()
    await line.join("dev-1")
    await line.healthy(line.git.tip())
    state = ("--state", line.state.root)
    decisions = (await fleet("audit", "decisions", *state, "-o", "json")).json["decisions"]
    assert [each["verdict"] for each in decisions] == ["accepted"] * len(decisions)
    last = decisions[-1]
    assert last["commit"] == line.git.tip()
    by_index = (await fleet("audit", "show", str(last["index"]), *state)).json
    by_hash = (await fleet("audit", "show", last["hash"][:14], *state)).json
    assert by_index == by_hash
    assert (await fleet("audit", "show", "999999", *state)).code == 2
    verified = await fleet("audit", "verify", *state, "-o", "json")
    assert verified.code == 0
    assert verified.json["fault"] == ""
    text = (await fleet("audit", "decisions", *state)).out
    assert last["commit"][:10] in text


async def test_promote_shows_pushes_and_refuses_a_race(line: lines.Line):
    await line.open("dev", "staging")
    await line.join("dev-1")
    staging = await line.join("staging-1", "staging")
    await line.healthy(line.git.tip("staging"), "staging")
    await line.healthy(line.commit(line.app(a="promoted")))
    clone = ("--dir", line.git.folder)

    before = line.remote("rev-parse", "staging")
    ended = await fleet("promote", "dev", "staging", *clone, "--dry-run")
    assert ended.code == 0, ended.said
    assert f"~ ConfigMap {line.namespace}/a" in ended.out
    assert "staging-1: 1 objects change" in ended.out
    assert line.remote("rev-parse", "staging") == before

    assert (await fleet("promote", "staging", "dev", *clone)).code == 2
    foreign = await fleet("promote", "dev", "staging", *clone, "--commit", lone(line.git))
    assert (foreign.code, "no commit of dev's branch" in foreign.said) == (2, True)
    raced = await race(line, clone)
    assert raced.code == 1
    assert "moved" in raced.said
    # Its commit was undone, so the next attempt goes through.
    ended = await fleet("promote", "dev", "staging", *clone)
    assert ended.code == 0, ended.said
    line.nudge()
    await line.healthy(line.remote("rev-parse", "staging"), "staging")
    assert await staging.word(line.namespace, "a")() == "promoted"
    again = await fleet("promote", "dev", "staging", *clone)
    assert "nothing to promote" in again.out


def lone(git: repositories.Git) -> str:
    """A commit that is on no branch."""
    return git.run("commit-tree", "HEAD^{tree}", "-m", "lone").strip()


async def race(line: lines.Line, clone: tuple[str | Path, ...]) -> Ended:
    """A promotion during which staging moves: the hook of the push is the last moment for that."""
    other = repositories.Git(line.folder / "other", "staging")
    other.run("fetch", "--quiet", str(line.origin), "staging")
    other.run("reset", "--quiet", "--hard", "FETCH_HEAD")
    other.commit({"environments/staging/note.md": "a note"})
    hook = line.git.folder / ".git" / "hooks" / "pre-push"
    hook.parent.mkdir(exist_ok=True)
    words = f"git -C {other.folder} push --quiet {line.origin} HEAD:refs/heads/staging"
    hook.write_text(f"#!/bin/sh\nunset GIT_DIR\n{words}\n")
    hook.chmod(0o700)
    ended = await fleet("promote", "dev", "staging", *clone)
    hook.unlink()
    return ended
