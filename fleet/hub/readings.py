"""A commit as values: its listing judged, its parts named, its own documents read."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from fleet.manifests import declared, layout, parse, tree
from fleet.model import findings, names, snapshots
from fleet.ports import repository, store

_YAML = (".yaml", ".yml", ".json")
_LFS = b"version https://git-lfs.github.com/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """`parsed` holds the documents of ours and the rules; bundles are read when they are rendered."""

    snapshot: snapshots.Snapshot
    ids: layout.Ids
    layout: layout.Layout
    parsed: Mapping[str, parse.Parsed] = field(repr=False)
    declared: declared.Declared
    findings: tuple[findings.Finding, ...]


class Files:
    """The bytes and documents of blobs, each read and parsed once for as long as it is remembered."""

    def __init__(
        self, source: repository.Repository, memo: store.Memo, most: int = 20_000
    ) -> None:
        self._source, self._memo, self._most = source, memo, most
        self._bytes: dict[names.BlobId, bytes] = {}
        self._parsed: dict[tuple[names.BlobId, str], parse.Parsed] = {}

    async def contents(self, entries: Iterable[snapshots.Entry]) -> dict[str, bytes]:
        wanted = {each.path: each.blob for each in entries}
        missing = {blob for blob in wanted.values() if blob not in self._bytes}
        fresh = dict(await self._source.blobs(sorted(missing))) if missing else {}
        found = {
            path: fresh.get(blob) or self._bytes.get(blob, b"") for path, blob in wanted.items()
        }
        self._keep(self._bytes, {b: data for b, data in fresh.items() if len(data) < 1 << 16})
        return found

    async def parsed(self, entries: Iterable[snapshots.Entry]) -> dict[str, parse.Parsed]:
        wanted = list(entries)
        unread = [each for each in wanted if (each.blob, each.path) not in self._parsed]
        contents = await self.contents(unread)
        fresh = {
            (each.blob, each.path): _parsed(contents[each.path], each.path, each.blob)
            for each in unread
        }
        found = {
            e.path: fresh.get((e.blob, e.path)) or self._parsed[e.blob, e.path] for e in wanted
        }
        self._keep(self._parsed, fresh)
        return found

    async def digests(self, entries: Iterable[snapshots.Entry]) -> dict[names.BlobId, str]:
        """SHA-256 of the bytes of each blob; a blob's bytes are read for it once in a lifetime."""
        blobs = {each.blob: each for each in entries}
        known = await self._memo.recall(f"sha256/{blob}" for blob in blobs)
        found = {names.BlobId(key[7:]): value.decode() for key, value in known.items()}
        unread = {each.path: each for blob, each in blobs.items() if blob not in found}
        contents = await self.contents(unread.values())
        fresh = {
            unread[path].blob: hashlib.sha256(data).hexdigest() for path, data in contents.items()
        }
        await self._memo.remember({f"sha256/{b}": digest.encode() for b, digest in fresh.items()})
        return found | fresh

    def _keep(self, kept: dict, fresh: dict) -> None:  # type: ignore[type-arg]  # any of the two above
        kept.update(fresh)
        while len(kept) > self._most:
            del kept[next(iter(kept))]


async def read(
    commit: names.CommitId, where: layout.Layout, source: repository.Repository, files: Files
) -> Reading:
    snapshot = await source.snapshot(commit)
    odd = tree.check(_live(snapshot, where))
    entries = [] if odd else list(layout.live(snapshot, where))
    digests = await files.digests(entries)
    parsed = await files.parsed(each for each in entries if _speaks(each.path, where))
    own = declared.read(parsed.values(), where)
    faults = (finding for each in parsed.values() for finding in each.findings)
    named = layout.ids(_live(snapshot, where), where, digests) if not odd else _NO_IDS
    return Reading(
        snapshot=snapshot,
        layout=where,
        ids=named,
        parsed=parsed,
        declared=own,
        findings=(*odd, *faults, *(() if odd else own.findings)),
    )


_NO_IDS = layout.Ids(
    content=names.ContentId("none: the tree is refused"),
    rules=names.RulesId("none: the tree is refused"),
    owned=names.OwnedId("none: the tree is refused"),
)


def _live(snapshot: snapshots.Snapshot, where: layout.Layout) -> snapshots.Snapshot:
    """Without other environments' owned paths: on this branch they are ignored, never refused."""
    entries = {entry.path: entry for entry in layout.live(snapshot, where)}
    return snapshots.Snapshot(commit=snapshot.commit, entries=entries)


def _speaks(path: str, where: layout.Layout) -> bool:
    """Whether a file may hold documents of ours or rules."""
    part = where.part(path)
    if part is layout.Part.CONTENT:
        return path.rpartition("/")[2] == "bundle.yaml"
    return path.endswith(_YAML)


def _parsed(data: bytes, path: str, blob: names.BlobId) -> parse.Parsed:
    if data.startswith(_LFS):
        place = findings.Place(path=path, line=1)
        found = findings.deny("tree", place, "a Git LFS pointer, not the file", hint="commit it")
        return parse.Parsed(path=path, blob=blob, documents=(), findings=(found,))
    return parse.documents(data, path, blob)
