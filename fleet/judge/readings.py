"""A commit as values: its listing judged, its parts named, its own documents read."""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from fleet.judge import memory, trusts
from fleet.manifests import declared, layout, parse, tree
from fleet.model import errors, findings, names, objects, snapshots
from fleet.ports import repository, store

_YAML = (".yaml", ".yml", ".json")
_BUNDLES = ("bundle.yaml", "bundle.yml", "bundle.json")
_OWNED_FOLDERS = ("clusters/", "environments/", "trust/")
_AT_ONCE = 2_000  # files whose bytes are in memory together
_LFS = b"version https://git-lfs.github.com/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """`parsed` holds the documents of ours and the rules; bundles are read when they are rendered."""

    snapshot: snapshots.Snapshot
    shared: snapshots.Snapshot = field(repr=False)  # what bundles may be made of
    ids: layout.Ids
    layout: layout.Layout
    parsed: Mapping[str, parse.Parsed] = field(repr=False)
    declared: declared.Declared
    findings: tuple[findings.Finding, ...]


class Files:
    """The bytes and documents of blobs, each read and parsed once for as long as it is remembered."""

    def __init__(
        self,
        source: repository.Repository,
        memo: store.Memo,
        most: int = 20_000,
        aside: memory.Aside = memory.inline,
        near: repository.Near | None = None,
    ) -> None:
        self._source, self._memo, self._most, self._aside = source, memo, most, aside
        self._near = near
        self._bytes: dict[names.BlobId, bytes] = {}
        self._parsed: dict[tuple[names.BlobId, str], parse.Parsed] = {}

    async def contents(self, entries: Iterable[snapshots.Entry]) -> dict[str, bytes]:
        wanted = {each.path: each.blob for each in entries}
        # Taken before waiting: meanwhile others may make room for theirs.
        known = {blob: self._bytes[blob] for blob in wanted.values() if blob in self._bytes}
        missing = {blob for blob in wanted.values() if blob not in known}
        fresh = dict(await self._source.blobs(sorted(missing))) if missing else {}
        small = {blob: data for blob, data in fresh.items() if len(data) < 1 << 16}
        self._keep(self._bytes, small, min(self._most, 2 * _AT_ONCE))
        return {
            path: fresh[blob] if blob in fresh else known[blob] for path, blob in wanted.items()
        }

    async def parsed(self, entries: Iterable[snapshots.Entry]) -> dict[str, parse.Parsed]:
        wanted = {(each.blob, each.path): each for each in entries}
        known = {key: self._parsed[key] for key in wanted if key in self._parsed}
        unread = [each for key, each in wanted.items() if key not in known]
        recalled = await self._recalled(unread)
        missing = [each for each in unread if (each.blob, each.path) not in recalled]
        parsed: dict[tuple[names.BlobId, str], parse.Parsed] = {}
        for start in range(0, len(missing), _AT_ONCE):
            parsed |= await self._read(missing[start : start + _AT_ONCE])
        fresh = recalled | parsed
        self._keep(self._parsed, fresh, self._most)
        found = known | fresh
        return {path: found[blob, path] for blob, path in wanted}

    async def _read(
        self, entries: list[snapshots.Entry]
    ) -> dict[tuple[names.BlobId, str], parse.Parsed]:
        contents = await self.contents(entries)
        parsed: dict[tuple[names.BlobId, str], parse.Parsed] = {}
        for start in range(0, len(entries), memory.BATCH):
            part = entries[start : start + memory.BATCH]
            parsed |= await self._aside(lambda some=part: _all_parsed(some, contents))  # type: ignore[misc]  # bound here
        await self._memo.remember(
            {
                _key(blob, path): data
                for (blob, path), each in parsed.items()
                if (data := parse.kept(each, 4 * len(contents[path]) + 1024)) is not None
            }
        )
        return parsed

    async def _recalled(
        self, entries: Iterable[snapshots.Entry]
    ) -> dict[tuple[names.BlobId, str], parse.Parsed]:
        asked = {_key(each.blob, each.path): each for each in entries}
        known = await self._memo.recall(asked)
        return {
            (each.blob, each.path): parse.restored(known[key], each.path, each.blob)
            for key, each in asked.items()
            if key in known
        }

    def are_near(self, entries: Iterable[snapshots.Entry]) -> bool:
        """Whether `at_once` has an answer for all of them."""
        near = self._near
        return near is not None and all(near.holds(each.blob) for each in entries)

    def at_once(self, entry: snapshots.Entry) -> parse.Parsed:
        return _parsed(self.bytes_at_once(entry), entry.path, entry.blob)

    def bytes_at_once(self, entry: snapshots.Entry) -> bytes:
        if self._near is None:
            raise errors.BrokenError(f"{entry.path} is not at hand")
        return self._near.at_once(entry.blob)

    async def digests(self, entries: Iterable[snapshots.Entry]) -> dict[names.BlobId, str]:
        """SHA-256 of the bytes of each blob; a blob's bytes are read for it once in a lifetime."""
        blobs = {each.blob: each for each in entries}
        known = await self._memo.recall(f"sha256/{blob}" for blob in blobs)
        found = {names.BlobId(key[7:]): value.decode() for key, value in known.items()}
        unread = [each for blob, each in blobs.items() if blob not in found]
        for start in range(0, len(unread), _AT_ONCE):
            part = {each.path: each.blob for each in unread[start : start + _AT_ONCE]}
            contents = await self.contents(unread[start : start + _AT_ONCE])
            fresh = {part[p]: hashlib.sha256(data).hexdigest() for p, data in contents.items()}
            await self._memo.remember({f"sha256/{b}": each.encode() for b, each in fresh.items()})
            found |= fresh
        return found

    @staticmethod
    def _keep(kept: dict, fresh: dict, most: int) -> None:  # type: ignore[type-arg]  # any of the two above
        kept.update(fresh)
        while len(kept) > most:
            del kept[next(iter(kept))]


