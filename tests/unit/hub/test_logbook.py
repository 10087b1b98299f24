"""A record as people name it."""

import asyncio
from collections.abc import AsyncIterator
from types import SimpleNamespace

import pytest

import builders
from fleet.audit import chain, records
from fleet.hub.desk import logbook
from fleet.model import errors


class Book:
    def __init__(self, length: int) -> None:
        self.kept: list[records.Record] = []
        for number in range(length):
            draft = records.Draft(
                kind=records.Kind.WAVE, subject="dev", at=builders.NOW, body={"wave": number}
            )
            head = chain.head_of(self.kept[-1]) if self.kept else chain.START
            self.kept.append(chain.link(draft, head))

    async def records(self, since: int = 0) -> AsyncIterator[records.Record]:
        for each in self.kept[since:]:
            yield each


def test_a_record_is_found_by_its_index_and_by_the_beginning_of_its_hash_though_that_is_a_number():
    book = Book(400)
    hub = SimpleNamespace(book=book)

    async def found(word: str) -> int:
        record = await logbook.found(hub, {"id": word})  # type: ignore[arg-type]  # as much as is asked for
        return record.index

    async def main() -> None:
        numbers = [each for each in book.kept if each.hash[:6].isdecimal()]
        assert numbers
        for each in (*numbers, book.kept[7]):
            assert await found(each.hash[:6]) == each.index
            assert await found(str(each.index)) == each.index
        for nothing in ("400", "007", "9" * 5000, "\u0663", "", book.kept[0].hash[:5] + "x"):
            with pytest.raises(errors.InputError, match="there is no record"):
                await found(nothing)

    asyncio.run(main())
