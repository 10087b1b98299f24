"""Histories written to real git in one go, by `git fast-import`: any tree with any parents, as no porcelain would."""

import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field

import histories
from fleet.adapters.git import programs
from fleet.model import names

OWN = {each: {f"clusters/{each}/{each[0]}.yaml": "c\n"} for each in histories.ROAD}


@dataclass(frozen=True, kw_only=True)
class Planned:
    """A commit to be: its whole tree, and the marks of its parents."""

    files: Mapping[str, str]
    parents: tuple[int, ...] = ()
    message: str = "change"
    author: str = "Ada <ada@example.com>"
    when: int = 1_800_000_000


@dataclass(kw_only=True)
class Grown(histories.History):
    """As the histories that the git program makes step by step; `ids` are those of the marks, from 1."""

    planned: list[Planned] = field(default_factory=list)
    ids: list[names.CommitId] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.reader = histories.Read(programs.Program(folder=self.folder))

    def plan(self, files: Mapping[str, str], *parents: int, **more: object) -> int:
        """The mark of one more commit."""
        self.planned.append(Planned(files=files, parents=parents, **more))  # type: ignore[arg-type]
        return len(self.planned)

    def write(self) -> None:
        """Everything that is planned; each commit is kept by a branch of its mark's name."""
        if self.folder.exists():
            shutil.rmtree(self.folder)
        self.folder.mkdir(parents=True)
        git = shutil.which("git") or "git"
        subprocess.run([git, "init", "-q", "-b", "none"], cwd=self.folder, check=True)  # noqa: S603
        stream = "".join(_told(mark, each) for mark, each in enumerate(self.planned, 1))
        given = f"{stream}done\n".encode()
        words = [git, "fast-import", "--quiet", "--done", "--export-marks=marks"]
        subprocess.run(words, cwd=self.folder, input=given, check=True)  # noqa: S603
        lines = (self.folder / "marks").read_text().split("\n")
        pairs = sorted((int(line.split()[0][1:]), line.split()[1]) for line in lines if line)
        self.ids = [names.CommitId(commit) for _, commit in pairs]

    def id_of(self, mark: int) -> names.CommitId:
        return self.ids[mark - 1]

    def tip(self, branch: str) -> names.CommitId:
        """Of a branch that the history has, or the commit itself."""
        return self.heads.get(branch, names.CommitId(branch))

    heads: dict[str, names.CommitId] = field(default_factory=dict)


def _told(mark: int, planned: Planned) -> str:
    who = f"{planned.author} {planned.when + mark} +0000"
    parents = "".join(
        f"{word} :{parent}\n"
        for word, parent in zip(["from", *["merge"] * 20], planned.parents, strict=False)
    )
    files = "".join(
        f"M 644 inline {path}\ndata {len(text.encode())}\n{text}\n"
        for path, text in sorted(planned.files.items())
    )
    return (
        f"commit refs/heads/c{mark}\nmark :{mark}\nauthor {who}\ncommitter {who}\n"
        f"data {len(planned.message.encode())}\n{planned.message}\n{parents}deleteall\n{files}\n"
    )
