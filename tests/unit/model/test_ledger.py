"""The ledger: the newest row of each key counts."""

from dataclasses import replace

import pytest

import builders
from fleet.model import ledger, names

DEV, STAGING, PROD = (names.Environment(each) for each in ("dev", "staging", "prod"))


def test_the_road_knows_who_comes_before():
    road = builders.road()
    assert road.before(DEV) is None
    assert road.before(STAGING) == DEV
    assert road.before(PROD) == STAGING
    assert road.branch(PROD) == "env/prod"


def test_a_row_replaces_the_one_of_its_key():
    book = ledger.Ledger()
    first = builders.cluster_state()
    book.take(first)
    book.take(replace(first, sequence=9))
    book.take(builders.cluster_state("dev-2"))
    assert [each.sequence for each in book.clusters.values()] == [9, 0]


def test_in_force_is_the_release_that_its_environment_names():
    book = ledger.Ledger()
    assert book.in_force(DEV) is None
    for number in (1, 2, 3):
        book.take(builders.release(number))
    book.take(builders.environment_state(release=2))
    found = book.in_force(DEV)
    assert found is not None
    assert found.number == 2


def test_an_environment_without_release_has_none_in_force():
    book = ledger.Ledger()
    book.take(builders.environment_state())
    assert book.in_force(DEV) is None


ROWS = [
    ledger.Seal(schema=1),
    builders.environment_state(),
    builders.environment_state("prod"),
    builders.release(1),
    builders.release(2),
    builders.release(1, environment="prod"),
    builders.cluster_state(),
    builders.cluster_state("prod-1", environment="prod"),
    builders.violation(),
    builders.violation(since=builders.later(60)),
    builders.soak(running=builders.interval()),
    builders.status(),
    builders.status(context="unit"),
    builders.quarantine(),
    builders.break_glass(),
]


def test_each_row_has_a_key_of_its_own():
    assert len({(type(row), ledger.key(row)) for row in ROWS}) == len(ROWS)


@pytest.mark.parametrize(
    "row", ROWS, ids=lambda row: f"{type(row).__name__} {ledger.key(row)[:20]}"
)
def test_a_row_is_taken_once_however_often_it_comes(row: ledger.Row):
    once, twice = ledger.Ledger(), ledger.Ledger()
    once.take(row)
    twice.take(row)
    twice.take(row)
    assert once == twice != ledger.Ledger(seal=ledger.Seal(schema=0))
