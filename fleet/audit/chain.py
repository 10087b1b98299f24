"""The hash chain: each record's hash covers the one before, so nothing can be edited, dropped or moved unseen."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from fleet.audit import records
from fleet.model import json_values

_DIGITS = 16  # more than any log has
START = records.Head(length=0, hash="0" * 64)


def link(draft: records.Draft, head: records.Head) -> records.Record:
    """The draft as the next record after `head`."""
    record = records.Record(
        index=head.length,
        kind=draft.kind,
        subject=draft.subject,
        at=draft.at,
        body=draft.body,
        previous=head.hash,
        hash="",
    )
    return records.Record(
        index=record.index,
        kind=record.kind,
        subject=record.subject,
        at=record.at,
        body=record.body,
        previous=record.previous,
        hash=hash_of(record),
    )


def head_of(record: records.Record) -> records.Head:
    return records.Head(length=record.index + 1, hash=record.hash)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A record as people name it: by its index, or where there is none such, by the beginning of its hash."""

    word: str
    shortest: int = 6  # letters of a hash

    @property
    def index(self) -> int | None:
        is_number = self.word.isascii() and self.word.isdecimal() and len(self.word) < _DIGITS
        return int(self.word) if is_number and self.word == str(int(self.word)) else None

    def begins(self, record: records.Record) -> bool:
        return len(self.word) >= self.shortest and record.hash.startswith(self.word)


def hash_of(record: records.Record) -> str:
    return hash_of_json(as_json(record))


def hash_of_json(document: json_values.JsonObject) -> str:
    """Of everything but the hash itself."""
    rest = {name: value for name, value in document.items() if name != "hash"}
    return hashlib.sha256(json_values.encode(rest)).hexdigest()


def as_json(record: records.Record) -> dict[str, Any]:
    return {
        "index": record.index,
        "kind": record.kind.value,
        "subject": record.subject,
        "at": record.at.isoformat(),
        "body": dict(record.body),
        "previous": record.previous,
        "hash": record.hash,
    }


class Walk:
    """One record after the other is held against the one before; with an older head: it must be on the way."""

    def __init__(self, anchor: records.Head | None = None) -> None:
        self.head = START
        self._anchor = anchor
        self._anchored = anchor in (None, START)

    def step(self, record: records.Record) -> str | None:
        """The fault in words, naming its index; None = it follows."""
        if record.index != self.head.length:
            return f"record {self.head.length} is missing: {record.index} comes next"
        if record.previous != self.head.hash:
            return f"record {record.index} does not follow the one before it"
        if record.hash != hash_of(record):
            return f"record {record.index} is not what its hash says"
        self.head = head_of(record)
        self._anchored = self._anchored or self.head == self._anchor
        return None

    def end(self) -> str | None:
        """At the end of all records."""
        if self._anchor is None or self._anchored:
            return None
        return _unanchored(self.head, self._anchor)


def verify(found: Iterable[records.Record], anchor: records.Head | None = None) -> str | None:
    """The first fault in words, naming its index; None = whole. With an older head: it must be on the way."""
    walk = Walk(anchor)
    for record in found:
        fault = walk.step(record)
        if fault is not None:
            return fault
    return walk.end()


def _unanchored(head: records.Head, anchor: records.Head) -> str:
    if head.length < anchor.length:
        return f"record {head.length} is missing: the chain is cut, it had {anchor.length} records"
    return f"record {anchor.length - 1} or one before it is not the one of the head that was kept"
