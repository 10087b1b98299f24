"""How commands end where the system is not as usual: pipes, full disks, no home, ctrl-C, plain terminals."""

import asyncio
import os
import shlex
import signal
import sys
from pathlib import Path

import pytest

import repositories
from commands import ROOT, Ended, fleet

pytestmark = pytest.mark.timeout(120)  # many processes, each with all its imports
FLEET = f"{shlex.quote(sys.executable)} -m fleet.cli.main"


@pytest.fixture
def wrong(tmp_path: Path) -> Path:
    """A fleet with more to say about it than a pipe holds."""
    git = repositories.Git(tmp_path / "fleet")
    text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c%d, namespace: d}\nunknown: é\n"
    many = {"apps/web/many.yaml": "---\n".join(text % number for number in range(1500))}
    bundle = {"apps/web/bundle.yaml": repositories.bundle_text()}
    git.commit({"fleet.yaml": repositories.FLEET, **bundle, **many})
    return git.folder


async def shell(words: str, at: Path, **environment: str) -> Ended:
    """Through a shell that is not ours; the exit code is that of the first program of a pipe."""
    process = await asyncio.create_subprocess_exec(
        "bash", "-c", f"{words}; exit ${{PIPESTATUS[0]}}",
        cwd=at,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, said = await process.communicate()
    ended = Ended(code=process.returncode or 0, out=out.decode(), said=said.decode())
    assert "Traceback" not in ended.out + ended.said, ended.said
    return ended


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (f"{FLEET} check | head -1", 1, ""),
        (f"{FLEET} check -o json | head -1", 1, ""),
        (f"{FLEET} render | true", 1, ""),
        (f"{FLEET} check > /dev/full", 2, "error: No space left on device\n"),
        (f"{FLEET} check >&-", 1, ""),
        (f"{FLEET} check 2>&-", 1, ""),
    ],
    ids=["head", "json", "nobody", "full", "closed", "silent"],
)
async def test_a_reader_that_goes_or_a_disk_that_is_full(
    wrong: Path, words: str, code: int, said: str
):
    ended = await shell(words, wrong)
    assert (ended.code, ended.said) == (code, said)


@pytest.mark.parametrize(
    "environment",
    [
        {"HOME": "/proc/nowhere"},
        {"HOME": "/dev/null"},
        {"FLEETGATE_CACHE": "/proc/nowhere"},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii"},
        {"LC_ALL": "POSIX", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
        {"COLUMNS": "1"},
        {"TERM": "dumb"},
    ],
    ids=str,
)
async def test_odd_surroundings_change_no_verdict(wrong: Path, environment: dict[str, str]):
    usual = await fleet("check", wrong)
    ended = await fleet("check", wrong, **environment)
    assert (ended.code, ended.said) == (1, "")
    assert len(ended.out.splitlines()) == len(usual.out.splitlines())


async def test_ctrl_c_ends_a_check_without_a_word(wrong: Path):
    process = await asyncio.create_subprocess_exec(
        "bash", "-c", f"trap - INT; exec {FLEET} check",
        cwd=wrong,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    await process.stdout.read(1)  # it is in the middle of saying much more than a pipe holds
    process.send_signal(signal.SIGINT)
    _, said = await process.communicate()
    assert (process.returncode, said) == (130, b"")
