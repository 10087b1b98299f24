"""The memo: results by what they were computed from; whatever happens to its file, it is only slower."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from fleet.adapters.store import memo
from fleet.model import errors


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "memo.sqlite"


@pytest.fixture
async def kept(path: Path) -> AsyncIterator[memo.Memo]:
    found = memo.Memo(path)
    yield found
    found.close()


def execute(path: Path, statement: str, *values: Any) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement, values)


async def test_what_was_remembered_is_recalled(kept: memo.Memo):
    await kept.remember({"a": b"1", "b": b"", "c": b"\x00\xff"})
    assert await kept.recall(["a", "b", "c", "d"]) == {"a": b"1", "b": b"", "c": b"\x00\xff"}


async def test_nothing_asked_is_nothing_recalled(kept: memo.Memo, path: Path):
    assert await kept.recall([]) == {}
    await kept.remember({})
    assert not path.exists()


async def test_a_later_result_replaces_an_earlier_one(kept: memo.Memo):
    await kept.remember({"a": b"1"})
    await kept.remember({"a": b"2"})
    assert await kept.recall(["a"]) == {"a": b"2"}


async def test_it_outlives_the_process(kept: memo.Memo, path: Path):
    await kept.remember({"a": b"1"})
    again = memo.Memo(path)
    assert await again.recall(["a"]) == {"a": b"1"}
    again.close()


async def test_thousands_are_recalled_at_once(kept: memo.Memo):
    results = {f"key-{number}": str(number).encode() for number in range(1_700)}
    await kept.remember(results)
    assert await kept.recall([*results, "miss"]) == results


async def test_the_oldest_go_first(path: Path):
    small = memo.Memo(path, most=3)
    for number in range(6):
        await small.remember({f"key-{number}": b"x"})
    assert sorted(await small.recall(f"key-{n}" for n in range(6))) == ["key-3", "key-4", "key-5"]
    small.close()


POISONS = {
    "value": ("UPDATE memo SET value = ? WHERE key = 'a'", b"poison"),
    "value of another key": (
        "UPDATE memo SET (sum, value) = (SELECT sum, value FROM memo WHERE key = 'b') WHERE key = ?",
        "a",
    ),
    "sum": ("UPDATE memo SET sum = ? WHERE key = 'a'", b"\0" * 32),
    "no sum": ("UPDATE memo SET sum = ? WHERE key = 'a'", None),
    "no value": ("UPDATE memo SET value = ? WHERE key = 'a'", None),
    "text": ("UPDATE memo SET value = ? WHERE key = 'a'", "1"),
    "number": ("UPDATE memo SET value = ? WHERE key = 'a'", 1),
}


@pytest.mark.threat(106)
@pytest.mark.parametrize(("statement", "value"), POISONS.values(), ids=POISONS.keys())
async def test_a_poisoned_result_is_a_miss(
    kept: memo.Memo, path: Path, statement: str, value: Any
):
    await kept.remember({"a": b"1", "b": b"2"})
    execute(path, statement, value)
    assert await kept.recall(["a", "b"]) == {"b": b"2"}


async def works(path: Path) -> None:
    """Whatever it held: it answers, and it remembers again."""
    kept = memo.Memo(path)
    assert set(await kept.recall(["a"])) <= {"a"}
    await kept.remember({"a": b"2"})
    await kept.remember({"a": b"3"})
    assert await kept.recall(["a"]) == {"a": b"3"}
    kept.close()


@pytest.mark.threat(106)
@pytest.mark.parametrize("size", [1, 50, 100, 4096, 4097, 6000])
async def test_a_half_written_file_is_begun_anew(kept: memo.Memo, path: Path, size: int):
    await kept.remember({"a": b"1" * 100, "b": b"2" * 5000})
    kept.close()
    path.write_bytes(path.read_bytes()[:size])
    await works(path)


@pytest.mark.threat(106)
@pytest.mark.parametrize("data", [b"garbage" * 1000, b"SQLite format 3\0" + b"\xa5" * 8000])
async def test_garbage_is_begun_anew(path: Path, data: bytes):
    path.write_bytes(data)
    assert await memo.Memo(path).recall(["a"]) == {}
    await works(path)


@pytest.mark.threat(106)
async def test_torn_pages_are_begun_anew(kept: memo.Memo, path: Path):
    await kept.remember({f"key-{n}": b"x" * 500 for n in range(100)})
    kept.close()
    data = bytearray(path.read_bytes())
    data[4096:] = b"\xa5" * (len(data) - 4096)
    path.write_bytes(data)
    await works(path)


async def test_a_memo_of_another_form_is_begun_anew(path: Path):
    execute(path, "CREATE TABLE memo (key TEXT, result TEXT)")
    await works(path)


@pytest.mark.threat(106)
async def test_a_damaged_log_beside_it_does_no_harm(kept: memo.Memo, path: Path):
    await kept.remember({"a": b"1"})
    kept.close()
    path.with_name(path.name + "-wal").write_bytes(b"garbage" * 100)
    await works(path)


async def test_damage_while_it_runs_is_survived(kept: memo.Memo, path: Path):
    await kept.remember({"a": b"1"})
    execute(path, "DROP TABLE memo")
    assert await kept.recall(["a"]) == {}
    await kept.remember({"a": b"2"})
    assert await kept.recall(["a"]) == {"a": b"2"}


async def test_without_a_folder_it_only_forgets(tmp_path: Path):
    kept = memo.Memo(tmp_path / "missing" / "memo.sqlite")
    await kept.remember({"a": b"1"})
    assert await kept.recall(["a"]) == {}


async def test_what_cannot_go_is_told(path: Path):
    path.mkdir()
    with pytest.raises(errors.BrokenError, match="cannot go"):
        await memo.Memo(path).recall(["a"])
