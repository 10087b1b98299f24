"""`fleet policy impact` on a repository as `fleet init` writes it."""

from pathlib import Path

import pytest

import repositories
from commands import fleet

pytestmark = pytest.mark.timeout(120, func_only=True)
RULE = "policies/disallow-latest-tag/policy.yaml"


@pytest.fixture
async def started(tmp_path: Path) -> repositories.Git:
    ended = await fleet("init", tmp_path / "our-fleet")
    assert ended.code == 0, ended.said
    return repositories.Git(tmp_path / "our-fleet")


def stricter(started: repositories.Git) -> str:
    text = (started.folder / RULE).read_text()
    changed = text.replace("variables.wrong.size() == 0", "object.metadata.name == 'nobody'")
    assert changed != text
    return changed


async def impact(started: repositories.Git, *words: str):
    return await fleet("policy", "impact", "--dir", started.folder, *words)


async def test_what_would_be_refused_is_named_in_every_environment(started: repositories.Git):
    same = await impact(started)
    assert (same.code, same.said) == (0, "")
    assert same.out.count("0 newly refused, 0 newly allowed, 0 changed severity") == 3
    started.write({RULE: stricter(started)})
    ended = await impact(started)
    assert ended.code == 1
    line = "newly refused (nothing -> deny) apps/hello/web.yaml:"
    assert (
        ended.out.count(line)
        == ended.out.count("disallow-latest-tag: Deployment.apps hello/web")
        == 3
    )


async def test_a_branch_with_other_rules_changes_nothing_but_the_verdict(
    started: repositories.Git,
):
    """What else differs there is left out: content, clusters, the examples of policies."""
    started.run("switch", "--quiet", "-c", "looser", "prod")
    web = (started.folder / "apps/hello/web.yaml").read_text()
    started.run("rm", "--quiet", "-r", "policies/require-requests-and-limits")
    started.commit({"apps/hello/web.yaml": web.replace("image:", "img:")}, "other content")
    started.run("switch", "--quiet", "prod")
    broken = "\n".join(each for each in web.splitlines() if "memory" not in each)
    started.commit({"apps/hello/web.yaml": broken}, "no limits")
    ended = await impact(started, "looser", "-e", "prod", "-o", "json")
    assert ended.code == 0, ended.said
    (only,) = ended.json["environments"]
    assert only["counts"] == {"newly refused": 0, "newly allowed": 1, "changed severity": 0}
    (change,) = only["changes"]
    assert (change["rule"], change["before"], change["after"]) == (
        "require-requests-and-limits", "deny", None,
    )  # fmt: skip
    assert (change["subject"], change["path"]) == (
        "Deployment.apps hello/web",
        "apps/hello/web.yaml",
    )
    assert change["line"] > 0


async def test_settings_of_the_rules_count_too(started: repositories.Git):
    """fleet.yaml is one of the rules; a policy that nobody can read refuses."""
    text = (started.folder / RULE).read_text()
    started.write(
        {RULE: text.replace("variables.wrong.size() == 0", "variables.wrong.siez() == 0")}
    )
    ended = await impact(started, "-e", "dev", "-o", "json")
    assert ended.code == 1
    changes = ended.json["environments"][0]["changes"]
    assert {each["after"] for each in changes} == {"not evaluated"}
    assert any(each["path"] == RULE and "siez" in each["message"] for each in changes)


async def test_misuse_is_said(started: repositories.Git, tmp_path: Path):
    for words, said in [
        (("nowhere",), "there is no commit 'nowhere'"),
        (("-e", "moon"), "names no environment moon: it has dev, staging, prod"),
    ]:
        ended = await impact(started, *words)
        assert ended.code == 2
        assert said in ended.said
    started.write({"fleet.yaml": "kind: [\n"})
    ended = await impact(started)
    assert ended.code == 2
    assert "fleet.yaml" in ended.said
    ended = await fleet("policy", "impact", "--dir", tmp_path / "absent")
    assert ended.code == 2
