"""Promotion: the tip decides. However content comes from one environment to the next, it must be equal."""

from collections.abc import Callable

import pytest

import lines
from commands import fleet
from fleet.model import ledger, names


@pytest.fixture
async def two(line: lines.Line) -> lines.Line:
    """dev and staging, a cluster in each, both healthy with the first content."""
    await line.open("dev", "staging")
    await line.join("dev-1")
    await line.join("staging-1", "staging")
    await line.healthy(line.git.tip("dev"))
    await line.healthy(line.git.tip("staging"), "staging")
    return line


def merged(line: lines.Line) -> None:
    line.git.run("merge", "--quiet", "--no-ff", "-m", "promote", "dev")


def squashed(line: lines.Line) -> None:
    line.git.run("merge", "--quiet", "--squash", "dev")
    line.git.run("commit", "--quiet", "-m", "promote")


def rebased(line: lines.Line) -> None:
    """As a forge does it: the commits of dev made anew on top of staging."""
    since = line.git.run("merge-base", "dev", "staging")
    line.git.run("cherry-pick", "--allow-empty", f"{since}..dev")


WAYS = [merged, squashed, rebased]


@pytest.mark.parametrize("way", WAYS)
async def test_equal_content_is_promoted_whatever_the_way(
    two: lines.Line, way: Callable[[lines.Line], None]
):
    await two.healthy(two.commit(two.app(a="one")))
    await two.healthy(two.commit(two.app(a="two")))
    two.git.run("switch", "--quiet", "staging")
    way(two)
    tip = two.push("staging")
    decision = await two.judged(tip, "accepted", "staging")
    assert decision.lineage is ledger.Lineage.PROMOTION
    await two.healthy(tip, "staging")
    assert await two.stations["staging-1"].word(two.namespace, "a")() == "two"


async def test_a_fast_forward_is_a_promotion(two: lines.Line):
    # What staging owns is on dev as well, where it means nothing; so staging can follow dev commit by commit.
    two.git.run("switch", "--quiet", "dev")
    two.git.run("merge", "--quiet", "-m", "what staging owns", "staging")
    await two.healthy(two.push("dev"))
    tip = two.commit(two.app(a="two"))
    await two.healthy(tip)
    two.git.run("switch", "--quiet", "staging")
    two.git.run("merge", "--quiet", "--ff-only", "dev")
    assert two.push("staging") == tip
    release = await two.healthy(tip, "staging")
    assert list(release.slices) == ["staging-1"]
    assert await two.stations["staging-1"].word(two.namespace, "a")() == "two"


async def test_a_direct_edit_is_refused_with_the_paths_that_differ(two: lines.Line):
    decision = await two.judged(two.commit(two.app(a="direct"), "staging"), "refused", "staging")
    (gate,) = [each for each in decision.gates if each.state is ledger.GateState.REFUSED]
    assert "apps/web/a.yaml" in gate.reason
    assert "apps/web/b.yaml" not in gate.reason
    assert gate.hint.endswith("fleet promote dev staging")
    await two.quiet()
    assert await two.stations["staging-1"].word(two.namespace, "a")() == "hello"


@pytest.mark.threat(29)
@pytest.mark.parametrize("way", ["evil", "ours"])
async def test_a_merge_that_is_not_what_dev_accepted_is_refused(two: lines.Line, way: str):
    await two.healthy(two.commit(two.app(a="two")))
    two.git.run("switch", "--quiet", "staging")
    if way == "evil":
        two.git.run("merge", "--quiet", "--no-ff", "--no-commit", "dev")
        tip = two.git.commit(two.app(a="two", b="evil"), "promote")
    else:
        two.git.run("merge", "--quiet", "-s", "ours", "-m", "promote", "dev")
        tip = two.git.tip()
    two.push("staging")
    decision = await two.decided(tip, "staging")
    assert decision.verdict is ledger.Verdict.REFUSED
    assert decision.lineage is ledger.Lineage.ALTERED
    named = "apps/web/b.yaml" if way == "evil" else "apps/web/a.yaml"
    assert named in next(each.reason for each in decision.gates if each.gate == "lineage")
    await two.quiet()
    assert await two.stations["staging-1"].word(two.namespace, "a")() == "hello"


async def test_a_merge_that_carries_what_the_target_owns_is_refused_and_names_the_command(
    two: lines.Line,
):
    await two.healthy(two.commit(two.app(a="two")))
    # Somebody wrote on dev what staging owns: inert there, but a plain merge would bring it along.
    file = {"environments/staging/values.yaml": "a: 1\n"}
    await two.healthy(two.commit(file))
    two.git.run("switch", "--quiet", "staging")
    merged(two)
    decision = await two.judged(two.push("staging"), "refused", "staging")
    (gate,) = [each for each in decision.gates if each.state is ledger.GateState.REFUSED]
    assert "owns" in gate.reason
    assert "fleet promote dev staging" in gate.hint


