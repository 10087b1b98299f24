"""The commands around promotion as people run them: a real hub over real git, no cluster needed."""

import pytest

import lines
from commands import Ended, fleet
from fleet.model import ledger
from fleet.model.ledger import Lineage

pytestmark = pytest.mark.timeout(180, func_only=True)


@pytest.fixture
async def there(line: lines.Line) -> lines.Line:
    """Dev has had two contents."""
    await line.open("dev", "staging")
    await line.judged(line.git.tip("refs/heads/dev"), "accepted")
    await line.judged(line.commit(line.app(a="two")), "accepted")
    return line


async def rollback(line: lines.Line, *words: str, hub: bool = True) -> Ended:
    state = line.state.root if hub else line.folder / "nowhere"
    return await fleet(
        "rollback", *words, "--reason", "it is slow", "--dir", line.git.folder, "--state", state
    )


async def test_going_back_is_shown_pushed_and_told_to_be_a_rollback(there: lines.Line):
    before = there.git.tip("refs/heads/dev")
    shown = await rollback(there, "dev", "--to", "1", "--dry-run")
    assert (shown.code, shown.said) == (0, "")
    assert "dev goes back to release 1" in shown.out
    assert there.remote("rev-parse", "dev") == before
    done = await rollback(there, "dev", "--to", "1")
    assert (done.code, done.said) == (0, "")
    assert f"pushed {there.remote('rev-parse', 'dev')[:10]} to dev" in done.out
    decision = await there.judged(there.remote("rev-parse", "dev"), "accepted")
    assert (decision.lineage, decision.back_to) == (Lineage.ROLLBACK, 1)
    assert decision.subject == "Roll back dev to release 1: it is slow"
    (row,) = there.rows.quarantines.values()
    assert row.reason.endswith("it is slow")


async def test_one_bundle_goes_back(there: lines.Line):
    done = await rollback(there, "dev", "--to", "1", "--bundle", "apps/web/")
    assert (done.code, done.said) == (0, "")
    decision = await there.judged(there.remote("rev-parse", "dev"), "accepted")
    assert decision.lineage is Lineage.ROLLBACK


async def test_away_from_the_hub_a_commit_is_named(there: lines.Line):
    first = there.rows.releases[decided(there).environment, 1].commit
    asked = await rollback(there, "dev", hub=False)
    assert (asked.code, "only the hub knows" in asked.said) == (2, True)
    assert "--to 3f2c1aa" in asked.said
    done = await rollback(there, "dev", "--to", first[:10], hub=False)
    assert (done.code, done.said) == (0, "")
    assert "no hub was asked" in done.out
    decision = await there.judged(there.remote("rev-parse", "dev"), "accepted")
    assert (decision.lineage, decision.back_to) == (Lineage.ROLLBACK, 1)


def decided(line: lines.Line) -> ledger.Decision:
    found = line.decision()
    assert found is not None
    return found


async def test_what_is_no_way_back_is_said(there: lines.Line):
    stray = there.git.run("commit-tree", "-m", "stray", "dev^{tree}")
    for words, hub, code, said in (
        (("dev", "--to", "9"), True, 2, "'9' is no release of dev: 1 ("),
        (("dev", "--to", "2"), True, 2, "already: nothing to take back"),
        (("dev",), True, 1, "never healthy"),
        (("staging",), True, 1, "nothing runs in staging yet"),
        (("moon",), True, 2, "no environment"),
        (("moon", "--to", "abcdef0"), False, 2, "abcdef0"),
        (("dev", "--to", "1", "--bundle", "apps"), True, 2, "no bundle's folder"),
        (("dev", "--to", stray[:10]), False, 2, "is no commit of dev's branch"),
        (("dev", "--to", "HEAD"), False, 2, "only the hub knows"),
    ):
        ended = await rollback(there, *words, hub=hub)
        assert (ended.code, said in ended.said) == (code, True), (words, ended.said)
    for reason in ("", "   ", "two\nlines", "\x1b[31m", "x" * 1001):
        ended = await fleet("rollback", "dev", "--reason", reason, "--dir", there.git.folder)
        assert (ended.code, "say why" in ended.said) == (2, True)


async def test_what_waits_and_what_differs_is_told(there: lines.Line):
    at = ("--state", there.state.root)
    await there.ask("baseline", environments=["staging"])
    await there.judged(there.git.tip("refs/heads/staging"), "accepted", "staging")
    shown = await fleet("unpromoted", *at)
    assert (shown.code, shown.said) == (0, "")
    assert "dev -> staging: 1 waiting" in shown.out
    told = (await fleet("unpromoted", "staging", *at, "-o", "json")).json
    (waiting,) = told["environments"][0]["waiting"]
    assert set(waiting) == {
        "release", "commit", "subject", "accepted", "age", "standing", "promotable", "at", "gates", "hint",
    }  # fmt: skip
    assert waiting["promotable"] == "waits"  # dev has no cluster, so nothing is ever healthy there
    differs = await fleet("residual", "staging", *at)
    assert (differs.code, differs.said) == (0, "")
    assert "1 behind" in differs.out
    assert "apps/web/a.yaml" in differs.out
    found = (await fleet("residual", "staging", *at, "-o", "json")).json
    assert [(each["path"], each["class"]) for each in found["paths"]] == [
        ("apps/web/a.yaml", "behind")
    ]
    for words in (("residual", "dev"), ("residual", "moon"), ("unpromoted", "dev")):
        wrong = await fleet(*words, *at)
        assert (wrong.code, wrong.out) == (2, "")