def _key(blob: names.BlobId, path: str) -> str:
    return f"parsed/{path.endswith('.json'):d}/{blob}"


async def fleet_file(
    commit: names.CommitId, source: repository.Repository, files: Files
) -> parse.Parsed | findings.Finding:
    """fleet.yaml by itself, before there is a road to read the rest by."""
    entry = (await source.snapshot(commit)).entries.get(declared.FLEET_FILE)
    if entry is None or entry.size > tree.Limits().file_size or entry.mode != snapshots.FILE:
        place = findings.Place(path=declared.FLEET_FILE)
        return findings.deny("fleet", place, "it is not there", hint="fleet init")
    return (await files.parsed([entry]))[entry.path]


async def read(
    commit: names.CommitId, where: layout.Layout, source: repository.Repository, files: Files
) -> Reading:
    snapshot = await source.snapshot(commit)
    live = _live(snapshot, where)
    odd = tree.check(live)
    entries = [] if odd else list(live.entries.values())
    digests = await files.digests(entries)
    parsed = await files.parsed(each for each in entries if _speaks(each.path, where))
    own = declared.read(parsed.values(), where)
    faults = (finding for each in parsed.values() for finding in each.findings)
    if not odd:
        chain = await files.contents(trusts.entries(live, where))
        trust, untrusted = trusts.read(chain, where.environment)
        own = replace(own, trust=trust, findings=(*own.findings, *untrusted))
    named = layout.ids(live, where, digests) if not odd else NO_IDS
    return Reading(
        snapshot=snapshot,
        shared=_only(snapshot, where.is_shared),
        layout=where,
        ids=named,
        parsed=parsed,
        declared=own,
        findings=(*odd, *faults, *(() if odd else own.findings)),
    )


async def ids(
    commit: names.CommitId, where: layout.Layout, source: repository.Repository, files: Files
) -> layout.Ids:
    """What `read` would say of it, with no file parsed."""
    live = _live(await source.snapshot(commit), where)
    if tree.check(live):
        return NO_IDS
    return layout.ids(live, where, await files.digests(live.entries.values()))


NO_IDS = layout.Ids(
    content=names.ContentId("none: the tree is refused"),
    rules=names.RulesId("none: the tree is refused"),
    owned=names.OwnedId("none: the tree is refused"),
)


def _live(snapshot: snapshots.Snapshot, where: layout.Layout) -> snapshots.Snapshot:
    return _only(snapshot, lambda path: where.part(path) is not layout.Part.INERT)


def _only(snapshot: snapshots.Snapshot, holds: Callable[[str], bool]) -> snapshots.Snapshot:
    """Other environments' owned paths are ignored, never refused; bundles see no owned path at all."""
    entries = {path: entry for path, entry in snapshot.entries.items() if holds(path)}
    return snapshots.Snapshot(commit=snapshot.commit, entries=entries)


def _speaks(path: str, where: layout.Layout) -> bool:
    """Whether a file may hold documents of ours or rules."""
    part = where.part(path)
    if part is layout.Part.CONTENT:
        is_lost = path.startswith(_OWNED_FOLDERS) and path.endswith(_YAML)  # one folder too high
        return is_lost or path.rpartition("/")[2] in _BUNDLES
    return path.endswith(_YAML)


def _all_parsed(
    entries: Iterable[snapshots.Entry], contents: Mapping[str, bytes]
) -> dict[tuple[names.BlobId, str], parse.Parsed]:
    return {
        (each.blob, each.path): _parsed(contents[each.path], each.path, each.blob)
        for each in entries
    }


def _parsed(data: bytes, path: str, blob: names.BlobId) -> parse.Parsed:
    found = pointer(path, data)
    if found is not None:
        return parse.Parsed(path=path, blob=blob, documents=(), findings=(found,))
    return parse.documents(data, path, blob)


def pointer(path: str, data: bytes) -> findings.Finding | None:
    """What is wrong with a file that stands for another, which nobody here will fetch (threat 5)."""
    if not data.startswith(_LFS):
        return None
    place = findings.Place(path=path, line=1)
    return findings.deny("tree", place, "a Git LFS pointer, not the file", hint="commit the file")


def sourced(parsed: parse.Parsed) -> list[tuple[Any, objects.Source]]:
    return [
        (
            each.value,
            objects.Source(path=parsed.path, line=each.line, blob=parsed.blob, index=each.index),
        )
        for each in parsed.documents
    ]


def only(parsed: parse.Parsed) -> tuple[Any, objects.Source]:
    """The one document of a kustomization file; kustomize would read the first and be silent about others."""
    line, value = 1, None
    if [each.index for each in parsed.documents] == [0]:
        line, value = parsed.documents[0].line, parsed.documents[0].value
    return value, objects.Source(path=parsed.path, line=line, blob=parsed.blob)
