"""What a candidate is, in a repository of 100,000 commits and 20,000 files, beside what git takes for the pair."""

import asyncio
import hashlib
import statistics
import subprocess
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from bench import results
from fleet.adapters.git import fixed, programs, reading
from fleet.gate import candidates, lineage
from fleet.judge import roads
from fleet.manifests import layout
from fleet.model import names

COMMITS, FILES, ROUNDS, ACCEPTED = 100_000, 20_000, 15, 200
STAGING = names.Environment("staging")
WHERE = layout.Layout(environment=STAGING, owned=layout.OWNED)
NOW = datetime(2026, 6, 1, 10, 0, tzinfo=UTC)
_PERSON = "Ada <ada@example.com>"
_TIPS = ("merged", "squashed", "altered", "direct")  # branches, each one commit on staging


class _Read(reading.Reader):
    """What lineage asks of a repository, without a mirror's fetching."""

    async def fetch(self) -> None: ...

    async def keep(self, name: str, commit: names.CommitId) -> None: ...


@dataclass(frozen=True, kw_only=True)
class Case:
    candidate: candidates.Candidate
    facts: candidates.Facts
    upstream: candidates.Upstream


def run(report: results.Report) -> None:
    section = report.section(f"lineage, {COMMITS:,} commits and {FILES:,} files")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        began = time.perf_counter()
        _make(folder)
        section.row("made by git fast-import", f"{time.perf_counter() - began:.1f} s")
        asyncio.run(_measure(folder, section))


async def _measure(folder: Path, section: results.Section) -> None:
    program = programs.Program(folder=folder)
    book = await _book(_Read(program))
    for tip in _TIPS:
        warm = _Read(program)
        case = await _case(tip, book, warm)
        told = await _tell(case, warm)
        took = await _took(lambda c=case, w=warm: _tell(c, w))  # type: ignore[misc]  # bound here
        section.row(f"{tip}: {told.kind.value}", *took, "goal 100 ms")
    await _compare(program, book, section)


async def _compare(program: programs.Program, book: "Book", section: results.Section) -> None:
    base, tip = (
        book.base,
        names.CommitId((await program.run("rev-parse", "merged")).decode().strip()),
    )
    asked = {
        "git ls-tree -r -l of the tip": ("ls-tree", "-r", "-l", "-z", "--full-tree", tip),
        "git diff-tree -r of the pair": ("diff-tree", "-r", base, tip),
        "git merge-base --is-ancestor of the pair": ("merge-base", "--is-ancestor", base, tip),
        "git rev-parse of nothing: one process": ("rev-parse", "--is-shallow-repository"),
    }
    for name, words in asked.items():
        section.row(name, *await _took(lambda w=words: program.run(*w)))  # type: ignore[misc]
    fresh = _Read(program)
    section.row("listing the tip, parsed", *await _took(lambda: _listed(fresh, tip)))


async def _listed(reader: _Read, tip: names.CommitId) -> None:
    reader._snapshots.clear()  # noqa: SLF001 - as a hub that meets the commit
    await reader.snapshot(tip)


async def _took(work: Callable[[], Awaitable[object]]) -> tuple[str, str]:
    took = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        await work()
        took.append((time.perf_counter() - began) * 1000)
    return f"{statistics.median(took):.1f} ms", f"at most {max(took):.1f} ms"


# As the hub asks.


async def _tell(case: Case, reader: _Read) -> lineage.told.Told:
    """The commits' listings are there, since the judge has read them; everything else is asked."""
    upstream = await roads.with_branch(case.upstream, reader)
    here = await reader.snapshot(case.candidate.commit)
    way = await roads.way(case.candidate, case.facts, upstream, here, reader)
    return lineage.tell(case.candidate, replace(case.facts, upstream=upstream, way=way))


@dataclass(frozen=True, kw_only=True)
class Book:
    base: names.CommitId
    upstream: candidates.Upstream
    accepted: candidates.Accepted


