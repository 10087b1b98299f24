"""What was said of a tree is said again only while everything that it was said of is the same."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from fleet.adapters.git import footprints
from fleet.cli import replays

SETTLED = 0.15  # seconds, and a little more than it takes


class Check:
    """A command that counts how often it really ran, and says how often."""

    def __init__(self, code: int = 0, warning: str = "") -> None:
        self.runs = 0
        self.code, self.warning = code, warning

    def __call__(self) -> None:
        self.runs += 1
        sys.stdout.write(f"run {self.runs}\n")
        if self.warning:
            sys.stderr.write(self.warning)
        if self.code:
            sys.exit(self.code)


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository whose files have settled long since."""
    monkeypatch.setenv("FLEETGATE_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "fleet"
    (folder / "apps").mkdir(parents=True)
    (folder / "apps" / "a.yaml").write_text("a: 1\n")
    (folder / "fleet.yaml").write_text("kind: Fleet\n")
    git(folder, "init", "-q", "-b", "dev")
    time.sleep(SETTLED)
    return folder


def git(folder: Path, *words: str) -> None:
    subprocess.run(["git", *words], cwd=folder, check=True)  # noqa: S603, S607 - as users call it


def run(check: Callable[[], None], *words: str) -> int:
    with pytest.raises(SystemExit) as end:
        replays.answered(["check", *words], check)
    return int(str(end.value.code))


@pytest.mark.parametrize("code", [0, 1])
def test_the_same_question_about_the_same_tree_is_answered_once(
    tree: Path, capsys: pytest.CaptureFixture[str], code: int
):
    check = Check(code)
    assert [run(check, str(tree)) for _ in range(3)] == [code] * 3
    assert capsys.readouterr().out == "run 1\n" * 3
    assert check.runs == 1


def rewritten(tree: Path) -> None:
    """Another text of the same length, with the times of before."""
    file = tree / "apps" / "a.yaml"
    seen = file.stat()
    file.write_text("a: 2\n")
    os.utime(file, ns=(seen.st_atime_ns, seen.st_mtime_ns))


def added(tree: Path) -> None:
    (tree / "apps" / "b.yaml").write_text("")


def removed(tree: Path) -> None:
    (tree / "apps" / "a.yaml").unlink()


def made_executable(tree: Path) -> None:
    (tree / "apps" / "a.yaml").chmod(0o755)


def linked(tree: Path) -> None:
    (tree / "apps" / "a.yaml").unlink()
    (tree / "apps" / "a.yaml").symlink_to("b.yaml")


def ignored(tree: Path) -> None:
    (tree / ".git" / "info" / "exclude").write_text("apps/\n")


def on_another_branch(tree: Path) -> None:
    git(tree, "symbolic-ref", "HEAD", "refs/heads/prod")


@pytest.mark.parametrize(
    "change", [rewritten, added, removed, made_executable, linked, ignored, on_another_branch]
)
def test_a_changed_tree_is_judged_again(tree: Path, change: Callable[[Path], None]):
    check = Check()
    run(check, str(tree))
    change(tree)
    run(check, str(tree))
    assert check.runs == 2


def test_other_words_are_another_question(tree: Path):
    check = Check()
    for words in ((), ("-e", "dev"), ("-e", "prod"), ("-o", "json")):
        run(check, str(tree), *words)
    assert check.runs == 4


@pytest.mark.parametrize(
    "words",
    [("--rev", "HEAD"), ("--base", "dev"), ("-o", "sarif=x"), ("-o", "junit"), ("--policies", "x"), ("x",), ("-e",)],
)  # fmt: skip
def test_what_depends_on_more_than_the_tree_is_never_said_again(
    tree: Path, words: tuple[str, ...]
):
    assert replays.of(["check", str(tree), *words]) is None
    assert replays.of(["render", str(tree)]) is None


@pytest.mark.threat(106)
def test_another_edition_of_the_program_is_not_believed(
    tree: Path, monkeypatch: pytest.MonkeyPatch
):
    check = Check()
    run(check, str(tree))
    monkeypatch.syspath_prepend(tree)  # as if something were installed
    run(check, str(tree))
    assert check.runs == 2


@pytest.mark.threat(106)
@pytest.mark.parametrize(
    ("old", "new"),
    [
        (rb".*", b""),
        (rb"...$", b""),
        (rb"run 1", b"run 2"),
        (rb"(?s).*", b"{}"),
        (rb"^\w", b"\xff"),
    ],
)
def test_a_damaged_answer_is_forgotten(
    tree: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    old: bytes,
    new: bytes,
):
    run(Check(), str(tree))
    (kept,) = (tmp_path / "cache" / "said").iterdir()
    kept.write_bytes(re.sub(old, new, kept.read_bytes()))
    check = Check()
    run(check, str(tree))
    assert check.runs == 1
    assert run(check, str(tree)) == 0
    assert check.runs == 1
    assert capsys.readouterr().out == "run 1\n" * 3


def test_files_that_have_just_changed_prove_nothing(tree: Path):
    """A second write in the same tick of the file system's clock would leave no trace."""
    check = Check()
    added(tree)
    run(check, str(tree))
    run(check, str(tree))
    assert check.runs == 2


def test_where_only_whole_seconds_are_kept_files_settle_later(tree: Path):
    for file in (tree / "apps" / "a.yaml", tree / "fleet.yaml"):
        os.utime(file, ns=(0, 1_000_000_000))
    time.sleep(SETTLED)
    assert (seen := footprints.take(tree)) is not None
    assert not seen.is_settled


def test_what_warned_fails_or_depends_on_the_day_is_judged_each_time(tree: Path):
    for check in (Check(warning="no kustomize"), Check(code=2)):
        run(check, str(tree))
        run(check, str(tree))
        assert check.runs == 2
    (tree / "environments" / "dev").mkdir(parents=True)
    (tree / "environments" / "dev" / "waiver.yaml").write_text("kind: Waiver\n")
    time.sleep(SETTLED)
    check = Check()
    run(check, str(tree))
    run(check, str(tree))
    assert check.runs == 2


def test_a_folder_outside_git_is_judged_each_time(tmp_path: Path):
    (tmp_path / "a.yaml").write_text("a: 1\n")
    assert replays.of(["check", str(tmp_path)]) is None
    assert replays.of(["check", str(tmp_path / "nowhere")]) is None


def test_the_program_says_again_what_it_said(tmp_path: Path):
    environment = {**os.environ, "FLEETGATE_CACHE": str(tmp_path / "cache")}
    command = [sys.executable, "-m", "fleet.cli.main"]
    folder = str(tmp_path / "fleet")
    subprocess.run([*command, "init", folder], check=True, env=environment, capture_output=True)  # noqa: S603
    first, second, third = (
        subprocess.run(  # noqa: S603
            [*command, "check", folder, "-o", "json"],
            env=environment,
            capture_output=True,
            check=False,
        )
        for _ in range(3)
    )
    assert (first.stdout, first.returncode) == (second.stdout, second.returncode)
    assert (first.stdout, first.returncode) == (third.stdout, third.returncode)
    assert first.stdout.startswith(b"{")
    assert (tmp_path / "cache" / "said").is_dir()
