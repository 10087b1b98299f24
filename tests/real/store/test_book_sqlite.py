"""The book on real SQLite files: durable, and never read past damage."""

import asyncio
import sqlite3
import sys
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sql
from sqlalchemy import event

import builders
from fleet.adapters.store import book as sqlite
from fleet.audit import chain, records
from fleet.model import errors, slices
from fleet.ports import store
from fleet.protocol import encoding

DATA = slices.encode(())


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "book.sqlite"


@pytest.fixture
async def book(path: Path) -> AsyncIterator[sqlite.Book]:
    found = sqlite.Book(path)
    await found.load()
    yield found
    found.close()


@pytest.fixture
async def written(book: sqlite.Book, path: Path) -> Path:
    """A closed book of five records, two rows and a slice."""
    rows = (builders.environment_state(), builders.cluster_state())
    drafts = tuple(map(draft, range(5)))
    await book.commit(store.Write(records=drafts, rows=rows, slices={slices.digest(DATA): DATA}))
    book.close()
    return path


def draft(number: int) -> records.Draft:
    return records.Draft(
        kind=records.Kind.WAVE, subject="dev", at=builders.NOW, body={"wave": number}
    )


def execute(path: Path, statement: str, *values: Any) -> list[Any]:
    with closing(sqlite3.connect(path)) as connection, connection:
        return list(connection.execute(statement, values))


def record_at(path: Path, index: int) -> records.Record:
    ((value,),) = execute(path, 'SELECT value FROM records WHERE "index" = ?', index)
    return encoding.decode(records.Record, value)


async def refused(path: Path) -> errors.BrokenError:
    book = sqlite.Book(path)
    with pytest.raises(errors.BrokenError) as raised:
        await book.load()
    book.close()
    return raised.value


@pytest.mark.threat(96)
async def test_a_commit_is_on_the_disk_when_it_returns(book: sqlite.Book):
    with book._engine.connect() as connection:
        assert connection.execute(sql.text("PRAGMA synchronous")).scalar() == 2  # FULL
        assert connection.execute(sql.text("PRAGMA journal_mode")).scalar() == "wal"


async def test_a_path_may_have_any_name(tmp_path: Path):
    path = tmp_path / "a?mode=memory#%41 b.sqlite"
    book = sqlite.Book(path)
    await book.load()
    book.close()
    assert path.is_file()


@pytest.mark.threat(107)
async def test_a_book_of_another_version_is_refused_and_left_as_it_is(written: Path):
    execute(written, "DROP TABLE slices")
    execute(written, "UPDATE version SET schema = 2")
    before = execute(written, "SELECT name FROM sqlite_master ORDER BY name")
    error = await refused(written)
    assert "schema version 2" in str(error)
    assert "writes 1" in str(error)
    assert error.hint
    assert execute(written, "SELECT name FROM sqlite_master ORDER BY name") == before
    assert execute(written, "SELECT schema FROM version") == [(2,)]


DAMAGES = {
    "no JSON": b"{",
    "cut": b'{"at":"2026-03-01T12:00:00+00:00","body":{"wave":4}',
    "empty": b"",
    "zeros": bytes(64),
}


@pytest.mark.threat(97)
@pytest.mark.threat(105)
@pytest.mark.parametrize("value", DAMAGES.values(), ids=DAMAGES.keys())
async def test_an_unreadable_end_is_refused(written: Path, value: bytes):
    execute(written, 'UPDATE records SET value = ? WHERE "index" = 4', value)
    assert "record 4 of the book cannot be read" in str(await refused(written))


@pytest.mark.threat(105)
async def test_an_edited_end_is_refused(written: Path):
    edited = encoding.encode(record_at(written, 4)).replace(b'"wave":4', b'"wave":5')
    execute(written, 'UPDATE records SET value = ? WHERE "index" = 4', edited)
    assert str(await refused(written)) == "record 4 at the book's end is damaged"