async def _book(reader: _Read) -> Book:
    """Upstream's releases are every hundredth of its last commits; the newest but one is what runs."""
    git = programs.Program(folder=reader._git.folder)  # noqa: SLF001
    listed = (await git.run("rev-list", f"--max-count={ACCEPTED}", "dev")).decode().split()[::-1]
    tip = names.CommitId(listed[-1])
    accepted = [_accepted(n, names.CommitId(each)) for n, each in enumerate(listed[:-2], 1)]
    for each in listed[-2:]:
        ids = await _ids(names.CommitId(each), reader)
        accepted.append(_accepted(len(accepted) + 1, names.CommitId(each), ids))
    base = names.CommitId((await git.run("rev-parse", "staging")).decode().strip())
    upstream = candidates.Upstream(
        environment=names.Environment("dev"), accepted=tuple(accepted), undecided=None, tip=tip
    )
    running = replace(_accepted(1, base, await _ids(base, reader)), source=len(accepted) - 1)
    return Book(base=base, upstream=upstream, accepted=running)


def _accepted(
    release: int, commit: names.CommitId, ids: layout.Ids | None = None
) -> candidates.Accepted:
    return candidates.Accepted(
        release=release,
        commit=commit,
        content=ids.content if ids else names.ContentId(f"content of {commit}"),
        rules=ids.rules if ids else names.RulesId("rules"),
        owned=ids.owned if ids else names.OwnedId("owned"),
    )


async def _ids(commit: names.CommitId, reader: _Read) -> layout.Ids:
    """A blob's name stands for its digest: what it costs to hash bytes is not measured here."""
    found = await reader.snapshot(commit)
    digests = {e.blob: hashlib.sha256(e.blob.encode()).hexdigest() for e in found.entries.values()}
    return layout.ids(found, WHERE, digests)


async def _case(tip: str, book: Book, reader: _Read) -> Case:
    git = programs.Program(folder=reader._git.folder)  # noqa: SLF001
    commit = names.CommitId((await git.run("rev-parse", tip)).decode().strip())
    ids = await _ids(commit, reader)
    candidate = candidates.Candidate(
        environment=STAGING,
        commit=commit,
        content=ids.content,
        rules=ids.rules,
        owned=ids.owned,
    )
    facts = candidates.Facts(
        now=NOW, layout=WHERE, base=book.accepted, own=(book.accepted,), upstream=book.upstream,
        held="", findings=(), sides=(),
    )  # fmt: skip
    return Case(candidate=candidate, facts=facts, upstream=book.upstream)


# The repository.


def _make(folder: Path) -> None:
    _git(folder, "init", "-q", "--bare", "-b", "dev")
    _git(folder, "fast-import", "--quiet", given="".join(_stream()).encode())


def _git(folder: Path, *words: str, given: bytes = b"") -> None:
    subprocess.run(
        [fixed.executable(), *words], cwd=folder, input=given, check=True, capture_output=True
    )


def _path(number: int) -> str:
    return f"apps/a{number // 500}/d{number // 20 % 25}/f{number % 20}.yaml"


def _stream() -> Iterator[str]:
    """One line of history on dev; a staging that has all but its last commit; four tips on that."""
    yield _commit(
        "dev",
        1,
        "",
        {_path(n): f"file {n}\n" for n in range(FILES - 1)} | {"fleet.yaml": "fleet\n"},
    )
    for n in range(2, COMMITS):
        yield _commit("dev", n, "", {_path(n * 7 % (FILES - 1)): f"change {n}\n"})
    own = {"clusters/staging/s.yaml": "c\n"}
    yield _commit("staging", COMMITS, "from refs/heads/dev\n", own)
    last = {_path(5): "the newest\n"}
    yield _commit("dev", COMMITS + 1, "", last)
    staging = "from refs/heads/staging\n"
    yield _commit("merged", COMMITS + 2, f"{staging}merge refs/heads/dev\n", last)
    yield _commit("squashed", COMMITS + 2, staging, last)
    yield _commit(
        "altered", COMMITS + 2, f"{staging}merge refs/heads/dev\n", {_path(5): "by hand\n"}
    )
    yield _commit("direct", COMMITS + 2, staging, {_path(9): "right here\n"})


def _commit(branch: str, when: int, parents: str, changes: dict[str, str]) -> str:
    files = "".join(
        f"M 644 inline {path}\ndata {len(text)}\n{text}\n" for path, text in changes.items()
    )
    head = f"commit refs/heads/{branch}\ncommitter {_PERSON} {1_700_000_000 + when * 60} +0000\n"
    return f"{head}data 1\n.\n{parents}{files}\n"
