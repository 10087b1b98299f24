"""Fleet repositories in real git with dev, staging and prod, and what lineage says of their tips."""

import asyncio
import hashlib
import itertools
import os
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import builders
from fleet.adapters.git import programs, reading, scratch
from fleet.adapters.store import memo
from fleet.gate import candidates, classes, lineage, told
from fleet.judge import roads
from fleet.local import bookless
from fleet.manifests import layout
from fleet.model import ledger, names, observed, snapshots

ROAD = ("dev", "staging", "prod")
WEB, DB, POLICY = "apps/web/web.yaml", "apps/db/db.yaml", "policies/p.yaml"
START = {
    "fleet.yaml": "fleet\n",
    POLICY: "policy 1\n",
    "apps/web/bundle.yaml": "bundle web\n",
    WEB: "web 1\nline\nline\nline\nline\nend\n",
    "apps/web/more.yaml": "more 1\n",
    "apps/db/bundle.yaml": "bundle db\n",
    DB: "db 1\n",
}
_PEOPLE = {
    f"GIT_{role}_{what}": value
    for role in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "Ada"), ("EMAIL", "ada@example.com"))
}


class Read(reading.Reader):
    """What lineage needs of a repository."""

    async def fetch(self) -> None: ...

    async def keep(self, name: str, commit: names.CommitId) -> None: ...