async def test_content_waits_while_dev_has_not_decided(two: lines.Line):
    # dev itself waits, because its branch was rewritten.
    two.git.run("switch", "--quiet", "dev")
    two.git.run("reset", "--quiet", "--hard", "HEAD~1")
    dev = two.git.commit(two.app(a="two"))
    two.push("dev", force=True)
    await two.judged(dev, "waiting")
    two.git.run("switch", "--quiet", "staging")
    merged(two)
    decision = await two.judged(two.push("staging"), "waiting", "staging")
    told = " ".join(each.reason for each in decision.gates)
    assert "dev has not accepted this content: waiting there" in told
    await two.quiet()
    assert await two.stations["staging-1"].word(two.namespace, "a")() == "hello"


async def test_content_waits_until_dev_is_healthy_with_it(two: lines.Line):
    dev = two.stations["dev-1"]
    await dev.stop()
    tip = two.commit(two.app(a="two"))
    await two.judged(tip, "accepted")
    two.git.run("switch", "--quiet", "staging")
    merged(two)
    tip = two.push("staging")
    decision = await two.judged(tip, "waiting", "staging")
    assert "dev-1" in " ".join(each.reason for each in decision.gates)
    await dev.start()
    await two.healthy(tip, "staging")


@pytest.mark.threat(26)
async def test_one_push_that_moves_two_environments_is_decided_upstream_first(two: lines.Line):
    two.git.run("switch", "--quiet", "dev")
    dev = two.git.commit(two.app(a="both"), "both")
    two.git.run("switch", "--quiet", "staging")
    merged(two)
    staging = two.push("dev", "staging")
    await two.healthy(staging, "staging")
    decisions = (await two.ask("audit decisions"))["decisions"]
    told = [(each["commit"], each["verdict"]) for each in decisions]
    on_staging = [verdict for commit, verdict in told if commit == staging]
    assert on_staging in (["accepted"], ["waiting", "accepted"])
    assert (dev, "accepted") in told[: told.index((staging, on_staging[0]))]


async def test_an_owned_change_needs_no_upstream(two: lines.Line):
    await two.judged(two.commit(two.app(a="rude")), "refused")
    document = two.stations["staging-1"].document + "# a note\n"
    tip = two.commit({"clusters/staging/staging-1.yaml": document}, "staging")
    decision = await two.judged(tip, "accepted", "staging")
    assert decision.lineage is ledger.Lineage.OWNED
    await two.healthy(tip, "staging")


async def test_clusters_of_another_environment_mean_nothing_on_this_branch(two: lines.Line):
    path = "clusters/staging/staging-1.yaml"
    tip = two.commit({path: "kind: Cluster\nnot: [valid\n"})
    release = await two.healthy(tip)
    assert list(release.slices) == ["dev-1"]


async def test_a_promotion_that_went_wrong_is_rolled_back_by_one_command(two: lines.Line):
    await two.healthy(two.commit(two.app(a="two")))
    two.git.run("switch", "--quiet", "staging")
    merged(two)
    bad = two.push("staging")
    await two.healthy(bad, "staging")
    words = ("rollback", "staging", "--reason", "it is slow", "--dir", two.git.folder)
    done = await fleet(*words, "--state", two.state.root)
    assert (done.code, done.said) == (0, "")
    assert "~ ConfigMap" in done.out
    two.nudge()
    tip = names.CommitId(two.remote("rev-parse", "staging"))
    await two.healthy(tip, "staging")
    decision = await two.decided(tip, "staging")
    assert decision.lineage is ledger.Lineage.ROLLBACK
    assert await two.stations["staging-1"].word(two.namespace, "a")() == "hello"
    again = await fleet("promote", "dev", "staging", "--dir", two.git.folder)
    assert again.code == 0
    two.nudge()
    held = await two.judged(two.remote("rev-parse", "staging"), "refused", "staging")
    (gate,) = [each for each in held.gates if each.state is ledger.GateState.REFUSED]
    assert (gate.gate, "it is slow" in gate.reason) == ("quarantine", True)
    lifted = await fleet(
        "hub", "lift", "staging", bad, "--reason", "mended", "--state", two.state.root
    )
    assert lifted.code == 0
    await two.healthy(held.commit, "staging")
