"""The nodes of the tree over the records, kept beside them: each subtree that is full, once and for good.

A book that an earlier version wrote to has none for its records, or not for the last of them: they are made on load.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sql

from fleet.audit import tree
from fleet.model import errors

_BATCH = 400


def table(metadata: sql.MetaData) -> sql.Table:
    return sql.Table(
        "nodes",
        metadata,
        sql.Column("level", sql.Integer, primary_key=True),
        sql.Column("place", sql.Integer, primary_key=True),
        sql.Column("hash", sql.LargeBinary, nullable=False),
    )


def append(connection: sql.Connection, nodes: sql.Table, size: int, record_hash: str) -> None:
    """Of the record that comes after the first `size`."""

    def sibling(place: tree.Place) -> bytes:
        return read(connection, nodes, [place])[place]

    for (level, place), found in tree.grown(size, tree.leaf(record_hash), sibling):
        connection.execute(nodes.insert().values(level=level, place=place, hash=found))


def read(
    connection: sql.Connection, nodes: sql.Table, places: Iterable[tree.Place]
) -> Mapping[tree.Place, bytes]:
    """Raises KeyError for a subtree that is not full."""
    wanted = list(places)
    found: dict[tree.Place, bytes] = {}
    for start in range(0, len(wanted), _BATCH):
        part = wanted[start : start + _BATCH]
        asked = sql.select(nodes).where(sql.tuple_(nodes.c.level, nodes.c.place).in_(part))
        for level, place, data in connection.execute(asked):
            found[level, place] = _node(data)
    return {place: found[place] for place in wanted}


def complete(connection: sql.Connection, nodes: sql.Table, records: sql.Table) -> None:
    """Make those that are missing, from the records' hashes."""
    last = sql.select(sql.func.max(nodes.c.place)).where(nodes.c.level == 0)
    known = connection.execute(last).scalar()
    size = 0 if known is None else known + 1
    while page := _hashes(connection, records, size):
        for found in page:
            append(connection, nodes, size, found)
            size += 1


def _hashes(connection: sql.Connection, records: sql.Table, since: int) -> list[str]:
    asked = (
        sql.select(records.c.hash)
        .where(records.c.index >= since)
        .order_by(records.c.index)
        .limit(_BATCH)
    )
    return list(connection.execute(asked).scalars())


def _node(data: Any) -> bytes:
    if not isinstance(data, bytes) or len(data) != 32:
        raise errors.BrokenError("the book's tree over its records is damaged")
    return data
