"""The memo on SQLite: results by what they were computed from. Every answer is checked against a checksum (106)."""

import asyncio
import hashlib
import sqlite3
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from fleet.model import errors

_BATCH = 500
_MOST = 500_000  # results kept; the oldest go first


class Memo:
    """Implements ports.store.Memo. A file that cannot be used is forgotten and begun anew.

    `edition` names the program: what another edition found out is not believed.
    """

    def __init__(self, path: Path, *, edition: str = "", most: int = _MOST) -> None:
        self._path = path
        self._edition = edition
        self._most = most
        self._turn = asyncio.Lock()
        self._connection: sqlite3.Connection | None = None

    async def recall(self, keys: Iterable[str]) -> Mapping[str, bytes]:
        wanted = list(keys)
        if not wanted:
            return {}
        async with self._turn:
            return await asyncio.to_thread(self._recall, wanted)

    async def remember(self, results: Mapping[str, bytes]) -> None:
        if results:
            async with self._turn:
                await asyncio.to_thread(self._remember, dict(results))

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _recall(self, keys: list[str]) -> Mapping[str, bytes]:
        found: dict[str, bytes] = {}
        try:
            for start in range(0, len(keys), _BATCH):
                part = keys[start : start + _BATCH]
                marks = ",".join("?" * len(part))
                asked = f"SELECT key, sum, value FROM memo WHERE key IN ({marks})"  # noqa: S608 - marks only
                rows = self._open().execute(asked, part)
                found |= {
                    key: value for key, total, value in rows if self._is_whole(key, total, value)
                }
        except sqlite3.DatabaseError:
            self._begin_anew()
        return found

    def _remember(self, results: dict[str, bytes]) -> None:
        rows = [(key, self._sum(key, value), value) for key, value in results.items()]
        try:
            with self._open() as connection:
                connection.executemany("INSERT OR REPLACE INTO memo VALUES (?, ?, ?)", rows)
                connection.execute(
                    "DELETE FROM memo WHERE rowid <= (SELECT max(rowid) FROM memo) - ?",
                    (self._most,),
                )
        except sqlite3.DatabaseError:
            self._begin_anew()

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = sqlite3.connect(self._path, check_same_thread=False)
            self._connection.execute("PRAGMA journal_mode=WAL")
            self._connection.execute("PRAGMA synchronous=OFF")
            self._connection.execute(
                "CREATE TABLE IF NOT EXISTS memo (key TEXT PRIMARY KEY, sum BLOB, value BLOB)"
            )
        return self._connection

    def _begin_anew(self) -> None:
        """Losing it costs time only."""
        self.close()
        for suffix in ("", "-wal", "-shm"):
            try:
                self._path.with_name(self._path.name + suffix).unlink(missing_ok=True)
            except OSError as error:
                raise errors.BrokenError(f"{self._path} is damaged and cannot go") from error

    def _is_whole(self, key: Any, total: Any, value: Any) -> bool:
        is_typed = isinstance(key, str) and isinstance(value, bytes)
        return is_typed and total == self._sum(key, value)

    def _sum(self, key: str, value: bytes) -> bytes:
        head = f"{self._edition}\x00{key}\x00".encode()
        return hashlib.sha256(head + value).digest()
