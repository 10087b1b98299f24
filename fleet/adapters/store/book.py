"""The book on SQLite through SQLAlchemy Core: rows, records and slices, each write one durable transaction.

`synchronous=FULL`: when `commit` returns, a power cut takes nothing back. The chain's end is checked on every load.
A write takes SQLite's lock before it reads the head, so two processes can never link two records to the same one.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sql
from sqlalchemy import event, exc
from sqlalchemy.dialects import sqlite

from fleet.audit import chain
from fleet.audit.records import Head, Record
from fleet.model import errors, ledger, names, slices
from fleet.ports import store
from fleet.protocol import encoding

SCHEMA = 1
_PAGE = 500
_WRITING = {"sqlite_begin": "IMMEDIATE"}

_METADATA = sql.MetaData()
_VERSION = sql.Table("version", _METADATA, sql.Column("schema", sql.Integer, primary_key=True))
_TERM = sql.Table("term", _METADATA, sql.Column("number", sql.Integer, primary_key=True))
_ROWS = sql.Table(
    "rows",
    _METADATA,
    sql.Column("kind", sql.Text, primary_key=True),
    sql.Column("key", sql.Text, primary_key=True),
    sql.Column("value", sql.LargeBinary, nullable=False),
)
_RECORDS = sql.Table(
    "records",
    _METADATA,
    sql.Column("index", sql.Integer, primary_key=True),
    sql.Column("hash", sql.Text, nullable=False, unique=True),
    sql.Column("value", sql.LargeBinary, nullable=False),
)
_SLICES = sql.Table(
    "slices",
    _METADATA,
    sql.Column("digest", sql.Text, primary_key=True),
    sql.Column("data", sql.LargeBinary, nullable=False),
)

Result = TypeVar("Result")


class Book:
    """Implements ports.store.Book. Blocking work runs in a thread, one at a time."""

    def __init__(self, path: Path) -> None:
        self._engine = sql.create_engine(sql.URL.create("sqlite", database=str(path)))
        self._turn = asyncio.Lock()
        self._term = 0  # of a book that nobody took over
        event.listen(self._engine, "connect", _durable)
        event.listen(self._engine, "begin", _begin)
        self._writing = self._engine.execution_options(**_WRITING)

    async def take_over(self) -> None:
        self._term = await self._run(self._take_over)

    async def confirm(self) -> None:
        await self._run(self._confirm)

    async def load(self) -> ledger.Ledger:
        return await self._run(self._load)

    async def commit(self, write: store.Write) -> Head:
        return await self._run(lambda: self._commit(write))

    async def records(self, since: int = 0) -> AsyncIterator[Record]:
        while True:
            page = await self._run(lambda start=since: self._page(start))  # type: ignore[misc]  # a default binds it
            for record in page:
                yield record
            if len(page) < _PAGE:
                return
            since = page[-1].index + 1

    async def slice(self, digest: names.SliceDigest) -> bytes | None:
        return await self._run(lambda: self._slice(digest))

    def close(self) -> None:
        self._engine.dispose()

    async def _run(self, work: Callable[[], Result]) -> Result:
        async with self._turn:
            try:
                return await asyncio.to_thread(work)
            except (exc.DatabaseError, sqlite3.DatabaseError) as error:
                raise _translated(error) from error

    def _take_over(self) -> int:
        with self._writing.begin() as connection:
            _prepare(connection)
            term = _term(connection) + 1
            connection.execute(_TERM.delete())
            connection.execute(_TERM.insert().values(number=term))
            return term

    def _confirm(self) -> None:
        with self._engine.connect() as connection:
            self._check_term(connection)

    def _check_term(self, connection: sql.Connection) -> None:
        if _term(connection) != self._term:
            raise store.taken_over()

    def _load(self) -> ledger.Ledger:
        with self._writing.begin() as connection:
            _prepare(connection)
            _check_end(connection)
            found = ledger.Ledger()
            for row in connection.execute(sql.select(_ROWS)):
                found.take(_decoded(row.kind, row.value))
            return found

    def _commit(self, write: store.Write) -> Head:
        with self._writing.begin() as connection:
            self._check_term(connection)
            head = _head(connection)
            for draft in write.records:
                record = chain.link(draft, head)
                connection.execute(_RECORDS.insert().values(**_record_row(record)))
                head = chain.head_of(record)
            for row in write.rows:
                connection.execute(_put(_ROWS, _row(row)))
            for digest, data in write.slices.items():
                connection.execute(_put(_SLICES, {"digest": digest, "data": data}))
            return head

    def _page(self, since: int) -> list[Record]:
        asked = (
            sql.select(_RECORDS.c.index, _RECORDS.c.value)
            .where(_RECORDS.c.index >= since)
            .order_by(_RECORDS.c.index)
            .limit(_PAGE)
        )
        with self._engine.connect() as connection:
            return [_read_record(index, value) for index, value in connection.execute(asked)]

    def _slice(self, digest: names.SliceDigest) -> bytes | None:
        asked = sql.select(_SLICES.c.data).where(_SLICES.c.digest == digest)
        with self._engine.connect() as connection:
            found = connection.execute(asked).scalar()
        data = None if found is None else _raw(found)
        if data is not None and slices.digest(data) != digest:
            raise errors.BrokenError(f"the book's bytes of slice {digest} are damaged")
        return data


def _durable(connection: Any, _: Any) -> None:
    connection.isolation_level = None  # the driver begins nothing by itself; _begin does
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=5000"):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: sql.Connection) -> None:
    how = connection.get_execution_options().get("sqlite_begin", "DEFERRED")
    connection.exec_driver_sql(f"BEGIN {how}")


def _prepare(connection: sql.Connection) -> None:
    _check_version(connection)
    _METADATA.create_all(connection)


def _term(connection: sql.Connection) -> int:
    return connection.execute(sql.select(_TERM.c.number)).scalar() or 0


def _check_version(connection: sql.Connection) -> None:
    """Before anything else is made or read, so that a book of another version stays as it is."""
    _VERSION.create(connection, checkfirst=True)
    found = connection.execute(sql.select(_VERSION.c.schema)).scalar()
    if found is None:
        connection.execute(_VERSION.insert().values(schema=SCHEMA))
    elif found != SCHEMA:
        raise errors.BrokenError(
            f"the book has schema version {found}, this program writes {SCHEMA}",
            hint="run the program that wrote it, or restore a copy made by this one",
        )


def _check_end(connection: sql.Connection) -> None:
    """The last record must be what its hash says, and as many must be there as its index says."""
    head = _head(connection)
    count = connection.execute(sql.select(sql.func.count()).select_from(_RECORDS)).scalar()
    if head.length != count:
        raise errors.BrokenError(f"the book ends at record {head.length} but holds {count}")


def _head(connection: sql.Connection) -> Head:
    columns = _RECORDS.c.index, _RECORDS.c.value
    last = connection.execute(sql.select(*columns).order_by(columns[0].desc()).limit(1)).first()
    if last is None:
        return chain.START
    record = _read_record(*last)
    if chain.hash_of(record) != record.hash:
        raise errors.BrokenError(f"record {record.index} at the book's end is damaged")
    return chain.head_of(record)


def _read_record(index: int, value: bytes) -> Record:
    try:
        record = encoding.decode(Record, _raw(value))
    except errors.InputError as error:
        raise errors.BrokenError(f"record {index} of the book cannot be read: {error}") from error
    if record.index != index:
        raise errors.BrokenError(f"record {index} of the book says that it is {record.index}")
    return record


def _raw(value: Any) -> bytes:
    """SQLite keeps whatever type was put into a column, so a value edited by hand may be text."""
    return value if isinstance(value, bytes) else str(value).encode()


def _record_row(record: Record) -> dict[str, Any]:
    return {
        "index": record.index,
        "hash": record.hash,
        "value": encoding.encode(record),
    }


def _row(row: ledger.Row) -> dict[str, Any]:
    return {
        "kind": type(row).__name__,
        "key": ledger.key(row),
        "value": encoding.encode(row),
    }


def _put(table: sql.Table, values: dict[str, Any]) -> sql.Insert:
    insert = sqlite.insert(table).values(**values)
    keys = [column.name for column in table.primary_key]
    rest = {name: value for name, value in values.items() if name not in keys}
    return insert.on_conflict_do_update(index_elements=keys, set_=rest)


def _decoded(kind: str, value: bytes) -> ledger.Row:
    if kind not in ledger.KINDS:
        raise errors.BrokenError(f"the book has a row of unknown kind {kind!r}")
    try:
        return encoding.decode(ledger.KINDS[kind], _raw(value))
    except errors.InputError as error:
        raise errors.BrokenError(f"a {kind} of the book cannot be read: {error}") from error


def _translated(error: Exception) -> errors.FleetError:
    if isinstance(error, (exc.OperationalError, sqlite3.OperationalError)):
        return errors.UnreachableError(f"the book cannot be reached: {error}")
    return errors.BrokenError(
        f"the book is damaged: {error}", hint="restore a copy; see docs/operations.md"
    )