@pytest.mark.threat(105)
@pytest.mark.parametrize("index", [0, 2, 3])
async def test_a_missing_record_is_refused(written: Path, index: int):
    execute(written, 'DELETE FROM records WHERE "index" = ?', index)
    assert str(await refused(written)) == "the book ends at record 5 but holds 4"


@pytest.mark.threat(105)
async def test_a_record_in_anothers_place_is_refused(written: Path):
    other = encoding.encode(record_at(written, 3))
    execute(written, 'UPDATE records SET value = ? WHERE "index" = 4', other)
    assert str(await refused(written)) == "record 4 of the book says that it is 3"


@pytest.mark.threat(105)
async def test_an_edited_record_in_the_middle_is_found_by_verifying(written: Path):
    edited = encoding.encode(record_at(written, 2)).replace(b'"wave":2', b'"wave":9')
    execute(written, 'UPDATE records SET value = ? WHERE "index" = 2', edited)
    book = sqlite.Book(written)
    await book.load()
    found = [record async for record in book.records()]
    book.close()
    assert chain.verify(found) == "record 2 is not what its hash says"


@pytest.mark.threat(105)
async def test_an_unreadable_record_in_the_middle_is_named(written: Path):
    execute(written, "UPDATE records SET value = x'00' WHERE \"index\" = 2")
    book = sqlite.Book(written)
    with pytest.raises(errors.BrokenError, match="record 2 of the book cannot be read"):
        _ = [record async for record in book.records()]
    book.close()


@pytest.mark.threat(105)
async def test_nothing_is_linked_to_a_damaged_end(book: sqlite.Book, path: Path):
    await book.commit(store.Write(records=(draft(0),)))
    edited = encoding.encode(record_at(path, 0)).replace(b'"wave":0', b'"wave":1')
    execute(path, "UPDATE records SET value = ?", edited)
    with pytest.raises(errors.BrokenError):
        await book.commit(store.Write(records=(draft(1),)))
    assert execute(path, "SELECT count(*) FROM records") == [(1,)]


@pytest.mark.threat(97)
@pytest.mark.parametrize(
    ("statement", "words"),
    [
        (
            "UPDATE rows SET value = x'00' WHERE kind = 'ClusterState'",
            "a ClusterState of the book",
        ),
        ("UPDATE rows SET value = '{}' WHERE kind = 'ClusterState'", "a ClusterState of the book"),
        ("UPDATE rows SET kind = 'Spell' WHERE kind = 'ClusterState'", "unknown kind 'Spell'"),
    ],
    ids=["bytes", "fields", "kind"],
)
async def test_a_damaged_row_is_refused(written: Path, statement: str, words: str):
    execute(written, statement)
    assert words in str(await refused(written))


@pytest.mark.threat(106)
@pytest.mark.parametrize(
    "data",
    [b"", DATA[:-1], DATA + b" ", DATA.replace(b"S", b"s"), "", 7],
    ids=["empty", "cut", "longer", "changed", "text", "number"],
)
async def test_a_damaged_slice_is_never_given_out(written: Path, data: bytes | str | int):
    execute(written, "UPDATE slices SET data = ?", data)
    book = sqlite.Book(written)
    await book.load()
    with pytest.raises(errors.BrokenError, match="damaged"):
        await book.slice(slices.digest(DATA))
    book.close()


@pytest.mark.threat(97)
async def test_a_file_that_is_no_database_is_refused_and_left_as_it_is(path: Path):
    path.write_bytes(b"this is a letter, not a database\n" * 100)
    error = await refused(path)
    assert "docs/operations.md" in error.hint
    assert path.read_bytes().startswith(b"this is a letter")


@pytest.mark.threat(97)
async def test_torn_pages_are_refused(written: Path):
    data = bytearray(written.read_bytes())
    data[4096:] = b"\xa5" * (len(data) - 4096)
    written.write_bytes(data)
    assert "the book is damaged" in str(await refused(written))


