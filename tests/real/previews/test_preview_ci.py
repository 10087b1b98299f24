"""What users put into their CI for previews: the scripts as the runners start them, and the status that is posted."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiohttp import web

import previewed
import repositories
from commands import ROOT
from fleet.adapters.http import forges as posting
from fleet.model import errors, names
from fleet.ports import forges

pytestmark = pytest.mark.timeout(120, func_only=True)
ACTION = ROOT / "deploy/ci/github-preview/action.yml"
JOB = ROOT / "deploy/ci/gitlab/fleet-preview.gitlab-ci.yml"
COMMIT = names.CommitId("c" * 40)


def script(action: Any) -> str:
    return next(e["run"] for e in action["runs"]["steps"] if e.get("name") == "Preview")


def run(text: str, at: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    programs = at / "programs"
    programs.mkdir(exist_ok=True)
    stubs = {
        "fleet": f'exec "{sys.executable}" -m fleet.cli.main "$@"',
        "gh": f'echo "$@" >> {at}/gh.txt',
        "curl": f'echo "$@" >> {at}/curl.txt',
    }
    for name, line in stubs.items():
        (programs / name).write_text(f"#!/bin/sh\n{line}\n")
        (programs / name).chmod(0o755)
    return subprocess.run(  # noqa: S603 - our own script
        ["/bin/bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", text],
        cwd=at / "fleet",
        env={
            **os.environ,
            "PATH": f"{programs}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "RUNNER_TEMP": str(at),
            "GITHUB_STEP_SUMMARY": str(at / "summary.md"),
            "GITHUB_REPOSITORY": "our/fleet",
            "GITHUB_API_URL": "https://api.github.com",
            **environment,
        },
        capture_output=True,
        text=True,
        check=False,
    )


def github(at: Path, **values: str) -> subprocess.CompletedProcess[str]:
    given = {
        "PREVIEW_TARGET": "staging", "PREVIEW_SOURCE": "dev", "PREVIEW_HEAD": "", "PREVIEW_PATH": ".",
        "PREVIEW_COMMENT": "true", "PREVIEW_STATUS": "false", "PREVIEW_NUMBER": "7",
        "FLEETGATE_FORGE_TOKEN": "t", "GH_TOKEN": "t", **values,
    }  # fmt: skip
    action = yaml.safe_load(ACTION.read_text())
    asked = next(e["env"] for e in action["runs"]["steps"] if e.get("name") == "Preview")
    assert set(asked) == set(given)
    return run(script(action), at, **given)


@pytest.fixture
def git(tmp_path: Path) -> repositories.Git:
    return previewed.planted(tmp_path / "fleet")


def test_the_action_comments_and_fails_where_it_would_be_refused(
    git: repositories.Git, tmp_path: Path
):
    ended = github(tmp_path)
    assert ended.returncode == 0, ended.stderr
    asked = (tmp_path / "gh.txt").read_text()
    assert "--method POST repos/our/fleet/issues/7/comments --field body=@" in asked
    comment = (tmp_path / "fleet-preview.md").read_text()
    assert comment.startswith("<!-- fleet preview -->\n### fleet preview: nothing refuses it")
    assert (tmp_path / "summary.md").read_text() == comment
    git.commit({"apps/web/web.yaml": previewed.WEB.replace("web:1.0", "web:latest")})
    ended = github(tmp_path, PREVIEW_COMMENT="false")
    assert ended.returncode == 1, ended.stderr
    assert "would be refused" in (tmp_path / "fleet-preview.md").read_text()


def test_no_input_is_a_command_or_an_option(git: repositories.Git, tmp_path: Path):
    for words in ('"; touch evil; $(touch evil)', "--dir=/", "-o"):
        ended = github(tmp_path, PREVIEW_SOURCE=words, PREVIEW_HEAD=words)
        assert ended.returncode == 2, ended.stderr
    assert not (git.folder / "evil").exists()
    assert not (tmp_path / "gh.txt").exists()
    action = yaml.safe_load(ACTION.read_text())
    assert not any("${{" in each["run"] for each in action["runs"]["steps"] if "run" in each)


def test_the_job_comments_where_it_has_a_token(git: repositories.Git, tmp_path: Path):
    job = yaml.safe_load(JOB.read_text())["fleet-preview"]
    (text,) = job["script"]
    given = {"FLEET_PREVIEW_SOURCE": git.tip("dev"), "FLEET_PREVIEW_TARGET": "dev"}
    ended = run(text, tmp_path, FLEETGATE_FORGE_TOKEN="", **given)
    assert ended.returncode == 0, ended.stderr
    assert (git.folder / "fleet-preview.md").read_text().startswith("### fleet preview")
    assert not (tmp_path / "curl.txt").exists()
    known = {"CI_API_V4_URL": "https://git.example/api/v4", "CI_PROJECT_ID": "3"}
    known |= {"FLEETGATE_FORGE_TOKEN": "t", "CI_MERGE_REQUEST_IID": "9"}
    ended = run(text, tmp_path, **given, **known)
    assert ended.returncode == 0, ended.stderr
    notes = "https://git.example/api/v4/projects/3/merge_requests/9/notes"
    assert notes in (tmp_path / "curl.txt").read_text()


@dataclass
class Host:
    """A forge on loopback that keeps what it was sent."""

    code: int = 201
    text: str = "{}"
    asked: list[tuple[str, dict[str, str], Any]] = field(default_factory=list)
    url: str = ""

    @asynccontextmanager
    async def opened(self) -> AsyncIterator["Host"]:
        async def answer(request: web.BaseRequest) -> web.StreamResponse:
            told = dict(request.headers)
            self.asked.append((request.raw_path, told, await request.json()))
            moved = {"Location": f"{self.url}/elsewhere"} if self.code == 302 else {}
            return web.Response(status=self.code, text=self.text, headers=moved)

        server = web.Server(answer)
        listening = await asyncio.get_running_loop().create_server(server, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
        try:
            yield self
        finally:
            listening.close()
            await server.shutdown()


def status(**fields: Any) -> forges.Status:
    told = {"commit": COMMIT, "is_good": True, "context": "fleet/preview/prod", "description": "d"}
    return forges.Status(**{**told, **fields})


def address(
    base: str, forge: forges.Forge = forges.Forge.GITHUB, project: str = "our/fleet", **fields: Any
) -> forges.Address:
    return forges.Address(
        **{"forge": forge, "project": project, "token": "s3cret", "base": base, **fields}
    )


async def test_github_and_gitlab_are_told_in_their_own_words():
    async with Host().opened() as host:
        await posting.post(status(description="x" * 200), address(host.url + "/api/v3/"))
        gitlab = address(host.url, forges.Forge.GITLAB, "group/sub/fleet")
        await posting.post(status(is_good=False), gitlab)
    (path, told, body), (other, also, failed) = host.asked
    assert path == f"/api/v3/repos/our/fleet/statuses/{COMMIT}"
    assert told["Authorization"] == "Bearer s3cret"
    assert (body["state"], body["context"]) == ("success", "fleet/preview/prod")
    assert len(body["description"]) == 140
    assert other == f"/api/v4/projects/group%2Fsub%2Ffleet/statuses/{COMMIT}"
    assert also["PRIVATE-TOKEN"] == "s3cret"
    assert failed == {"state": "failed", "name": "fleet/preview/prod", "description": "d"}


@pytest.mark.parametrize(
    ("code", "kind"), [(401, errors.RefusedError), (500, errors.UnreachableError)]
)
async def test_what_the_forge_refuses_is_said_without_the_token(code: int, kind: type[Exception]):
    async with Host(code=code, text="no\x1b[31m " * 500).opened() as host:
        with pytest.raises(kind, match=f"status {code}: no") as caught:
            await posting.post(status(), address(host.url))
    assert "s3cret" not in str(caught.value)
    assert len(str(caught.value)) < 400


@pytest.mark.threat(75)
async def test_a_redirect_takes_no_token_along():
    async with Host(code=302).opened() as host:
        with pytest.raises(errors.UnreachableError):
            await posting.post(status(), address(host.url))
    assert len(host.asked) == 1


@pytest.mark.threat(75)
@pytest.mark.parametrize(
    "fields",
    [
        {"base": "http://git.example.com"},
        {"base": "https://user:word@git.example.com"},
        {"base": "https://git.example.com/?x=1"},
        {"base": "file:///etc/passwd"},
        {"base": "https://"},
        {"project": "fleet"},
        {"project": "our/../fleet"},
        {"project": "our/fleet/../../user"},
        {"project": "our/fl\neet"},
        {"token": ""},
        {"token": "a\nb"},
    ],
)
def test_where_no_token_may_go_none_goes(fields: dict[str, Any]):
    with pytest.raises(errors.InputError) as caught:
        posting.check(address(**{"base": "https://git.example.com", **fields}))
    assert "s3cret" not in str(caught.value)


async def test_a_status_is_posted_for_the_commit_of_the_pull_request(git: repositories.Git):
    git.run("switch", "--quiet", "-c", "mine")
    head = git.commit({"apps/web/settings.yaml": previewed.config("mine")})
    async with Host().opened() as host:
        words = ("--status", "--post", "github", "--project", "our/fleet", "--url", host.url)
        ended = await previewed.fleet(
            "preview", "dev", "staging", "--head", "mine", "--dir", git.folder, *words,
            FLEETGATE_FORGE_TOKEN="s3cret",  # noqa: S106 - of nobody
        )  # fmt: skip
    assert ended.code == 0, ended.said
    assert ended.json == {
        "state": "success", "context": "fleet/preview/staging", "commit": head,
        "description": "nothing refuses it: 2 configured",
    }  # fmt: skip
    assert len(ended.out.splitlines()) == 1
    assert host.asked[0][0].endswith(f"/statuses/{head}")
    assert "s3cret" not in ended.out + ended.said