@dataclass(kw_only=True)
class History:
    folder: Path
    scope: tuple[str, ...] = ()  # of hotfixes
    accepted: dict[str, list[candidates.Accepted]] = field(
        default_factory=lambda: {each: [] for each in ROAD}
    )
    undecided: dict[str, ledger.Verdict] = field(default_factory=dict)
    rebaselined: observed.Rebaseline | None = None
    _turn: int = 0

    def __post_init__(self) -> None:
        self.git("init", "-q", "-b", "dev")
        self.reader = Read(programs.Program(folder=self.folder))
        self.commit("dev", {**START, "clusters/dev/d.yaml": "d\n"})
        for before, name in itertools.pairwise(ROAD):
            self.git("branch", name, before)
            own = {f"clusters/{before}/{before[0]}.yaml": None}
            self.commit(name, {**own, f"clusters/{name}/{name[0]}.yaml": "c\n"})
        for name in ROAD:
            self.accept(name)

    def git(self, *words: str, given: str | None = None, fails: bool = False) -> str:
        self._turn += 60
        when = f"{1_800_000_000 + self._turn} +0000"
        environment = {
            **os.environ, **_PEOPLE, "GIT_AUTHOR_DATE": when, "GIT_COMMITTER_DATE": when,
            "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1",
        }  # fmt: skip
        done = subprocess.run(  # noqa: S603 - fixed words of the tests'
            [shutil.which("git") or "git", *words], cwd=self.folder, env=environment, input=given, check=not fails,
            capture_output=True, text=True,
        )  # fmt: skip
        return done.stdout.strip()

    def tip(self, branch: str) -> names.CommitId:
        return names.CommitId(self.git("rev-parse", branch))

    def write(self, changes: Mapping[str, str | None]) -> None:
        for path, text in changes.items():
            file = self.folder / path
            if text is None:
                file.unlink()
            else:
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text)
        self.git("add", "-A")

    def commit(
        self, branch: str, changes: Mapping[str, str | None], message: str = "change"
    ) -> names.CommitId:
        self.git("switch", "-q", branch, fails=not self.accepted["dev"])
        self.write(changes)
        self.git("commit", "-q", "--allow-empty", "-m", message)
        return self.tip("HEAD")

    def merge(self, source: str, target: str, *words: str) -> names.CommitId:
        self.git("switch", "-q", target)
        self.git("merge", "-q", "--no-edit", *words, source)
        return self.tip("HEAD")

    def resolve(
        self, source: str, target: str, changes: Mapping[str, str | None]
    ) -> names.CommitId:
        """A merge whose result somebody changes by hand, with or without conflicts."""
        self.git("switch", "-q", target)
        self.git("merge", "-q", "--no-commit", "--no-ff", source, fails=True)
        self.write(changes)
        self.git("commit", "-q", "-m", f"Merge {source} by hand")
        return self.tip("HEAD")

    def squash(
        self, source: str, target: str, changes: Mapping[str, str | None] | None = None
    ) -> None:
        self.git("switch", "-q", target)
        self.git("merge", "-q", "--squash", source)
        self.write(changes or {})
        self.git("commit", "-q", "--allow-empty", "-m", f"Squash {source}")

    def take(self, source: str, target: str, *paths: str, message: str = "take") -> None:
        """Paths as another commit has them, in a commit of one parent."""
        self.git("switch", "-q", target)
        self.git("checkout", "-q", source, "--", *paths)
        self.git("commit", "-q", "--allow-empty", "-m", message)

    def graft(self, source: str, target: str, *parents: str, message: str = "Promote") -> None:
        """As `fleet promote`: shared paths of the source, all others of the target, with these parents."""
        self.git("switch", "-q", target)
        where = layout.Layout(environment=names.Environment(target), owned=layout.OWNED)
        listed = self.git("ls-files", "-s").splitlines()
        listed = [each for each in listed if not where.is_shared(each.partition("\t")[2])]
        above = self.git("ls-tree", "-r", source).splitlines()
        listed += [
            f"{each.split()[0]} {each.split()[2]} 0\t{path}"
            for each in above
            if where.is_shared(path := each.partition("\t")[2])
        ]
        self.git("read-tree", "--empty")
        self.git("update-index", "--index-info", given="\n".join(listed) + "\n")
        tree = self.git("write-tree")
        words = [word for parent in parents for word in ("-p", self.git("rev-parse", parent))]
        made = self.git("commit-tree", *words, "-m", message, tree)
        self.git("reset", "-q", "--hard", made)

    def push(
        self,
        branch: str,
        entries: Iterable[snapshots.Entry],
        parents: Iterable[str],
        message: str,
    ) -> None:
        """A commit with just these entries."""
        self.git("switch", "-q", branch)
        listed = "".join(f"{e.mode:o} {e.blob} 0\t{e.path}\n" for e in entries)
        self.git("read-tree", "--empty")
        self.git("update-index", "--index-info", given=listed)
        tree = self.git("write-tree")
        words = [word for parent in parents for word in ("-p", parent)]
        self.git("reset", "-q", "--hard", self.git("commit-tree", *words, "-m", message, tree))

    def candidate(self, environment: str, commit: names.CommitId) -> candidates.Candidate:
        return _candidate(environment, commit, asyncio.run(self._ids(environment, commit)))

    async def _ids(self, environment: str, commit: names.CommitId) -> layout.Ids:
        snapshot = await self.reader.snapshot(commit)
        blobs = await self.reader.blobs([each.blob for each in snapshot.entries.values()])
        digests = {blob: hashlib.sha256(data).hexdigest() for blob, data in blobs.items()}
        where = layout.Layout(environment=names.Environment(environment), owned=layout.OWNED)
        return layout.ids(snapshot, where, digests)

    def accept(self, environment: str, commit: str = "") -> candidates.Accepted:
        """Into the book, as the hub does: with the class's own source and open hotfixes."""
        tip = self.tip(commit or environment)
        candidate = self.candidate(environment, tip)
        known = self.accepted[environment]
        found = self.tell(environment, commit) if known else self._first(environment)
        made = candidates.Accepted(
            release=len(known) + 1,
            commit=tip,
            content=candidate.content,
            rules=candidate.rules,
            owned=candidate.owned,
            source=found.source,
            hotfixes=found.hotfixes,
        )
        known.append(made)
        return made

    def _first(self, environment: str) -> told.Told:
        kind = ledger.Lineage.PROMOTION if ROAD.index(environment) else ledger.Lineage.ENTRY
        return told.Told(kind=kind, source=int(kind is ledger.Lineage.PROMOTION))

    def rebaseline(self, environment: str) -> None:
        """Somebody lets in what the branch was rewritten to."""
        self.rebaselined = observed.Rebaseline(
            environment=names.Environment(environment),
            commit=self.tip(environment),
            base=self.accepted[environment][-1].commit,
            reason="it was time",
            by="Ada",
            since=builders.NOW,
        )

    def facts(self, environment: str, commit: str = "") -> candidates.Facts:
        return asyncio.run(self._facts(environment, self.tip(commit or environment)))

    async def _facts(self, environment: str, tip: names.CommitId) -> candidates.Facts:
        place = ROAD.index(environment)
        known = builders.facts(
            layout=layout.Layout(environment=names.Environment(environment), owned=layout.OWNED),
            base=next(iter(self.accepted[environment][::-1]), None),
            own=tuple(self.accepted[environment]),
            scope=self.scope,
            rebaselined=self.rebaselined,
        )
        upstream = await roads.with_branch(await self._upstream(place), self.reader)
        candidate = _candidate(environment, tip, await self._ids(environment, tip))
        here = await self.reader.snapshot(tip)
        way = await roads.way(candidate, known, upstream, here, self.reader)
        return replace(known, upstream=upstream, way=way)

    async def _upstream(self, place: int) -> candidates.Upstream | None:
        if not place:
            return None
        name = ROAD[place - 1]
        tip = self.tip(name)
        return candidates.Upstream(
            environment=names.Environment(name),
            accepted=tuple(self.accepted[name]),
            undecided=await self._pending(name, tip),
            tip=tip,
            skipped=tuple(
                (names.Environment(each), one)
                for each in ROAD[: place - 1]
                for one in self.accepted[each][::-1]
            ),
        )

    async def _pending(self, name: str, tip: names.CommitId) -> ledger.Decision | None:
        verdict = self.undecided.get(name)
        if verdict is None:
            return None
        ids = await self._ids(name, tip)
        asked = builders.decision(environment=name, verdict=verdict)
        return replace(asked, commit=tip, content=ids.content, rules=ids.rules)

    def tell(self, environment: str, commit: str = "") -> told.Told:
        tip = self.tip(commit or environment)
        return lineage.tell(self.candidate(environment, tip), self.facts(environment, commit))

    def gate(self, environment: str) -> ledger.GateResult:
        tip = self.tip(environment)
        candidate, facts = self.candidate(environment, tip), self.facts(environment)
        return lineage.gate(candidate, facts, lineage.tell(candidate, facts))

    def by_branches(self, environment: str) -> bookless.Telling:
        """As whoever has no book tells it: a preview, or a hook of the git host."""
        place = ROAD.index(environment)
        upstream = names.Environment(ROAD[place - 1]) if place else None
        known = self.accepted[environment]
        branches = bookless.Branches(
            running=known[-1].commit if known else None,
            upstream=upstream,
            above=self.tip(upstream) if upstream else None,
        )
        return asyncio.run(self._by_branches(environment, branches))

    async def _by_branches(
        self, environment: str, branches: bookless.Branches
    ) -> bookless.Telling:
        git = scratch.Scratch(programs.Program(folder=self.folder))
        library = bookless.Library(source=git, histories=git, memo=memo.Memo(Path(":memory:")))
        where = layout.Layout(environment=names.Environment(environment), owned=layout.OWNED)
        seen = bookless.Seen(
            sides=(candidates.Side(word="", spec=builders.environment(environment)),),
            scope=self.scope,
            change=candidates.Change(clusters=0, objects=0, deletions=0),
            now=builders.NOW,
        )
        about = await bookless.known(self.tip(environment), where, branches, library)
        return await bookless.tell(about, seen, git)

    def state(self, environment: str) -> ledger.GateState:
        return classes.CLASSES[self.tell(environment).kind].state


def _candidate(environment: str, commit: names.CommitId, ids: layout.Ids) -> candidates.Candidate:
    return candidates.Candidate(
        environment=names.Environment(environment),
        commit=commit,
        content=ids.content,
        rules=ids.rules,
        owned=ids.owned,
    )