async def test_a_folder_that_is_missing_is_told_as_such(tmp_path: Path):
    book = sqlite.Book(tmp_path / "missing" / "book.sqlite")
    with pytest.raises(errors.UnreachableError, match="cannot be reached"):
        await book.load()


@pytest.mark.threat(97)
async def test_a_book_that_another_holds_is_unreachable_and_well_again_after(
    book: sqlite.Book, path: Path
):
    event.listen(book._engine, "connect", lambda found, _: found.execute("PRAGMA busy_timeout=50"))
    book.close()
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(errors.UnreachableError, match="locked"):
            await book.commit(store.Write(records=(draft(0),)))
        assert [record async for record in book.records()] == []  # reading goes on
    head = await book.commit(store.Write(records=(draft(0),)))
    assert head.length == 1


@pytest.mark.threat(95)
async def test_a_full_disk_loses_nothing_that_was_written(book: sqlite.Book):
    await book.commit(store.Write(records=(draft(0),)))

    def crowd(connection: Any, _: Any) -> None:
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count={pages + 2}")

    event.listen(book._engine, "connect", crowd)
    book.close()
    large = bytes(1 << 20)
    with pytest.raises(errors.UnreachableError, match="full"):
        await book.commit(store.Write(records=(draft(1),), slices={slices.digest(large): large}))
    found = [record async for record in book.records()]
    assert [record.body["wave"] for record in found] == [0]
    event.remove(book._engine, "connect", crowd)
    book.close()
    assert (await book.commit(store.Write(records=(draft(1),)))).length == 2


WRITER = """
import asyncio, pathlib, sys
from datetime import UTC, datetime
from fleet.adapters.store import book
from fleet.audit import records
from fleet.ports import store

async def main(path, name, times):
    found = book.Book(pathlib.Path(path))
    await found.load()
    for number in range(int(times)):
        body = {"by": name, "wave": number}
        at = datetime(2026, 3, 1, tzinfo=UTC)
        draft = records.Draft(kind=records.Kind.WAVE, subject=name, at=at, body=body)
        head = await found.commit(store.Write(records=(draft,)))
        print(head.length, head.hash, flush=True)

asyncio.run(main(*sys.argv[1:]))
"""


async def writer(path: Path, name: str, times: int) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-c", WRITER, str(path), name, str(times), stdout=asyncio.subprocess.PIPE
    )


async def read(path: Path) -> list[records.Record]:
    book = sqlite.Book(path)
    await book.load()
    found = [record async for record in book.records()]
    book.close()
    return found


@pytest.mark.threat(97)
async def test_two_processes_link_one_chain(book: sqlite.Book, path: Path):
    book.close()
    running = [await writer(path, name, 40) for name in ("one", "two")]
    told = [await each.communicate() for each in running]
    assert [each.returncode for each in running] == [0, 0]
    found = await read(path)
    assert chain.verify(found) is None
    lengths = [int(line.split()[0]) for out, _ in told for line in out.splitlines()]
    assert sorted(lengths) == list(range(1, 81))
    for name in ("one", "two"):
        assert [r.body["wave"] for r in found if r.subject == name] == list(range(40))


@pytest.mark.threat(94)
@pytest.mark.threat(96)
@pytest.mark.parametrize("confirmed", [1, 7, 20])
async def test_a_killed_process_loses_nothing_that_was_confirmed(
    book: sqlite.Book, path: Path, confirmed: int
):
    book.close()
    process = await writer(path, "one", 100_000)
    assert process.stdout is not None
    for _ in range(confirmed):
        line = await process.stdout.readline()
    process.kill()
    rest = await process.stdout.read()
    await process.wait()
    length, digest = (rest.splitlines() or [line])[-1].split()[:2]
    found = await read(path)
    kept = records.Head(length=int(length), hash=digest.decode())
    assert chain.verify(found, kept) is None
    assert len(found) <= kept.length + 1
