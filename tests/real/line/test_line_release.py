"""From a commit to objects in a cluster and back to the hub; and what a confused branch does to it: nothing."""

import pytest

import lines
from fleet.model import ledger


async def test_a_commit_is_applied_and_reported(line: lines.Line):
    await line.open()
    dev = await line.join("dev-1")
    release = await line.healthy(line.git.tip())
    assert await dev.word(line.namespace, "a")() == "hello"
    report = line.rows.clusters[dev.name].report
    assert report is not None
    assert (report.release, report.applied, report.objects) == (release.number, True, 3)
    assert report.kubernetes.startswith("v1.36.")


async def test_a_commit_that_changes_one_object_applies_one_object(line: lines.Line):
    await line.open()
    dev = await line.join("dev-1")
    await line.healthy(line.git.tip())
    dev.asked.asked.clear()
    await line.healthy(line.commit(line.app(b="changed")))
    assert await dev.word(line.namespace, "b")() == "changed"
    assert dev.asked.sent("PATCH") == [line.config_path("b")]
    assert dev.touched() == [line.config_path("b")]


async def test_a_commit_that_changes_no_object_applies_none(line: lines.Line):
    await line.open()
    dev = await line.join("dev-1")
    await line.healthy(line.git.tip())
    dev.asked.asked.clear()
    release = await line.healthy(line.commit({"README.md": "words"}))
    assert line.rows.clusters[dev.name].release == release.number
    assert dev.touched() == []


@pytest.mark.threat(22)
async def test_a_violating_commit_is_refused_at_its_line_and_what_runs_goes_on(line: lines.Line):
    await line.open("dev", "staging")
    dev = await line.join("dev-1")
    staging = await line.join("staging-1", "staging")
    good = line.git.tip("dev")
    await line.healthy(good)
    await line.healthy(line.git.tip("staging"), "staging")
    bad = line.commit(line.app(a="rude", b="newer"))
    decision = await line.judged(bad, "refused")
    (finding,) = decision.findings
    assert (finding.place.path, finding.place.line) == ("apps/web/a.yaml", 4)
    assert (finding.rule, finding.message) == ("polite", "be polite")
    assert finding.clusters == ("dev-1",)
    # Nothing of the refused commit is out, not even its good half; drift is put back all the same.
    await dev.owner.merge(line.config_path("a"), {"data": {"word": "by hand"}})
    await line.equals(dev.word(line.namespace, "a"), "hello")
    assert await dev.word(line.namespace, "b")() == "world"
    release = line.rows.in_force(dev.environment)
    assert release is not None
    assert release.commit == good
    # Another environment goes on meanwhile.
    label = {"clusters/staging/staging-1.yaml": staging.document + "# registered\n"}
    await line.healthy(line.commit(label, "staging"), "staging")


@pytest.mark.threat(22)
@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("apps/web/a.yaml", "apiVersion: v1\nkind: ConfigMap\n  bad: [\n"),
        ("fleet.yaml", "kind: Fleet\n"),
        ("apps/web/bundle.yaml", "kind: Bundle\nspec: 7\n"),
        (
            "policies/polite.yaml",
            lines.POLICY.replace("object.data.word !=", "object.data..word !="),
        ),
        ("clusters/dev/dev-1.yaml", "apiVersion: fleetgate.dev/v1alpha1\nkind: Cluster\n"),
    ],
)
async def test_a_broken_file_holds_new_commits_and_nothing_else(
    line: lines.Line, path: str, text: str
):
    await line.open()
    dev = await line.join("dev-1")
    await line.healthy(line.git.tip())
    decision = await line.judged(line.commit({path: text}), "refused")
    assert path in {finding.place.path for finding in decision.findings}
    await line.quiet()
    assert dev.deleted() == []
    assert line.rows.clusters[dev.name].retire is None
    await dev.owner.must("DELETE", line.config_path("a"))
    await line.equals(dev.word(line.namespace, "a"), "hello")


@pytest.mark.threat(24)
async def test_a_deleted_branch_holds_and_prunes_nothing(line: lines.Line):
    await line.open("dev", "staging")
    station = await line.join("staging-1", "staging")
    await line.join("dev-1")
    tip = line.git.tip("staging")
    await line.healthy(tip, "staging")
    line.remote("update-ref", "-d", "refs/heads/staging")
    await line.until("staging holds", lambda: line.rows.environments[station.environment].hold)
    await line.quiet()
    assert station.deleted() == []
    assert await station.word(line.namespace, "a")() == "hello"
    # Back again, it goes on as if nothing had been.
    line.push("staging")
    await line.until("staging goes on", lambda: not line.rows.environments["staging"].hold)
    await line.healthy(tip, "staging")


@pytest.mark.threat(24)
async def test_a_tag_of_the_same_name_is_not_the_branch(line: lines.Line):
    await line.open()
    dev = await line.join("dev-1")
    await line.healthy(line.git.tip())
    line.git.run("switch", "--quiet", "--detach")
    evil = line.git.commit(line.app(a="evil"))
    names = ("refs/tags/dev", "refs/tags/heads/dev", "refs/heads/x/dev")
    line.git.run("push", "--quiet", "origin", *(f"{evil}:{name}" for name in names))
    await line.healthy(line.commit(line.app(b="good")))
    assert await dev.word(line.namespace, "a")() == "hello"
    assert await dev.word(line.namespace, "b")() == "good"
    assert dev.deleted() == []


@pytest.mark.threat(23)
@pytest.mark.parametrize("way", ["reset", "orphan"])
async def test_a_rewritten_branch_holds_and_prunes_nothing(line: lines.Line, way: str):
    await line.open()
    dev = await line.join("dev-1")
    good = line.commit(line.app(a="second"))
    await line.healthy(good)
    if way == "reset":
        line.git.run("reset", "--quiet", "--hard", "HEAD~1")
    else:
        tree = line.git.run("rev-parse", "HEAD^{tree}")
        line.git.run("reset", "--quiet", "--hard", line.git.run("commit-tree", tree, "-m", "same"))
    decision = await line.decided(line.push("dev", force=True))
    assert decision.verdict is ledger.Verdict.WAITING
    assert decision.lineage is ledger.Lineage.REWRITE
    assert good[:10] in " ".join(gate.reason for gate in decision.gates)
    await line.quiet()
    assert await dev.word(line.namespace, "a")() == "second"
    assert dev.deleted() == []
    # A branch that contains what runs again goes on.
    line.git.run("reset", "--quiet", "--hard", good)
    line.push("dev", force=True)
    await line.healthy(line.commit(line.app(a="third")))
