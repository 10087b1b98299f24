"""The hash chain: nothing can be edited, dropped, moved or cut unseen, and verify names the index."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

import builders
from fleet.audit import chain, records
from fleet.model import json_values
from fleet.protocol import encoding

Chain = list[records.Record]


def draft(number: int) -> records.Draft:
    return records.Draft(
        kind=records.Kind.WAVE,
        subject="dev",
        at=builders.later(number),
        body={"wave": number, "clusters": ["dev-1"]},
    )


def linked(count: int, start: records.Head = chain.START) -> Chain:
    found: Chain = []
    head = start
    for number in range(count):
        found.append(chain.link(draft(start.length + number), head))
        head = chain.head_of(found[-1])
    return found


def rehashed(record: records.Record, **changed: Any) -> records.Record:
    """As a careful forger would leave it: edited, with the right hash of its own."""
    edited = replace(record, **changed)
    return replace(edited, hash=chain.hash_of(edited))


@pytest.mark.parametrize("count", [0, 1, 2, 50])
def test_a_whole_chain_has_no_fault(count: int):
    assert chain.verify(linked(count)) is None


def test_the_first_record_follows_nothing():
    first = linked(1)[0]
    assert (first.index, first.previous) == (0, "0" * 64)
    assert chain.head_of(first) == records.Head(length=1, hash=first.hash)


def test_a_hash_is_known():
    """Other programs verify it by docs/formats.md: a change here breaks every chain that was written."""
    assert linked(1)[0].hash == json_values.digest(
        {
            "index": 0,
            "kind": "wave",
            "subject": "dev",
            "at": "2026-03-01T12:00:00+00:00",
            "body": {"wave": 0, "clusters": ["dev-1"]},
            "previous": "0" * 64,
        }
    ).removeprefix("sha256:")


EDITS: dict[str, dict[str, Any]] = {
    "kind": {"kind": records.Kind.HOLD},
    "subject": {"subject": "prod"},
    "at": {"at": builders.later(999)},
    "body": {"body": {"wave": 99}},
    "previous": {"previous": "1" * 64},
    "hash": {"hash": "1" * 64},
}


@pytest.mark.threat(105)
@pytest.mark.parametrize("at", [0, 3, 6])
@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS.keys())
def test_an_edited_record_is_named(edit: dict[str, Any], at: int):
    found = linked(7)
    found[at] = replace(found[at], **edit)
    fault = chain.verify(found)
    assert fault is not None
    assert f"record {at} " in fault


@pytest.mark.threat(105)
@pytest.mark.parametrize("at", [0, 3, 5])
def test_an_edit_with_the_right_hash_breaks_the_next_link(at: int):
    found = linked(7)
    found[at] = rehashed(found[at], body={"wave": 99})
    assert chain.verify(found) == f"record {at + 1} does not follow the one before it"


@pytest.mark.threat(105)
@pytest.mark.parametrize("at", [0, 3, 5])
def test_a_dropped_record_is_named(at: int):
    found = linked(7)
    del found[at]
    assert chain.verify(found) == f"record {at} is missing: {at + 1} comes next"


@pytest.mark.threat(105)
def test_a_dropped_record_is_named_although_the_rest_was_counted_anew():
    found = linked(7)
    del found[3]
    counted = [rehashed(record, index=number) for number, record in enumerate(found)]
    assert chain.verify(counted) == "record 3 does not follow the one before it"


@pytest.mark.threat(105)
@given(some.integers(0, 6), some.integers(0, 6))
def test_two_records_that_changed_places_are_found_at_the_first(one: int, other: int):
    found = linked(7)
    found[one], found[other] = found[other], found[one]
    fault = chain.verify(found)
    if one == other:
        assert fault is None
    else:
        assert fault == f"record {min(one, other)} is missing: {max(one, other)} comes next"


@pytest.mark.threat(105)
def test_a_record_twice_is_found():
    found = linked(3)
    assert chain.verify([*found, found[-1]]) == "record 3 is missing: 2 comes next"


@pytest.mark.threat(105)
def test_a_record_put_between_is_found():
    found = linked(5)
    between = chain.link(draft(9), chain.head_of(found[1]))
    assert chain.verify([*found[:2], between, *found[2:]]) is not None


@pytest.mark.threat(105)
@pytest.mark.parametrize("left", [0, 1, 6])
def test_a_cut_tail_is_found_by_the_head_that_was_kept(left: int):
    found = linked(7)
    kept = chain.head_of(found[-1])
    assert chain.verify(found[:left]) is None
    fault = chain.verify(found[:left], kept)
    assert fault == f"record {left} is missing: the chain is cut, it had 7 records"


@pytest.mark.threat(105)
@pytest.mark.parametrize("length", [5, 9])
def test_a_chain_written_anew_is_found_by_the_head_that_was_kept(length: int):
    kept = chain.head_of(linked(7)[4])
    forged = [chain.link(replace(draft(0), subject="forged"), chain.START)]
    forged += linked(8, chain.head_of(forged[0]))
    assert chain.verify(forged) is None
    fault = chain.verify(forged[:length], kept)
    assert fault == "record 4 or one before it is not the one of the head that was kept"


@given(some.integers(0, 12), some.integers(0, 12))
def test_every_older_head_is_on_the_way_and_no_later_one(kept: int, length: int):
    found = linked(12)
    anchor = chain.head_of(found[kept - 1]) if kept else chain.START
    assert (chain.verify(found[:length], anchor) is None) is (kept <= length)


@pytest.mark.threat(112)
def test_verifying_streams():
    """It looks at one record at a time and asks for none after the first fault."""
    found = linked(100)
    found[10] = replace(found[10], subject="prod")
    asked: list[int] = []

    def stream() -> Iterator[records.Record]:
        for record in found:
            asked.append(record.index)
            yield record

    assert chain.verify(stream()) == "record 10 is not what its hash says"
    assert asked[-1] == 10


@given(
    some.recursive(
        some.none() | some.booleans() | some.integers() | some.text(),
        lambda inner: some.lists(inner) | some.dictionaries(some.text(), inner),
        max_leaves=8,
    )
)
def test_a_record_keeps_its_hash_through_the_book(value: object):
    record = chain.link(replace(draft(0), body={"value": value}), chain.START)
    again = encoding.decode(records.Record, encoding.encode(record))
    assert chain.hash_of(again) == record.hash
    assert chain.verify([again]) is None


def test_the_json_of_a_record_shows_all_of_it():
    record = linked(1)[0]
    assert chain.as_json(record) == encoding.as_json(record)


SPOILERS: list[Callable[[Chain], Chain]] = [
    lambda found: found[1:],
    lambda found: found[::-1],
    lambda found: [*found[:2], *found[3:]],
]


@pytest.mark.threat(105)
@pytest.mark.parametrize("spoil", SPOILERS, ids=["head cut", "turned round", "middle cut"])
def test_other_orders_are_found(spoil: Callable[[Chain], Chain]):
    assert chain.verify(spoil(linked(7))) is not None
