"""What is known of a bundle's files that have not changed: which objects are in them, without reading them again.

Kept is only what had no fault. Of workloads and of data a sketch is kept, and the object itself is read from its file
when somebody asks: then it must be the very one that was judged.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Protocol

from fleet.judge import memory, readings
from fleet.manifests import objects, parse, scopes
from fleet.model import errors, findings, json_values, names, snapshots
from fleet.model import objects as words
from fleet.policy.crds import customs
from fleet.policy.relations import references, sketches
from fleet.ports import store

TOGETHER = 64  # files, about: a change costs the reading of so many
_AT_HAND = 4  # files whose objects are held for the next question

Read = Callable[[snapshots.Entry], tuple[words.Manifest, ...]]
Document = tuple[Any, words.Source]


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """Some files of one bundle; `known` is what was kept of them, None = nothing."""

    entries: tuple[snapshots.Entry, ...]
    key: str
    known: Any = None


def pieces(origin: objects.Origin, entries: Iterable[snapshots.Entry]) -> list[Piece]:
    """A bundle's files by their names, so that one more moves few of them into another piece."""
    listed = list(entries)
    count = 1 << (len(listed) // TOGETHER).bit_length()
    parts: dict[int, list[snapshots.Entry]] = {}
    for each in listed:
        name = hashlib.sha256(each.path.encode("utf-8", "surrogateescape")).digest()
        parts.setdefault(int.from_bytes(name[:4]) % count, []).append(each)
    about = [origin.bundle, origin.namespace, origin.takeover]
    return [_piece(about, tuple(part)) for part in parts.values()]


def _piece(about: list[Any], entries: tuple[snapshots.Entry, ...]) -> Piece:
    said = json.dumps([*about, [[each.path, each.blob] for each in entries]])
    return Piece(entries=entries, key=f"objects/{json_values.digest_of_bytes(said.encode())}")


def identity(known: scopes.Scopes) -> names.Digest:
    """All that reading objects depends on besides them."""
    listed = sorted([*kind, own.namespaced, own.plural] for kind, own in known.custom.items())
    return json_values.digest(listed)


def kept(read: objects.Read, piece: Piece, known: names.Digest) -> bytes | None:
    """None for what has faults, brings kinds of its own, or takes far more room than its files."""
    is_own = any(is_definition(each.key) for each in read.manifests)
    if read.findings or not read.manifests or is_own:
        return None
    try:
        table = _Table()
        rows = [_row(each, table) for each in read.manifests]
        data = json.dumps([known, rows, table.rows()], ensure_ascii=False)
    except ValueError:
        return None
    most = sum(4 * each.size + 1024 for each in piece.entries)
    encoded = data.encode("utf-8", "surrogatepass")
    return encoded if len(encoded) <= most else None


def is_definition(key: words.Key) -> bool:
    return (key.group, key.kind) == customs.CRD


def named(piece: Piece, known: names.Digest) -> str:
    """A piece as it was read by those who know these kinds."""
    return f"{piece.key}/{known}"


def decoded(data: bytes) -> Any:
    return json.loads(data.decode("utf-8", "surrogatepass"))


class _Table:
    """What the objects of a piece refer to: most of it is the same for many."""

    def __init__(self) -> None:
        self._places: dict[words.Reference, int] = {}

    def places(self, referring: Iterable[words.Reference]) -> list[int]:
        return [self._places.setdefault(each, len(self._places)) for each in referring]

    def rows(self) -> list[list[Any]]:
        return [[_named(each.target), each.field, each.detail] for each in self._places]


def _named(key: words.Key) -> list[str]:
    return [key.group, key.kind, key.namespace, key.name]


def _row(manifest: words.Manifest, table: _Table) -> list[Any]:
    source, sketch = manifest.source, sketches.sketch(manifest)
    whole = manifest.body if sketch is None else None
    where = [source.path, source.line, source.index]
    return [
        _named(manifest.key),
        manifest.version,
        manifest.digest,
        where,
        whole,
        sketch,
        table.places(references.of(manifest)),
    ]


def restored(piece: Piece, origin: objects.Origin, read: Read) -> list[words.Manifest]:
    """In the order in which they were kept."""
    entries = {each.path: each for each in piece.entries}
    counts = dict.fromkeys(entries, 0)
    found = []
    name = named(piece, piece.known[0])
    table = [_reference(each) for each in piece.known[2]]
    for row in piece.known[1]:
        path = row[3][0]
        found.append(_restored(row, entries[path], counts[path], origin, read, table, name))
        counts[path] += 1
    return found


def _key(named: Sequence[str]) -> words.Key:
    group, kind, namespace, name = named
    return words.Key(group=group, kind=kind, namespace=namespace, name=name)


def _reference(row: Sequence[Any]) -> words.Reference:
    target, field, detail = row
    return words.Reference(target=_key(target), field=tuple(field), detail=detail)


def _restored(
    row: Sequence[Any],
    entry: snapshots.Entry,
    place: int,
    origin: objects.Origin,
    read: Read,
    table: Sequence[words.Reference],
    piece: str,
) -> words.Manifest:
    named, version, digest, (path, line, index), whole, sketch, places = row
    said = {
        "key": _key(named),
        "version": version,
        "digest": names.Digest(digest),
        "bundle": origin.bundle,
        "source": words.Source(path=path, line=line, blob=entry.blob, index=index),
        "takeover": origin.takeover,
        "piece": piece,
        "refers": tuple([table[each] for each in places]),
    }
    if sketch is None:
        return words.Manifest(body=whole, **said)
    return words.unread(**said, sketch=sketch, read=partial(_body, read, entry, place, digest))


def _body(read: Read, entry: snapshots.Entry, place: int, digest: str) -> Mapping[str, Any]:
    """Raises errors.BrokenError where the file does not hold what was kept of it (threat 106)."""
    found = read(entry)
    if place >= len(found) or found[place].digest != digest:
        raise errors.BrokenError(f"{entry.path} does not hold what was remembered of it")
    return found[place].body


class Bundle:
    """One bundle's files: what was kept of some of them, the documents of the others."""

    def __init__(
        self,
        origin: objects.Origin,
        parts: Sequence[Piece],
        parsed: Mapping[str, parse.Parsed],
        files: readings.Files,
    ) -> None:
        self.origin, self.parts, self.files = origin, parts, files
        self._parsed = parsed

    @property
    def is_known(self) -> bool:
        return any(each.known is not None for each in self.parts)

    def fresh(self) -> tuple[list[Document], list[findings.Finding]]:
        """Of the files that nothing was kept of."""
        entries = [e for each in self.parts if each.known is None for e in each.entries]
        parsed = [self._parsed[each.path] for each in sorted(entries, key=lambda e: e.path)]
        documents = [pair for each in parsed for pair in readings.sourced(each)]
        return documents, [finding for each in parsed for finding in each.findings]

    def documents(self, part: Piece) -> Iterator[Document]:
        for each in part.entries:
            parsed = self._parsed.get(each.path) or self.files.at_once(each)
            yield from readings.sourced(parsed)

    def is_whole(self, part: Piece) -> bool:
        """Whether what was read of it is all that there is."""
        return not any(
            each.findings for e in part.entries if (each := self._parsed.get(e.path)) is not None
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A bundle's plain files, and who gets what is in them."""

    origin: objects.Origin
    entries: tuple[snapshots.Entry, ...]
    clusters: frozenset[names.Cluster]


@dataclass(frozen=True, slots=True, kw_only=True)
class Laid:
    """A bundle in pieces, each with what was kept of it."""

    origin: objects.Origin
    pieces: tuple[Piece, ...]
    clusters: frozenset[names.Cluster]

    @property
    def unread(self) -> frozenset[snapshots.Entry]:
        return frozenset(e for each in self.pieces if each.known is None for e in each.entries)

    def namespaces(self) -> list[words.Manifest]:
        """Those that are kept: whole, as all of their kind."""
        having = (each for each in self.pieces if each.known is not None and _has_space(each))
        listed = (each for piece in having for each in restored(piece, self.origin, _unasked))
        return [each for each in listed if is_namespace(each.key)]

    def taught(self, data: Mapping[str, bytes]) -> "Laid":
        parts = (
            replace(each, known=decoded(data[each.key])) if each.key in data else each
            for each in self.pieces
        )
        return replace(self, pieces=tuple(parts))


def is_namespace(key: words.Key) -> bool:
    return (key.group, key.kind) == ("", "Namespace")


def _has_space(piece: Piece) -> bool:
    return any(row[0][1] == "Namespace" for row in piece.known[1])


def _unasked(entry: snapshots.Entry) -> tuple[words.Manifest, ...]:
    raise errors.BrokenError(f"{entry.path}: of what is in it, no body is to be read here")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What some clusters get that verdicts on other objects depend on: Namespaces, and kinds as they were `written`."""

    clusters: frozenset[names.Cluster]
    written: tuple[Any, ...]
    manifests: tuple[words.Manifest, ...]


_GROUND = ("Namespace", customs.CRD[1])  # compared, not looked up: a kind may be anything


def is_ground(document: Any) -> bool:
    return any(
        isinstance(each, Mapping) and each.get("kind") in _GROUND
        for each, _ in objects.unwrapped(document, ())
    )


class Ahead(Protocol):
    """Finds out what is in pieces of which too little is known."""

    async def __call__(
        self, laid: Sequence[Laid], others: Iterable[Ground]
    ) -> Mapping[str, bytes]:
        """What is to be kept of pieces, by their keys. `others` is what other bundles bring."""


async def look_up(
    asked: Mapping[str, Asked],
    files: readings.Files,
    memo: store.Memo,
    ahead: Ahead | None = None,
    others: Iterable[Ground] = (),
) -> dict[str, Bundle]:
    laid = {
        name: Laid(
            origin=each.origin,
            pieces=tuple(pieces(each.origin, each.entries)),
            clusters=each.clusters,
        )
        for name, each in asked.items()
    }
    known = await memo.recall(part.key for each in laid.values() for part in each.pieces)
    laid = {name: each.taught(known) for name, each in laid.items()}
    if ahead is not None:
        fresh = await ahead([*laid.values()], others)
        laid = {name: each.taught(fresh) for name, each in laid.items()}
    parsed = await files.parsed(entry for each in laid.values() for entry in each.unread)
    return {name: Bundle(each.origin, each.pieces, parsed, files) for name, each in laid.items()}


async def read(
    bundle: Bundle, known: scopes.Scopes, memo: store.Memo, aside: memory.Aside
) -> objects.Read:
    """All objects of a bundle, and what is wrong with them; what was read anew is kept for the next time."""
    origin, about = replace(bundle.origin, scopes=known), identity(known)
    reader = _Reader(origin, bundle.files)
    manifests: list[words.Manifest] = []
    found: list[findings.Finding] = []
    kept_now: dict[str, bytes] = {}
    for part in bundle.parts:
        if part.known is not None and part.known[0] == about:
            manifests += restored(part, origin, reader)
            continue
        fresh = await aside(lambda some=part: objects.each(bundle.documents(some), origin))  # type: ignore[misc]  # bound here
        manifests += fresh.manifests
        found += fresh.findings
        data = kept(fresh, part, about) if bundle.is_whole(part) else None
        if data is not None:
            kept_now[part.key] = data
    await memo.remember(kept_now)
    manifests.sort(key=lambda each: each.source.path)
    found.sort(key=lambda each: each.place.path)
    return objects.compared(objects.Read(manifests=tuple(manifests), findings=tuple(found)))


class _Reader:
    """Files as objects of one bundle, the last few held: who asks for one object asks for its neighbour."""

    def __init__(self, origin: objects.Origin, files: readings.Files) -> None:
        self._origin, self._files = origin, files
        self._held: dict[tuple[str, names.BlobId], tuple[words.Manifest, ...]] = {}

    def __call__(self, entry: snapshots.Entry) -> tuple[words.Manifest, ...]:
        key = entry.path, entry.blob
        if key not in self._held:
            documents = readings.sourced(self._files.at_once(entry))
            self._held[key] = objects.each(documents, self._origin).manifests
            while len(self._held) > _AT_HAND:
                del self._held[next(iter(self._held))]
        return self._held[key]
