"""What every book must do, whatever it is written on: ports.store.Book."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import pytest

import builders
from fleet.adapters.store import book as sqlite
from fleet.audit import chain, records
from fleet.model import errors, ledger, names, slices
from fleet.ports import store
from fleet.simulation import book as simulated
from fleet.simulation import faults

Opening = Callable[[], store.Book]


async def _on_sqlite(folder: Path) -> AsyncIterator[Opening]:
    opened: list[sqlite.Book] = []

    def opening() -> store.Book:
        opened.append(sqlite.Book(folder / "book.sqlite"))
        return opened[-1]

    yield opening
    for each in opened:
        each.close()


async def _in_memory(_: Path) -> AsyncIterator[Opening]:
    shelf = simulated.Shelf()
    yield lambda: simulated.Book(shelf, faults.Process(name="hub"))


KINDS = {"sqlite": _on_sqlite, "simulated": _in_memory}


@pytest.fixture(params=KINDS)
async def opening(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Opening]:
    """Opens the same book again and again, as a process that is started again does."""
    async for each in KINDS[request.param](tmp_path):
        yield each


@pytest.fixture
async def book(opening: Opening) -> store.Book:
    found = opening()
    await found.load()
    return found


def draft(number: int = 0) -> records.Draft:
    return records.Draft(
        kind=records.Kind.WAVE, subject="dev", at=builders.later(number), body={"wave": number}
    )


async def all_records(book: store.Book, since: int = 0) -> list[records.Record]:
    return [record async for record in book.records(since)]


ROWS: tuple[ledger.Row, ...] = (
    ledger.Seal(schema=1, road=builders.road(), held="old"),
    builders.environment_state(release=2, decision=builders.decision()),
    builders.environment_state("prod"),
    builders.release(1),
    builders.release(2),
    builders.cluster_state(report=builders.report(), dispatch=builders.dispatch()),
    builders.violation(),
    builders.soak(running=builders.interval(), longest=builders.interval(-9000, -7000)),
    builders.status(),
    builders.quarantine(),
    builders.break_glass(),
    builders.rebaseline(),
)


async def test_a_new_book_is_empty(book: store.Book):
    assert await book.load() == ledger.Ledger()
    assert await all_records(book) == []
    assert await book.slice(names.SliceDigest(builders.digest("x"))) is None


async def test_all_that_was_written_is_there_after_a_restart(book: store.Book, opening: Opening):
    data = slices.encode(())
    digest = slices.digest(data)
    await book.commit(store.Write(records=(draft(),), rows=ROWS, slices={digest: data}))
    again = opening()
    expected = ledger.Ledger()
    for row in ROWS:
        expected.take(row)
    assert await again.load() == expected
    assert [record.body for record in await all_records(again)] == [{"wave": 0}]
    assert await again.slice(digest) == data


async def test_a_row_replaces_the_one_of_its_key(book: store.Book):
    first = builders.cluster_state()
    await book.commit(store.Write(rows=(first, builders.cluster_state("dev-2"))))
    await book.commit(store.Write(rows=(replace(first, sequence=9),)))
    found = await book.load()
    assert {each.cluster: each.sequence for each in found.clusters.values()} == {
        "dev-1": 9,
        "dev-2": 0,
    }


async def test_of_two_rows_of_one_key_in_a_write_the_later_counts(book: store.Book):
    rows = (builders.environment_state(release=1), builders.environment_state(release=2))
    await book.commit(store.Write(rows=rows))
    assert (await book.load()).environments == {"dev": rows[1]}


async def test_a_slice_may_be_written_again(book: store.Book):
    data = slices.encode(())
    for _ in range(2):
        await book.commit(store.Write(slices={slices.digest(data): data}))
    assert await book.slice(slices.digest(data)) == data


async def test_records_are_linked_in_the_order_of_their_writes(book: store.Book):
    heads = [
        await book.commit(store.Write(records=(draft(0), draft(1)))),
        await book.commit(store.Write(records=(draft(2),))),
    ]
    found = await all_records(book)
    assert [record.body["wave"] for record in found] == [0, 1, 2]
    assert chain.verify(found, heads[0]) is None
    assert chain.head_of(found[-1]) == heads[-1]
    assert [head.length for head in heads] == [2, 3]


async def test_a_write_without_records_leaves_the_head(book: store.Book):
    assert await book.commit(store.Write()) == chain.START
    head = await book.commit(store.Write(records=(draft(),)))
    assert await book.commit(store.Write(rows=ROWS)) == head


async def test_the_chain_goes_on_after_a_restart(book: store.Book, opening: Opening):
    await book.commit(store.Write(records=(draft(0),)))
    again = opening()
    await again.load()
    await again.commit(store.Write(records=(draft(1),)))
    assert chain.verify(await all_records(again)) is None


@pytest.mark.threat(94)
async def test_of_a_write_that_fails_nothing_is_there(book: store.Book, opening: Opening):
    await book.commit(store.Write(records=(draft(0),)))
    unwritable = replace(draft(2), body={"waves": {1, 2}})
    with pytest.raises(TypeError):
        await book.commit(store.Write(records=(draft(1), unwritable), rows=ROWS))
    for each in (book, opening()):
        assert await each.load() == ledger.Ledger()
        assert len(await all_records(each)) == 1


async def test_it_goes_on_after_a_write_that_failed(book: store.Book):
    with pytest.raises(TypeError):
        await book.commit(store.Write(records=(replace(draft(), body={"waves": {1}}),)))
    head = await book.commit(store.Write(records=(draft(),)))
    assert head.length == 1


@pytest.mark.parametrize("since", [0, 1, 4, 5, 9])
async def test_records_since(book: store.Book, since: int):
    await book.commit(store.Write(records=tuple(map(draft, range(5)))))
    found = await all_records(book, since)
    assert [record.index for record in found] == list(range(since, 5))


@pytest.mark.threat(112)
async def test_a_long_chain_is_read_in_pages_and_whole(book: store.Book):
    await book.commit(store.Write(records=tuple(map(draft, range(1203)))))
    found = await all_records(book)
    assert len(found) == 1203
    assert chain.verify(found) is None


async def test_what_is_written_while_someone_reads_does_not_tear_the_chain(book: store.Book):
    await book.commit(store.Write(records=tuple(map(draft, range(501)))))
    seen = []
    async for record in book.records():
        if record.index == 0:
            await book.commit(store.Write(records=(draft(501),)))
        seen.append(record)
    assert chain.verify(seen) is None
    assert len(seen) >= 501


async def test_writes_at_the_same_time_come_one_after_the_other(book: store.Book):
    heads = await asyncio.gather(
        *(book.commit(store.Write(records=(draft(n),))) for n in range(20))
    )
    assert sorted(head.length for head in heads) == list(range(1, 21))
    found = await all_records(book)
    assert chain.verify(found) is None
    assert sorted(record.body["wave"] for record in found) == list(range(20))


async def test_two_who_write_the_same_book_link_one_chain(book: store.Book, opening: Opening):
    other = opening()
    await other.load()
    writes = (
        each.commit(store.Write(records=(draft(n),))) for n in range(10) for each in (book, other)
    )
    await asyncio.gather(*writes)
    found = await all_records(book)
    assert len(found) == 20
    assert chain.verify(found) is None


@pytest.mark.threat(101)
async def test_who_was_only_paused_writes_nothing_after_another_took_over(
    book: store.Book, opening: Opening
):
    await book.take_over()
    await book.commit(store.Write(records=(draft(0),)))
    other = opening()
    await other.take_over()
    for late in (book.commit(store.Write(records=(draft(1),), rows=ROWS)), book.confirm()):
        with pytest.raises(errors.RefusedError, match="another hub has taken the book over"):
            await late
    await other.confirm()
    await other.commit(store.Write(records=(draft(2),)))
    assert [each.body["wave"] for each in await all_records(other)] == [0, 2]
    assert await opening().load() == ledger.Ledger()


@pytest.mark.threat(101)
async def test_of_many_who_take_over_at_once_one_writes(opening: Opening):
    hubs = [opening() for _ in range(5)]
    await hubs[0].load()
    await asyncio.gather(*(each.take_over() for each in hubs))
    tries = [each.commit(store.Write(records=(draft(n),))) for n, each in enumerate(hubs)]
    answers = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(not isinstance(each, errors.RefusedError) for each in answers) == 1
    assert len(await all_records(hubs[0])) == 1


async def test_a_write_that_nobody_waits_for_any_more_tears_nothing(book: store.Book):
    asked = asyncio.ensure_future(book.commit(store.Write(records=(draft(0),))))
    await asyncio.sleep(0)
    asked.cancel()
    await asyncio.wait([asked])
    await book.commit(store.Write(records=(draft(1),)))
    found = await all_records(book)
    assert chain.verify(found) is None
    assert found[-1].body == {"wave": 1} or found[0].body == {"wave": 1}
