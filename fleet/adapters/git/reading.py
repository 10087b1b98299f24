"""Reading commits by id from any repository on disk: listings, bytes, ancestry."""

from collections.abc import Iterable
from datetime import datetime
from typing import TypeVar

from fleet.adapters.git import programs
from fleet.model import errors, names, snapshots

_FORM = "%H%x00%P%x00%an <%ae>%x00%s%x00%aI%x00%B"
_STEP = "%x01%H%x00%P%x00%B%x00"
_MOST_STEPS = 1000
_MOST = 10_000  # commits that one change may bring
_Id = TypeVar("_Id", names.BlobId, names.CommitId)


class Reader:
    """The reading half of ports.repository.Repository."""

    def __init__(self, program: programs.Program) -> None:
        self._git = program
        self._snapshots: dict[names.CommitId, snapshots.Snapshot] = {}

    async def snapshot(self, commit: names.CommitId) -> snapshots.Snapshot:
        if commit not in self._snapshots:
            _check(commit)
            out = await self._git.run("ls-tree", "-r", "-l", "-z", "--full-tree", commit)
            entries = (_entry(line) for line in out.split(b"\0") if line)
            found = snapshots.Snapshot(commit=commit, entries={e.path: e for e in entries})
            self._snapshots[commit] = found
            while len(self._snapshots) > 16:
                del self._snapshots[next(iter(self._snapshots))]
        return self._snapshots[commit]

    async def blobs(self, ids: Iterable[names.BlobId]) -> snapshots.Contents:
        wanted = list(dict.fromkeys(ids))
        for blob in wanted:
            _check(blob)
        if not wanted:
            return {}
        given = "".join(f"{blob}\n" for blob in wanted).encode()
        return _batch(await self._git.run("cat-file", "--batch", given=given), wanted)

    async def commit(self, commit: names.CommitId) -> snapshots.Commit:
        _check(commit)
        out = await self._git.run("show", "-s", f"--format={_FORM}", f"{commit}^{{commit}}")
        hexed, parents, author, subject, authored, message = (
            out.decode("utf-8", "replace").rstrip("\n").split("\0", 5)
        )
        return snapshots.Commit(
            id=names.CommitId(hexed),
            parents=tuple(names.CommitId(each) for each in parents.split()),
            author=author,
            subject=subject,
            authored=_time(authored),
            message=message,
        )

    async def is_ancestor(self, older: names.CommitId, newer: names.CommitId) -> bool:
        _check(older)
        _check(newer)
        if await self._git.holds("merge-base", "--is-ancestor", older, newer):
            return True
        await self._whole()
        return False

    async def steps(self, base: names.CommitId, tip: names.CommitId) -> tuple[snapshots.Step, ...]:
        _check(base)
        _check(tip)
        await self._whole()
        out = await self._git.run(
            "log", "--first-parent", "--diff-merges=first-parent", "--name-only", "--no-renames",
            "-z", f"--max-count={_MOST_STEPS}", f"--format={_STEP}", f"{base}..{tip}",
        )  # fmt: skip
        return tuple(_step(each) for each in reversed(out.split(b"\x01")[1:]))

    async def between(
        self, tip: names.CommitId, without: Iterable[names.CommitId], most: int
    ) -> tuple[names.CommitId, ...]:
        left_out = tuple(without)
        for each in (tip, *left_out):
            _check(each)
        await self._whole()
        given = "".join(f"{word}\n" for word in (tip, *(f"^{each}" for each in left_out)))
        out = await self._git.run(
            "rev-list", "--topo-order", f"--max-count={most}", "--stdin", given=given.encode()
        )
        return tuple(names.CommitId(line) for line in out.decode().split())

    async def fork(self, one: names.CommitId, other: names.CommitId) -> names.CommitId | None:
        _check(one)
        _check(other)
        await self._whole()
        out = await self._git.run("merge-base", "--all", "--", one, other, fine=(0, 1))
        return next((names.CommitId(line) for line in out.decode().split()), None)

    async def signatures(
        self, base: names.CommitId | None, tip: names.CommitId
    ) -> tuple[snapshots.Signature, ...]:
        _check(tip)
        commits = [tip]
        if base is not None:
            _check(base)
            await self._whole()
            out = await self._git.run("rev-list", f"--max-count={_MOST + 1}", f"{base}..{tip}")
            commits = [names.CommitId(line) for line in out.decode().split()]
        if len(commits) > _MOST:
            raise errors.RefusedError(f"{tip[:10]} brings more than {_MOST} commits at once")
        if not commits:
            return ()
        given = "".join(f"{commit}\n" for commit in commits).encode()
        found = _batch(await self._git.run("cat-file", "--batch", given=given), commits, b"commit")
        return tuple(signature(each, found[each]) for each in commits)

    async def _whole(self) -> None:
        """A history that was cut off cannot say "no" (threat 27)."""
        out = await self._git.run("rev-parse", "--is-shallow-repository")
        if out.strip() != b"false":
            raise errors.UnreachableError(
                "the history of this clone is cut off", hint="git fetch --unshallow"
            )


def signature(commit: names.CommitId, data: bytes) -> snapshots.Signature:
    """Out of a commit's own bytes, as git takes it out before it signs and verifies."""
    head, separator, message = data.partition(b"\n\n")
    kept: list[bytes] = []
    armor: list[bytes] = []
    taken: list[bytes] = kept
    for line in head.split(b"\n"):
        if not line.startswith(b" "):
            taken = armor if line.startswith((b"gpgsig ", b"gpgsig-sha256 ")) else kept
            line = line.partition(b" ")[2] if taken is armor else line  # noqa: PLW2901
        elif taken is armor:
            line = line[1:]  # noqa: PLW2901
        taken.append(line)
    text = b"\n".join(armor).decode("utf-8", "replace")
    return snapshots.Signature(
        commit=commit,
        armor=text.rstrip("\n") + "\n" if text else "",
        payload=b"\n".join(kept) + separator + message,
    )


def _check(given: str) -> None:
    """Only full ids reach git."""
    if not names.is_commit_id(given):
        raise errors.InputError(f"{given!r} is no object id")


def _entry(line: bytes) -> snapshots.Entry:
    described, _, path = line.partition(b"\t")
    mode, _, blob, size = described.decode().split()
    if size == "BAD":
        raise errors.UnreachableError(f"git ls-tree: {blob} is not there")
    return snapshots.Entry(
        path=path.decode("utf-8", "surrogateescape"),
        mode=int(mode, 8),
        blob=names.BlobId(blob),
        size=0 if size == "-" else int(size),
    )


def _step(told: bytes) -> snapshots.Step:
    commit, parents, message, listed = told.split(b"\0", 3)
    paths = (path.decode("utf-8", "surrogateescape") for path in listed.split(b"\0") if path)
    return snapshots.Step(
        commit=names.CommitId(commit.decode()),
        parents=tuple(names.CommitId(each) for each in parents.decode().split()),
        paths=tuple(stripped for path in paths if (stripped := path.lstrip("\n"))),
        message=message.decode("utf-8", "replace"),
    )


def _batch(out: bytes, wanted: list[_Id], kind: bytes = b"blob") -> dict[_Id, bytes]:
    found: dict[_Id, bytes] = {}
    start = 0
    for blob in wanted:
        end = out.index(b"\n", start)
        words = out[start:end].split()
        if len(words) != 3 or words[1] != kind:
            raise errors.UnreachableError(f"git cat-file: {blob} is not there")
        size = int(words[2])
        found[blob] = out[end + 1 : end + 1 + size]
        start = end + 1 + size + 1
    return found


def _time(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None
