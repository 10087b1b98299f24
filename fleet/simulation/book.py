"""The book in memory: what was synced survives a crash, the tail that was only written does not."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field

from fleet.audit import chain, tree
from fleet.audit.records import Head, Record
from fleet.model import errors, json_values, ledger, names, slices
from fleet.ports import store
from fleet.protocol import encoding
from fleet.simulation import faults


@dataclass(slots=True, kw_only=True)
class Pages:
    """All that was written, as bytes, so that nothing in a book is an object that somebody still holds."""

    rows: dict[tuple[str, str], bytes] = field(default_factory=dict)
    records: list[bytes] = field(default_factory=list)
    slices: dict[names.SliceDigest, bytes] = field(default_factory=dict)
    facts: dict[names.Digest, bytes] = field(default_factory=dict)
    nodes: dict[tree.Place, bytes] = field(default_factory=dict)
    writes: int = 0

    def take(self, write: store.Write) -> Head:
        head = self.head()
        for draft in write.records:
            record = chain.link(draft, head)
            leaf = tree.leaf(record.hash)
            self.nodes.update(tree.grown(head.length, leaf, self.nodes.__getitem__))
            self.records.append(encoding.encode(record))
            head = chain.head_of(record)
        for row in write.rows:
            self.rows[type(row).__name__, ledger.key(row)] = encoding.encode(row)
        self.slices.update(write.slices)
        self.facts.update(write.facts)
        self.writes += 1
        return head

    def copy(self) -> "Pages":
        return Pages(
            rows=dict(self.rows),
            records=[*self.records],
            slices=dict(self.slices),
            facts=dict(self.facts),
            nodes=dict(self.nodes),
            writes=self.writes,
        )

    def head(self) -> Head:
        return chain.head_of(self.read(len(self.records) - 1)) if self.records else chain.START

    def read(self, index: int) -> Record:
        return encoding.decode(Record, self.records[index])


@dataclass(slots=True, kw_only=True)
class Shelf:
    """The disk under a book. `syncs` = False is a disk that lies: what it has promised is lost with the power."""

    synced: Pages = field(default_factory=Pages)
    tail: list[store.Write] = field(default_factory=list)
    syncs: bool = True
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)  # one transaction at a time
    term: int = 0  # of whoever has taken over last

    def sync(self) -> None:
        for write in self.tail:
            self.synced.take(write)
        self.tail.clear()

    def drop_tail(self) -> None:
        self.tail.clear()

    def roll_back(self, write: store.Write) -> None:
        """A transaction that failed before it was synced leaves nothing."""
        self.tail = [each for each in self.tail if each is not write]

    def seen(self) -> Pages:
        """What a reader gets while the power is on."""
        if not self.tail:
            return self.synced
        pages = self.synced.copy()
        for write in self.tail:
            pages.take(write)
        return pages

    def copy(self) -> Pages:
        """A backup, for `synced` of a later day."""
        return self.synced.copy()


class Book:
    """Implements ports.store.Book for one life of a hub."""

    def __init__(self, shelf: Shelf, process: faults.Process) -> None:
        self._shelf, self._process = shelf, process
        self._term = 0

    async def take_over(self) -> None:
        async with self._process.call("book.take_over"):
            self._shelf.term += 1
            self._term = self._shelf.term

    async def confirm(self) -> None:
        async with self._process.call("book.confirm"):
            self._check_term()

    def _check_term(self) -> None:
        if self._term != self._shelf.term:
            raise store.taken_over()

    async def load(self) -> ledger.Ledger:
        async with self._process.call("book.load"):
            pages = self._shelf.seen()
            fault = chain.verify(pages.read(n) for n in range(len(pages.records)))
            if fault:
                raise errors.BrokenError(f"the book is damaged: {fault}")
            found = ledger.Ledger()
            for (kind, _), value in pages.rows.items():
                found.take(encoding.decode(ledger.KINDS[kind], value))
            return found

    async def commit(self, write: store.Write) -> Head:
        _check_spelled(write)
        async with self._shelf.turn:
            return await self._commit(write)

    async def _commit(self, write: store.Write) -> Head:
        try:
            async with self._process.call("book.write"):
                self._check_term()
                self._shelf.tail.append(write)
            async with self._process.call("book.sync"):
                if self._shelf.syncs:
                    self._shelf.sync()
                return self._shelf.seen().head()
        except errors.UnreachableError:
            self._shelf.roll_back(write)
            raise

    async def records(self, since: int = 0) -> AsyncIterator[Record]:
        async with self._process.call("book.records"):
            pages = self._shelf.seen()
        for index in range(since, len(pages.records)):
            yield pages.read(index)

    async def slice(self, digest: names.SliceDigest) -> bytes | None:
        async with self._process.call("book.slice"):
            data = self._shelf.seen().slices.get(digest)
        if data is not None and slices.digest(data) != digest:
            raise errors.BrokenError(f"the book's bytes of slice {digest} are damaged")
        return data

    async def facts(self, digest: names.Digest) -> bytes | None:
        async with self._process.call("book.facts"):
            data = self._shelf.seen().facts.get(digest)
        if data is not None and json_values.digest_of_bytes(data) != digest:
            raise errors.BrokenError(f"the book's facts {digest} are damaged")
        return data

    async def head(self) -> Head:
        async with self._process.call("book.head"):
            return self._shelf.seen().head()

    async def nodes(self, places: Iterable[tree.Place]) -> Mapping[tree.Place, bytes]:
        async with self._process.call("book.nodes"):
            found = self._shelf.seen().nodes
        return {place: found[place] for place in places}


def _check_spelled(write: store.Write) -> None:
    """Raises TypeError for what has no spelling, before any of it is written."""
    for draft in write.records:
        json_values.encode(draft.body)
    for row in write.rows:
        encoding.encode(row)
